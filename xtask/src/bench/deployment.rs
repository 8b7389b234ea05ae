//! What programs cost to deploy: the table in the README. The figures are those of `bench.json`,
//! which `cargo entrypoint bench` checks.

use std::fmt::Write;
use std::fs;

use anyhow::{Context, Result};
use cargo_entrypoint::bench::programs::ProgramResults;
use cargo_entrypoint::text::grouped;
use loader::deploy;

use crate::project;

/// The line of the README that the table follows.
pub const START: &str = "<!-- written by `cargo xtask bench size --update` -->";

/// The examples in the table.
pub const PROGRAMS: [&str; 2] = ["counter", "token"];

/// The length of published programs of the usual framework for the runtime, in bytes.
const PUBLISHED: u64 = 120_000;

/// The baseline of the examples.
///
/// # Errors
///
/// If the file cannot be read.
pub fn baseline() -> Result<ProgramResults> {
    let path = project().join("bench.json");
    let text =
        fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("in {}", path.display()))
}

/// The section of the README.
#[must_use]
pub fn section(results: &ProgramResults) -> String {
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = write_section(&mut text, results);
    text
}

fn write_section(out: &mut String, results: &ProgramResults) -> std::fmt::Result {
    writeln!(
        out,
        "| deployment on the Rialo runtime | blob, bytes | rent, kelvins |"
    )?;
    writeln!(out, "|---|--:|--:|")?;
    let mut row = |what: &str, about: &str, length: u64| {
        let (rent, length) = (grouped(deploy::rent(length)), grouped(length));
        writeln!(out, "| {what} | {about}{length} | {about}{rent} |")
    };
    for program in PROGRAMS {
        let found = results.programs.iter().find(|row| row.program == program);
        if let Some(found) = found {
            row(&format!("the example `{program}`"), "", found.blob)?;
        }
    }
    row(
        "a published program of the usual framework",
        "some ",
        PUBLISHED,
    )
}
