//! Compares results with those of an earlier run, which a file has kept.

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use super::results::Results;
use super::{Figure, Measured};
use crate::text::grouped;

/// Name of the file in which `cargo entrypoint bench` looks for a baseline.
pub const FILE_NAME: &str = "bench.json";

/// Which parts a run has measured, such as programs, of those that a baseline may know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// All of them: what was not measured is gone.
    All,
    /// The one with this name.
    Only(String),
}

impl Scope {
    fn includes(&self, part: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(name) => name == part,
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
pub fn read<R: Results>(path: &Path) -> Result<R> {
    // A device such as /dev/full has no end.
    ensure!(
        path.is_file(),
        "{} is not a baseline, because it is not a regular file",
        path.display()
    );
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("cannot read the baseline {}", path.display()))?;
    parse(&text).with_context(|| format!("{} is not a baseline", path.display()))
}

fn parse<R: Results>(text: &str) -> Result<R> {
    let results: R = serde_json::from_str(text)?;
    let mut known = BTreeSet::new();
    for row in results.rows() {
        let subject = row.subject();
        ensure!(
            known.insert(subject.clone()),
            "there are two rows for {subject:?}"
        );
    }
    Ok(results)
}

/// The differences between the results and the baseline, in the order of the rows; then the rows
/// that are gone. It does not compare what the run did not measure.
#[must_use]
pub fn compare<R: Results>(baseline: &R, measured: &R, scope: &Scope) -> Vec<Change> {
    let mut baseline = baseline.clone();
    baseline.retain(|part| scope.includes(part));
    let (baseline, measured) = (baseline.rows(), measured.rows());
    let mut changes = Vec::new();
    for row in &measured {
        let subject = row.subject();
        match baseline.iter().find(|known| known.subject() == subject) {
            Some(known) => compare_row(&mut changes, *known, *row),
            None => changes.push(Change::New { subject }),
        }
    }
    for known in baseline {
        let subject = known.subject();
        if !measured.iter().any(|row| row.subject() == subject) {
            changes.push(Change::Vanished { subject });
        }
    }
    changes
}

/// Checks that a baseline has rows of one compiler only after a run with this compiler.
///
/// # Errors
///
/// If rows would stay that another compiler has made.
pub fn check_compiler<R: Results>(old: &R, compiler: &str, scope: &Scope) -> Result<()> {
    ensure!(
        old.compiler() == compiler || unmeasured(old, scope).rows().is_empty(),
        "the baseline was measured with `{}`, and this run with `{compiler}`: a baseline cannot have \
         figures of two compilers; measure all its rows again, or remove the file",
        old.compiler()
    );
    Ok(())
}

/// The baseline after a run: the results of the run, and the rows of the old baseline that the run
/// did not measure.
///
/// # Errors
///
/// As for [`check_compiler`].
pub fn merge<R: Results>(old: &R, measured: &R, scope: &Scope) -> Result<R> {
    check_compiler(old, measured.compiler(), scope)?;
    let mut merged = measured.clone();
    merged.extend(unmeasured(old, scope));
    Ok(merged)
}

/// The rows of a baseline that a run of this scope does not measure.
fn unmeasured<R: Results>(baseline: &R, scope: &Scope) -> R {
    let mut rows = baseline.clone();
    rows.retain(|part| !scope.includes(part));
    rows
}

fn compare_row(changes: &mut Vec<Change>, known: &dyn Measured, row: &dyn Measured) {
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

#[cfg(test)]
mod tests;
