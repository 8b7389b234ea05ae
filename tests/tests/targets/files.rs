//! The file that the build makes for each target.

use std::fs;
use std::io::{Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use abi::heap::MIN_HEAP_LENGTH;
use abi::native::Message;
use command_fds::CommandFdExt;
use object::{Object, ObjectSection, ObjectSymbol};
use program_build::guest::{
    DebugInfo, Sanitizer, Target, build_for, build_native, file_path, native_runner,
};
use program_build::options::CargoOptions;
use program_build::package::ProgramPackage;
use tests::{example, guest, project};

fn package(folder: &Path) -> ProgramPackage {
    ProgramPackage::in_folder(folder).unwrap_or_else(|error| panic!("{error:?}"))
}

fn build(folder: &Path, target: Target, debug_info: DebugInfo) -> Vec<u8> {
    build_for(&package(folder), target, &[], debug_info).unwrap_or_else(|error| panic!("{error:?}"))
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes
        .windows(text.len())
        .any(|window| window == text.as_bytes())
}

/// Local paths, which the same program would not contain on another machine.
fn own_paths() -> Vec<String> {
    let home = std::env::var("HOME").ok();
    let project = project().canonicalize().expect("the project");
    [Some(project.display().to_string()), home]
        .into_iter()
        .flatten()
        .filter(|path| path.len() > 1)
        .collect()
}

/// The names that a library exports, and the names that it imports.
fn dynamic_symbols(library: &[u8]) -> [Vec<String>; 2] {
    let file = object::File::parse(library).expect("a library");
    let names = |is_defined| {
        file.dynamic_symbols()
            .filter(|symbol| symbol.is_definition() == is_defined)
            .filter_map(|symbol| symbol.name().ok().map(str::to_owned))
            .collect()
    };
    [names(true), names(false)]
}

#[test]
fn library_has_debug_information() {
    let folder = example("counter");
    let library = build(&folder, Target::Native, DebugInfo::Keep);
    let [exports, _] = dynamic_symbols(&library);
    for name in [
        abi::entry::ENTRYPOINT_EXPORT,
        abi::native::NATIVE_HOST_EXPORT,
        abi::heap::BUMP_HEAP_EXPORT,
    ] {
        assert!(exports.iter().any(|export| export == name), "{exports:?}");
    }
    let file = object::File::parse(&*library).expect("a library");
    let section = file
        .section_by_name(".debug_info")
        .expect("debug information");
    assert!(section.size() > 0);
    // The debug information names the folder of the sources.
    let texts = file.section_by_name(".debug_str").expect("texts");
    let texts = texts.uncompressed_data().expect("texts");
    assert!(contains(
        &texts,
        &project()
            .canonicalize()
            .expect("the project")
            .display()
            .to_string()
    ));
}

#[test]
fn release_library_names_no_local_path() {
    let folder = guest("probe");
    let library = build(&folder, Target::Native, DebugInfo::Strip);
    let file = object::File::parse(&*library).expect("a library");
    assert!(file.section_by_name(".debug_info").is_none());
    assert_eq!(file.symbols().count(), 0);
    for path in own_paths() {
        assert!(!contains(&library, &path), "{path}");
    }
    let [exports, _] = dynamic_symbols(&library);
    assert!(
        exports.iter().any(|export| export == "entrypoint"),
        "{exports:?}"
    );
}

#[test]
fn panics_name_the_same_file_on_every_target() {
    let folder = guest("probe");
    for target in Target::ALL {
        let built = build(&folder, target, DebugInfo::Strip);
        assert!(
            contains(&built, "tests/guests/probe/src/lib.rs"),
            "{target}"
        );
        assert!(
            !contains(&built, "/tests/guests/probe/src/lib.rs"),
            "{target}"
        );
        // The paths of `core` do not depend on where the compiler is installed.
        assert!(contains(&built, "/rustc/"), "{target}");
    }
}

#[test]
fn module_has_a_small_stack_and_function_names() {
    let folder = example("counter");
    let [kept, stripped] = [DebugInfo::Keep, DebugInfo::Strip]
        .map(|debug_info| build(&folder, Target::Wasm32, debug_info));
    let engine = wasmi::Engine::default();
    for module in [&kept, &stripped] {
        for path in own_paths() {
            assert!(!contains(module, &path), "{path}");
        }
        let module = wasmi::Module::new(&engine, module).expect("a valid module");
        let memory = module.get_export(abi::wasm::MEMORY_EXPORT);
        let memory = memory
            .and_then(|export| export.memory().copied())
            .expect("a memory");
        // The stack has one page, and static data follows it. The compiler's default stack has
        // sixteen pages.
        assert!(memory.minimum() < 16, "{} pages", memory.minimum());
        let entry = module.get_export(abi::entry::ENTRYPOINT_EXPORT);
        assert!(entry.and_then(|export| export.func().cloned()).is_some());
    }
    // The compiler inlines the program's own function into the entry, so look for another name.
    let name = "log_formatted";
    assert!(contains(&kept, name));
    assert!(!contains(&stripped, name));
    assert!(stripped.len() < kept.len());
}

#[test]
fn sanitized_build_has_its_own_folder() {
    let package = package(&example("counter"));
    let plain = build_native(&package, &[], DebugInfo::Keep, None);
    let plain = plain.unwrap_or_else(|error| panic!("{error:?}"));
    let sanitizer = Some(Sanitizer::Address);
    let library = build_native(&package, &[], DebugInfo::Keep, sanitizer);
    let library = library.unwrap_or_else(|error| panic!("{error:?}"));
    assert_eq!(plain, file_path(&package, Target::Native));
    assert_ne!(plain, library);
    let imports = |library: &Path| {
        let [_, imported] = dynamic_symbols(&fs::read(library).expect("a built library"));
        imported
            .into_iter()
            .filter(|name| name.starts_with("__asan_"))
    };
    assert_eq!(imports(&plain).count(), 0);
    assert_ne!(imports(&library).count(), 0);

    let runner = native_runner(&package.target_folder, None, &CargoOptions::default());
    let runner = runner.unwrap_or_else(|error| panic!("{error:?}"));
    if let Some(sanitized) = sanitized_runner(&package) {
        assert_ne!(runner, sanitized);
        let [exported, _] = dynamic_symbols(&fs::read(sanitized).expect("a built runner"));
        for name in imports(&library) {
            assert!(exported.contains(&name), "{name}");
        }
    }
}

/// The sanitized runner; `None` if the compiler has no sanitizer, which the error must mention.
fn sanitized_runner(package: &ProgramPackage) -> Option<PathBuf> {
    native_runner(
        &package.target_folder,
        Some(Sanitizer::Address),
        &CargoOptions::default(),
    )
    .inspect_err(|error| assert!(error.to_string().contains("has no sanitizer"), "{error:?}"))
    .ok()
}

/// Runs a library with eight bytes of instruction data and no accounts. Returns the status, if
/// there is one, and the text on standard error.
fn run(runner: &Path, library: &Path, data: u64) -> (Option<u64>, String) {
    let (mut socket, theirs) = UnixStream::pair().expect("a socket");
    let mut command = Command::new(runner);
    let child = command
        .arg(theirs.as_raw_fd().to_string())
        .arg(library)
        .arg("10")
        .stderr(Stdio::piped())
        .preserved_fds(vec![theirs.into()])
        .spawn()
        .expect("a process");
    // The command owns their end, which has to close with the process.
    drop(command);
    // If the process waits for more, the test fails instead of blocking forever.
    let timeout = Some(Duration::from_secs(60));
    socket.set_read_timeout(timeout).expect("a timeout");
    let mut request = |kind, values, bytes: &[u8]| {
        let message = Message::new(kind, values);
        socket.write_all(bytemuck::bytes_of(&message)).ok()?;
        socket.write_all(bytes).ok()?;
        let mut reply = Message::default();
        let read = socket.read_exact(bytemuck::bytes_of_mut(&mut reply));
        read.is_ok().then_some(reply)
    };
    // In this order: the length of the data, the data, the program id, the number of accounts.
    let input = [8_u64, data, 0, 0, 0, 0, 0].map(u64::to_le_bytes).concat();
    let length = input.len() as u64;
    let heap = u64::from(MIN_HEAP_LENGTH);
    let placed = request(Message::PLACE, [heap, length, 0], &[]).expect("room");
    request(Message::WRITE, [placed.values[1], length, 0], &input).expect("a confirmation");
    let returned = request(Message::ENTER, [heap, 0, 0], &[]);
    drop(socket);
    let output = child.wait_with_output().expect("the end of the process");
    let status = returned.map(|returned| {
        assert_eq!(returned.kind, Message::RETURNED, "{returned:?}");
        returned.values[0]
    });
    (status, String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn a_sanitizer_finds_an_access_beyond_a_static() {
    let package = package(&guest("overrun"));
    let build = |sanitizer| {
        let library = build_native(&package, &[], DebugInfo::Keep, sanitizer);
        library.unwrap_or_else(|error| panic!("{error:?}"))
    };
    let runner = native_runner(&package.target_folder, None, &CargoOptions::default());
    let runner = runner.unwrap_or_else(|error| panic!("{error:?}"));
    assert_eq!(run(&runner, &build(None), 31), (Some(0), String::new()));

    let Some(runner) = sanitized_runner(&package) else {
        return;
    };
    let library = build(Some(Sanitizer::Address));
    assert_eq!(run(&runner, &library, 31), (Some(0), String::new()));
    let (status, stderr) = run(&runner, &library, 32);
    assert_eq!(status, None);
    for part in [
        "AddressSanitizer: global-buffer-overflow",
        "TABLE",
        "overrun/src/lib.rs",
    ] {
        assert!(stderr.contains(part), "{part:?} is not in:\n{stderr}");
    }
}
