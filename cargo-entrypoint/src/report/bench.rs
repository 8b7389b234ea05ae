//! Results as Markdown, and their differences from a baseline.

use std::fmt::{Result, Write};

use cargo_entrypoint::bench::allocators::{self, WORKLOADS};
use cargo_entrypoint::bench::baseline::Change;
use cargo_entrypoint::bench::entry::{self, CASES};
use cargo_entrypoint::bench::programs;
use cargo_entrypoint::bench::results::Results;
use cargo_entrypoint::bench::size::{self, LEVELS};
use cargo_entrypoint::text::grouped;

use loader::display::escape_control;

/// Writes results as tables, a section for each suite.
pub fn results(out: &mut String, results: &Results) -> Result {
    writeln!(
        out,
        "Measured with `{}`.",
        escape_control(&results.compiler)
    )?;
    if let Some(rows) = &results.entry {
        entry(out, rows)?;
    }
    if let Some(rows) = &results.allocators {
        allocators(out, rows)?;
    }
    if let Some(rows) = &results.size {
        size(out, rows)?;
    }
    if let Some(rows) = &results.programs {
        programs(out, rows)?;
    }
    Ok(())
}

/// Writes the differences between the results and the baseline `file`, as a list.
pub fn changes(out: &mut String, file: &str, changes: &[Change]) -> Result {
    let file = escape_control(file);
    if changes.is_empty() {
        return writeln!(out, "no differences from {file}");
    }
    writeln!(out, "differences from {file}:\n")?;
    for change in changes {
        writeln!(out, "- {}", escape_control(&change.to_string()))?;
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

fn programs(out: &mut String, rows: &[programs::Row]) -> Result {
    writeln!(out, "\n## programs\n")?;
    let mut table = Table::new(&["program", "fixture", "status"]);
    for figure in ["gas", "heap peak", "blob"] {
        table.figure_column(figure);
    }
    for row in rows {
        let peak = row
            .heap_peak
            .map_or_else(|| "unknown".to_owned(), |peak| grouped(peak.into()));
        table.row(vec![
            escape_control(&row.program),
            escape_control(&row.fixture),
            escape_control(&row.status_text()),
            grouped(row.gas),
            peak,
            grouped(row.blob),
        ]);
    }
    table.write(out)
}

/// A markdown table whose columns are as wide as they need to be, so that it can be read as it is.
struct Table {
    titles: Vec<String>,
    /// The columns before this one are texts, the others figures.
    first_figure: usize,
    rows: Vec<Vec<String>>,
}

impl Table {
    fn new(texts: &[&str]) -> Self {
        Self {
            titles: texts.iter().map(|&title| title.to_owned()).collect(),
            first_figure: texts.len(),
            rows: Vec::new(),
        }
    }

    fn figure_column(&mut self, title: &str) {
        self.titles.push(title.to_owned());
    }

    fn row(&mut self, cells: Vec<String>) {
        // In markdown this would be the end of the cell.
        self.rows
            .push(cells.iter().map(|cell| cell.replace('|', "\\|")).collect());
    }

    fn write(&self, out: &mut String) -> Result {
        let lines = || std::iter::once(&self.titles).chain(&self.rows);
        let width = |column: usize| {
            let cells = lines().filter_map(|cells| cells.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..self.titles.len()).map(width).collect();
        let is_figure = |column: usize| column >= self.first_figure;
        for (index, cells) in lines().enumerate() {
            for (column, (cell, width)) in cells.iter().zip(&widths).enumerate() {
                if is_figure(column) {
                    write!(out, "| {cell:>width$} ")?;
                } else {
                    write!(out, "| {cell:<width$} ")?;
                }
            }
            writeln!(out, "|")?;
            if index > 0 {
                continue;
            }
            for (column, width) in widths.iter().enumerate() {
                let end = if is_figure(column) { ':' } else { '-' };
                write!(out, "|{}{end}", "-".repeat(width + 1))?;
            }
            writeln!(out, "|")?;
        }
        Ok(())
    }
}
