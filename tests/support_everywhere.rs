//! The guest `everywhere`, on all machines.
#![allow(
    dead_code,
    reason = "each test file is a program of its own and uses a part of this"
)]

use std::collections::HashMap;
use std::sync::Mutex;

use cargo_entrypoint::guest::{self, DebugInfo};
use cargo_entrypoint::machine::Machine;
use cargo_entrypoint::package::ProgramPackage;
use everywhere::Command;
use loader::{Engine, Invocation, Limits, Loader, Outcome, Program};
use tests::PROGRAM_ID;

/// The engines that run here, PolkaVM's interpreter first.
pub fn engines() -> Vec<Engine> {
    let mut engines = vec![Engine::Interpreter, Engine::Compiler, Engine::Wasm];
    if guest::RUNS_NATIVELY {
        engines.push(Engine::Native);
    }
    engines
}

/// The crate of the guest.
pub fn package() -> ProgramPackage {
    ProgramPackage::in_folder(&tests::guest("everywhere"))
        .unwrap_or_else(|error| panic!("{error:?}"))
}

/// What loads programs for an engine.
pub fn loader(engine: Engine) -> Loader {
    let loader = Machine::new(engine).loader(&package().target_folder);
    loader.unwrap_or_else(|error| panic!("{engine}: {error:?}"))
}

/// The guest with a feature, or without one, as an engine takes it.
pub fn file(engine: Engine, feature: Option<&str>) -> Vec<u8> {
    let features: Vec<&str> = feature.into_iter().collect();
    guest::build_for(&package(), engine.target(), &features, DebugInfo::Strip)
        .unwrap_or_else(|error| panic!("{engine}: {error:?}"))
}

/// The guest with a feature, or without one, on an engine, built once for each of its programs.
pub fn program(engine: Engine, feature: Option<&'static str>) -> Program {
    type Programs = HashMap<(Engine, Option<&'static str>), Program>;
    static PROGRAMS: Mutex<Option<Programs>> = Mutex::new(None);
    let mut programs = PROGRAMS.lock().expect("no build failed");
    let programs = programs.get_or_insert_default();
    let load = || {
        let limits = Limits::default().processor_seconds(20);
        let loader = loader(engine).limits(limits);
        let program = loader.load(&file(engine, feature));
        program.unwrap_or_else(|error| panic!("{engine}: {error}"))
    };
    programs
        .entry((engine, feature))
        .or_insert_with(load)
        .clone()
}

/// One command, with its numbers.
pub type Step = (Command, [u64; 3]);

/// Instruction data of steps.
pub fn script(steps: &[Step]) -> Vec<u8> {
    let bytes = steps
        .iter()
        .flat_map(|(command, numbers)| command.step(*numbers));
    bytes.collect()
}

/// A call without accounts.
pub fn call(steps: &[Step]) -> Invocation {
    Invocation::new(PROGRAM_ID)
        .data(script(steps))
        .gas(100_000_000)
}

/// Calls a program.
#[track_caller]
pub fn invoke(program: &Program, invocation: &Invocation) -> Outcome {
    let outcome = program.invoke(invocation);
    outcome.unwrap_or_else(|error| panic!("{}: {error}", program.engine()))
}
