//! `cargo entrypoint bench`

mod plan;

use std::process::ExitCode;

use anyhow::{Context, Result, anyhow};
use loader::display::escape_control;

use crate::arguments::BenchArguments;
use crate::bench::command::{self, Baseline};
use crate::bench::programs::{self, NotMet, ProgramResults};
use crate::report::{self, EXIT_FAILED};
use plan::Plan;

pub fn bench(arguments: &BenchArguments) -> Result<ExitCode> {
    // Finds every error in the arguments before it builds anything.
    let plan = Plan::new(arguments.what.as_deref(), &arguments.cargo.options())?;
    let mut words = "cargo entrypoint bench".to_owned();
    if let Some(what) = &arguments.what {
        words += &format!(" {what}");
    }
    let baseline = Baseline::open(
        &arguments.common,
        plan.default_baseline(),
        plan.scope.clone(),
        &words,
    )?;
    let first = plan.programs.first();
    let folder = &first
        .context("there is nothing to measure")?
        .package()
        .folder;
    let compiler = command::compiler(folder)?;
    let bless = arguments.common.bless;
    if bless {
        baseline.check_bless(&compiler)?;
    }

    let (rows, not_met) = programs::measure(&plan.programs)?;
    let results = ProgramResults {
        compiler,
        programs: rows,
    };
    show(arguments, &results)?;
    for NotMet {
        subject,
        differences,
    } in &not_met
    {
        for difference in differences {
            report::error(&anyhow!(
                "{}: not as the fixture expects: {}",
                escape_control(subject),
                escape_control(difference)
            ));
        }
    }
    let is_worse = if bless && not_met.is_empty() {
        baseline.bless(&results)?;
        false
    } else {
        baseline.compare(&results)?
    };
    if bless && !not_met.is_empty() {
        report::error(&anyhow!(
            "the baseline was not written, because a program differs from its fixture"
        ));
    }
    Ok(if is_worse || !not_met.is_empty() {
        ExitCode::from(EXIT_FAILED)
    } else {
        ExitCode::SUCCESS
    })
}

fn show(arguments: &BenchArguments, results: &ProgramResults) -> Result<()> {
    if !arguments.common.json {
        let mut text = String::new();
        report::bench::results(&mut text, results)?;
        report::print(&text)
    } else if arguments.what.is_some() {
        command::print_json(&results.programs)
    } else {
        command::print_json(results)
    }
}
