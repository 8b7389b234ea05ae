//! What a command does with its results: it prints them, compares them with a baseline, or writes
//! them to the baseline.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use clap::Args;
use loader::display::escape_control;
use program_build::{files, toolchain};

use super::baseline::{self, Change, Scope};
use super::results::{self, Results};
use crate::output;

/// The arguments of every command that measures.
#[derive(Clone, Debug, Args)]
pub struct CommonArguments {
    /// Print only the results, as JSON, on the standard output
    #[arg(long)]
    pub json: bool,

    /// The baseline to compare with
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,

    /// Write the results to the baseline; rows that were not measured stay
    #[arg(long)]
    pub bless: bool,
}

/// The version text of the compiler of the guests in this folder.
///
/// # Errors
///
/// If there is no compiler for guests.
pub fn compiler(folder: &Path) -> Result<String> {
    let toolchain = toolchain::find_or_provide(folder)?;
    toolchain::version(&toolchain.rustc).context("the compiler has no name")
}

/// Prints results, or an array of rows, as JSON.
///
/// # Errors
///
/// If they cannot be written.
pub fn print_json(results: &impl serde::Serialize) -> Result<()> {
    output::print(&output::escaped_json(&results::to_json(results)?))
}

/// The results of an earlier run, if there are any, and the file that has them.
#[derive(Debug)]
pub struct Baseline<R> {
    path: PathBuf,
    results: Option<R>,
    scope: Scope,
    is_json: bool,
    /// The command that writes to it.
    bless: String,
}

impl<R: Results> Baseline<R> {
    /// Reads the baseline, if it exists: the one that the arguments name, or else the default one.
    /// A named baseline must exist, unless the command is about to write it.
    ///
    /// `scope` is what the command measures, and `command` its words.
    ///
    /// # Errors
    ///
    /// If the baseline cannot be read.
    pub fn open(
        arguments: &CommonArguments,
        default: PathBuf,
        scope: Scope,
        command: &str,
    ) -> Result<Self> {
        let mut bless = escape_control(command);
        if let Some(path) = &arguments.baseline {
            bless += &format!(" --baseline {}", shown(path));
        }
        bless += " --bless";
        let path = arguments.baseline.clone().unwrap_or(default);
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
        Ok(Self {
            path,
            results,
            scope,
            is_json: arguments.json,
            bless,
        })
    }

    /// Checks, before the measurement, whether results of this compiler can be written.
    ///
    /// # Errors
    ///
    /// If they cannot.
    pub fn check_bless(&self, compiler: &str) -> Result<()> {
        if let Some(old) = &self.results {
            baseline::check_compiler(old, compiler, &self.scope)
                .with_context(|| format!("cannot bless {}", self.path.display()))?;
        }
        files::check_writable(&self.path)
    }

    /// Writes the results to the baseline, and prints the changes.
    ///
    /// # Errors
    ///
    /// If they cannot be written.
    pub fn bless(&self, results: &R) -> Result<()> {
        let Some(old) = &self.results else {
            return self.write(results);
        };
        let merged = baseline::merge(old, results, &self.scope)
            .with_context(|| format!("cannot bless {}", self.path.display()))?;
        let changes = baseline::compare(old, results, &self.scope);
        eprint!("{}", listed("the old baseline", &changes));
        self.write(&merged)
    }

    fn write(&self, results: &R) -> Result<()> {
        files::write_whole(&self.path, results::to_json(results)?)?;
        eprintln!("wrote the baseline {}", shown(&self.path));
        Ok(())
    }

    /// Prints the differences between the results and the baseline, and returns whether they are a
    /// failure.
    ///
    /// # Errors
    ///
    /// If the standard output cannot be written.
    pub fn compare(&self, results: &R) -> Result<bool> {
        let path = shown(&self.path);
        let Some(old) = &self.results else {
            eprintln!("there is no baseline {path} to compare with; create it with --bless");
            return Ok(false);
        };
        let is_comparable = old.compiler() == results.compiler();
        let changes = baseline::compare(old, results, &self.scope);
        let mut text = String::new();
        if !is_comparable {
            text += &format!(
                "{path} was measured with `{}`, and this run with `{}`: differences are not failures\n",
                escape_control(old.compiler()),
                results.compiler()
            );
        }
        text += &listed(&path, &changes);
        if self.is_json {
            eprint!("{text}");
        } else {
            output::print(&format!("\n## baseline\n\n{text}"))?;
        }
        if !is_comparable {
            return Ok(false);
        }
        let worse: Vec<&Change> = changes.iter().filter(|change| change.is_worse()).collect();
        for change in &worse {
            output::error(&anyhow!("{}", escape_control(&change.to_string())));
        }
        let command = &self.bless;
        if !worse.is_empty() {
            output::error(&anyhow!(
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

/// The differences from the baseline `file`, as a list.
fn listed(file: &str, changes: &[Change]) -> String {
    if changes.is_empty() {
        return format!("no differences from {file}\n");
    }
    let mut text = format!("differences from {file}:\n\n");
    for change in changes {
        text += &format!("- {}\n", escape_control(&change.to_string()));
    }
    text
}

/// A path for people, relative to the current folder.
fn shown(path: &Path) -> String {
    let here = std::env::current_dir().ok();
    let path = here
        .and_then(|here| path.strip_prefix(here).ok())
        .unwrap_or(path);
    escape_control(&path.display().to_string())
}
