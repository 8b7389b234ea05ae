//! The tables in the allocators' README.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::allocators::{Row, WORKLOADS};
use cargo_entrypoint::text::grouped;

/// The line that the tables follow.
pub const START: &str = "<!-- written by `cargo xtask bench allocators --update` -->";

/// The section between the two marker lines: three tables with a line for each allocator, and how
/// to read them.
///
/// `versions` has the versions of other projects' allocators, by name. `compiler` is the version
/// text of the compiler.
#[must_use]
pub fn section(rows: &[Row], versions: &BTreeMap<String, String>, compiler: &str) -> String {
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = write_section(&mut text, rows, versions, compiler);
    text
}

fn write_section(
    out: &mut String,
    rows: &[Row],
    versions: &BTreeMap<String, String>,
    compiler: &str,
) -> std::fmt::Result {
    writeln!(
        out,
        "\nMeasured by `cargo xtask bench allocators` with\n\
         `{compiler}`.\n\
         Every instruction in the VM costs one unit of gas, so the figures are exact. Another\n\
         compiler makes other code and other figures. All allocators use the same heap, and none\n\
         has a lock. Ours are short: the compiler inlines them into the loop and keeps in\n\
         registers what a longer program would read again. Between the calls of a workload that\n\
         ends in `apart` the compiler assumes other work, which reads and writes all memory: the\n\
         allocator reads its words again in each call, as in a longer program.\n\n\
         An arena is not a global allocator. Here it is one, through its handles, for the sake of\n\
         the figures. The two invocation arenas free nothing before a reset.\n"
    )?;
    for workload in &WORKLOADS {
        let star = star(workload.has_loop_figure);
        let operations = grouped(workload.operations.into());
        writeln!(
            out,
            "- `{}`{star}: {operations} × {}",
            workload.name, workload.operation
        )?;
    }
    writeln!(
        out,
        "\n**Gas per operation**, without the cost of the loop itself. \\* Includes the loop and the\n\
         work of the vector, the map or the formatter, which cannot be separated. `blob`: bytes of\n\
         the stripped program that runs all workloads.\n"
    )?;
    table(
        out,
        rows,
        versions,
        |row| format!("{:.1}", row.gas_per_op),
        true,
    )?;
    writeln!(out, "\n**Total gas**, including the loop.\n")?;
    table(out, rows, versions, |row| grouped(row.gas), false)?;
    writeln!(
        out,
        "\n**Peak**: bytes from the start of the lowest block to the end of the highest. `live`: the\n\
         most bytes that the program had allocated and not yet freed.\n"
    )?;
    table(out, rows, versions, |row| grouped(row.peak), false)?;
    let first = rows.first().map_or("", |row| &row.allocator);
    write!(out, "| live |")?;
    for row in rows.iter().filter(|row| row.allocator == first) {
        write!(out, " {} |", grouped(row.live))?;
    }
    writeln!(out, "\n")
}

/// Writes a table with a line for each allocator and a column for each workload, and, if
/// `with_blob` is set, one for the length of the blob.
fn table(
    out: &mut String,
    rows: &[Row],
    versions: &BTreeMap<String, String>,
    cell: impl Fn(&Row) -> String,
    with_blob: bool,
) -> std::fmt::Result {
    write!(out, "| |")?;
    for workload in &WORKLOADS {
        write!(
            out,
            " {}{} |",
            workload.name,
            star(workload.has_loop_figure)
        )?;
    }
    if with_blob {
        write!(out, " blob |")?;
    }
    let columns = WORKLOADS.len() + usize::from(with_blob);
    writeln!(out, "\n|---|{}", "--:|".repeat(columns))?;
    for rows in rows.chunk_by(|one, other| one.allocator == other.allocator) {
        let name = &rows[0].allocator;
        match versions.get(name) {
            Some(version) => write!(out, "| `{name}` {version} |")?,
            None => write!(out, "| `{name}` |")?,
        }
        for row in rows {
            write!(out, " {} |", cell(row))?;
        }
        if with_blob {
            write!(out, " {} |", grouped(rows[0].blob))?;
        }
        writeln!(out)?;
    }
    Ok(())
}

/// The sign on figures that have the loop in them.
fn star(has_loop_figure: bool) -> &'static str {
    if has_loop_figure { "" } else { "\\*" }
}
