//! A coverage as text and as JSON.

use std::collections::BTreeSet;
use std::fmt::{Result, Write};
use std::path::Path;

use loader::display::escape_control;
use serde_json::{Value, json};

use super::measure::{Decision, FileCoverage, Share, Way};

/// Most characters of a line of source.
const MOST_CHARACTERS: usize = 80;

/// Writes a table of the files, the lines that did not run, and the branches that were not taken.
/// `name` makes a path as short as people want it.
///
/// # Errors
///
/// None: a text takes everything.
pub fn text(out: &mut String, files: &[FileCoverage], name: impl Fn(&Path) -> String) -> Result {
    let named: Vec<(String, &FileCoverage)> = files
        .iter()
        .map(|file| (escape_control(&name(&file.path)), file))
        .collect();
    let widest = named.iter().map(|(name, _)| name.chars().count()).max();
    let width = widest.unwrap_or(0).max("file".len());
    writeln!(
        out,
        "\n{:<width$}  {:>7}  {:>7}  {:>7}   {:>8}  {:>7}",
        "file", "lines", "reached", "", "branches", "taken"
    )?;
    for (name, file) in &named {
        row(out, name, width, file.line_share(), file.branch_share())?;
    }
    if named.len() > 1 {
        row(out, "all", width, lines(files), branches(files))?;
    }
    let place_width = width + 10;
    if files.iter().any(|file| !file.unreached().is_empty()) {
        writeln!(out, "\nlines that no run reached")?;
    }
    for (name, file) in &named {
        for (first, last) in file.unreached() {
            let place = match first == last {
                true => format!("{name}:{first}"),
                false => format!("{name}:{first}-{last}"),
            };
            writeln!(out, "  {place:<place_width$}  {}", source(file, first))?;
        }
    }
    if files.iter().any(|file| !file.partial().is_empty()) {
        writeln!(out, "\nbranches that no run took, of lines that ran")?;
    }
    for (name, file) in &named {
        for line in file.lines.keys() {
            let never = never(file, *line);
            if never.is_empty() {
                continue;
            }
            let place = format!("{name}:{line}");
            let ways = describe_never(file, *line, &never);
            writeln!(
                out,
                "  {place:<place_width$}  {ways:<22}  {}",
                source(file, *line)
            )?;
        }
    }
    Ok(())
}

/// The lines of all files.
#[must_use]
pub fn lines(files: &[FileCoverage]) -> Share {
    files.iter().map(FileCoverage::line_share).sum()
}

/// The branches of all files.
#[must_use]
pub fn branches(files: &[FileCoverage]) -> Share {
    files.iter().map(FileCoverage::branch_share).sum()
}

fn row(out: &mut String, name: &str, width: usize, lines: Share, branches: Share) -> Result {
    writeln!(
        out,
        "{name:<width$}  {:>7}  {:>7}  {:>6.1}%   {:>8}  {:>7}  {:>6.1}%",
        lines.all,
        lines.reached,
        lines.percent(),
        branches.all,
        branches.reached,
        branches.percent(),
    )
}

/// The ways from a line that were never taken, in words. The end of a function has its brace.
#[must_use]
pub fn describe_never(file: &FileCoverage, from: u32, ways: &BTreeSet<Way>) -> String {
    let words: Vec<String> = ways
        .iter()
        .map(|way| match *way {
            Way::To(line, column) if line == from => format!("never to column {column}"),
            Way::To(line, _) if source(file, line) == "}" => format!("never to line {line} `}}`"),
            Way::To(line, _) => format!("never to line {line}"),
            Way::Leaves => "never returned here".to_owned(),
        })
        .collect();
    words.join(", ")
}

/// The ways that decisions of a line never went, if the line ran.
#[must_use]
pub fn never(file: &FileCoverage, line: u32) -> BTreeSet<Way> {
    let decisions = file.partial();
    let decisions = decisions.range((line, 0)..=(line, u32::MAX));
    let ways = decisions.flat_map(|(_, decision)| decision.iter());
    ways.filter(|(_, count)| **count == 0)
        .map(|(way, _)| *way)
        .collect()
}

/// The text of a line.
fn source(file: &FileCoverage, line: u32) -> String {
    let index = usize::try_from(line).unwrap_or(usize::MAX);
    let text = file.text.get(index.saturating_sub(1));
    let text = escape_control(text.map_or("", |text| text.trim()));
    if text.chars().count() <= MOST_CHARACTERS {
        return text;
    }
    let start: String = text.chars().take(MOST_CHARACTERS - 1).collect();
    start + "…"
}

/// The files as JSON.
#[must_use]
pub fn json(files: &[FileCoverage]) -> Value {
    let share = |share: Share| json!({"all": share.all, "reached": share.reached});
    let files: Vec<Value> = files
        .iter()
        .map(|file| {
            let lines: Vec<Value> = file
                .lines
                .iter()
                .map(|(line, count)| json!({"line": line, "count": count}))
                .collect();
            let decisions: Vec<Value> = file.decisions.iter().map(json_decision).collect();
            json!({
                "file": file.path.display().to_string(),
                "lines": share(file.line_share()),
                "branches": share(file.branch_share()),
                "unreached": file.unreached(),
                "counts": lines,
                "decisions": decisions,
            })
        })
        .collect();
    files.into()
}

fn json_decision((place, decision): (&(u32, u32), &Decision)) -> Value {
    let ways: Vec<Value> = decision
        .iter()
        .map(|(way, count)| match way {
            Way::To(line, column) => json!({"line": line, "column": column, "count": count}),
            Way::Leaves => json!({"line": null, "column": null, "count": count}),
        })
        .collect();
    json!({"line": place.0, "column": place.1, "ways": ways})
}
