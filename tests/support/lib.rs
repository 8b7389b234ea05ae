//! What several tests need.
#![forbid(unsafe_code)]

#[cfg(all(
    target_os = "linux",
    target_env = "gnu",
    any(target_arch = "x86_64", target_arch = "aarch64")
))]
pub mod native;
pub mod wasm;

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

/// The folder of a program that exists for the tests.
#[must_use]
pub fn guest(name: &str) -> PathBuf {
    project().join("tests/guests").join(name)
}

/// The project's own folder.
#[must_use]
pub fn project() -> &'static Path {
    static PROJECT: OnceLock<PathBuf> = OnceLock::new();
    PROJECT.get_or_init(|| {
        let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
        tests
            .parent()
            .expect("the tests stand in the project's folder")
            .to_owned()
    })
}

/// The program `probe`, which does what its instruction data says, on an engine.
#[must_use]
pub fn probe(engine: Engine) -> Program {
    static BLOB: OnceLock<Vec<u8>> = OnceLock::new();
    let blob = BLOB.get_or_init(|| program_test::build(guest("probe")));
    let loader = Loader::new(engine).unwrap_or_else(|error| panic!("{error}"));
    loader.load(blob).unwrap_or_else(|error| panic!("{error}"))
}

/// The address of the program in the tests' calls.
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

/// Calls the probe on both engines, and gives the outcome they agree on.
pub fn run(invocation: &Invocation) -> Outcome {
    let [interpreted, mut compiled] = Engine::POLKAVM.map(|engine| {
        probe(engine)
            .invoke(invocation)
            .unwrap_or_else(|error| panic!("{engine}: {error}"))
    });
    compiled.engine = interpreted.engine;
    assert_eq!(interpreted, compiled, "the engines differ");
    interpreted
}

/// Whether guests are compiled by the compiler with which the tests' exact gas figures were measured.
///
/// Gas is exact for a blob, and another compiler makes another blob.
#[must_use]
pub fn is_reference_compiler() -> bool {
    let Some((_, rustc, _)) = program_build::toolchain::find_compiler(project()) else {
        return false;
    };
    let output = std::process::Command::new(rustc).arg("--version").output();
    output.is_ok_and(|output| output.stdout.starts_with(b"rustc 1.96.0 "))
}
