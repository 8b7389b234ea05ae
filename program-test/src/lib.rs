//! For the tests of programs: builds a program, runs its fixtures on every target, and sweeps its
//! limits.
//!
//! ```no_run
//! // In tests/fixtures.rs of a program crate:
//! let _ = program_test::check_fixture(env!("CARGO_MANIFEST_DIR"), "default");
//! let _ = program_test::sweep_fixture(env!("CARGO_MANIFEST_DIR"), "default");
//! ```
#![forbid(unsafe_code)]

use std::fs;
use std::panic::resume_unwind;
use std::path::Path;
use std::sync::Arc;
use std::thread::{self, ScopedJoinHandle};

use loader::fixture::{ExpectedStatus, Fixture};
use loader::sweep::{Report, Sweep, SweepFailed};
use loader::{Engine, Failure, Host, LoadError, Loader, Outcome, Program, Target, ids};

use program_build::custom_errors::CustomErrors;
use program_build::guest::{self, DebugInfo};
use program_build::machine::BuiltHost;
use program_build::package::ProgramPackage;

use crate::coverage::WriteOnDrop;

mod coverage;
mod loaded;
mod on_ledger;
#[cfg(any(feature = "proptest", feature = "fuzz"))]
pub mod random;
mod scenario;

pub use ledger::{
    self, Account, AccountMeta, Fee, Instruction, Pubkey, Transaction, create_program_address,
    find_program_address, key, system,
};
pub use loader::ProgramError;
#[cfg(feature = "proptest")]
pub use proptest;

pub use on_ledger::{
    AccountAssertion, DeployedProgram, TestLedger, TestOutcome, TestProgram, for_each_target,
};
pub use scenario::{check_scenario, check_scenario_on};

/// Builds the program crate in a folder and returns its blob, with debug information.
///
/// # Panics
///
/// If the crate does not build; the message has the reason.
#[must_use]
pub fn build(manifest_folder: impl AsRef<Path>) -> Vec<u8> {
    let package = package(manifest_folder.as_ref());
    build_package(&package)
}

/// Builds the program crate in a folder, or a crate of handlers, for a target. Returns a blob, a
/// WebAssembly module or a library, with debug information.
///
/// # Panics
///
/// As for [`build`], and if this computer cannot build programs for the target.
#[must_use]
pub fn build_for(manifest_folder: impl AsRef<Path>, target: Target) -> Vec<u8> {
    let package = package(manifest_folder.as_ref());
    guest::build_for(&package, target, &[], DebugInfo::Keep)
        .unwrap_or_else(|error| panic!("cannot build `{}` for {target}: {error:?}", package.name))
}

/// Builds the program crate in a folder for every target, runs one of its fixtures on each, and
/// compares the outcomes with each other and with the fixture's expectation. Status, failure, logs,
/// return data and accounts must be equal. On PolkaVM's two engines, everything must be equal. A
/// fixture without `[expect]` expects nothing, so the outcomes are compared with each other only.
///
/// The targets are riscv64, wasm32, and native if this computer can run native programs (64-bit
/// Linux). Where PolkaVM's compiler cannot run, such as in a container that forbids its processes,
/// riscv64 is the interpreter. For each engine that is left out, the test prints `skipped: ` and
/// the reason.
///
/// Returns the outcome on riscv64.
///
/// # Panics
///
/// If the crate does not build, the fixture cannot be read, the outcomes differ, or one differs
/// from the expectation; the message lists every difference.
pub fn check_fixture(manifest_folder: impl AsRef<Path>, name: &str) -> Outcome {
    let here = |target: &Target| *target != Target::Native || guest::RUNS_NATIVELY;
    let targets: Vec<Target> = Target::ALL.into_iter().filter(here).collect();
    if !guest::RUNS_NATIVELY {
        println!("skipped: the native engine, which runs on 64-bit Linux only");
    }
    let mut outcomes = check_fixture_on(manifest_folder, name, &targets);
    outcomes.swap_remove(0)
}

/// Like [`check_fixture`], on some targets only: for a program that does not support the others.
/// Returns an outcome for each target, in their order.
///
/// # Panics
///
/// As for [`check_fixture`], and if there is no target.
pub fn check_fixture_on(
    manifest_folder: impl AsRef<Path>,
    name: &str,
    targets: &[Target],
) -> Vec<Outcome> {
    assert!(!targets.is_empty(), "pass at least one target");
    let _write = WriteOnDrop;
    let package = package(manifest_folder.as_ref());
    let path = package
        .fixture(name)
        .unwrap_or_else(|error| panic!("{error:?}"));
    let fixture = Fixture::read(&path).unwrap_or_else(|error| panic!("{error}"));
    // Building takes most of the time, and a build for one target does not wait for another.
    let outcomes: Vec<Outcome> = thread::scope(|scope| {
        let run = |target| run(&package, target, &fixture, &path);
        let runs = targets
            .iter()
            .map(|target| scope.spawn(move || run(*target)));
        let runs: Vec<ScopedJoinHandle<'_, Outcome>> = runs.collect();
        let outcomes = runs.into_iter().map(ScopedJoinHandle::join);
        outcomes
            .map(|outcome| outcome.unwrap_or_else(|panic| resume_unwind(panic)))
            .collect()
    });
    let mut differences = Vec::new();
    for outcome in &outcomes {
        let engine = outcome.engine;
        let errors = errors_of(&package, outcome, &fixture, &path);
        let differs = fixture.expect.differences_with(outcome, errors.all());
        let differs = differs.into_iter();
        differences
            .extend(differs.map(|difference| format!("{difference}, on the {engine} engine")));
        differences.extend(outcomes[0].differences(outcome));
    }
    let help = outcomes[0].failure.as_ref().and_then(Failure::help);
    let help = help.map_or_else(String::new, |help| format!("\nhelp: {help}"));
    assert!(
        differences.is_empty(),
        "{} has differences:\n  {}{help}\nthe outcome is {:#?}",
        path.display(),
        differences.join("\n  "),
        outcomes[0]
    );
    outcomes
}

/// PolkaVM's engines that run on this computer: the interpreter, and the compiler if it can. If it
/// cannot, this prints `skipped: ` and the reason.
///
/// ```
/// use loader::Engine;
///
/// assert_eq!(program_test::polkavm_engines()[0], Engine::Interpreter);
/// ```
#[must_use]
pub fn polkavm_engines() -> Vec<Engine> {
    let runs = |engine: &Engine| match Loader::new(*engine) {
        Err(error @ LoadError::EngineUnavailable { .. }) => {
            println!("skipped: {error}");
            false
        }
        // Any other error fails the test.
        Ok(_) | Err(_) => true,
    };
    Engine::POLKAVM.into_iter().filter(runs).collect()
}

/// Runs an invocation on a target: for riscv64, on the engines of PolkaVM.
fn run(package: &ProgramPackage, target: Target, fixture: &Fixture, path: &Path) -> Outcome {
    let engines = match target {
        Target::Riscv64 => polkavm_engines(),
        Target::Wasm32 => vec![Engine::Wasm],
        Target::Native => vec![Engine::Native],
    };
    let mut outcomes = engines.iter().map(|engine| {
        let program = loaded::program(package, *engine, fixture.runtime);
        let program = program.and_then(|program| {
            let host = host(*engine, &program, fixture, path)?;
            Ok((program, host))
        });
        let (program, host) = program.unwrap_or_else(|error| {
            panic!(
                "cannot run `{}` on the {engine} engine: {error:?}",
                package.name
            )
        });
        program
            .invoke_with(&host, &fixture.invocation)
            .unwrap_or_else(|error| panic!("{} on the {engine} engine: {error}", path.display()))
    });
    let first = outcomes.next().expect("a target has an engine");
    for mut other in outcomes {
        other.engine = first.engine;
        assert_eq!(
            first,
            other,
            "PolkaVM's engines differ on {}",
            path.display()
        );
    }
    first
}

/// Builds the program crate in a folder and calls it with one of its fixtures, under every limit of
/// gas and of heap that [`Sweep::new`] tries, and under a few of them on the other engine, if it is
/// one of [`polkavm_engines`]. Each outcome must be the complete result, or a clean error with
/// nothing changed.
///
/// Returns how much gas and heap suffice.
///
/// # Panics
///
/// If the crate does not build, the fixture cannot be read, or an outcome is neither; the message
/// names the first such limit.
pub fn sweep_fixture(manifest_folder: impl AsRef<Path>, name: &str) -> Swept {
    sweep_fixture_with(manifest_folder, name, &Sweep::new(), &Sweep::new())
}

/// As [`sweep_fixture`], with options for the sweep of gas and for that of the heap.
///
/// # Panics
///
/// As for [`sweep_fixture`].
pub fn sweep_fixture_with(
    manifest_folder: impl AsRef<Path>,
    name: &str,
    gas: &Sweep,
    heap: &Sweep,
) -> Swept {
    let _write = WriteOnDrop;
    let package = package(manifest_folder.as_ref());
    let path = package
        .fixture(name)
        .unwrap_or_else(|error| panic!("{error:?}"));
    let fixture = Fixture::read(&path).unwrap_or_else(|error| panic!("{error}"));
    let sweep = |engine, gas: &Sweep, heap: &Sweep| {
        let program = loaded::program(&package, engine, fixture.runtime);
        let program = program.unwrap_or_else(|error| panic!("{error:?}"));
        let host = host(engine, &program, &fixture, &path);
        let host = host.unwrap_or_else(|error| panic!("{error:?}"));
        let done = |report: Result<Report, SweepFailed>| {
            report.unwrap_or_else(|error| {
                panic!("{} on the {engine} engine: {error}", path.display())
            })
        };
        Swept {
            gas: done(gas.gas_with(&host, &program, &fixture.invocation)),
            heap: done(heap.heap_with(&host, &program, &fixture.invocation)),
        }
    };
    let swept = sweep(Engine::Interpreter, gas, heap);
    let [few_of_gas, few_of_heap] = [(gas, &swept.gas), (heap, &swept.heap)]
        .map(|(sweep, report)| sweep.dense(0).stride(report.enough / 16 + 1));
    for engine in &polkavm_engines()[1..] {
        let other = sweep(*engine, &few_of_gas, &few_of_heap);
        for (swept, other) in [(&swept.gas, &other.gas), (&swept.heap, &other.heap)] {
            assert_eq!(
                swept.enough,
                other.enough,
                "the engines need different {} on {}",
                swept.resource,
                path.display()
            );
        }
    }
    swept
}

/// The results of two sweeps of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "it says how much gas and heap is enough"]
pub struct Swept {
    /// Under every limit of gas.
    pub gas: Report,
    /// Under every limit of heap.
    pub heap: Report,
}

/// The errors of the program whose status an outcome has, if the fixture expects one by its name.
fn errors_of(
    package: &ProgramPackage,
    outcome: &Outcome,
    fixture: &Fixture,
    path: &Path,
) -> CustomErrors {
    if !matches!(fixture.expect.status, Some(ExpectedStatus::Name(_))) {
        return CustomErrors::default();
    }
    let errors = || {
        let program_id = match &outcome.failure {
            Some(Failure::Called { program_id, .. }) => *program_id,
            _ => return Ok(CustomErrors::of(&loaded::file(package, outcome.engine)?)),
        };
        if program_id == ids::SYSTEM_PROGRAM {
            return Ok(CustomErrors::of_system_program());
        }
        let mut others = fixture.surroundings.programs.iter();
        let Some(other) = others.find(|other| other.id == program_id) else {
            return Ok(CustomErrors::default());
        };
        let folder = path.parent().unwrap_or(Path::new(""));
        let file = scenario::file(&folder.join(&other.path), outcome.engine)?;
        Ok(CustomErrors::of(&file))
    };
    let errors: anyhow::Result<CustomErrors> = errors();
    errors.unwrap_or_else(|error| panic!("{error:?}"))
}

/// What the program of a fixture can reach beyond its own input.
fn host(
    engine: Engine,
    program: &Program,
    fixture: &Fixture,
    path: &Path,
) -> anyhow::Result<Arc<dyn Host>> {
    let folder = path.parent().unwrap_or(Path::new(""));
    let program_id = fixture.invocation.program_id;
    let runtime = fixture.runtime;
    let load = |path: &Path| {
        let program = if path.is_dir() {
            loaded::program(&ProgramPackage::in_folder(path)?, engine, runtime)?
        } else {
            loaded::loader(engine, runtime, path)?.load(&fs::read(path)?)?
        };
        Ok((program, CustomErrors::default()))
    };
    let surroundings = &fixture.surroundings;
    Ok(BuiltHost::new(program, program_id, surroundings, folder, load)?.host)
}

fn package(manifest_folder: &Path) -> ProgramPackage {
    ProgramPackage::in_folder(manifest_folder).unwrap_or_else(|error| panic!("{error:?}"))
}

fn build_package(package: &ProgramPackage) -> Vec<u8> {
    guest::build(package, DebugInfo::Keep)
        .unwrap_or_else(|error| panic!("cannot build `{}`: {error:?}", package.name))
}

/// The examples of `docs/ledger.md` run as doctests of this crate.
#[cfg(doctest)]
#[doc = include_str!("../../docs/ledger.md")]
struct LedgerPage;
