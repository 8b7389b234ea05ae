//! The guest `everywhere`, on all engines.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use crate::PROGRAM_ID;
use everywhere::Command;
use loader::{Engine, Invocation, Limits, Loader, Outcome, Program, Target};
use program_build::guest::{self, DebugInfo};
use program_build::machine::Machine;
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

/// A value for each key, computed once.
struct Once<K, V>(Mutex<Option<HashMap<K, V>>>);

impl<K: Eq + Hash, V: Clone> Once<K, V> {
    const fn new() -> Self {
        Self(Mutex::new(None))
    }

    fn get(&self, key: K, make: impl FnOnce() -> V) -> V {
        let mut values = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let values = values.get_or_insert_default();
        values.entry(key).or_insert_with(make).clone()
    }
}

/// The loader for an engine.
pub fn loader(engine: Engine) -> Loader {
    static LOADERS: Once<Engine, Loader> = Once::new();
    LOADERS.get(engine, || {
        let loader = Machine::new(engine).loader(&package().target_folder);
        loader.unwrap_or_else(|error| panic!("{engine}: {error:?}"))
    })
}

/// The guest's file for an engine, with a feature or without one.
pub fn file(engine: Engine, feature: Option<&'static str>) -> Arc<Vec<u8>> {
    type Key = (Target, Option<&'static str>);
    static FILES: Once<Key, Arc<Vec<u8>>> = Once::new();
    let target = engine.target();
    FILES.get((target, feature), || {
        let features: Vec<&str> = feature.into_iter().collect();
        let file = guest::build_for(&package(), target, &features, DebugInfo::Strip);
        file.unwrap_or_else(|error| panic!("{target}: {error:?}"))
            .into()
    })
}

/// The guest on an engine, with a feature or without one.
pub fn program(engine: Engine, feature: Option<&'static str>) -> Program {
    type Key = (Engine, Option<&'static str>);
    static PROGRAMS: Once<Key, Program> = Once::new();
    PROGRAMS.get((engine, feature), || {
        let limits = Limits::default().processor_seconds(20);
        load(engine, feature, limits)
    })
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
