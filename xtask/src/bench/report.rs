//! Results as tables for people.

use std::fmt::{Result, Write};

use cargo_entrypoint::bench::table::Table;
use cargo_entrypoint::text::grouped;

use super::allocators::{self, WORKLOADS};
use super::calls;
use super::entry::{self, CASES};
use super::formatting;
use super::results::SuiteResults;
use super::size::{self, LEVELS};

/// Writes results as tables, a section for each suite.
pub fn results(out: &mut String, results: &SuiteResults) -> Result {
    writeln!(out, "Measured with `{}`.", results.compiler)?;
    if !results.entry.is_empty() {
        entry(out, &results.entry)?;
    }
    if !results.calls.is_empty() {
        calls(out, &results.calls)?;
    }
    if !results.allocators.is_empty() {
        allocators(out, &results.allocators)?;
    }
    if !results.formatting.is_empty() {
        formatting(out, &results.formatting)?;
    }
    if !results.size.is_empty() {
        size(out, &results.size)?;
    }
    Ok(())
}

fn entry(out: &mut String, rows: &[entry::Row]) -> Result {
    writeln!(
        out,
        "\n## entry\n\nGas of an invocation whose function does nothing, by number of accounts.\n"
    )?;
    let mut table = Table::new(&["entry", "account table"]);
    for case in CASES {
        table.figure_column(&match case.repeats {
            0 => case.accounts.to_string(),
            repeats => format!("{}, {repeats} repeats", case.accounts),
        });
    }
    for rows in rows.chunk_by(|one, other| (&one.entry, one.table) == (&other.entry, other.table)) {
        let has_table = if rows[0].table { "yes" } else { "no" };
        let mut cells = vec![rows[0].entry.clone(), has_table.to_owned()];
        cells.extend(rows.iter().map(|row| grouped(row.gas)));
        table.row(cells);
    }
    table.write(out)
}

fn calls(out: &mut String, rows: &[calls::Row]) -> Result {
    writeln!(
        out,
        "\n## calls\n\nGas of the program's part of a call, by number of accounts.\n"
    )?;
    let mut table = Table::new(&["framework", "accounts are"]);
    for accounts in calls::ACCOUNTS {
        table.figure_column(&accounts.to_string());
    }
    for rows in calls::chunks(rows) {
        let mut cells = vec![rows[0].framework.clone(), rows[0].list.clone()];
        cells.extend(rows.iter().map(|row| grouped(row.gas)));
        table.row(cells);
    }
    table.write(out)
}

fn allocators(out: &mut String, rows: &[allocators::Row]) -> Result {
    writeln!(out, "\n## allocators")?;
    for workload in &WORKLOADS {
        let loop_or_not = if workload.has_loop_figure {
            "without the loop"
        } else {
            "with the loop"
        };
        writeln!(
            out,
            "\n{}: {} times {}; gas/op {loop_or_not}\n",
            workload.name,
            grouped(workload.operations.into()),
            workload.operation,
        )?;
        let mut table = Table::new(&["allocator"]);
        for figure in ["gas/op", "gas", "peak", "live", "blob"] {
            table.figure_column(figure);
        }
        for row in rows.iter().filter(|row| row.workload == workload.name) {
            table.row(vec![
                row.allocator.clone(),
                format!("{:.1}", row.gas_per_op),
                grouped(row.gas),
                grouped(row.peak),
                grouped(row.live),
                grouped(row.blob),
            ]);
        }
        table.write(out)?;
    }
    Ok(())
}

fn formatting(out: &mut String, rows: &[formatting::Row]) -> Result {
    writeln!(out, "\n## formatting\n\nGas of a log line.\n")?;
    let mut table = Table::new(&["line"]);
    table.figure_column("gas");
    for row in rows {
        table.row(vec![row.code.clone(), grouped(row.gas)]);
    }
    table.write(out)
}

fn size(out: &mut String, rows: &[size::Row]) -> Result {
    writeln!(
        out,
        "\n## size\n\nBytes of the stripped blob, by what a panic reports to the host.\n"
    )?;
    let mut table = Table::new(&["program"]);
    for level in LEVELS {
        table.figure_column(level);
    }
    for rows in rows.chunk_by(|one, other| one.program == other.program) {
        let mut cells = vec![rows[0].program.clone()];
        cells.extend(rows.iter().map(|row| grouped(row.blob)));
        table.row(cells);
    }
    table.write(out)
}
