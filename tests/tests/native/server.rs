//! The fork server of a native program: when it starts, when it ends, and what it keeps apart.
#![cfg(all(target_os = "linux", target_pointer_width = "64"))]

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command as Process, Stdio};
use std::thread;
use std::time::Duration;

use everywhere::Command;
use loader::{Failure, Invocation, Outcome, Program};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tests::everywhere_guest::{Step, call, invoke};

use super::engine::{assert_works, children, failure, one_test, program};

/// The only child of this process: the server of the only program.
fn server() -> u32 {
    let [server] = children()[..] else {
        panic!("{:?} are the children", children());
    };
    server
}

/// The fields of `/proc/PID/stat` after the name; `None` if the process has ended.
fn stat(process: u32) -> Option<Vec<String>> {
    let line = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let (_, fields) = line.rsplit_once(')')?;
    let fields: Vec<String> = fields.split_whitespace().map(str::to_owned).collect();
    (fields[0] != "Z").then_some(fields)
}

/// The processes whose parent is this one.
fn children_of(parent: u32) -> Vec<u32> {
    let processes = fs::read_dir("/proc").expect("a list of processes");
    let numbers = processes.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    numbers
        .filter(|&process| stat(process).is_some_and(|stat| stat[1] == parent.to_string()))
        .collect()
}

/// The process that a server has forked in advance, once it is its only child.
fn waiting(server: u32) -> u32 {
    let mut seen = (Vec::new(), 0);
    for _ in 0..1_000 {
        let now = children_of(server);
        let times = if now == seen.0 { seen.1 + 1 } else { 1 };
        if let ([waiting], 3) = (&now[..], times) {
            return *waiting;
        }
        seen = (now, times);
        thread::sleep(Duration::from_millis(10));
    }
    panic!("no process waits below {server}");
}

#[track_caller]
fn assert_ends(processes: &[u32]) {
    for _ in 0..1_000 {
        if processes.iter().all(|&process| stat(process).is_none()) {
            return;
        }
        thread::sleep(Duration::from_millis(5));
    }
    panic!("some of {processes:?} still run");
}

fn signal(name: &str, process: u32) {
    let status = Process::new("kill")
        .args([format!("-{name}"), process.to_string()])
        .status();
    assert!(status.expect("`kill` runs").success());
}

/// Counts in a static, and in the heap.
fn count(program: &Program) -> Outcome {
    let steps: [Step; 2] = [(Command::Count, [0; 3]), (Command::Zeroed, [16_000, 0, 0])];
    invoke(program, &call(&steps))
}

#[test]
fn one_server_serves_all_invocations_and_each_is_fresh() {
    let _guard = one_test();
    let program = program(20);
    assert_eq!(children(), [0; 0], "a server before the first invocation");
    let first = count(&program);
    let server = server();
    for _ in 0..20 {
        assert_eq!(count(&program), first);
        assert_eq!(children(), [server]);
        // The process that it forks in advance, and perhaps the last one.
        let forked = children_of(server);
        assert!(forked.len() <= 2, "{forked:?}");
    }
    assert!(
        first
            .logs
            .iter()
            .eq(["7 in a static", "0 of 16000 bytes are not 0"])
    );
    let forked = children_of(server);
    drop(program);
    assert_eq!(children(), [0; 0]);
    assert_ends(&[&forked[..], &[server]].concat());
}

#[test]
fn a_server_that_ends_is_replaced() {
    let _guard = one_test();
    let program = program(20);
    assert_works(&program);
    let first = server();
    let forked = waiting(first);
    signal("KILL", first);
    // What it has forked ends with it. This process has not waited for it yet.
    assert_ends(&[forked, first]);
    assert_works(&program);
    let second = server();
    assert_ne!(first, second);
    // The process that waits may end too.
    let waiting = waiting(second);
    signal("KILL", waiting);
    assert_ends(&[waiting]);
    assert_works(&program);
    assert_ne!(server(), second);
}

#[test]
fn a_failure_of_the_process_ends_its_server() {
    let _guard = one_test();
    let program = program(20);
    assert_works(&program);
    let server = server();
    // A panic is the loader's business, and does not damage the process.
    let outcome = invoke(&program, &call(&[(Command::Panic, [3, 1, 0])]));
    assert_eq!(
        outcome.failure.map(|failure| failure.kind()),
        Some("Panicked")
    );
    assert_eq!(children(), [server]);
    failure(&program, &[(Command::AbortProcess, [0; 3])]);
    assert_eq!(children(), [0; 0]);
    assert_works(&program);
}

#[test]
fn a_failure_beside_others_does_not_end_them() {
    let _guard = one_test();
    let program = program(20);
    let calls: Vec<Invocation> = (0..40)
        .map(|number| match number % 4 {
            0 => call(&[(Command::AbortProcess, [0; 3])]),
            _ => call(&[(Command::LogNumbers, [number, 0, 0])]),
        })
        .collect();
    for (number, outcome) in program.run_batch(&calls).into_iter().enumerate() {
        let outcome = outcome.unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(
            outcome.is_success(),
            number % 4 != 0,
            "{number}: {outcome:?}"
        );
    }
}

#[test]
fn the_number_of_servers_is_limited() {
    let _guard = one_test();
    let loader = tests::everywhere_guest::loader(loader::Engine::Native);
    let library = tests::everywhere_guest::file(loader::Engine::Native, None);
    let programs: Vec<Program> = (0..18)
        .map(|_| loader.load(&library).expect("a program"))
        .collect();
    for program in &programs {
        assert_works(program);
    }
    let servers: BTreeSet<u32> = children().into_iter().collect();
    assert_eq!(servers.len(), 16);
    // The servers of the programs that were used last are there, and the first has none.
    assert_works(&programs[17]);
    assert_eq!(children().into_iter().collect::<BTreeSet<u32>>(), servers);
    assert_works(&programs[0]);
    assert_ne!(children().into_iter().collect::<BTreeSet<u32>>(), servers);
}

/// Not a test by itself: a test starts this executable as a loader, and kills it.
#[test]
fn be_a_loader() {
    if std::env::args().all(|word| word != "be=loader") {
        return;
    }
    let program = program(20);
    assert_works(&program);
    println!("server={}", server());
    std::io::stdout().flush().expect("a pipe");
    thread::sleep(Duration::from_secs(60));
}

#[test]
fn a_server_ends_with_its_loader() {
    let _guard = one_test();
    let own = std::env::current_exe().expect("an executable");
    let mut loader = Process::new(own)
        .args(["server::be_a_loader", "--exact", "--nocapture", "be=loader"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("a process");
    let lines = BufReader::new(loader.stdout.take().expect("a pipe")).lines();
    let server = lines
        .map_while(Result::ok)
        .find_map(|line| line.split_once("server=")?.1.trim().parse().ok());
    let server: u32 = server.expect("the number of the server");
    let forked = children_of(server);
    assert!(!forked.is_empty());
    loader.kill().expect("a process");
    loader.wait().expect("a process");
    assert_ends(&[&forked[..], &[server]].concat());
}

/// The process of the next invocation is requested while the program runs. The invocation was lost
/// if the loader had no descriptor for it.
#[test]
fn program_returns_although_no_descriptor_is_left() {
    let _guard = one_test();
    let program = program(20);
    assert_works(&program);
    let server_before = server();
    let usual = getrlimit(Resource::Nofile);
    let few = Rlimit {
        current: Some(256),
        ..usual
    };
    setrlimit(Resource::Nofile, few).expect("a lower limit");
    let mut files = Vec::new();
    let mut use_all = || {
        while let Ok(file) = fs::File::open("/dev/null") {
            files.push(file);
        }
        files.len()
    };
    let used = use_all();
    assert!((10..256).contains(&used), "{used}");
    let steps = [(Command::LogText, [300, 1, 0]); 20];
    // A process may wait, and has descriptors, which its end closes.
    let mut outcomes = Vec::new();
    for _ in 0..3 {
        outcomes.push(program.invoke(&call(&steps)));
        use_all();
    }
    drop(files);
    setrlimit(Resource::Nofile, usual).expect("the limit as before");
    let outcome = outcomes.remove(0).expect("an outcome");
    assert_eq!((outcome.status, outcome.logs.len()), (Some(0), 20));
    // The last one has no process. The server, on which others may run, goes on.
    let error = outcomes.pop().expect("three").expect_err("no process");
    assert!(error.to_string().contains("Too many open files"), "{error}");
    assert_works(&program);
    assert_eq!(server(), server_before);
}

/// The program runs on while the loader handles a log line, and the outcome is as if it had not.
#[test]
fn outcome_does_not_depend_on_what_runs_after_a_log_line() {
    let _guard = one_test();
    let program = program(20);
    let line = (Command::LogText, [1_000, 0, 0]);
    let mut steps = vec![line; 100];
    let many = invoke(&program, &call(&steps));
    // The first line that does not fit is the last one.
    steps.truncate(many.logs.len() + 1);
    let alone = invoke(&program, &call(&steps));
    assert!(
        matches!(alone.failure, Some(Failure::LogsTooLong { .. })),
        "{:?}",
        alone.failure
    );
    steps.extend([(Command::Zeroed, [16_000, 0, 0]); 2]);
    for _ in 0..20 {
        let outcome = invoke(&program, &call(&steps));
        assert_eq!(outcome.failure, alone.failure);
        assert_eq!(outcome.logs, alone.logs);
        assert_eq!(outcome.heap, alone.heap);
    }
    // Nothing that was logged is lost.
    let crash = invoke(&program, &call(&[line, (Command::ReadAt, [0; 3])]));
    assert_eq!(crash.logs, alone.logs[..1]);
}
