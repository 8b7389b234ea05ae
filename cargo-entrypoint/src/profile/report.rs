//! A profile as text.

use std::fmt::{Result, Write};

use loader::profile::HeapProfile;

use super::costs::{Cost, Costs, Line};
use super::difference::{Difference, signed};
use super::heap::Summary;
use super::live::{self, Holder};
use super::sources::Sources;
use super::unreached::{self, Unreached};
use crate::text::grouped;
use loader::display::{escape_control, short_path};

/// Most rows of a table.
const ROWS: usize = 15;

/// Most characters of a name or of a line of source.
const MOST_CHARACTERS: usize = 90;

/// Writes where the gas went: by function, by line of the program's own, by any line.
pub fn gas(out: &mut String, costs: &Costs, sources: &mut Sources) -> Result {
    let head = |out: &mut String, what: &str| {
        writeln!(out, "\n{:>12}        {:>12}         {what}", "own", "total")
    };
    if costs.gas == 0 {
        return Ok(());
    }
    head(out, "function")?;
    table(out, costs.gas, &costs.functions, |name| shortened(name))?;

    let is_own = |cost: &&Cost<Line>| sources.is_own(&cost.of.file);
    let mut own: Vec<Cost<Line>> = costs.lines.iter().filter(is_own).cloned().collect();
    if !own.is_empty() {
        // In their own lines, authors look for calls.
        own.sort_by(|left, right| {
            let key = |cost: &Cost<Line>| (cost.total, cost.own);
            key(right).cmp(&key(left)).then(left.of.cmp(&right.of))
        });
        head(out, "line of the program, by total")?;
        table(out, costs.gas, &own, |line| source(line, sources))?;
    }
    if !costs.lines.is_empty() {
        head(out, "line of any file")?;
        table(out, costs.gas, &costs.lines, |line| source(line, sources))?;
    }
    Ok(())
}

/// Writes which functions use more or less gas of their own than before.
pub fn differences(out: &mut String, differences: &[Difference<String>]) -> Result {
    if differences.is_empty() {
        return writeln!(out, "\nevery function uses the same gas");
    }
    writeln!(
        out,
        "\n{:>12} {:>12} {:>12}  function, by its own gas",
        "before", "after", "difference"
    )?;
    let mut row = |before: u64, after: u64, what: &str| {
        let difference = Difference {
            of: (),
            before,
            after,
        }
        .difference();
        let (before, after) = (grouped(before), grouped(after));
        writeln!(
            out,
            "{before:>12} {after:>12} {:>12}  {what}",
            signed(difference)
        )
    };
    let shown = differences.iter().take(ROWS);
    for difference in shown {
        row(
            difference.before,
            difference.after,
            &shortened(&difference.of),
        )?;
    }
    if let Some(rest @ [_, ..]) = differences.get(ROWS..) {
        let sum = |of: fn(&Difference<String>) -> u64| rest.iter().map(of).sum();
        let (before, after) = (sum(|rest| rest.before), sum(|rest| rest.after));
        row(before, after, &format!("… and {} more", rest.len()))?;
    }
    Ok(())
}

/// Writes what the lines of the program would cost that did not run.
pub fn unreached(out: &mut String, lines: &[Unreached], sources: &mut Sources) -> Result {
    if lines.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "\n{:>12} {:>12}         code of the program that did not run, its calls apart",
        "gas", "blocks"
    )?;
    let (shown, others) = unreached::costliest(lines, ROWS);
    for line in shown {
        let place = Line {
            file: line.file.clone(),
            line: line.line,
            or_lines: Vec::new(),
        };
        let (gas, blocks) = (grouped(line.gas), grouped(line.blocks));
        writeln!(
            out,
            "{gas:>12} {blocks:>12}         {}",
            source(&place, sources)
        )?;
    }
    if !others.is_empty() {
        let gas = grouped(others.iter().map(|line| line.gas).sum());
        writeln!(
            out,
            "{gas:>12} {:>12}         … and {} more",
            "",
            others.len()
        )?;
    }
    Ok(())
}

/// Writes how the heap was used. `counted` is the same in a build that counts live bytes, if there
/// is one, and `note` explains the figures.
pub fn heap(
    out: &mut String,
    heap: &HeapProfile,
    counted: Option<&HeapProfile>,
    note: &str,
) -> Result {
    let limit = grouped(heap.limit.into());
    let Some(summary) = Summary::of(heap) else {
        return writeln!(out, "\nheap      {limit} limit (bytes); {note}");
    };
    let (peak, used) = (grouped(summary.peak.into()), grouped(summary.used.into()));
    write!(out, "\nheap      {peak} peak, {used} used at the end")?;
    let counted = counted.and_then(Summary::of).unwrap_or(summary);
    if let Some(leaked) = counted.leaked {
        write!(out, ", {} leaked", grouped(leaked))?;
    }
    if let Some(free @ 1..) = counted.free {
        write!(out, ", {} free for reuse", grouped(free))?;
    }
    writeln!(out, ", {limit} limit (bytes)")?;
    writeln!(out, "          {note}")
}

/// Writes which lines allocated the blocks that were live at the end, or had lost bytes by then.
pub fn held(out: &mut String, label: &str, holders: &[Holder]) -> Result {
    let mut label = label;
    for line in live::describe(holders).lines() {
        writeln!(out, "{label:<9} {line}")?;
        label = "";
    }
    Ok(())
}

fn table<T>(
    out: &mut String,
    gas: u64,
    costs: &[Cost<T>],
    mut describe: impl FnMut(&T) -> String,
) -> Result {
    let percent = |part: u64| part as f64 * 100.0 / gas as f64;
    for cost in costs.iter().take(ROWS) {
        writeln!(
            out,
            "{:>12} {:>5.1}% {:>12} {:>5.1}%  {}",
            grouped(cost.own),
            percent(cost.own),
            grouped(cost.total),
            percent(cost.total),
            describe(&cost.of),
        )?;
    }
    if costs.len() > ROWS {
        let rest: u64 = costs[ROWS..].iter().map(|cost| cost.own).sum();
        writeln!(
            out,
            "{:>12} {:>5.1}% {:>20}  … and {} more",
            grouped(rest),
            percent(rest),
            "",
            costs.len() - ROWS
        )?;
    }
    Ok(())
}

fn source(line: &Line, sources: &mut Sources) -> String {
    let mut place = format!("{}:{}", short_path(&line.file), line.line);
    for other in &line.or_lines {
        place += &format!(" or {other}");
    }
    // The text of one of several possible lines would be a guess.
    let text = match line.or_lines[..] {
        [] => sources.line(&line.file, line.line),
        _ => None,
    };
    match text {
        Some(text) => format!("{}  {}", shortened(&place), shortened(text)),
        None => shortened(&place),
    }
}

/// A text that neither acts on a terminal nor fills it.
fn shortened(text: &str) -> String {
    let text = escape_control(text);
    if text.chars().count() <= MOST_CHARACTERS {
        return text;
    }
    let start: String = text.chars().take(MOST_CHARACTERS - 1).collect();
    start + "…"
}
