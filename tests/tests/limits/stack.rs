//! A program has the stack that its manifest asks for.

use std::path::Path;
use std::time::Duration;

use loader::{Engine, Failure, Invocation, Loader, Outcome};
use program_build::guest::{DebugInfo, build_for};
use program_build::package::ProgramPackage;
use tests::{PROGRAM_ID, guest};

/// The bytes of 200 frames are between 64 KiB and 256 KiB.
const DEPTH: u64 = 200;

fn package(stack: Option<u32>) -> ProgramPackage {
    let mut package = ProgramPackage::in_folder(&guest("deep")).expect("a program");
    assert_eq!(package.stack, 256 * 1024, "as its manifest says");
    package.stack = stack.unwrap_or(package.stack);
    package
}

fn run(package: &ProgramPackage, engine: Engine, depth: u64) -> Outcome {
    let program = build_for(package, engine.target(), &[], DebugInfo::Keep)
        .unwrap_or_else(|error| panic!("{error:?}"));
    let loader = Loader::new(engine).unwrap_or_else(|error| panic!("{error}"));
    let program = loader
        .load(&program)
        .unwrap_or_else(|error| panic!("{error}"));
    let call = Invocation::new(PROGRAM_ID).data(depth.to_le_bytes());
    program.invoke(&call).expect("a valid invocation")
}

fn size(outcome: &Outcome) -> Option<u32> {
    match &outcome.failure {
        Some(Failure::StackOverflow { size, .. }) => *size,
        other => panic!("{other:?}"),
    }
}

#[test]
fn manifest_chooses_the_stack_of_a_blob() {
    for engine in tests::polkavm() {
        assert_eq!(run(&package(None), engine, DEPTH).failure, None, "{engine}");
        let outcome = run(&package(None), engine, 2 * DEPTH + DEPTH);
        assert_eq!(size(&outcome), Some(256 * 1024), "{engine}");
        let outcome = run(&package(Some(64 * 1024)), engine, DEPTH);
        assert_eq!(size(&outcome), Some(64 * 1024), "{engine}");
    }
}

#[test]
fn manifest_chooses_the_stack_of_a_module() {
    let outcome = run(&package(None), Engine::Wasm, DEPTH);
    assert_eq!(outcome.failure, None);
    for outcome in [
        run(&package(None), Engine::Wasm, 3 * DEPTH),
        run(&package(Some(64 * 1024)), Engine::Wasm, DEPTH),
    ] {
        // A frame that does not fit begins below address 0: see `docs/targets.md`.
        let kind = outcome.failure.as_ref().map(Failure::kind);
        assert!(
            matches!(kind, Some("Trapped" | "StackOverflow")),
            "{outcome:?}"
        );
    }
}

/// A package in a folder, with a stack of this size.
fn write_package(folder: &Path, stack: &str) {
    let manifest = format!(
        "[package]\nname = \"greedy\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\
         [dependencies]\nprogram-entrypoint = {{ path = {:?} }}\n\
         [package.metadata.entrypoint]\nstack = \"{stack}\"\n[workspace]\n",
        tests::project().join("entrypoint")
    );
    std::fs::write(folder.join("Cargo.toml"), manifest).expect("a file");
    std::fs::create_dir_all(folder.join("src")).expect("a folder");
    std::fs::write(folder.join("src/lib.rs"), "#![no_std]\n").expect("a file");
}

#[test]
fn stack_beyond_the_limit_is_rejected_before_a_build() {
    let folder = tempfile::tempdir().expect("a folder");
    write_package(folder.path(), "2 MiB");
    let error = ProgramPackage::in_folder(folder.path()).expect_err("too much");
    let message = error.to_string();
    assert_eq!(
        message,
        "`greedy` has a stack of 2097152 bytes in `package.metadata.entrypoint`, and a loader accepts \
         4096 to 1048576 bytes; change `stack` in its Cargo.toml"
    );
}

/// A process keeps what cargo says about a workspace.
#[test]
fn changed_stack_is_read_in_the_same_process() {
    let folder = tempfile::tempdir().expect("a folder");
    let read = || ProgramPackage::in_folder(folder.path()).map(|package| package.stack);
    for (stack, bytes) in [("128 KiB", 131_072), ("256 KiB", 262_144)] {
        write_package(folder.path(), stack);
        // Before and after the manifest is old enough for the answer to be kept.
        assert_eq!(read().expect("a program"), bytes);
        std::thread::sleep(Duration::from_millis(20));
        assert_eq!(read().expect("a program"), bytes);
        assert_eq!(read().expect("a program"), bytes);
    }
}
