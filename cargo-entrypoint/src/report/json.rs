//! Outcomes and inspections as JSON.

use anyhow::{Context, Error, Result};
use loader::fixture::FixtureError;
use loader::inspect::Inspection;
use loader::{Account, Engine, InvocationError, LoadError, Outcome};
use serde::Serialize;
use serde_json::{Value, json};

/// The outcome, in the order in which it is documented.
#[derive(Serialize)]
struct JsonOutcome<'a> {
    status: Option<u64>,
    error: Option<Value>,
    gas_used: u64,
    heap: JsonHeap,
    logs: &'a [String],
    return_data: String,
    accounts: &'a [Account],
    engine: Engine,
}

#[derive(Default, Serialize)]
struct JsonHeap {
    limit: Option<u32>,
    used: Option<u32>,
    peak: Option<u32>,
}

/// An outcome as JSON.
pub fn outcome(outcome: &Outcome) -> Result<String> {
    let error = match &outcome.failure {
        Some(failure) => {
            let mut error = serde_json::to_value(failure).context("a failure has no JSON")?;
            error["kind"] = failure.kind().into();
            error["description"] = failure.to_string().into();
            Some(error)
        }
        None => None,
    };
    text(&JsonOutcome {
        status: outcome.status,
        error,
        gas_used: outcome.gas_used,
        heap: JsonHeap {
            limit: Some(outcome.heap.limit),
            used: outcome.heap.used,
            peak: outcome.heap.peak,
        },
        logs: &outcome.logs,
        return_data: hex::encode(&outcome.return_data),
        accounts: &outcome.accounts,
        engine: outcome.engine,
    })
}

/// As JSON, that no program was run.
pub fn error(kind: &str, description: &str, engine: Engine) -> Result<String> {
    text(&JsonOutcome {
        status: None,
        error: Some(json!({ "kind": kind, "description": description })),
        gas_used: 0,
        heap: JsonHeap::default(),
        logs: &[],
        return_data: String::new(),
        accounts: &[],
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
    let mut text = serde_json::to_string_pretty(value).context("it has no JSON")?;
    text.push('\n');
    Ok(text)
}

/// The stable name of what kept a program from running.
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
