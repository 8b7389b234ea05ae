//! The guest `everywhere`, on all engines.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::thread;

use crate::PROGRAM_ID;
use everywhere::Command;
use loader::{Engine, Invocation, Limits, Loader, Outcome, Program, Target};
use program_build::guest::{self, DebugInfo};
use program_build::machine::Machine;
use program_build::memo::Memo;
use program_build::package::ProgramPackage;

/// The engines that run on this host, PolkaVM's interpreter first.
pub fn engines() -> Vec<Engine> {
    let mut engines = program_test::polkavm_engines();
    engines.push(Engine::Wasm);
    if guest::RUNS_NATIVELY {
        engines.push(Engine::Native);
    }
    engines
}

/// The package of the guest.
pub fn package() -> ProgramPackage {
    ProgramPackage::in_folder(&crate::guest("everywhere"))
        .unwrap_or_else(|error| panic!("{error:?}"))
}

/// The loader for an engine.
pub fn loader(engine: Engine) -> Loader {
    static LOADERS: Memo<Engine, Loader> = Memo::new();
    let loader = LOADERS.get(engine, || {
        Machine::new(engine).loader(&package().target_folder)
    });
    loader.unwrap_or_else(|error| panic!("{engine}: {error:?}"))
}

/// The guest's file for an engine, with a feature or without one.
pub fn file(engine: Engine, feature: Option<&'static str>) -> Arc<Vec<u8>> {
    type Key = (Target, Option<&'static str>);
    static FILES: Memo<Key, Arc<Vec<u8>>> = Memo::new();
    let target = engine.target();
    let file = FILES.get((target, feature), || {
        let features: Vec<&str> = feature.into_iter().collect();
        let file = guest::build_for(&package(), target, &features, DebugInfo::Strip)?;
        Ok(file.into())
    });
    file.unwrap_or_else(|error| panic!("{target}: {error:?}"))
}

/// The guest on an engine, with a feature or without one.
pub fn program(engine: Engine, feature: Option<&'static str>) -> Program {
    type Key = (Engine, Option<&'static str>);
    static PROGRAMS: Memo<Key, Program> = Memo::new();
    let program = PROGRAMS.get((engine, feature), || {
        let limits = Limits::default().processor_seconds(20);
        Ok(load(engine, feature, limits))
    });
    program.unwrap_or_else(|error| panic!("{engine}: {error:?}"))
}

/// The guest on every engine, with a feature or without one. Its files are built at the same time.
pub fn programs(feature: Option<&'static str>) -> Vec<Program> {
    type Key = Option<&'static str>;
    static PROGRAMS: Memo<Key, Vec<Program>> = Memo::new();
    let programs = PROGRAMS.get(feature, || {
        Ok(thread::scope(|scope| {
            let programs = engines().into_iter();
            let programs = programs.map(|engine| scope.spawn(move || program(engine, feature)));
            let programs: Vec<_> = programs.collect();
            let join = |program: thread::ScopedJoinHandle<'_, Program>| program.join();
            let programs = programs.into_iter().map(join);
            programs
                .map(|program| program.unwrap_or_else(|panic| resume_unwind(panic)))
                .collect()
        }))
    });
    programs.unwrap_or_else(|error| panic!("{error:?}"))
}

/// The guest on an engine, under these limits.
pub fn load(engine: Engine, feature: Option<&'static str>, limits: Limits) -> Program {
    let loader = loader(engine).limits(limits);
    let program = loader.load(&file(engine, feature));
    program.unwrap_or_else(|error| panic!("{engine}: {error}"))
}

/// A command with its three numbers.
pub type Step = (Command, [u64; 3]);

/// The instruction data for these steps.
pub fn script(steps: &[Step]) -> Vec<u8> {
    let bytes = steps
        .iter()
        .flat_map(|(command, numbers)| command.step(*numbers));
    bytes.collect()
}

/// A call with these steps and without accounts.
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
