//! The guest `caller`, on all engines, and hosts whose programs it is.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use caller::{Call, Listed, Script, Step};
use loader::{
    AccountInput, Engine, Environment, Host, Invocation, Limits, Loader, Outcome, Program, Pubkey,
    Target,
};
use program_build::guest::{self, DebugInfo};
use program_build::machine::Machine;
use program_build::package::ProgramPackage;

/// The ids of the guest: it is every program of the host, and the one that the host calls is `A`.
pub const A: Pubkey = Pubkey::new([0xA; 32]);
/// See [`A`].
pub const B: Pubkey = Pubkey::new([0xB; 32]);
/// See [`A`].
pub const C: Pubkey = Pubkey::new([0xC; 32]);

fn package() -> ProgramPackage {
    ProgramPackage::in_folder(&crate::guest("caller")).unwrap_or_else(|error| panic!("{error:?}"))
}

/// A loader for an engine.
pub fn loader(engine: Engine) -> Loader {
    let loader = Machine::new(engine).loader(&package().target_folder);
    loader.unwrap_or_else(|error| panic!("{engine}: {error:?}"))
}

/// The guest's file for a target, built once.
pub fn file(target: Target) -> Arc<Vec<u8>> {
    static FILES: Mutex<Option<HashMap<Target, Arc<Vec<u8>>>>> = Mutex::new(None);
    let mut files = FILES.lock().unwrap_or_else(PoisonError::into_inner);
    let files = files.get_or_insert_default();
    let file = files.entry(target).or_insert_with(|| {
        let file = guest::build_for(&package(), target, &[], DebugInfo::Strip);
        Arc::new(file.unwrap_or_else(|error| panic!("{target}: {error:?}")))
    });
    Arc::clone(file)
}

/// The guest on an engine, under limits.
pub fn load(engine: Engine, limits: Limits) -> Program {
    let program = loader(engine).limits(limits).load(&file(engine.target()));
    program.unwrap_or_else(|error| panic!("{engine}: {error}"))
}

/// The guest on an engine.
pub fn program(engine: Engine) -> Program {
    static PROGRAMS: Mutex<Option<HashMap<Engine, Program>>> = Mutex::new(None);
    let mut programs = PROGRAMS.lock().unwrap_or_else(PoisonError::into_inner);
    let programs = programs.get_or_insert_default();
    let program = programs.entry(engine);
    program
        .or_insert_with(|| load(engine, Limits::default()))
        .clone()
}

/// A host whose programs `A`, `B` and `C` are the guest, each on an engine.
pub fn environment(engines: [Engine; 3]) -> Environment {
    let programs = [A, B, C].into_iter().zip(engines);
    programs.fold(Environment::new(), |environment, (id, engine)| {
        environment.program(id, program(engine))
    })
}

/// The host of [`environment`], with one engine.
pub fn host(engine: Engine) -> Arc<dyn Host> {
    Arc::new(environment([engine; 3]))
}

/// The invocation of `A` with a script and accounts.
pub fn invocation(script: Script, accounts: impl IntoIterator<Item = AccountInput>) -> Invocation {
    let invocation = Invocation::new(A).data(script.0).gas(10_000_000);
    accounts.into_iter().fold(invocation, Invocation::account)
}

/// A writable account of a program, with 100 kelvins and some data.
pub fn account(number: u8, owner: Pubkey, data: &[u8]) -> AccountInput {
    let account = AccountInput::new(Pubkey::new([number; 32])).owner(owner);
    account.kelvins(100).data(data).writable()
}

/// A call that passes on and lists the first accounts of the caller, all of them writable.
pub fn call(program_id: Pubkey, accounts: u64, script: Script) -> Call {
    Call {
        program_id,
        listed: (0..accounts)
            .map(|position| Listed::at(position).writable())
            .collect(),
        passed: (0..accounts).collect(),
        signers: Vec::new(),
        data: script.0,
    }
}

/// A script that makes one call.
pub fn calling(call: &Call) -> Script {
    Script::new().call(call)
}

/// A script of one step.
pub fn step<const N: usize>(step: Step, numbers: [u64; N]) -> Script {
    Script::new().step(step, numbers)
}

/// Runs `A` on an engine, with the host of that engine.
#[track_caller]
pub fn run(engine: Engine, invocation: &Invocation) -> Outcome {
    let outcome = program(engine).invoke_with(&host(engine), invocation);
    outcome.unwrap_or_else(|error| panic!("{engine}: {error}"))
}
