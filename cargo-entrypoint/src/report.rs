//! What is printed.

use anyhow::Error;
use loader::fixture::FixtureError;
use loader::{
    Account, AccountEntry, AccountInput, Engine, HeapUse, Invocation, InvocationError, LoadError,
    Outcome,
};
use serde::Serialize;
use serde_json::{Value, json};

/// Exit code after a program that failed, or did not do what its fixture expects.
pub const EXIT_FAILED: u8 = 1;

/// Exit code when no program was run.
pub const EXIT_NOT_RUN: u8 = 2;

/// Most bytes of an account's data that are shown to people.
const SHOWN_BYTES: usize = 32;

/// The outcome as JSON, in the order in which it is documented.
#[derive(Serialize)]
struct JsonOutcome<'a> {
    status: Option<u64>,
    error: Option<Value>,
    gas_used: u64,
    heap: Option<HeapUse>,
    logs: &'a [String],
    return_data: String,
    accounts: &'a [Account],
    engine: Engine,
}

/// Prints an outcome as JSON.
pub fn as_json(outcome: &Outcome) {
    let error = outcome.failure.as_ref().map(|failure| {
        let mut error = serde_json::to_value(failure).unwrap_or_else(|_| json!({}));
        error["kind"] = failure.kind().into();
        error["description"] = failure.to_string().into();
        error
    });
    print(&JsonOutcome {
        status: outcome.status,
        error,
        gas_used: outcome.gas_used,
        heap: Some(outcome.heap),
        logs: &outcome.logs,
        return_data: hex::encode(&outcome.return_data),
        accounts: &outcome.accounts,
        engine: outcome.engine,
    });
}

/// Prints as JSON that no program was run.
pub fn error_as_json(error: &Error, engine: Engine) {
    print(&JsonOutcome {
        status: None,
        error: Some(json!({ "kind": kind(error), "description": format!("{error:#}") })),
        gas_used: 0,
        heap: None,
        logs: &[],
        return_data: String::new(),
        accounts: &[],
        engine,
    });
}

fn print(outcome: &JsonOutcome<'_>) {
    match serde_json::to_string_pretty(outcome) {
        Ok(text) => println!("{text}"),
        Err(error) => eprintln!("error: cannot write JSON: {error}"),
    }
}

/// The stable name of what kept a program from running.
fn kind(error: &Error) -> &'static str {
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

/// Prints an error with its causes.
pub fn error(error: &Error) {
    eprintln!("error: {error:#}");
}

/// Prints an outcome as a short report.
pub fn for_people(title: &str, invocation: &Invocation, outcome: &Outcome) {
    println!("{title}, on the {}", outcome.engine);
    println!();
    match (&outcome.failure, outcome.status) {
        (None, status) => println!("status    {} (success)", status.unwrap_or(0)),
        (Some(failure), Some(status)) => {
            println!("status    {status:#x}");
            println!("failed    {failure}");
        }
        (Some(failure), None) => println!("failed    {failure}"),
    }
    println!(
        "gas       {} of {}",
        grouped(outcome.gas_used),
        grouped(invocation.gas)
    );
    let HeapUse { limit, used, peak } = outcome.heap;
    let bytes = |count: Option<u32>| {
        count.map_or_else(|| "unknown".to_owned(), |count| grouped(count.into()))
    };
    println!(
        "heap      {} used, {} peak, {} limit (bytes)",
        bytes(used),
        bytes(peak),
        grouped(limit.into())
    );
    if !outcome.return_data.is_empty() {
        println!("returned  {}", hex::encode(&outcome.return_data));
    }
    if outcome.logs.is_empty() {
        println!("logs      none");
    } else {
        println!("logs");
        for line in &outcome.logs {
            println!("          {line}");
        }
    }
    accounts(invocation, outcome);
}

fn accounts(invocation: &Invocation, outcome: &Outcome) {
    if invocation.accounts.is_empty() {
        println!("accounts  none");
        return;
    }
    println!("accounts");
    let mut after = outcome.accounts.iter();
    for (index, entry) in invocation.accounts.iter().enumerate() {
        match entry {
            AccountEntry::Repeat(first) => println!("  {index}       account {first} again"),
            AccountEntry::First(before) => {
                if let Some(after) = after.next() {
                    account(index, before, after);
                }
            }
        }
    }
    if !outcome.is_success() {
        println!("          nothing was changed, because the program failed");
    }
}

fn account(index: usize, before: &AccountInput, after: &Account) {
    let mut flags = String::new();
    for (flag, is_set) in [
        (", signer", before.is_signer),
        (", writable", before.is_writable),
        (", executable", before.account.executable),
    ] {
        if is_set {
            flags.push_str(flag);
        }
    }
    let before = &before.account;
    println!("  {index:<7} {}{flags}", before.key);
    change("owner", &before.owner.to_string(), &after.owner.to_string());
    change("kelvins", &grouped(before.kelvins), &grouped(after.kelvins));
    change("data", &shortened(&before.data), &shortened(&after.data));
}

fn change(name: &str, before: &str, after: &str) {
    if before == after {
        println!("          {name:<8} {before}");
    } else {
        println!("          {name:<8} {before} -> {after}");
    }
}

/// Data in hexadecimal, and its length where it is long.
fn shortened(data: &[u8]) -> String {
    match data.len() {
        0 => "none".to_owned(),
        length if length <= SHOWN_BYTES => hex::encode(data),
        length => format!("{}… ({length} bytes)", hex::encode(&data[..SHOWN_BYTES])),
    }
}

/// A number with its thousands set apart.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
