//! Where PolkaVM's compiler cannot run, tests go on without it, and say so.

use std::process::Command;

use loader::{Engine, LoadError, Loader, Target};
use program_test::{build_for, check_fixture, polkavm_engines, sweep_fixture};
use tests::example;

/// An address space in KiB that is too small for the compiler's processes, and enough for the rest.
const ADDRESS_SPACE: u32 = 4_000_000;

#[test]
fn tests_run_without_the_compiler() {
    // A compiler may need a larger address space than the test itself.
    for target in Target::ALL {
        let _ = build_for(example("hello"), target);
    }
    let test = std::env::current_exe().expect("this test's path");
    let output = Command::new("sh")
        .arg("-c")
        .arg(format!("ulimit -v {ADDRESS_SPACE} && exec \"$0\" \"$@\""))
        .arg(test)
        .args([
            "--exact",
            "loader::engines::hello_passes_without_the_compiler",
        ])
        .args(["--ignored", "--nocapture"])
        .output()
        .expect("the test runs");
    let said = String::from_utf8_lossy(&output.stdout);
    let failed = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{failed}");
    assert!(said.contains("1 passed"), "{said}");
    let skipped = "skipped: the compiler engine cannot run on this computer: ";
    // For the list of engines, for the fixture, and for the sweep.
    assert_eq!(said.matches(skipped).count(), 3, "{said}");
}

#[test]
#[ignore = "the test above runs it with a small address space"]
fn hello_passes_without_the_compiler() {
    assert!(matches!(
        Loader::new(Engine::Compiler),
        Err(LoadError::EngineUnavailable { .. })
    ));
    assert_eq!(polkavm_engines(), [Engine::Interpreter]);
    let outcome = check_fixture(example("hello"), "default");
    assert_eq!(outcome.engine, Engine::Interpreter);
    assert!(sweep_fixture(example("hello"), "default").gas.complete > 0);
}
