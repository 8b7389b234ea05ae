//! The bench of calls: the gas of the program's part of a call, without the host's. The crate
//! `calls-bench` is the guest, and describes what is measured.

use std::fmt::Write;

use anyhow::{Context, Result, bail};
use loader::{Engine, Loader};
use serde::{Deserialize, Serialize};

use cargo_entrypoint::bench::{Figure, Measured};
use cargo_entrypoint::text::grouped;
use program_build::guest::{self, DebugInfo};
use program_build::package::ProgramPackage;

use super::entry::{Case, Layout, invocation};

/// The line of `docs/benchmarking.md` that the table follows.
pub const START: &str = "<!-- written by `cargo xtask bench calls --update` -->";

/// The numbers of accounts, each of which is a feature of the guest.
pub const ACCOUNTS: [usize; 3] = [1, 4, 16];

/// The frameworks, by the guest's feature, ours first, and how each gets its input.
const FRAMEWORKS: [(&str, Layout); 2] = [("ours", Layout::Ours), ("pinocchio", Layout::Solana)];

/// How the accounts are passed, and the guest's feature for it, if it needs one.
const LISTS: [(&str, Option<&str>); 2] = [("array", None), ("slice", Some("slice"))];

/// The cost of one call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// The framework's name.
    pub framework: String,
    /// Whether the accounts are passed as an array or as a slice.
    pub list: String,
    /// How many accounts there are.
    pub accounts: usize,
    /// Gas of the program's part of the call.
    pub gas: u64,
}

impl Measured for Row {
    fn subject(&self) -> String {
        let Self {
            framework,
            list,
            accounts,
            ..
        } = self;
        format!("call by {framework} ({list} of {accounts} accounts)")
    }

    fn is_ours(&self) -> bool {
        self.framework == FRAMEWORKS[0].0
    }

    fn figures(&self) -> Vec<Figure> {
        vec![Figure::new(self.subject(), "gas", self.gas)]
    }
}

/// Builds the guest of each framework, list and number of accounts, and makes every call. Progress
/// goes to the standard error.
///
/// # Errors
///
/// If a guest does not build, or a call fails.
pub fn measure(guest: &ProgramPackage) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for (framework, layout) in FRAMEWORKS {
        let without = gas(guest, &[framework], layout)?;
        for (list, feature) in LISTS {
            for accounts in ACCOUNTS {
                let number = format!("accounts_{accounts}");
                let features: Vec<&str> = [framework, &number].into_iter().chain(feature).collect();
                let with = gas(guest, &features, layout)?;
                let gas = with.checked_sub(without);
                rows.push(Row {
                    framework: framework.to_owned(),
                    list: list.to_owned(),
                    accounts,
                    gas: gas.context("a call costs less than none")?,
                });
            }
        }
    }
    Ok(rows)
}

/// The gas of an invocation with as many accounts as the longest call has.
fn gas(guest: &ProgramPackage, features: &[&str], layout: Layout) -> Result<u64> {
    let build = features.join(", ");
    let text = format!("building `{}` with {build}", guest.name);
    guest.options.progress(&text);
    let blob = guest::build_with_features(guest, features, DebugInfo::Strip)?;
    let program = Loader::new(Engine::Interpreter)?
        .load(&blob)
        .with_context(|| format!("cannot load `{}` with {build}", guest.name))?;
    let case = Case {
        accounts: ACCOUNTS[ACCOUNTS.len() - 1],
        repeats: 0,
    };
    let outcome = program.invoke(&invocation(layout, case))?;
    if let Some(failure) = outcome.failure {
        bail!("the call of `{}` with {build} fails: {failure}", guest.name);
    }
    Ok(outcome.gas_used)
}

/// The table of `docs/benchmarking.md`. `pinocchio` is the version of that crate, and `compiler`
/// the version text of the compiler.
#[must_use]
pub fn section(rows: &[Row], pinocchio: &str, compiler: &str) -> String {
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = write_section(&mut text, rows, pinocchio, compiler);
    text
}

fn write_section(
    out: &mut String,
    rows: &[Row],
    pinocchio: &str,
    compiler: &str,
) -> std::fmt::Result {
    write!(out, "\n| gas by number of accounts |")?;
    for accounts in ACCOUNTS {
        write!(out, " {accounts} |")?;
    }
    writeln!(out, "\n|---|{}", "--:|".repeat(ACCOUNTS.len()))?;
    for rows in chunks(rows) {
        let list = &rows[0].list;
        if rows[0].is_ours() {
            write!(out, "| `invoke`, {list} |")?;
        } else {
            write!(out, "| `pinocchio` {pinocchio}, {list} |")?;
        }
        for row in rows {
            write!(out, " {} |", grouped(row.gas))?;
        }
        writeln!(out)?;
    }
    writeln!(
        out,
        "\nMeasured by `cargo xtask bench calls` with\n`{compiler}`.\n"
    )
}

/// The rows of each line of a table.
pub fn chunks(rows: &[Row]) -> impl Iterator<Item = &[Row]> {
    rows.chunk_by(|one, other| (&one.framework, &one.list) == (&other.framework, &other.list))
}
