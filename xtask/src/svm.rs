//! `cargo xtask svm`: a token transfer in this project's loader and ledger, in Mollusk, and in
//! LiteSVM, in turns in one run.
//!
//! The package `benches/svm` measures. It is not part of the workspace, because it has several
//! hundred dependencies. This builds the token program and the package, and writes the table.

use std::fmt::Write;
use std::fs;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use cargo_entrypoint::output;
use cargo_entrypoint::text::grouped;
use clap::Args;
use program_build::files;
use program_build::guest::{self, DebugInfo};
use program_build::package::ProgramPackage;
use program_build::workspace;

use crate::bench::marked;
use crate::project;
use crate::scale::page;

/// The line of `docs/performance.md` that the table follows.
pub const START: &str = "<!-- written by `cargo xtask svm --update` -->";

/// Time token transfers in the loader, the ledger, Mollusk and LiteSVM, in turns
///
/// The first run builds Mollusk and LiteSVM, which takes long.
#[derive(Debug, Args)]
pub struct SvmArguments {
    /// Run each only a few times: the figures mean nothing
    #[arg(long)]
    quick: bool,

    /// Rewrite the table in `docs/performance.md`
    #[arg(long, conflicts_with = "quick")]
    update: bool,
}

/// What is compared, in the order of the table.
struct Subject {
    /// Its name in the output of `svm-bench`.
    name: &'static str,
    title: &'static str,
    /// How it runs the program.
    engine: &'static str,
    is_ledger: bool,
}

const fn subject(
    name: &'static str,
    title: &'static str,
    engine: &'static str,
    is_ledger: bool,
) -> Subject {
    Subject {
        name,
        title,
        engine,
        is_ledger,
    }
}

/// First those that process an instruction, then those that keep accounts in a ledger.
const SUBJECTS: [Subject; 7] = [
    subject(
        "loader-interpreter",
        "loader, `examples/token`",
        "interpreted",
        false,
    ),
    subject(
        "loader-compiler",
        "loader, `examples/token`",
        "compiled, in a process",
        false,
    ),
    subject(
        "mollusk-spl_token",
        "Mollusk, `spl_token`",
        "compiled",
        false,
    ),
    subject("mollusk-p_token", "Mollusk, `p_token`", "compiled", false),
    subject("ledger", "ledger, `examples/token`", "interpreted", true),
    subject(
        "litesvm-spl_token",
        "LiteSVM, `spl_token`",
        "compiled",
        true,
    ),
    subject("litesvm-p_token", "LiteSVM, `p_token`", "compiled", true),
];

/// One line of the output of `svm-bench`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// What ran the transfer.
    pub name: String,
    /// The nanoseconds of one transfer.
    pub nanoseconds: u64,
    /// Its gas or its compute units.
    pub units: u64,
}

/// Measures, and prints or writes the table.
///
/// # Errors
///
/// If a package does not build, a transfer fails, or the page has no place for the table.
pub fn svm(arguments: &SvmArguments) -> Result<()> {
    let page = page::path();
    let read =
        || fs::read_to_string(&page).with_context(|| format!("cannot read {}", page.display()));
    if arguments.update {
        // This finds a missing place before the measurement.
        marked::find(&read()?, START).with_context(|| format!("in {}", page.display()))?;
    }
    let table = table(&measure(arguments.quick)?)?;
    output::print(&table)?;
    if arguments.update {
        let text = marked::replace(&read()?, START, &format!("\n{table}\n"))?;
        files::write_whole(&page, text)?;
        eprintln!("wrote the table in {}", page.display());
    }
    Ok(())
}

fn measure(quick: bool) -> Result<Vec<Row>> {
    let token = ProgramPackage::in_folder(&project().join("examples/token"))?;
    let blob = guest::build(&token, DebugInfo::Strip)?;
    let folder = workspace::target_folder(project())?.join("svm");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let path = folder.join("token.polkavm");
    files::write_whole(&path, blob)?;
    eprintln!("building benches/svm: this takes long the first time");
    let output = Command::new(env!("CARGO"))
        .current_dir(project().join("benches/svm"))
        .args(["run", "--release", "--quiet", "--locked"])
        // The dependencies ask for a newer compiler than they need.
        .args(["--ignore-rust-version", "--"])
        .arg(&path)
        .arg(if quick { "2" } else { "2000" })
        .env("CARGO_TARGET_DIR", &folder)
        // Mollusk writes a line for each call to the standard error, and LiteSVM then does so too.
        .env("RUST_LOG", "off")
        .stderr(Stdio::inherit())
        .output()
        .context("cannot run cargo")?;
    ensure!(
        output.status.success(),
        "the package benches/svm failed: {}",
        output.status
    );
    let text = String::from_utf8(output.stdout).context("the output is not text")?;
    text.lines()
        .map(|line| {
            row(line).with_context(|| {
                format!("benches/svm printed `{line}` instead of a name and two numbers")
            })
        })
        .collect()
}

fn row(line: &str) -> Option<Row> {
    let mut fields = line.split(' ');
    let row = Row {
        name: fields.next()?.to_owned(),
        nanoseconds: fields.next()?.parse().ok()?,
        units: fields.next()?.parse().ok()?,
    };
    fields.next().is_none().then_some(row)
}

/// The table of the results. One that could not run is left out.
///
/// # Errors
///
/// If the loader or the ledger is missing, with which the others are compared.
pub fn table(rows: &[Row]) -> Result<String> {
    let find = |name: &str| rows.iter().find(|row| row.name == name);
    let mut text = String::from(
        "| one transfer of tokens | program is | µs | times | units |\n|---|---|--:|--:|--:|\n",
    );
    for subject in &SUBJECTS {
        let base = if subject.is_ledger {
            "ledger"
        } else {
            "loader-interpreter"
        };
        let base = find(base).with_context(|| format!("benches/svm printed no line of {base}"))?;
        let Some(row) = find(subject.name) else {
            continue;
        };
        writeln!(
            text,
            "| {} | {} | {:.2} | {:.1} | {} |",
            subject.title,
            subject.engine,
            row.nanoseconds as f64 / 1e3,
            row.nanoseconds as f64 / base.nanoseconds as f64,
            grouped(row.units),
        )?;
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_relative_to_our_own_of_the_same_kind() {
        let rows: Vec<Row> = [
            "loader-interpreter 2000 152",
            "mollusk-p_token 5000 76",
            "ledger 4000 152",
            "litesvm-p_token 10000 1076",
        ]
        .map(|line| row(line).unwrap())
        .to_vec();
        let table = table(&rows).unwrap();
        let lines: Vec<&str> = table.lines().skip(2).collect();
        assert_eq!(
            lines,
            [
                "| loader, `examples/token` | interpreted | 2.00 | 1.0 | 152 |",
                "| Mollusk, `p_token` | compiled | 5.00 | 2.5 | 76 |",
                "| ledger, `examples/token` | interpreted | 4.00 | 1.0 | 152 |",
                "| LiteSVM, `p_token` | compiled | 10.00 | 2.5 | 1,076 |",
            ]
        );
    }

    #[test]
    fn rubbish_is_not_a_row() {
        for line in ["", "ledger", "ledger 1", "ledger 1 x", "ledger 1 2 3"] {
            assert_eq!(row(line), None, "{line}");
        }
        let error = table(&[]).unwrap_err();
        assert!(error.to_string().contains("loader-interpreter"), "{error}");
    }
}
