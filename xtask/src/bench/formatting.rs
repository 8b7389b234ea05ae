//! The bench of log lines: the gas of each way to write one. The crate `formatting-bench` is the
//! guest.

use std::fmt::Write;

use anyhow::{Context, Result, bail, ensure};
use loader::fixture::DEFAULT_PROGRAM_ID;
use loader::{Engine, Invocation, Loader, Program};
use serde::{Deserialize, Serialize};

use cargo_entrypoint::bench::{Figure, Measured};
use cargo_entrypoint::text::grouped;
use program_build::guest::{self, DebugInfo};
use program_build::package::ProgramPackage;

/// The line of the page that the table follows.
pub const START: &str = "<!-- written by `cargo xtask bench formatting --update` -->";

/// A line that is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// What the program writes, with the names of values.
    pub code: &'static str,
    /// What the values are, for people.
    pub values: &'static str,
    /// What the loader must log.
    pub logged: &'static str,
}

/// A line with its code, its values and its text.
const fn line(code: &'static str, values: &'static str, logged: &'static str) -> Line {
    Line {
        code,
        values,
        logged,
    }
}

/// The text of the guest's key.
const KEY: &str = "BgCbK6fwznD1brqfnLZqcuV6GdfQwg7LH9HvES17o2Kv";

/// The guest's lines, in its order, without the first, which logs nothing.
pub const CASES: [Line; 16] = [
    line(
        "log_64(a, b, 0, 0, 0)",
        "numbers",
        "0x7, 0xffffffffffffffff, 0x0, 0x0, 0x0",
    ),
    line("log_pubkey(&key)", "a key", KEY),
    line("msg!(\"sixteen bytes...\")", "", "sixteen bytes..."),
    line("msg!(text)", "a `&str`", "sixteen bytes..."),
    line("msg!(\"{text}\")", "a text of 16 bytes", "sixteen bytes..."),
    line("msg!(\"{small}\")", "7", "7"),
    line(
        "msg!(\"{large}\")",
        "`u64::MAX`, 20 digits",
        "18446744073709551615",
    ),
    line("msg!(\"{negative}\")", "-1234567", "-1234567"),
    line("msg!(\"{large:#x}\")", "`u64::MAX`", "0xffffffffffffffff"),
    line("msg!(\"{small:>8}\")", "7", "       7"),
    line(
        "msg!(\"price {large}, amount {small}\")",
        "`u64::MAX` and 7",
        "price 18446744073709551615, amount 7",
    ),
    line("msg!(\"{key}\")", "a key", KEY),
    line(
        "msg!(\"{key:?}\")",
        "a key",
        "Pubkey(BgCbK6fwznD1brqfnLZqcuV6GdfQwg7LH9HvES17o2Kv)",
    ),
    line("msg!(\"{float}\")", "1234.5", "1234.5"),
    line("msg!(\"{float:.2}\")", "1234.5", "1234.50"),
    line(
        "msg!(\"{order:?}\")",
        "a `struct` of three fields",
        "Order { price: 1250000, amount: 30, is_buy: true }",
    ),
];

/// The cost of one line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// What the program writes.
    pub code: String,
    /// Gas of the line alone.
    pub gas: u64,
}

impl Measured for Row {
    fn subject(&self) -> String {
        self.code.clone()
    }

    fn is_ours(&self) -> bool {
        true
    }

    fn figures(&self) -> Vec<Figure> {
        vec![Figure::new(self.subject(), "gas", self.gas)]
    }
}

/// Builds the guest and logs every line. Progress goes to the standard error.
///
/// # Errors
///
/// If the guest does not build, or a line is not logged as [`CASES`] says.
pub fn measure(guest: &ProgramPackage) -> Result<Vec<Row>> {
    guest
        .options
        .progress(&format!("building `{}`", guest.name));
    let blob = guest::build_with_features(guest, &[], DebugInfo::Strip)?;
    let program = Loader::new(Engine::Interpreter)?
        .load(&blob)
        .with_context(|| format!("cannot load `{}`", guest.name))?;
    let without = log(&program, 0, "")?;
    let numbered = (1..).zip(&CASES);
    let row = |(place, line): (u8, &Line)| {
        let gas = log(&program, place, line.logged)?.checked_sub(without);
        Ok(Row {
            code: line.code.to_owned(),
            gas: gas.with_context(|| format!("`{}` costs less than no line", line.code))?,
        })
    };
    numbered.map(row).collect()
}

/// Returns the gas of an invocation that logs the line at this place, which must have this text.
fn log(program: &Program, place: u8, text: &str) -> Result<u64> {
    let invocation = Invocation::new(DEFAULT_PROGRAM_ID).data([place]);
    let outcome = program.invoke(&invocation)?;
    if let Some(failure) = outcome.failure {
        bail!("logging line {place} fails: {failure}");
    }
    let found = outcome.logs.join("\n");
    ensure!(
        found == text,
        "line {place} must log {text:?} and logs {found:?}; the lists of lines differ"
    );
    Ok(outcome.gas_used)
}

/// The table of the page. `compiler` is the version text of the compiler.
#[must_use]
pub fn section(rows: &[Row], compiler: &str) -> String {
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = write_section(&mut text, rows, compiler);
    text
}

fn write_section(out: &mut String, rows: &[Row], compiler: &str) -> std::fmt::Result {
    writeln!(out, "\n| line | values | gas |\n|---|---|--:|")?;
    for (row, line) in rows.iter().zip(&CASES) {
        writeln!(
            out,
            "| `{}` | {} | {} |",
            row.code,
            line.values,
            grouped(row.gas)
        )?;
    }
    writeln!(
        out,
        "\nMeasured by `cargo xtask bench formatting` with\n`{compiler}`.\n"
    )
}
