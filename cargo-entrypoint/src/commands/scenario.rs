//! `cargo entrypoint run SCENARIO`

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Result, anyhow, bail};
use ledger::Ledger;
use ledger::scenario::{self, ProgramFile, Scenario, ScenarioOutcome, StepOutcome};
use loader::Engine;
use loader::fixture::read_text;
use program_build::custom_errors::CustomErrors;
use program_build::files::read_program;
use program_build::machine::Machine;
use program_build::package::{self, Program, ProgramPackage};
use program_build::workspace;

use crate::arguments::RunArguments;
use crate::report::{self, EXIT_FAILED};

/// The scenario that the command line names; `None` if it names a program only.
pub fn find(arguments: &RunArguments) -> Result<Option<PathBuf>> {
    let program = arguments.call.program.as_deref();
    if let Some(name) = &arguments.scenario {
        let path = PathBuf::from(name);
        if program.is_none() && path.is_file() {
            return Ok(Some(path));
        }
        return match package::locate(program)? {
            Program::Package(package) => package.scenario(name).map(Some),
            Program::Blob(_) if path.is_file() => Ok(Some(path)),
            Program::Blob(file) => bail!(
                "{name} is not a file; {} has no scenarios, so pass the path of a scenario",
                file.display()
            ),
        };
    }
    let Some(name) = program else {
        return Ok(None);
    };
    let path = Path::new(name);
    if path
        .extension()
        .is_some_and(|extension| extension == "toml")
    {
        if !path.is_file() {
            bail!("there is no file {name}");
        }
        return Ok(Some(path.to_owned()));
    }
    // A program comes first, because its name is what most people mean.
    if path.exists() || package::locate(program).is_ok() {
        return Ok(None);
    }
    let Ok(Program::Package(here)) = package::locate(None) else {
        return Ok(None);
    };
    let path = here.scenario_path(name);
    Ok(path.is_file().then_some(path))
}

/// Runs a scenario.
pub fn run(arguments: &RunArguments, path: &Path, engine: Engine) -> Result<ExitCode> {
    check_options(arguments)?;
    let scenario = read(path)?;
    let outcome = build_and_run(arguments, path, &scenario, engine)?;
    let is_judged = scenario.has_expectations();
    let is_wrong = |step: &&StepOutcome| !step.differences.is_empty();
    let wrong = outcome.steps.iter().filter(is_wrong).count();
    if arguments.json {
        report::print(&report::json::scenario(&outcome)?)?;
    } else {
        let title = match outcome.title.as_str() {
            "" => path.display().to_string(),
            title => title.to_owned(),
        };
        let mut text = format!("{title} · {engine}\n\n{outcome}");
        if is_judged && wrong == 0 {
            text.push_str("\nall as the scenario expects\n");
        }
        report::print(&text)?;
    }
    if wrong == 0 {
        return Ok(ExitCode::SUCCESS);
    }
    let steps = outcome.steps.len();
    report::error(&anyhow!(
        "{wrong} of {steps} steps did not do what the scenario expects"
    ));
    Ok(ExitCode::from(EXIT_FAILED))
}

/// Rejects options that belong to one call of one program.
fn check_options(arguments: &RunArguments) -> Result<()> {
    let call = &arguments.call;
    let cargo = &arguments.cargo;
    let given = [
        ("--fixture", call.fixture.is_some()),
        ("--data", call.data.is_some()),
        ("--heap", call.heap.is_some()),
        ("--gas", call.gas.is_some()),
        ("--runner", arguments.runner.is_some()),
        ("--sanitizer", arguments.sanitizer.is_some()),
        ("--features", !cargo.features.is_empty()),
        ("--no-default-features", cargo.no_default_features),
    ];
    match given.into_iter().find(|(_, is_given)| *is_given) {
        Some((option, _)) => {
            bail!("`{option}` is for one call of a program, not for a scenario; remove it")
        }
        None => Ok(()),
    }
}

fn build_and_run(
    arguments: &RunArguments,
    path: &Path,
    scenario: &Scenario,
    engine: Engine,
) -> Result<ScenarioOutcome> {
    let folder = path.parent().unwrap_or(Path::new(""));
    let options = arguments.cargo.options();
    let machine = Machine::new(engine).options(options.clone());
    let programs = scenario.programs.iter();
    let mut folders = programs
        .map(|program| folder.join(&program.path))
        .filter(|path| path.is_dir());
    let target_folder = match folders.next() {
        Some(folder) => ProgramPackage::in_folder(&folder)?.target_folder,
        // Only native programs need it: their runner is compiled there.
        None => workspace::own_target_folder().unwrap_or_else(|_| PathBuf::from("target")),
    };
    let ledger = Ledger::with_loader(machine.loader(&target_folder)?);
    let load = |program: &Path| {
        let bytes = file(&machine, &folder.join(program), &options)?;
        Ok(ProgramFile {
            errors: CustomErrors::of(&bytes).all().to_vec(),
            bytes,
        })
    };
    Ok(scenario::run(scenario, ledger, load)?)
}

/// Reads a scenario. The error of a fixture says what to do with one.
fn read(path: &Path) -> Result<Scenario> {
    let error = match Scenario::read(path) {
        Ok(scenario) => return Ok(scenario),
        Err(error) => error,
    };
    let text = read_text(path).unwrap_or_default();
    let table: toml::Table = text.parse().unwrap_or_default();
    // A scenario has tables where a fixture has lists.
    let is_list = |key: &str| table.get(key).is_some_and(toml::Value::is_array);
    let is_fixture = is_list("accounts") || (table.contains_key("expect") && !is_list("steps"));
    let error = anyhow::Error::new(error);
    if is_fixture {
        let path = path.display();
        return Err(error.context(format!(
            "{path} is a fixture and not a scenario; pass it with `--fixture {path}`"
        )));
    }
    Err(error)
}

fn file(
    machine: &Machine,
    path: &Path,
    options: &program_build::options::CargoOptions,
) -> Result<Vec<u8>> {
    if !path.is_dir() {
        return read_program(path);
    }
    let mut package = ProgramPackage::in_folder(path)?;
    package.options = options.clone();
    machine.build(&package)
}
