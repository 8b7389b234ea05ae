//! A program may depend on `entrypoint` under another name, or only on a crate that re-exports its
//! macros. These programs cannot name `::entrypoint`, so their compilation checks each path in an
//! expansion.

use loader::{AccountInput, Engine, Failure, Invocation, ProgramError, Pubkey, Target};
use program_build::guest::RUNS_NATIVELY;
use program_build::machine::Machine;
use program_build::package::ProgramPackage;
use tests::{PROGRAM_ID, guest};

fn package(name: &str) -> ProgramPackage {
    ProgramPackage::in_folder(&guest(name)).unwrap_or_else(|error| panic!("{error:?}"))
}

/// Runs a guest that returns its numbers of accounts and data bytes, and checks the status.
fn check(name: &str, target: Target) {
    let package = package(name);
    let invocation = (1..=3)
        .map(|key| AccountInput::new(Pubkey::new([key; 32])))
        .fold(Invocation::new(PROGRAM_ID), Invocation::account)
        .data([0; 7]);
    let engine = match target {
        Target::Riscv64 => Engine::Interpreter,
        Target::Wasm32 => Engine::Wasm,
        Target::Native => Engine::Native,
    };
    let machine = Machine::new(engine);
    let file = machine
        .build(&package)
        .unwrap_or_else(|error| panic!("{target}: {error:?}"));
    let loader = machine.loader(&package.target_folder);
    let loader = loader.unwrap_or_else(|error| panic!("{target}: {error:?}"));
    let program = loader
        .load(&file)
        .unwrap_or_else(|error| panic!("{target}: {error}"));
    let outcome = program.invoke(&invocation).expect("a call");
    assert_eq!(
        outcome.failure,
        Some(Failure::ProgramError {
            error: ProgramError::Custom(307)
        }),
        "{target}"
    );
}

#[test]
fn program_may_rename_the_dependency() {
    check("renamed", Target::Riscv64);
    check("renamed", Target::Wasm32);
    if RUNS_NATIVELY {
        check("renamed", Target::Native);
    } else {
        println!("skipped: native programs do not run on this machine");
    }
}

#[test]
fn another_crate_may_re_export_the_macros() {
    check("through_facade", Target::Riscv64);
    check("through_facade", Target::Wasm32);
}

/// Cargo sets features of direct dependencies only.
#[test]
fn native_build_requires_a_direct_dependency() {
    let error = Machine::new(Engine::Native)
        .build(&package("through_facade"))
        .expect_err("no direct dependency");
    assert!(
        error
            .to_string()
            .contains("type `cargo add program-entrypoint` in "),
        "{error}"
    );
}
