//! `cargo entrypoint run`

use std::process::ExitCode;

use anyhow::{Context, Result, anyhow};
use loader::{Invocation, Loader, Outcome};

use crate::arguments::RunArguments;
use crate::commands::call::Call;
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
    let call = Call::read(&arguments.call)?;
    let loader = Loader::new(arguments.engine.into())?;
    let program = loader
        .load(&call.blob()?)
        .with_context(|| format!("cannot load {}", call.name()))?;
    let outcome = program.invoke(&call.invocation)?;
    Ok(Run {
        title: call.title(),
        differences: call.differences(&outcome),
        invocation: call.invocation,
        outcome,
    })
}
