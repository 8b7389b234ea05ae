//! `cargo entrypoint run`

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, anyhow, bail};
use cargo_entrypoint::guest;
use cargo_entrypoint::package::{self, Program};
use loader::fixture::{DEFAULT_PROGRAM_ID, Fixture};
use loader::{Invocation, Limits, Loader, Outcome};

use crate::arguments::{Data, RunArguments};
use crate::report::{self, EXIT_FAILED};

/// A program that has been run.
struct Run {
    /// The program and its fixture, for people.
    title: String,
    invocation: Invocation,
    outcome: Outcome,
    /// In what the outcome is not as the fixture expects.
    differences: Vec<String>,
}

pub fn run(arguments: &RunArguments) -> Result<ExitCode> {
    let run = match build_and_run(arguments) {
        Ok(run) => run,
        Err(error) => {
            if arguments.json {
                let kind = report::json::kind(&error);
                let description = format!("{error:#}");
                report::print(&report::json::error(
                    kind,
                    &description,
                    arguments.engine.into(),
                )?)?;
            }
            return Err(error);
        }
    };
    if arguments.json {
        report::print(&report::json::outcome(&run.outcome)?)?;
    } else {
        let mut text = String::new();
        report::people::outcome(&mut text, &run.title, &run.invocation, &run.outcome)?;
        report::print(&text)?;
    }
    for difference in &run.differences {
        report::error(&anyhow!("not as the fixture expects: {difference}"));
    }
    if run.outcome.is_success() && run.differences.is_empty() {
        Ok(ExitCode::SUCCESS)
    } else {
        Ok(ExitCode::from(EXIT_FAILED))
    }
}

fn build_and_run(arguments: &RunArguments) -> Result<Run> {
    let program = package::locate(arguments.program.as_deref())?;
    // The fixture is read first: building takes longer than finding a typing error.
    let fixture_path = match (&arguments.fixture, &program) {
        (Some(name), Program::Package(package)) => Some(package.fixture(name)?),
        (Some(name), Program::Blob(blob)) => {
            let path = PathBuf::from(name);
            if !path.is_file() {
                let blob = blob.display();
                bail!(
                    "{name} is not a file; {blob} is a blob, which has no fixtures of its own to name"
                );
            }
            Some(path)
        }
        (None, Program::Package(package)) => package.default_fixture()?,
        (None, Program::Blob(_)) => None,
    };
    let fixture = fixture_path.as_deref().map(Fixture::read).transpose()?;
    let (mut invocation, expect) = match fixture {
        Some(fixture) => (fixture.invocation, Some(fixture.expect)),
        None => (Invocation::new(DEFAULT_PROGRAM_ID), None),
    };
    let is_changed = apply_options(arguments, &mut invocation)?;
    invocation.validate(&Limits::default())?;

    let loader = Loader::new(arguments.engine.into())?;
    let (name, blob) = guest::blob_of(&program)?;
    let program = loader
        .load(&blob)
        .with_context(|| format!("cannot load {name}"))?;
    let outcome = program.invoke(&invocation)?;
    let differences = match &expect {
        // What a fixture expects, it expects of its own call.
        Some(expect) if !is_changed => expect.differences(&outcome),
        _ => Vec::new(),
    };
    let title = match &fixture_path {
        Some(path) => format!("{name}, called as {} says", from_here(path).display()),
        None => format!("{name}, called without accounts"),
    };
    Ok(Run {
        title,
        invocation,
        outcome,
        differences,
    })
}

/// The path as it is shorter to read.
fn from_here(path: &Path) -> &Path {
    let here = std::env::current_dir().ok();
    here.and_then(|here| path.strip_prefix(here).ok())
        .unwrap_or(path)
}

/// Puts what the command line says in the place of what the fixture says; answers whether it did.
fn apply_options(arguments: &RunArguments, invocation: &mut Invocation) -> Result<bool> {
    match &arguments.data {
        Some(Data::Bytes(bytes)) => invocation.data.clone_from(bytes),
        Some(Data::File(path)) => {
            invocation.data = std::fs::read(path)
                .with_context(|| format!("cannot read the instruction data {}", path.display()))?;
        }
        None => {}
    }
    if let Some(heap) = arguments.heap {
        invocation.heap_size = heap;
    }
    if let Some(gas) = arguments.gas {
        invocation.gas = gas;
    }
    Ok(arguments.data.is_some() || arguments.heap.is_some() || arguments.gas.is_some())
}
