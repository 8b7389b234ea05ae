//! Programs on the native engine: any damage to the process is a failure of that invocation. The
//! loader continues, and no process or file remains.
#![cfg(all(target_os = "linux", target_pointer_width = "64"))]

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use abi::entry::NATIVE_HEAP_BASE;
use everywhere::Command;
use loader::fixture::Fixture;
use loader::{
    AccountInput, Engine, Failure, Invocation, InvocationError, Limits, LoadError, Loader, Price,
    Program, Pubkey, Signature,
};
use program_build::guest::{Sanitizer, native_runner};
use program_build::machine::Machine;
use program_build::options::CargoOptions;
use program_build::package::ProgramPackage;
use tests::everywhere_guest::{Step, call, file, invoke, load, package};
use tests::{PROGRAM_ID, example, guest};

/// Serializes the tests, because each one checks that no process remains.
pub(super) struct OneTest(#[expect(dead_code, reason = "held until drop")] MutexGuard<'static, ()>);

pub(super) fn one_test() -> OneTest {
    static ALONE: Mutex<()> = Mutex::new(());
    OneTest(ALONE.lock().unwrap_or_else(PoisonError::into_inner))
}

impl Drop for OneTest {
    fn drop(&mut self) {
        if !thread::panicking() {
            assert_eq!(children(), [0; 0], "processes are left");
        }
    }
}

/// The child processes of this process, running or zombie.
pub(super) fn children() -> Vec<u32> {
    let own = std::process::id().to_string();
    let is_own = |process: &u32| {
        let line = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
        // After the name in parentheses: the state, and the parent.
        let fields = line.rsplit_once(')').map_or("", |(_, fields)| fields);
        fields.split_whitespace().nth(1) == Some(&own)
    };
    let processes = fs::read_dir("/proc").expect("a list of processes");
    let numbers = processes.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    numbers.filter(is_own).collect()
}

pub(super) fn program(seconds: u32) -> Program {
    let limits = Limits::default().processor_seconds(seconds);
    load(Engine::Native, None, limits)
}

fn runner() -> OsString {
    let runner = native_runner(&package().target_folder, None, &CargoOptions::default());
    runner.unwrap_or_else(|error| panic!("{error:?}")).into()
}

/// The program, run by a given command.
pub(super) fn program_by<T: Into<OsString>>(command: impl IntoIterator<Item = T>) -> Program {
    let loader = Loader::native(command.into_iter().map(Into::into));
    let loader = loader.limits(Limits::default().processor_seconds(1));
    let own = loader.syscall("own_known", Signature::new([]), Price::fixed(0), |_| Ok(0));
    let loader = own.unwrap_or_else(|error| panic!("{error}"));
    let library = file(Engine::Native, None);
    loader
        .load(&library)
        .unwrap_or_else(|error| panic!("{error}"))
}

fn refusal(program: &Program) -> String {
    match program.invoke(&call(&[])) {
        Err(error @ InvocationError::Engine { .. }) => error.to_string(),
        other => panic!("the invocation ran: {other:?}"),
    }
}

#[track_caller]
fn contains_all(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in: {text}");
    }
}

/// A call that changes an account and logs, and then runs these steps.
fn call_that_ends(steps: &[Step]) -> Invocation {
    let before = [
        (Command::LogText, [1, 0, 0]),
        (Command::SetReturnData, [8, 0, 0]),
        (Command::SetData, [0, 1, 77]),
        (Command::SetKelvins, [0, 1, 0]),
    ];
    call(&[&before, steps].concat()).account(
        AccountInput::new(Pubkey::new([2; 32]))
            .owner(PROGRAM_ID)
            .kelvins(9)
            .data([1, 2, 3])
            .writable(),
    )
}

/// The failure of a call that runs these steps. Only its log may remain.
#[track_caller]
pub(super) fn failure(program: &Program, steps: &[Step]) -> Failure {
    let outcome = invoke(program, &call_that_ends(steps));
    assert_eq!(outcome.status, None, "{outcome:?}");
    assert_eq!(outcome.logs[0], "a");
    assert!(outcome.return_data.is_empty());
    let account = &outcome.accounts[0];
    assert_eq!((account.kelvins, &account.data[..]), (9, &[1, 2, 3][..]));
    assert_eq!(children(), [0; 0], "{steps:?}");
    outcome.failure.expect("a failure")
}

#[track_caller]
pub(super) fn assert_works(program: &Program) {
    let outcome = invoke(program, &call(&[(Command::LogText, [2, 0, 0])]));
    assert_eq!(
        (outcome.failure, &outcome.logs[..]),
        (None, &["aß".to_owned()][..])
    );
}

#[test]
fn every_process_end_is_a_failure() {
    let _guard = one_test();
    let program = program(20);
    let heap = NATIVE_HEAP_BASE;
    for (steps, cause) in [
        (vec![(Command::ReadAt, [0; 3])], "SIGSEGV"),
        (vec![(Command::WriteAt, [8, 1, 0])], "SIGSEGV"),
        (vec![(Command::WriteAt, [heap - 1, 1, 0])], "SIGSEGV"),
        // An address after heap and input.
        (
            vec![(Command::WriteAt, [heap + (1 << 20), 1, 0])],
            "SIGSEGV",
        ),
        (vec![(Command::AbortProcess, [0; 3])], "SIGABRT"),
        // The process writes the stack overflow to standard error.
        (vec![(Command::RecurseForEver, [0; 3])], "SIGABRT"),
        (vec![(Command::Exit, [0; 3])], "exit status: 0"),
        (vec![(Command::Exit, [3, 0, 0])], "exit status: 3"),
        (vec![(Command::LeaveProcess, [5, 0, 0])], "exit status: 5"),
        // The process no longer has the socket.
        (
            vec![(Command::CloseFiles, [0; 3]), (Command::LogText, [3, 0, 0])],
            "exit status: 0",
        ),
        // A message of an unknown kind, and then a part of another message.
        (
            vec![
                (Command::WriteToFiles, [0xee, 64, 0]),
                (Command::LogText, [3, 0, 0]),
            ],
            "protocol error",
        ),
        (vec![(Command::WriteToFiles, [0, 48, 0])], "protocol error"),
        (
            vec![(Command::WriteToFiles, [1, 4_096, 0]); 50],
            "protocol error",
        ),
    ] {
        let failure = failure(&program, &steps);
        assert_eq!(failure.kind(), "Trapped", "{steps:?}: {failure:?}");
        contains_all(&failure.to_string(), &["the program trapped: ", cause]);
        assert_works(&program);
    }
    if cfg!(target_arch = "x86_64") {
        contains_all(
            &failure(&program, &[(Command::IllegalInstruction, [0; 3])]).to_string(),
            &["SIGILL"],
        );
    }
}

#[test]
fn cpu_time_and_blocking_are_limited() {
    let _guard = one_test();
    let program = program(1);
    for steps in [
        vec![(Command::Loop, [0; 3])],
        vec![(Command::Pause, [0; 3])],
        vec![(Command::CloseFiles, [0; 3]), (Command::Loop, [0; 3])],
        vec![(Command::CloseFiles, [0; 3]), (Command::Pause, [0; 3])],
    ] {
        assert_eq!(
            failure(&program, &steps),
            Failure::TimedOut { limit: 1 },
            "{steps:?}"
        );
    }
    assert_works(&program);
}

#[test]
fn remaining_processes_end_with_the_program() {
    let _guard = one_test();
    let outcome = invoke(&program(20), &call(&[(Command::LeaveProcess, [0; 3])]));
    let left: u32 = outcome.logs[0].parse().expect("a process id");
    let stat = PathBuf::from(format!("/proc/{left}/stat"));
    // The process is killed, but its new parent may not have collected it yet.
    for _ in 0..1_000 {
        let line = fs::read_to_string(&stat).unwrap_or_default();
        if !line.contains("native-runner") || line.contains(") Z ") {
            return;
        }
        thread::sleep(Duration::from_millis(10));
    }
    panic!("process {left} still runs");
}

#[test]
fn every_invocation_has_fresh_memory() {
    let _guard = one_test();
    let program = program(20);
    let mut steps = vec![(Command::Zeroed, [16_000, 0, 0]); 2];
    steps.push((Command::Count, [0; 3]));
    // The second vector takes the place of the first one.
    for _ in 0..2 {
        let logs = invoke(&program, &call(&steps)).logs;
        let expected = ["0 of 16000 bytes are not 0"; 2]
            .into_iter()
            .chain(["7 in a static"]);
        assert!(logs.iter().eq(expected), "{logs:?}");
    }
    // Overwrite the heap in one invocation; the next one must find zeros.
    let heap = u64::from(Invocation::new(PROGRAM_ID).heap_size);
    let dirty: Vec<Step> = (0..8)
        .chain((8..heap).step_by(61))
        .map(|offset| (Command::WriteAt, [NATIVE_HEAP_BASE + offset, 0xff, 0]))
        .collect();
    let outcome = invoke(&program, &call(&dirty));
    assert!(outcome.is_success());
    // The loader ignores the invalid header.
    assert_eq!((outcome.heap.used, outcome.heap.peak), (None, None));
    let outcome = invoke(&program, &call(&steps));
    assert_eq!(outcome.logs[0], "0 of 16000 bytes are not 0");
    assert!(outcome.heap.peak >= Some(16_000));
}

#[test]
fn heap_is_at_the_contracts_address() {
    let _guard = one_test();
    let call = call(&[(Command::LogBlock, [0; 3])]);
    let outcome = invoke(&program(20), &call);
    let address = outcome.logs[0]
        .strip_prefix("0x")
        .map(|digits| u64::from_str_radix(digits, 16));
    let address = address.expect("an address").expect("a number");
    let heap = NATIVE_HEAP_BASE..NATIVE_HEAP_BASE + u64::from(call.heap_size);
    assert!(heap.contains(&address), "{address:#x}");
}

#[test]
fn concurrent_calls_do_not_affect_each_other() {
    let _guard = one_test();
    let program = program(20);
    let calls: Vec<Invocation> = (0..64)
        .map(|number| {
            let ends = match number % 8 {
                3 => (Command::ReadAt, [0; 3]),
                5 => (Command::Exit, [number, 0, 0]),
                6 => (Command::Panic, [3, number, 0]),
                _ => (Command::Count, [0; 3]),
            };
            call(&[(Command::LogNumbers, [number, 0, 0]), ends])
        })
        .collect();
    let outcomes = program.run_batch(&calls);
    for (call, outcome) in calls.iter().zip(outcomes) {
        let outcome = outcome.unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(outcome, invoke(&program, call));
    }
}

/// Writes an executable script.
fn script(folder: &Path, name: &str, text: &str) -> OsString {
    let path = folder.join(name);
    fs::write(&path, format!("#!/bin/sh\n{text}\n")).expect("a file");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).expect("an executable");
    path.into()
}

#[test]
fn command_without_a_program_does_not_hang() {
    let _guard = one_test();
    let folder = tempfile::tempdir().expect("a folder");
    let by = |name, text| refusal(&program_by([script(folder.path(), name, text)]));
    let missing = folder.path().join("missing");
    contains_all(
        &refusal(&program_by([&missing])),
        &["cannot run", &missing.display().to_string(), "No such file"],
    );
    contains_all(
        &refusal(&program_by([folder.path()])),
        &["cannot run", "ermission denied"],
    );
    contains_all(
        &refusal(&program_by::<OsString>([])),
        &["the loader has no command"],
    );
    contains_all(
        &by("over", "exit 7"),
        &["exited before it started the program (exit status: 7)"],
    );
    contains_all(&by("killed", "kill -9 $$"), &["(signal: 9"]);
    // Neither opens the library, and the loader does not wait for ever.
    let late = "the runner did not open the library in time";
    contains_all(&by("asleep", "exec sleep 1000"), &[late]);
    contains_all(&by("busy", "while :; do :; done"), &[late]);
    // What it leaves behind ends too.
    let number = folder.path().join("number");
    let text = format!("sleep 1000 &\necho $! > {}\nwait", number.display());
    contains_all(&by("leaves", &text), &[late]);
    let number = fs::read_to_string(number).expect("a number");
    let line = fs::read_to_string(format!("/proc/{}/stat", number.trim())).unwrap_or_default();
    assert!(!line.contains("(sleep) S"), "{line}");
}

/// The runner does not fork, because it has a child. Of the processes after the first, each waits
/// until another has started.
#[test]
fn libraries_that_cannot_fork_start_at_once() {
    let _guard = one_test();
    let folder = tempfile::tempdir().expect("a folder");
    let started = folder.path().join("started");
    fs::create_dir(&started).expect("a folder");
    let text = format!(
        "cd {}\nmktemp -p . >/dev/null\ntries=0\n\
         while [ $(ls | wc -l) = 2 ] && [ $tries -lt 100 ]\n\
         do sleep 0.05; tries=$((tries + 1))\ndone\n\
         true &\nexec {} \"$@\"",
        started.display(),
        Path::new(&runner()).display(),
    );
    let program = program_by([script(folder.path(), "lonely", &text)]);
    assert_works(&program);
    let begin = std::time::Instant::now();
    for outcome in program.run_batch(&[call(&[]), call(&[])]) {
        let outcome = outcome.unwrap_or_else(|error| panic!("{error}"));
        assert!(outcome.is_success(), "{outcome:?}");
    }
    assert!(
        begin.elapsed() < Duration::from_secs(5),
        "one after the other"
    );
}

#[test]
fn command_may_precede_the_runner() {
    let _guard = one_test();
    let runner = runner();
    assert_works(&program_by([OsString::from("env"), runner.clone()]));
    // The time limit, one second, does not include the command's start: a debugger may take longer.
    let words = ["sh", "-c", "sleep 2; exec \"$@\"", "sh"].map(OsString::from);
    assert_works(&program_by(words.into_iter().chain([runner.clone()])));
    let words = ["sh", "-c", "echo noise; \"$@\"; exit 9", "sh"].map(OsString::from);
    let program = program_by(words.into_iter().chain([runner]));
    assert_works(&program);
    let outcome = invoke(&program, &call(&[(Command::Exit, [4, 0, 0])]));
    // The loader gets the exit status of the command.
    contains_all(
        &outcome.failure.expect("a failure").to_string(),
        &["exit status: 9"],
    );
    contains_all(
        &refusal(&program_by(["env", "--no-such-option"])),
        &["exited before it started the program (exit status: 125)"],
    );
}

#[test]
fn invalid_library_is_rejected() {
    let _guard = one_test();
    let loader = || Loader::native([runner()]);
    for bytes in [&b""[..], b"ELF", b"#!/bin/sh\n"] {
        let error = loader().load(bytes).expect_err("not a library");
        assert!(
            matches!(error, LoadError::InvalidLibrary { .. }),
            "{error:?}"
        );
    }
    let error = loader()
        .load(b"\0asm\x01\0\0\0")
        .expect_err("a module for wasm32");
    assert!(matches!(error, LoadError::WrongTarget { .. }), "{error:?}");
    // The loader checks the exports only when a process opens the library.
    let garbage = [b"\x7fELF".as_slice(), &[2; 4_000]].concat();
    let maps = fs::read_to_string("/proc/self/maps").expect("this process");
    let library = maps
        .split_whitespace()
        .find(|word| word.contains("/libc.so"));
    let others = fs::read(library.expect("a library")).expect("a library");
    for library in [garbage, others] {
        let program = loader().load(&library).expect("an ELF file");
        for _ in 0..2 {
            contains_all(
                &refusal(&program),
                &["exit status: 3", "is not a program", "stderr"],
            );
        }
    }
}

/// The file in which the process finds the library, as the runner's own command line has it.
fn opened_file(loader: impl FnOnce(Vec<OsString>) -> Loader) -> (PathBuf, Program) {
    let folder = tempfile::tempdir().expect("a folder");
    let said = folder.path().join("said");
    let text = format!("echo \"$2\" > {}; exec \"$0\" \"$@\"", said.display());
    let words = ["sh", "-c", &text].map(OsString::from);
    let command = words.into_iter().chain([runner()]).collect();
    let library = file(Engine::Native, None);
    let program = loader(command).load(&library).expect("a program");
    assert_works(&program);
    let path = fs::read_to_string(&said).expect("a path");
    (path.trim().into(), program)
}

/// There had been a folder, which only a destructor removed, and tests only ended by themselves.
#[test]
fn library_has_no_name_and_does_not_change() {
    let _guard = one_test();
    let (path, program) = opened_file(Loader::native);
    let own = format!("/proc/{}/fd", std::process::id());
    assert_eq!(path.parent(), Some(Path::new(&own)));
    let target = fs::read_link(&path).expect("a descriptor");
    assert_eq!(target, Path::new("/memfd:program.so (deleted)"));
    // A program could open it too, and the next invocation would run what it has written.
    let written = fs::write(&path, "another program");
    written.expect_err("the file is sealed");
    assert_works(&program);
    let clone = program.clone();
    drop(program);
    assert!(path.exists());
    drop(clone);
    assert!(fs::read_link(&path).map_or(true, |other| other != target));
}

#[test]
fn library_may_have_a_name() {
    let _guard = one_test();
    let folder = tempfile::tempdir().expect("a folder");
    let named = folder.path().join("named.so");
    fs::write(&named, &**file(Engine::Native, None)).expect("a file");
    let (path, _) = opened_file(|command| Loader::native_file(command, &named));
    assert_eq!(path, named);
    // It is another program now, or none.
    let load = || Loader::native_file([runner()], &named).load(&file(Engine::Native, None));
    fs::write(&named, "\x7fELF").expect("a file");
    let error = load().expect_err("other bytes");
    contains_all(&error.to_string(), &["named.so has changed"]);
    fs::remove_file(&named).expect("the file");
    let error = load().expect_err("no file");
    contains_all(&error.to_string(), &["cannot read", "named.so"]);
}

#[test]
fn sanitizer_report_is_a_failure() {
    let _guard = one_test();
    let machine = Machine::new(Engine::Native).sanitizer(Some(Sanitizer::Address));
    let package = |folder: &Path| ProgramPackage::in_folder(folder).expect("a program");
    let overrun = package(&guest("overrun"));
    let loader = match machine.loader(&overrun.target_folder) {
        Ok(loader) => loader,
        Err(error) if error.to_string().contains("has no sanitizer") => {
            println!("skipped: {error}");
            return;
        }
        Err(error) => panic!("{error:?}"),
    };
    let program = |package| {
        let library = machine
            .build(package)
            .unwrap_or_else(|error| panic!("{error:?}"));
        loader.load(&library).expect("a program")
    };
    let program_that_overruns = program(&overrun);
    let read = |offset: u64| {
        let call = Invocation::new(PROGRAM_ID).data(offset.to_le_bytes());
        invoke(&program_that_overruns, &call).failure
    };
    assert_eq!(read(31), None);
    let failure = read(32).expect("the sanitizer finds the access");
    assert_eq!(failure.kind(), "Trapped", "{failure}");
    assert_eq!(read(31), None);

    let counter = package(&example("counter"));
    let fixture = counter.fixture("default").expect("a fixture");
    let Fixture {
        invocation, expect, ..
    } = Fixture::read(&fixture).expect("a fixture");
    let outcome = invoke(&program(&counter), &invocation);
    assert_eq!(expect.differences(&outcome), [""; 0]);
    assert!(outcome.is_success());
}
