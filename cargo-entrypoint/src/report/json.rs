//! Outcomes and inspections as JSON.

use anyhow::{Context, Error, Result};
use ledger::scenario::{ScenarioError, ScenarioOutcome, StepOutcome};
use loader::fixture::FixtureError;
use loader::inspect::Inspection;
use loader::{Engine, Failure, InvocationError, LoadError, Outcome};
use serde::Serialize;
use serde_json::{Value, json};

use crate::output::escaped_json;
use crate::profile::live::Holder;

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

/// What a scenario did, as JSON.
pub fn scenario(outcome: &ScenarioOutcome) -> Result<String> {
    let steps: Vec<Value> = outcome
        .steps
        .iter()
        .map(|step| scenario_step(outcome, step))
        .collect();
    text(&json!({
        "title": outcome.title,
        "engine": outcome.engine,
        "steps": steps,
    }))
}

fn scenario_step(outcome: &ScenarioOutcome, step: &StepOutcome) -> Value {
    let transaction = step.transaction.as_ref().map(|transaction| {
        let error = transaction.error.as_ref().map(|error| {
            let kind = error.failure().map_or_else(|| error.kind(), Failure::kind);
            json!({ "kind": kind, "description": step.error })
        });
        let instructions = transaction.instructions.iter().map(|instruction| {
            json!({
                "program": instruction.program_id.to_string(),
                "status": instruction.status,
                "gas_used": instruction.gas_used,
                "heap": instruction.heap,
                "logs": instruction.logs,
                "return_data": hex::encode(&instruction.return_data),
                "calls": instruction.calls,
            })
        });
        json!({
            "error": error,
            "gas_used": transaction.gas_used,
            "gas_limit": transaction.gas_limit,
            "fee": transaction.fee,
            "instructions": instructions.collect::<Vec<_>>(),
        })
    });
    let changes = step.changes.iter().map(|change| {
        json!({
            "key": change.key.to_string(),
            "name": outcome.names.name(&change.key),
            "before": change.before.as_deref(),
            "after": change.after.as_deref(),
        })
    });
    json!({
        "title": step.title,
        "transaction": transaction,
        "changes": changes.collect::<Vec<_>>(),
        "differences": step.differences,
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

/// As JSON, that a command on a ledger, or a profile, did nothing.
pub fn only_error(kind: &str, description: &str) -> Result<String> {
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
    } else if error.downcast_ref::<ScenarioError>().is_some() {
        "InvalidScenario"
    } else {
        "NotRun"
    }
}
