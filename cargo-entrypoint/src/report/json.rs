//! Outcomes and inspections as JSON.

use anyhow::{Context, Error, Result};
use cargo_entrypoint::output::escaped_json;
use cargo_entrypoint::profile::live::Holder;
use loader::fixture::FixtureError;
use loader::inspect::Inspection;
use loader::{Engine, InvocationError, LoadError, Outcome};
use serde::Serialize;
use serde_json::{Value, json};

/// The JSON of a run without an outcome.
#[derive(Serialize)]
struct NoOutcome<'a> {
    status: Option<u64>,
    error: Value,
    gas_used: u64,
    heap: NoHeap,
    logs: [&'a str; 0],
    return_data: &'a str,
    accounts: [&'a str; 0],
    engine: Engine,
}

#[derive(Default, Serialize)]
struct NoHeap {
    limit: Option<u32>,
    used: Option<u32>,
    peak: Option<u32>,
}

/// An outcome, and what was live when the heap refused.
#[derive(Serialize)]
struct WithHolders<'a> {
    #[serde(flatten)]
    outcome: &'a Outcome,
    heap_holders: &'a [Holder],
}

/// An outcome as JSON. `holders` are the lines that allocated what was live when the heap refused.
pub fn outcome(outcome: &Outcome, holders: &[Holder]) -> Result<String> {
    if holders.is_empty() {
        return text(outcome);
    }
    text(&WithHolders {
        outcome,
        heap_holders: holders,
    })
}

/// As JSON, that no program was run.
pub fn error(kind: &str, description: &str, engine: Engine) -> Result<String> {
    text(&NoOutcome {
        status: None,
        error: json!({ "kind": kind, "description": description }),
        gas_used: 0,
        heap: NoHeap::default(),
        logs: [],
        return_data: "",
        accounts: [],
        engine,
    })
}

/// An inspection, in the order in which it is documented.
#[derive(Serialize)]
struct JsonInspection<'a> {
    error: Option<Value>,
    program: Option<&'a str>,
    inspection: Option<&'a Inspection>,
}

/// An inspection as JSON.
pub fn inspection(program: &str, inspection: &Inspection) -> Result<String> {
    text(&JsonInspection {
        error: None,
        program: Some(program),
        inspection: Some(inspection),
    })
}

/// As JSON, that there is nothing to inspect.
pub fn not_inspected(kind: &str, description: &str) -> Result<String> {
    text(&JsonInspection {
        error: Some(json!({ "kind": kind, "description": description })),
        program: None,
        inspection: None,
    })
}

fn text(value: &impl Serialize) -> Result<String> {
    let mut text =
        serde_json::to_string_pretty(value).context("cannot write the report as JSON")?;
    text.push('\n');
    Ok(escaped_json(&text))
}

/// The stable name of an error that kept a program from running.
pub fn kind(error: &Error) -> &'static str {
    if let Some(error) = error.downcast_ref::<InvocationError>() {
        error.kind()
    } else if let Some(error) = error.downcast_ref::<LoadError>() {
        error.kind()
    } else if error.downcast_ref::<FixtureError>().is_some() {
        "InvalidFixture"
    } else {
        "NotRun"
    }
}
