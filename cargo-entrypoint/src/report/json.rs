//! Outcomes and inspections as JSON.

use anyhow::{Context, Error, Result};
use cargo_entrypoint::output::escaped_json;
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

/// An outcome as JSON.
pub fn outcome(outcome: &Outcome) -> Result<String> {
    text(outcome)
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

/// As JSON, that a command on a ledger did nothing.
pub fn ledger_error(kind: &str, description: &str) -> Result<String> {
    text(&json!({ "error": { "kind": kind, "description": description } }))
}

/// Any value as JSON.
pub fn value(value: &Value) -> Result<String> {
    text(value)
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
