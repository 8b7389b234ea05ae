//! The tables of `docs/performance.md`.

use std::fmt::Write;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use cargo_entrypoint::text::grouped;
use program_build::files;

use super::pictures::{bytes, microseconds};
use super::rows::Rows;
use crate::bench::marked;
use crate::project;

/// The page.
#[must_use]
pub fn path() -> PathBuf {
    project().join("docs/performance.md")
}

/// A table, and the line of the page that it follows.
struct Section {
    start: &'static str,
    table: fn(&Rows) -> Result<String>,
}

const SECTIONS: [Section; 4] = [
    Section {
        start: "<!-- accounts, written by `cargo xtask scale` -->",
        table: accounts,
    },
    Section {
        start: "<!-- data, written by `cargo xtask scale` -->",
        table: data,
    },
    Section {
        start: "<!-- programs, written by `cargo xtask scale` -->",
        table: programs,
    },
    Section {
        start: "<!-- invocations, written by `cargo xtask scale` -->",
        table: invocations,
    },
];

/// Checks that the page has a place for each table.
///
/// # Errors
///
/// If it cannot be read, or if a place is missing.
pub fn check() -> Result<()> {
    let text = read()?;
    for section in &SECTIONS {
        marked::find(&text, section.start).with_context(in_page)?;
    }
    Ok(())
}

/// Writes the tables.
///
/// # Errors
///
/// If rows are missing, or if the page cannot be written.
pub fn write(rows: &Rows) -> Result<()> {
    files::write_whole(&path(), with_tables(&read()?, rows)?)?;
    eprintln!("wrote the tables in {}", path().display());
    Ok(())
}

/// The text of the page with the tables of these rows.
///
/// # Errors
///
/// If rows are missing, or a place for a table.
pub fn with_tables(text: &str, rows: &Rows) -> Result<String> {
    let mut text = text.to_owned();
    for section in &SECTIONS {
        let table = format!("\n{}\n", (section.table)(rows)?);
        text = marked::replace(&text, section.start, &table).with_context(in_page)?;
    }
    Ok(text)
}

fn read() -> Result<String> {
    let path = path();
    fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
}

fn in_page() -> String {
    format!("in {}", path().display())
}

/// A table with a column for each x of a series of time, and a line for each series.
fn table(
    rows: &Rows,
    file: &str,
    corner: &str,
    column: fn(f64) -> String,
    wanted: &[f64],
    series: &[(&str, &str)],
) -> Result<String> {
    let mut text = format!("| {corner} |");
    for x in wanted {
        write!(text, " {} |", column(*x))?;
    }
    writeln!(text, "\n|---|{}", "--:|".repeat(wanted.len()))?;
    for (series, name) in series {
        let points = rows.points(file, series);
        // An engine that could not run is left out.
        if points.is_empty() {
            continue;
        }
        write!(text, "| {name} |")?;
        for x in wanted {
            let point = points.iter().find(|(place, _)| place == x);
            let cell = point.map(|(_, value)| value_of(series, *value));
            write!(text, " {} |", cell.as_deref().unwrap_or("–"))?;
        }
        writeln!(text)?;
    }
    Ok(text)
}

/// A value in the unit that its series begins with.
fn value_of(series: &str, value: f64) -> String {
    match series.split_once(' ') {
        Some(("µs", _)) => microseconds(value),
        Some(("MiB", _)) => format!("{value:.1} MiB"),
        _ => grouped(value as u64),
    }
}

fn count(x: f64) -> String {
    grouped(x as u64)
}

fn accounts(rows: &Rows) -> Result<String> {
    table(
        rows,
        "accounts",
        "accounts",
        count,
        &[0.0, 1.0, 8.0, 32.0, 64.0, 128.0, 255.0],
        &[
            ("µs interpreter", "interpreter"),
            ("µs compiler", "compiler"),
            ("gas with a table", "gas with an account table"),
            ("gas without a table", "gas without one"),
        ],
    )
}

fn data(rows: &Rows) -> Result<String> {
    table(
        rows,
        "data",
        "length of the data",
        bytes,
        &[
            8.0,
            4096.0,
            65_536.0,
            1_048_576.0,
            4_194_304.0,
            10_485_760.0,
        ],
        &[
            ("µs interpreter unchanged", "interpreter, unchanged"),
            (
                "µs interpreter 8 bytes change",
                "interpreter, 8 bytes change",
            ),
            ("µs compiler unchanged", "compiler, unchanged"),
            ("µs compiler 8 bytes change", "compiler, 8 bytes change"),
            ("µs ledger unchanged", "ledger, unchanged"),
            ("µs ledger 8 bytes change", "ledger, 8 bytes change"),
            ("µs one copy", "one copy of the data"),
        ],
    )
}

fn programs(rows: &Rows) -> Result<String> {
    table(
        rows,
        "programs",
        "programs",
        count,
        &[1.0, 100.0, 500.0, 1000.0],
        &[
            ("µs interpreter loaded", "interpreter, time of a load"),
            ("µs compiler loaded", "compiler, time of a load"),
            ("MiB interpreter loaded", "interpreter, memory, loaded"),
            ("MiB compiler loaded", "compiler, memory, loaded"),
            (
                "MiB interpreter called once",
                "interpreter, memory, called once",
            ),
            ("MiB compiler called once", "compiler, memory, called once"),
        ],
    )
}

fn invocations(rows: &Rows) -> Result<String> {
    let mut text = String::from(
        "| | invocations | memory after 1 % | after 10 % | at the end | time of one, first tenth | last tenth |\n\
         |---|--:|--:|--:|--:|--:|--:|\n",
    );
    for name in ["interpreter", "compiler", "ledger"] {
        let memory = rows.points("invocations", &format!("MiB {name}"));
        let times = rows.points("invocations", &format!("µs {name}"));
        if times.is_empty() {
            continue;
        }
        ensure!(
            memory.len() >= 10 && times.len() >= 10,
            "invocations.csv has only {} points of {name}; measure again",
            times.len().min(memory.len())
        );
        let tenth = times.len() / 10;
        let median = |points: &[(f64, f64)]| {
            let mut values: Vec<f64> = points.iter().map(|(_, value)| *value).collect();
            values.sort_by(f64::total_cmp);
            microseconds(values[values.len() / 2])
        };
        writeln!(
            text,
            "| {name} | {} | {:.1} MiB | {:.1} MiB | {:.1} MiB | {} | {} |",
            count(times[times.len() - 1].0),
            memory[0].1,
            memory[tenth - 1].1,
            memory[memory.len() - 1].1,
            median(&times[..tenth]),
            median(&times[times.len() - tenth..]),
        )?;
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::super::draw;
    use super::super::folder;
    use super::super::pictures::PICTURES;
    use super::*;

    /// Pictures and tables are those of the committed rows.
    #[test]
    fn pictures_and_tables_show_the_rows() {
        let rows = Rows::read(&folder()).unwrap();
        let again = "type `cargo xtask scale --draw`";
        for picture in &PICTURES {
            let drawn = draw::picture(picture, &rows).unwrap();
            let file = fs::read_to_string(folder().join(picture.file)).unwrap();
            assert!(drawn == file, "{} shows other rows; {again}", picture.file);
        }
        let page = read().unwrap();
        assert!(with_tables(&page, &rows).unwrap() == page, "{again}");
        for picture in &PICTURES {
            let link = format!("](pictures/{})", picture.file);
            assert!(
                page.contains(&link),
                "the page does not show {}",
                picture.file
            );
        }
    }
}
