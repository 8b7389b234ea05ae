//! Compares results with those of an earlier run, which are in a file beside the program.

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use super::results::Results;
use super::{Figure, Measured};
use crate::text::grouped;

/// Name of the file in which `cargo entrypoint bench` looks for a baseline.
pub const FILE_NAME: &str = "bench.json";

/// Which programs a run has measured, of those that a baseline may know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// All programs: a program that was not measured is gone.
    All,
    /// These.
    Programs(BTreeSet<String>),
}

impl Scope {
    fn includes(&self, program: &str) -> bool {
        match self {
            Self::All => true,
            Self::Programs(names) => names.contains(program),
        }
    }
}

/// A difference from the baseline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A figure.
    Figure {
        /// The subject of the measurement, and the name of the figure.
        subject: String,
        /// As it was; `None` if it could not be had.
        before: Option<u64>,
        /// As it is.
        after: Option<u64>,
        /// Whether this project, or the author of the measured program, is responsible for it.
        is_ours: bool,
    },
    /// A change of a program's behaviour.
    Behaviour {
        /// The subject of the measurement.
        subject: String,
        /// Its earlier behaviour, for people.
        before: String,
        /// Its behaviour now.
        after: String,
    },
    /// A row that was not there.
    New {
        /// The subject of the measurement.
        subject: String,
    },
    /// A row that is gone.
    Vanished {
        /// The subject of the measurement.
        subject: String,
    },
}

impl Change {
    /// Whether the author must know it: a figure of ours became larger or unknown, a program
    /// behaves differently, or a row is gone, which may hide a larger figure.
    #[must_use]
    pub fn is_worse(&self) -> bool {
        match self {
            Self::Figure {
                before: Some(before),
                after: Some(after),
                is_ours: true,
                ..
            } => after > before,
            Self::Figure {
                before: Some(_),
                after: None,
                is_ours: true,
                ..
            }
            | Self::Behaviour { .. }
            | Self::Vanished { .. } => true,
            _ => false,
        }
    }

    /// Whether it is a smaller figure of ours.
    #[must_use]
    pub fn is_better(&self) -> bool {
        match self {
            Self::Figure {
                before: Some(before),
                after: Some(after),
                is_ours: true,
                ..
            } => after < before,
            _ => false,
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Figure {
                subject,
                before,
                after,
                is_ours,
            } => {
                let text = |figure: &Option<u64>| figure.map_or("unknown".to_owned(), grouped);
                write!(out, "{subject} {} -> {}", text(before), text(after))?;
                let (Some(before), Some(after)) = (before, after) else {
                    return Ok(());
                };
                let sign = if after > before { '+' } else { '-' };
                let judgement = match (is_ours, after > before) {
                    (false, _) => "not ours",
                    (true, true) => "worse",
                    (true, false) => "better",
                };
                let distance = grouped(after.abs_diff(*before));
                write!(out, " ({sign}{distance}, {judgement})")
            }
            Self::Behaviour {
                subject,
                before,
                after,
            } => write!(out, "{subject} changed from `{before}` to `{after}`"),
            Self::New { subject } => write!(out, "{subject} is new"),
            Self::Vanished { subject } => write!(out, "{subject} is gone"),
        }
    }
}

/// Reads a baseline.
///
/// # Errors
///
/// If the file cannot be read or is not a baseline; the message names the file, and the place in
/// it.
pub fn read(path: &Path) -> Result<Results> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("cannot read the baseline {}", path.display()))?;
    parse(&text).with_context(|| format!("{} is not a baseline", path.display()))
}

fn parse(text: &str) -> Result<Results> {
    let results: Results = serde_json::from_str(text)?;
    for_each_suite(&results, |suite, rows| {
        let mut known = BTreeSet::new();
        for row in rows {
            let subject = row.subject();
            ensure!(
                known.insert(subject.clone()),
                "`{suite}` has two rows for {subject:?}"
            );
        }
        Ok(())
    })?;
    Ok(results)
}

/// The differences between the results and the baseline, in the order of the suites and their rows.
/// It does not compare what the run did not measure.
#[must_use]
pub fn compare(baseline: &Results, measured: &Results, scope: &Scope) -> Vec<Change> {
    let mut changes = Vec::new();
    compare_rows(&mut changes, &baseline.entry, &measured.entry, |_| true);
    compare_rows(
        &mut changes,
        &baseline.allocators,
        &measured.allocators,
        |_| true,
    );
    compare_rows(&mut changes, &baseline.size, &measured.size, |_| true);
    compare_rows(
        &mut changes,
        &baseline.programs,
        &measured.programs,
        |row| scope.includes(&row.program),
    );
    changes
}

/// The baseline after a run: the results of the run, and the rows of the old baseline that the run
/// did not measure.
///
/// # Errors
///
/// If rows would stay that another compiler has made.
pub fn merge(old: Option<Results>, measured: &Results, scope: &Scope) -> Result<Results> {
    let Some(old) = old else {
        return Ok(measured.clone());
    };
    let kept: Vec<_> = old
        .programs
        .iter()
        .flatten()
        .filter(|row| measured.programs.is_none() || !scope.includes(&row.program))
        .cloned()
        .collect();
    let stays = [
        old.entry.is_some() && measured.entry.is_none(),
        old.allocators.is_some() && measured.allocators.is_none(),
        old.size.is_some() && measured.size.is_none(),
        !kept.is_empty(),
    ];
    ensure!(
        old.compiler == measured.compiler || !stays.contains(&true),
        "the baseline was measured with `{}`, and this run with `{}`: a baseline cannot have figures \
         of two compilers; measure all its rows again, or remove the file",
        old.compiler,
        measured.compiler
    );
    let programs = if old.programs.is_some() || measured.programs.is_some() {
        let measured = measured.programs.iter().flatten().cloned();
        let mut rows: Vec<_> = kept.into_iter().chain(measured).collect();
        rows.sort_by(|one, other| {
            (&one.program, &one.fixture).cmp(&(&other.program, &other.fixture))
        });
        Some(rows)
    } else {
        None
    };
    Ok(Results {
        compiler: measured.compiler.clone(),
        entry: measured.entry.clone().or(old.entry),
        allocators: measured.allocators.clone().or(old.allocators),
        size: measured.size.clone().or(old.size),
        programs,
    })
}

fn compare_rows<Row: Measured>(
    changes: &mut Vec<Change>,
    baseline: &Option<Vec<Row>>,
    measured: &Option<Vec<Row>>,
    is_in_scope: impl Fn(&Row) -> bool,
) {
    let Some(measured) = measured else { return };
    let baseline: Vec<&Row> = baseline
        .iter()
        .flatten()
        .filter(|row| is_in_scope(row))
        .collect();
    for row in measured {
        let subject = row.subject();
        match baseline.iter().find(|known| known.subject() == subject) {
            Some(known) => compare_row(changes, *known, row),
            None => changes.push(Change::New { subject }),
        }
    }
    for known in baseline {
        let subject = known.subject();
        if !measured.iter().any(|row| row.subject() == subject) {
            changes.push(Change::Vanished { subject });
        }
    }
}

fn compare_row<Row: Measured>(changes: &mut Vec<Change>, known: &Row, row: &Row) {
    if let (Some(before), Some(after)) = (known.behaviour(), row.behaviour())
        && before != after
    {
        changes.push(Change::Behaviour {
            subject: row.subject(),
            before,
            after,
        });
    }
    for (before, after) in known.figures().into_iter().zip(row.figures()) {
        let Figure { of, name, value } = after;
        if before.value == value {
            continue;
        }
        let change = Change::Figure {
            subject: format!("{of} {name}"),
            before: before.value,
            after: value,
            is_ours: row.is_ours(),
        };
        if !changes.contains(&change) {
            changes.push(change);
        }
    }
}

fn for_each_suite(
    results: &Results,
    mut action: impl FnMut(&str, Vec<&dyn Measured>) -> Result<()>,
) -> Result<()> {
    fn rows<Row: Measured>(rows: &Option<Vec<Row>>) -> Vec<&dyn Measured> {
        rows.iter()
            .flatten()
            .map(|row| -> &dyn Measured { row })
            .collect()
    }
    action("entry", rows(&results.entry))?;
    action("allocators", rows(&results.allocators))?;
    action("size", rows(&results.size))?;
    action("programs", rows(&results.programs))
}

#[cfg(test)]
mod tests;
