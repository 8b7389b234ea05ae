//! `cargo entrypoint bench`

mod plan;
mod tables;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, anyhow, bail};
use cargo_entrypoint::bench::allocators::{Allocator, WorkloadFailed};
use cargo_entrypoint::bench::baseline::{self, Change};
use cargo_entrypoint::bench::entry::{Entry, EntryFailed};
use cargo_entrypoint::bench::programs::NotMet;
use cargo_entrypoint::bench::results::Results;
use cargo_entrypoint::bench::{allocators, entry, programs, size};
use program_build::{files, toolchain};

use crate::arguments::BenchArguments;
use crate::report::{self, EXIT_FAILED};
use loader::display::escape_control;
use plan::Plan;
use tables::Table;

pub fn bench(arguments: &BenchArguments) -> Result<ExitCode> {
    // Finds every error in the arguments before it builds anything.
    let plan = Plan::new(arguments.what.as_deref(), &arguments.cargo.options())?;
    let baseline = Baseline::open(arguments, &plan)?;
    let tables = if arguments.update {
        Table::all(&plan)?
    } else {
        Vec::new()
    };
    let package = plan.any_package().context("there is nothing to measure")?;
    let toolchain = toolchain::find_or_provide(&package.folder)?;
    let compiler = toolchain::version(&toolchain.rustc).context("the compiler has no name")?;
    if arguments.bless {
        baseline.check_bless(&plan, &compiler)?;
    }

    let (results, not_met) = match measure(&plan, compiler) {
        Ok(measured) => measured,
        Err(error) if error.is::<WorkloadFailed>() || error.is::<EntryFailed>() => {
            report::error(&error);
            return Ok(ExitCode::from(EXIT_FAILED));
        }
        Err(error) => return Err(error),
    };
    // Prints the results even if it cannot write them.
    let printed = show(arguments, &results);
    for table in &tables {
        table.write(&results)?;
    }
    printed?;
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
    let is_worse = if arguments.bless && not_met.is_empty() {
        baseline.bless(&plan, &results)?;
        false
    } else {
        baseline.compare(arguments, &plan, &results)?
    };
    if arguments.bless && !not_met.is_empty() {
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

fn measure(plan: &Plan, compiler: String) -> Result<(Results, Vec<NotMet>)> {
    let mut results = Results {
        compiler,
        ..Results::default()
    };
    let mut not_met = Vec::new();
    if let Some(guests) = &plan.entry {
        results.entry = Some(entry::measure(guests, &Entry::ALL)?);
    }
    if let Some(guest) = &plan.allocators {
        results.allocators = Some(allocators::measure(guest, &Allocator::ALL)?);
    }
    if let Some(guest) = &plan.size {
        results.size = Some(size::measure(guest)?);
    }
    if let Some(subjects) = &plan.programs {
        let (rows, differences) = programs::measure(subjects)?;
        results.programs = Some(rows);
        not_met = differences;
    }
    Ok((results, not_met))
}

fn show(arguments: &BenchArguments, results: &Results) -> Result<()> {
    let mut text = String::new();
    if !arguments.json {
        report::bench::results(&mut text, results)?;
    } else if arguments.what.is_some() {
        text = report::json::escaped(&results.to_json_rows()?);
    } else {
        text = report::json::escaped(&results.to_json()?);
    }
    report::print(&text)
}

/// The results of an earlier run.
struct Baseline {
    path: PathBuf,
    results: Option<Results>,
}

impl Baseline {
    /// Reads the baseline, if it exists. A named baseline must exist, unless the command is about
    /// to write it.
    fn open(arguments: &BenchArguments, plan: &Plan) -> Result<Self> {
        let path = match &arguments.baseline {
            Some(path) => path.clone(),
            None => plan.default_baseline(),
        };
        let is_there = path.exists();
        if !is_there && arguments.baseline.is_some() && !arguments.bless {
            bail!(
                "there is no baseline {}; create it with --bless",
                path.display()
            );
        }
        let results = if is_there {
            Some(baseline::read(&path)?)
        } else {
            None
        };
        Ok(Self { path, results })
    }

    /// Checks, before the measurement, whether the baseline can be written.
    fn check_bless(&self, plan: &Plan, compiler: &str) -> Result<()> {
        let nothing = Results {
            compiler: compiler.to_owned(),
            entry: plan.entry.is_some().then(Vec::new),
            allocators: plan.allocators.is_some().then(Vec::new),
            size: plan.size.is_some().then(Vec::new),
            programs: plan.programs.is_some().then(Vec::new),
        };
        self.merged(plan, &nothing)?;
        files::check_writable(&self.path)
    }

    fn merged(&self, plan: &Plan, results: &Results) -> Result<Results> {
        baseline::merge(self.results.clone(), results, &plan.scope)
            .with_context(|| format!("cannot bless {}", self.path.display()))
    }

    /// Writes the results to the baseline, and prints the changes.
    fn bless(&self, plan: &Plan, results: &Results) -> Result<()> {
        files::write_whole(&self.path, self.merged(plan, results)?.to_json()?)?;
        if let Some(old) = &self.results {
            let changes = baseline::compare(old, results, &plan.scope);
            let mut text = String::new();
            report::bench::changes(&mut text, "the old baseline", &changes)?;
            eprintln!("{}", text.trim_end());
        }
        eprintln!("wrote the baseline {}", shown(&self.path));
        Ok(())
    }

    /// Prints the differences between the results and the baseline, and returns whether they are a
    /// failure.
    fn compare(&self, arguments: &BenchArguments, plan: &Plan, results: &Results) -> Result<bool> {
        let path = shown(&self.path);
        let Some(old) = &self.results else {
            eprintln!("there is no baseline {path} to compare with; create it with --bless");
            return Ok(false);
        };
        let is_comparable = old.compiler == results.compiler;
        let changes = baseline::compare(old, results, &plan.scope);
        let mut text = String::new();
        if !is_comparable {
            text += &format!(
                "{path} was measured with `{}`, and this run with `{}`: differences are not failures\n",
                escape_control(&old.compiler),
                results.compiler
            );
        }
        report::bench::changes(&mut text, &path, &changes)?;
        if arguments.json {
            eprint!("{text}");
        } else {
            report::print(&format!("\n## baseline\n\n{text}"))?;
        }
        if !is_comparable {
            return Ok(false);
        }
        let worse: Vec<&Change> = changes.iter().filter(|change| change.is_worse()).collect();
        for change in &worse {
            report::error(&anyhow!("{}", escape_control(&change.to_string())));
        }
        let command = again(arguments);
        if !worse.is_empty() {
            report::error(&anyhow!(
                "results are worse than {path}; if you intend that, run `{command}` and commit the file with the change"
            ));
        } else if changes.iter().any(Change::is_better) {
            eprintln!("results are better than {path}; record them with `{command}`");
        } else if !changes.is_empty() {
            eprintln!("record the differences in {path} with `{command}`");
        }
        Ok(!worse.is_empty())
    }
}

/// The command that writes these results to the baseline.
fn again(arguments: &BenchArguments) -> String {
    let mut command = "cargo entrypoint bench".to_owned();
    if let Some(what) = &arguments.what {
        command += &format!(" {}", escape_control(what));
    }
    if let Some(path) = &arguments.baseline {
        command += &format!(" --baseline {}", shown(path));
    }
    command + " --bless"
}

/// A path for people, relative to the current folder.
fn shown(path: &Path) -> String {
    let here = std::env::current_dir().ok();
    let path = here
        .and_then(|here| path.strip_prefix(here).ok())
        .unwrap_or(path);
    escape_control(&path.display().to_string())
}
