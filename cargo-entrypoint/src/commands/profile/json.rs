//! Profiles and comparisons as JSON.

use std::path::PathBuf;

use anyhow::Result;
use loader::Outcome;
use loader::display::short_path;
use serde_json::{Value, json};

use super::Heap;
use super::difference::Side;
use crate::profile::costs::{Cost, Costs};
use crate::profile::difference::Difference;
use crate::profile::unreached::Unreached;
use crate::report;

/// A profile, with the pictures of the gas and of the heap.
pub fn profile(
    outcome: &Outcome,
    costs: &Costs,
    unreached: &[Unreached],
    heap: &Heap,
    [gas_picture, heap_picture]: &[Option<PathBuf>; 2],
) -> Result<String> {
    let lines = costs.lines.iter().map(|Cost { of, own, total }| {
        json!({
            "file": short_path(&of.file),
            "line": of.line,
            "or_lines": of.or_lines,
            "own": own,
            "total": total,
        })
    });
    let functions = costs
        .functions
        .iter()
        .map(|Cost { of, own, total }| json!({ "function": of, "own": own, "total": total }));
    report::json::value(&json!({
        "outcome": outcome,
        "functions": functions.collect::<Vec<Value>>(),
        "lines": lines.collect::<Vec<Value>>(),
        "unreached": unreached,
        "heap_holders": heap.holders,
        "heap_leaks": heap.leaks,
        "heap_note": heap.note,
        "gas_picture": gas_picture,
        "heap_picture": heap_picture,
    }))
}

/// Two programs, compared.
pub fn difference(
    before: &Side,
    after: &Side,
    functions: &[Difference<String>],
    picture: Option<&PathBuf>,
) -> Result<String> {
    let side = |side: &Side| {
        json!({
            "program": side.name,
            "outcome": side.ran.profiled.outcome,
            "size": side.size,
        })
    };
    let functions = functions.iter().map(|difference| {
        json!({
            "function": difference.of,
            "before": difference.before,
            "after": difference.after,
        })
    });
    report::json::value(&json!({
        "before": side(before),
        "after": side(after),
        "functions": functions.collect::<Vec<Value>>(),
        "picture": picture,
    }))
}

/// That nothing was profiled.
pub fn error(error: &anyhow::Error) -> Result<String> {
    let kind = match report::json::kind(error) {
        "NotRun" => "NotProfiled",
        kind => kind,
    };
    report::json::only_error(kind, &format!("{error:#}"))
}
