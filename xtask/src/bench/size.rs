//! How long blobs are. The crate `size-bench` is the guest.

use std::fmt::Write;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use cargo_entrypoint::bench::{Figure, Measured};
use cargo_entrypoint::text::grouped;
use program_build::guest::{self, DebugInfo};
use program_build::package::ProgramPackage;

/// The line of `docs/blob-size.md` that the table follows.
pub const START: &str = "<!-- written by `cargo xtask bench size --update` -->";

/// A program that is weighed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subject {
    /// Its name, which is the guest's feature.
    pub name: &'static str,
    /// Description of the program, for people.
    pub what: &'static str,
}

/// The programs.
pub const PROGRAMS: [Subject; 4] = [
    Subject {
        name: "empty",
        what: "returns at once",
    },
    Subject {
        name: "log",
        what: "logs one line",
    },
    Subject {
        name: "index",
        what: "may panic, by an index",
    },
    Subject {
        name: "counter",
        what: "the example `counter`",
    },
];

/// The levels of the option `panic`, which are features of the guest too.
pub const LEVELS: [&str; 3] = ["message", "location", "abort"];

/// How long one blob is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// The program's name.
    pub program: String,
    /// What a panic reports to the host.
    pub panic: String,
    /// Length of the stripped blob in bytes.
    pub blob: u64,
}

impl Measured for Row {
    fn subject(&self) -> String {
        format!("{} with panic = {}", self.program, self.panic)
    }

    fn is_ours(&self) -> bool {
        true
    }

    fn figures(&self) -> Vec<Figure> {
        vec![Figure::new(self.subject(), "blob", self.blob)]
    }
}

/// Builds every program with every level of `panic`. Progress goes to the standard error.
///
/// # Errors
///
/// If the guest does not build.
pub fn measure(guest: &ProgramPackage) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for program in PROGRAMS {
        for panic in LEVELS {
            let blob = build(guest, program.name, panic, DebugInfo::Strip)?;
            rows.push(Row {
                program: program.name.to_owned(),
                panic: panic.to_owned(),
                blob: blob.len() as u64,
            });
        }
    }
    Ok(rows)
}

/// Builds one of the programs with one of the levels of `panic`.
///
/// # Errors
///
/// If the guest does not build.
pub fn build(
    guest: &ProgramPackage,
    program: &str,
    panic: &str,
    debug_info: DebugInfo,
) -> Result<Vec<u8>> {
    let text = format!("building `{}` with {program}, {panic}", guest.name);
    guest.options.progress(&text);
    guest::build_with_features(guest, &[program, panic], debug_info)
}

/// The table of `docs/blob-size.md`. `compiler` is the version text of the compiler.
#[must_use]
pub fn section(rows: &[Row], compiler: &str) -> String {
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = write_section(&mut text, rows, compiler);
    text
}

fn write_section(out: &mut String, rows: &[Row], compiler: &str) -> std::fmt::Result {
    write!(out, "\n| bytes |")?;
    for level in LEVELS {
        write!(out, " `panic = {level}` |")?;
    }
    writeln!(out, "\n|---|{}", "--:|".repeat(LEVELS.len()))?;
    for program in PROGRAMS {
        write!(out, "| {} |", program.what)?;
        for row in rows.iter().filter(|row| row.program == program.name) {
            write!(out, " {} |", grouped(row.blob))?;
        }
        writeln!(out)?;
    }
    writeln!(
        out,
        "\nMeasured by `cargo xtask bench size` with\n`{compiler}`.\n"
    )
}
