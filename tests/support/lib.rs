//! Code that several tests share.
#![allow(missing_docs, reason = "only the tests of this package use it")]

extern crate alloc;

pub mod caller_guest;
pub mod collections;
pub mod edits;
pub mod everywhere_guest;
pub mod hostile;
pub mod input;
pub mod inspection;
pub mod model;
#[cfg(all(
    target_os = "linux",
    target_env = "gnu",
    any(target_arch = "x86_64", target_arch = "aarch64")
))]
pub mod native;
pub mod published_vm;
pub mod rialo;
pub mod scripted;
pub mod toy;
pub mod variants;
pub mod wasm;
pub mod wasm_host;

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use loader::{Engine, Invocation, Loader, Outcome, Program, Pubkey};
use probe::Command;

/// The example programs.
pub const EXAMPLES: [&str; 9] = [
    "arena",
    "counter",
    "custom_heap",
    "heap_state",
    "hello",
    "no_alloc",
    "scratch",
    "segregated_heap",
    "vault",
];

/// The folder of an example program.
#[must_use]
pub fn example(name: &str) -> PathBuf {
    project().join("examples").join(name)
}

/// The folder of a guest: a program for the tests.
#[must_use]
pub fn guest(name: &str) -> PathBuf {
    project().join("tests/guests").join(name)
}

/// The folder of the project.
#[must_use]
pub fn project() -> &'static Path {
    static PROJECT: OnceLock<PathBuf> = OnceLock::new();
    PROJECT.get_or_init(|| {
        let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
        tests
            .parent()
            .expect("a folder that contains the tests")
            .to_owned()
    })
}

/// The guest `probe`, which runs the command in its instruction data, on an engine.
#[must_use]
pub fn probe(engine: Engine) -> Program {
    static BLOB: OnceLock<Vec<u8>> = OnceLock::new();
    let blob = BLOB.get_or_init(|| program_test::build(guest("probe")));
    let loader = Loader::new(engine).unwrap_or_else(|error| panic!("{error}"));
    loader.load(blob).unwrap_or_else(|error| panic!("{error}"))
}

/// The id of the program in the tests' calls.
pub const PROGRAM_ID: Pubkey = Pubkey::new([1; 32]);

/// Instruction data for the probe: a command and its numbers.
#[must_use]
pub fn probe_data(command: Command, numbers: &[u64]) -> Vec<u8> {
    let mut data = vec![command as u8];
    data.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
    data
}

/// A call of the probe without accounts.
#[must_use]
pub fn call(command: Command, numbers: &[u64]) -> Invocation {
    Invocation::new(PROGRAM_ID).data(probe_data(command, numbers))
}

/// PolkaVM's two engines, for tests that compare them. Where the compiler cannot run, the
/// interpreter is compared with itself, and the test prints that it skips the compiler.
#[must_use]
pub fn polkavm() -> [Engine; 2] {
    static ENGINES: OnceLock<Vec<Engine>> = OnceLock::new();
    match ENGINES.get_or_init(program_test::polkavm_engines)[..] {
        [first, second] => [first, second],
        _ => [Engine::Interpreter; 2],
    }
}

/// Calls the probe on both engines, and returns the outcome, which must be the same.
pub fn run(invocation: &Invocation) -> Outcome {
    let [interpreted, mut compiled] = polkavm().map(|engine| {
        probe(engine)
            .invoke(invocation)
            .unwrap_or_else(|error| panic!("{engine}: {error}"))
    });
    compiled.engine = interpreted.engine;
    assert_eq!(interpreted, compiled, "the engines differ");
    interpreted
}

/// Whether the guests' compiler is the one in `bench.json`. The gas of a program depends on its
/// compiler, so with another one the test prints that it is skipped.
///
/// `.ci/run` fails with another compiler, so that it checks all figures.
#[must_use]
pub fn is_reference_compiler() -> bool {
    let text = std::fs::read_to_string(project().join("bench.json")).expect("the baseline");
    let baseline: serde_json::Value = serde_json::from_str(&text).expect("the baseline is JSON");
    let reference = baseline["compiler"].as_str().map(release);
    let found = program_build::toolchain::find_compiler(project())
        .and_then(|(_, rustc, _)| program_build::toolchain::version(&rustc));
    let is_reference = reference.is_some() && found.as_deref().map(release) == reference;
    if !is_reference {
        println!(
            "skipped: the figures are those of {}, and guests are compiled by {}",
            reference.unwrap_or("no compiler"),
            found.as_deref().unwrap_or("no compiler")
        );
    }
    is_reference
}

/// The name and the number of a compiler, such as `rustc 1.96.0`, without its build.
fn release(version: &str) -> &str {
    version
        .split_once(" (")
        .map_or(version, |(release, _)| release)
}
