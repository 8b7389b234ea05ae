//! `cargo xtask bench`: suites that measure this project beside others, for its documentation.
//!
//! | module | measures |
//! |---|---|
//! | [`entry`] | what it costs to come to a program's function and back, beside other projects' entries |
//! | [`calls`] | the program's part of a call of another program, beside another project's |
//! | [`allocators`] | what allocators cost, beside those of other projects |
//! | [`formatting`] | what a log line costs, by what it shows |
//! | [`size`] | how long blobs are |
//! | [`deployment`] | what the examples cost to deploy |
//!
//! [`results`] has the results of a run. [`marked`] and [`readme`] write tables in the
//! documentation. The crates in the folder `benches` are the guests.

pub mod allocators;
pub mod calls;
pub mod deployment;
pub mod entry;
pub mod formatting;
pub mod marked;
pub mod readme;
mod report;
pub mod results;
pub mod size;
mod tables;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use cargo_entrypoint::bench::baseline::Scope;
use cargo_entrypoint::bench::command::{self, Baseline};
use cargo_entrypoint::output::{self, EXIT_FAILED};
use clap::{Args, ValueEnum};
use program_build::package::ProgramPackage;

use crate::project;
use allocators::{Allocator, WorkloadFailed};
use entry::{Entry, EntryFailed};
use results::SuiteResults;
use tables::Table;

/// The file of the baseline, in the project's folder.
pub const BASELINE: &str = "benches/bench.json";

const HELP: &str = "\
The baseline has the results of an earlier run. Without --baseline, it is `benches/bench.json` of
this checkout. The command prints all differences. A larger figure of this project is worse, and so
is a row that is gone; other projects' figures are only shown. A worse result is exit code 1, if the
compiler is that of the baseline. If you intend it, run the same command with --bless and --update,
and commit the files together with the change.

JSON: an array of rows if SUITE is given, otherwise the content that --bless writes to the baseline:
an object with the compiler and an array for each suite.
  entry       {entry, table, accounts, repeats, gas}
  calls       {framework, list, accounts, gas}
  allocators  {allocator, workload, gas, gas_per_op, peak, live, blob}
  formatting  {code, gas}
  size        {program, panic, blob}

Exit codes:
  0  everything was measured, and nothing is worse than in the baseline
  1  a result is worse, or a suite's check failed
  2  nothing was measured, or the results could not be printed or written";

/// The arguments of `cargo xtask bench`.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub struct BenchArguments {
    /// The suite to measure [default: all of them]
    #[arg(value_enum)]
    suite: Option<Suite>,

    #[command(flatten)]
    common: command::CommonArguments,

    /// Rewrite the table of each measured suite in the documentation
    #[arg(long)]
    update: bool,
}

/// What can be measured alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Suite {
    /// Entry overhead: gas from the export to the function and back, beside `pinocchio`
    Entry,
    /// Calls: gas of the program's part of a call, beside `pinocchio`
    Calls,
    /// Our heaps beside four other allocators
    Allocators,
    /// Log lines: gas of each way to write one
    Formatting,
    /// The length of a blob, by program and panic level
    Size,
}

impl Suite {
    /// All of them, in the order of the report.
    pub const ALL: [Self; 5] = [
        Self::Entry,
        Self::Calls,
        Self::Allocators,
        Self::Formatting,
        Self::Size,
    ];

    /// Its name, as it is typed and in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Entry => "entry",
            Self::Calls => "calls",
            Self::Allocators => "allocators",
            Self::Formatting => "formatting",
            Self::Size => "size",
        }
    }
}

/// Measures suites, prints the results, and compares them with the baseline or writes them to it.
///
/// # Errors
///
/// If nothing was measured, or the results cannot be printed or written. A worse result and a
/// suite's failed check are not errors, but are printed, and have an exit code of their own.
pub fn bench(arguments: &BenchArguments) -> Result<ExitCode> {
    let (suites, scope, words) = match arguments.suite {
        Some(suite) => (
            vec![suite],
            Scope::Only(suite.name().to_owned()),
            format!("cargo xtask bench {}", suite.name()),
        ),
        None => (
            Suite::ALL.to_vec(),
            Scope::All,
            "cargo xtask bench".to_owned(),
        ),
    };
    let baseline = Baseline::open(&arguments.common, project().join(BASELINE), scope, &words)?;
    let tables = if arguments.update {
        suites
            .iter()
            .map(|suite| Table::of(*suite))
            .collect::<Result<Vec<_>>>()?
            .into_iter()
            .flatten()
            .collect()
    } else {
        Vec::new()
    };
    let compiler = command::compiler(project())?;
    if arguments.common.bless {
        baseline.check_bless(&compiler)?;
    }

    let results = match measure(&suites, compiler) {
        Ok(results) => results,
        Err(error) if error.is::<WorkloadFailed>() || error.is::<EntryFailed>() => {
            output::error(&error);
            return Ok(ExitCode::from(EXIT_FAILED));
        }
        Err(error) => return Err(error),
    };
    // Writes the tables even if it cannot print the results.
    let printed = show(arguments, &results);
    for table in &tables {
        table.write(&results)?;
    }
    printed?;
    if arguments.common.bless {
        baseline.bless(&results)?;
        return Ok(ExitCode::SUCCESS);
    }
    Ok(if baseline.compare(&results)? {
        ExitCode::from(EXIT_FAILED)
    } else {
        ExitCode::SUCCESS
    })
}

fn measure(suites: &[Suite], compiler: String) -> Result<SuiteResults> {
    let mut results = SuiteResults {
        compiler,
        ..SuiteResults::default()
    };
    for suite in suites {
        match suite {
            Suite::Entry => results.entry = entry::measure(&entry_guests()?, &Entry::ALL)?,
            Suite::Calls => results.calls = calls::measure(&guest("calls")?)?,
            Suite::Allocators => {
                let guest = guest("allocators")?;
                results.allocators = allocators::measure(&guest, &Allocator::ALL)?;
            }
            Suite::Formatting => {
                results.formatting = formatting::measure(&guest("formatting")?)?;
            }
            Suite::Size => results.size = size::measure(&guest("size")?)?,
        }
    }
    Ok(results)
}

fn entry_guests() -> Result<entry::Guests> {
    Ok(entry::Guests {
        ours: guest("entry")?,
        peers: Some(guest("peers")?),
    })
}

/// The guest in this folder of `benches`.
fn guest(folder: &str) -> Result<ProgramPackage> {
    let path: PathBuf = project().join("benches").join(folder);
    ProgramPackage::in_folder(&path)
}

fn show(arguments: &BenchArguments, results: &SuiteResults) -> Result<()> {
    if arguments.common.json {
        return match arguments.suite {
            Some(Suite::Entry) => command::print_json(&results.entry),
            Some(Suite::Calls) => command::print_json(&results.calls),
            Some(Suite::Allocators) => command::print_json(&results.allocators),
            Some(Suite::Formatting) => command::print_json(&results.formatting),
            Some(Suite::Size) => command::print_json(&results.size),
            None => command::print_json(results),
        };
    }
    let mut text = String::new();
    report::results(&mut text, results)?;
    output::print(&text)
}
