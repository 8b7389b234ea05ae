//! Runs scenarios on every target.

use std::fs;
use std::panic::resume_unwind;
use std::path::Path;
use std::sync::Arc;
use std::thread::{self, ScopedJoinHandle};

use anyhow::{Context, Result};
use ledger::Ledger;
use ledger::scenario::{ProgramFile, Scenario, ScenarioOutcome};
use loader::{Engine, Runtime, Target};
use program_build::custom_errors::CustomErrors;
use program_build::guest;
use program_build::package::ProgramPackage;

use crate::coverage::WriteOnDrop;
use crate::{loaded, package, polkavm_engines};

/// Runs a scenario of the program crate in a folder, `scenarios/NAME.toml`, on every target, and
/// compares the outcomes with each other and with what the steps expect. Errors, logs, return data
/// and accounts must be equal. On PolkaVM's two engines, everything must be equal.
///
/// The programs that the scenario names are built. The targets are those of
/// [`check_fixture`](crate::check_fixture).
///
/// Returns the outcome on riscv64.
///
/// # Panics
///
/// If a program does not build, the scenario cannot be read, the outcomes differ, or a step does
/// not do what is expected of it; the message lists every difference.
pub fn check_scenario(manifest_folder: impl AsRef<Path>, name: &str) -> ScenarioOutcome {
    let here = |target: &Target| *target != Target::Native || guest::RUNS_NATIVELY;
    let targets: Vec<Target> = Target::ALL.into_iter().filter(here).collect();
    if !guest::RUNS_NATIVELY {
        println!("skipped: the native engine, which runs on 64-bit Linux only");
    }
    check_scenario_on(manifest_folder, name, &targets)
}

/// Like [`check_scenario`], on some targets only: for programs that do not support the others.
/// Returns the outcome on the first.
///
/// # Panics
///
/// As for [`check_scenario`], and if there is no target.
pub fn check_scenario_on(
    manifest_folder: impl AsRef<Path>,
    name: &str,
    targets: &[Target],
) -> ScenarioOutcome {
    assert!(!targets.is_empty(), "pass at least one target");
    let _write = WriteOnDrop;
    let package = package(manifest_folder.as_ref());
    let path = package.scenario(name);
    let path = path.unwrap_or_else(|error| panic!("{error:?}"));
    let scenario = Scenario::read(&path).unwrap_or_else(|error| panic!("{error}"));
    // Building takes most of the time, and a build for one target does not wait for another.
    let mut outcomes: Vec<ScenarioOutcome> = thread::scope(|scope| {
        let run = |target: &Target| {
            let engines = match target {
                Target::Riscv64 => polkavm_engines(),
                Target::Wasm32 => vec![Engine::Wasm],
                Target::Native => vec![Engine::Native],
            };
            let runs = engines.into_iter();
            let runs = runs.map(|engine| run(&package, &scenario, &path, engine));
            runs.collect::<Vec<_>>()
        };
        let runs = targets
            .iter()
            .map(|target| scope.spawn(move || run(target)));
        let runs: Vec<ScopedJoinHandle<'_, Vec<ScenarioOutcome>>> = runs.collect();
        let outcomes = runs.into_iter().map(ScopedJoinHandle::join);
        outcomes
            .flat_map(|outcomes| outcomes.unwrap_or_else(|panic| resume_unwind(panic)))
            .collect()
    });
    let mut differences = Vec::new();
    for outcome in &outcomes {
        let engine = outcome.engine;
        let lines = outcome.differences().into_iter();
        differences.extend(lines.map(|line| format!("{line}, on the {engine} engine")));
        differences.extend(outcomes[0].differences_from(outcome));
    }
    assert!(
        differences.is_empty(),
        "{} has differences:\n  {}\non the {} engine:\n{}",
        path.display(),
        differences.join("\n  "),
        outcomes[0].engine,
        outcomes[0]
    );
    outcomes.swap_remove(0)
}

fn run(
    package: &ProgramPackage,
    scenario: &Scenario,
    path: &Path,
    engine: Engine,
) -> ScenarioOutcome {
    let folder = path.parent().unwrap_or(Path::new(""));
    let outcome =
        loaded::loader(engine, Runtime::Rialo, &package.target_folder).and_then(|loader| {
            let ledger = Ledger::with_loader(loader);
            let load = |program: &Path| {
                let file = file(&folder.join(program), engine)?;
                Ok(ProgramFile {
                    errors: CustomErrors::of(&file).all().to_vec(),
                    bytes: file.to_vec(),
                })
            };
            Ok(ledger::scenario::run(scenario, ledger, load)?)
        });
    outcome.unwrap_or_else(|error| panic!("{} on the {engine} engine: {error:?}", path.display()))
}

/// The file of a program: of the package in a folder, or a file.
pub fn file(path: &Path, engine: Engine) -> Result<Arc<Vec<u8>>> {
    if path.is_dir() {
        return loaded::file(&ProgramPackage::in_folder(path)?, engine);
    }
    let file = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(Arc::new(file))
}
