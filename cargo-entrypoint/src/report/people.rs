//! The outcome as a short report.

use std::fmt::{Result, Write};

use loader::display::escape_control;
use loader::{
    Account, AccountEntry, AccountInput, CallRecord, Engine, Failure, HeapUse, Invocation, Outcome,
    ProgramError, status_text,
};
use program_build::custom_errors::CustomErrors;

use super::data;
use crate::profile::end::End;
use crate::profile::live::{self, Holder};
use crate::text::grouped;

/// What is known of an outcome besides the outcome itself.
pub struct Known<'a> {
    /// The place where the program ended, if it is known better than the failure tells.
    pub end: Option<&'a End>,
    /// The errors that the file of the program names whose status it is.
    pub errors: &'a CustomErrors,
    /// The lines that allocated what was live when the heap refused.
    pub holders: &'a [Holder],
}

/// Writes an outcome as a short report.
pub fn outcome(
    out: &mut String,
    title: &str,
    invocation: &Invocation,
    outcome: &Outcome,
    known: &Known<'_>,
) -> Result {
    writeln!(out, "{title} · {}\n", outcome.engine)?;
    ending(out, invocation, outcome, known)?;
    calls(out, &outcome.calls)?;
    heap(out, &outcome.heap)?;
    if !outcome.return_data.is_empty() {
        writeln!(out, "returned  {}", hex::encode(&outcome.return_data))?;
    }
    if outcome.logs.is_empty() {
        writeln!(out, "logs      none")?;
    } else {
        writeln!(out, "logs")?;
    }
    for line in &outcome.logs {
        writeln!(out, "          {}", escape_control(line))?;
    }
    accounts(out, invocation, outcome)
}

/// Writes how an invocation that was watched ended.
pub fn profiled(
    out: &mut String,
    title: &str,
    invocation: &Invocation,
    outcome: &Outcome,
    known: &Known<'_>,
) -> Result {
    writeln!(out, "{title} · profile\n")?;
    ending(out, invocation, outcome, known)
}

/// A status with its meaning, and with the name of a custom error.
fn status(outcome: &Outcome, errors: &CustomErrors) -> String {
    let text = status_text(outcome.status);
    let Some(ProgramError::Custom(code)) = outcome.status.and_then(ProgramError::from_status)
    else {
        return text;
    };
    match (errors.describe(code), text.strip_suffix(')')) {
        (Some(name), Some(start)) => format!("{start}: {name})"),
        _ => text,
    }
}

/// How an invocation ended, in a few words.
pub fn ended(outcome: &Outcome, errors: &CustomErrors) -> String {
    match &outcome.failure {
        Some(failure) if outcome.status.is_none() => escape_control(&failure.to_string()),
        _ => status(outcome, errors),
    }
}

fn ending(
    out: &mut String,
    invocation: &Invocation,
    outcome: &Outcome,
    known: &Known<'_>,
) -> Result {
    let end = known.end;
    if outcome.status.is_some() {
        writeln!(out, "status    {}", status(outcome, known.errors))?;
    }
    if let Some(failure) = &outcome.failure {
        let what = match failure {
            Failure::WriteBack(_) => "rejected",
            _ => "failed",
        };
        let mut failure = failure.clone();
        if end.is_some() {
            // The lines below tell it better.
            failure.set_place(None, None);
        }
        writeln!(out, "{what:<9} {}", escape_control(&failure.to_string()))?;
        if let Some(end) = end {
            labelled(out, "at", &end.to_string())?;
        }
        labelled(out, "live", &live::describe(known.holders))?;
        if let Some(help) = failure.help() {
            labelled(out, "help", &help)?;
        }
    }
    let gas = grouped(outcome.gas_used);
    if outcome.engine == Engine::Native {
        return writeln!(
            out,
            "gas       {gas} for syscalls; instructions are not counted"
        );
    }
    writeln!(out, "gas       {gas} of {}", grouped(invocation.gas))
}

/// Writes the calls of other programs as a tree, each with its gas.
fn calls(out: &mut String, calls: &[CallRecord]) -> Result {
    for (index, call) in calls.iter().enumerate() {
        let label = if index == 0 { "calls" } else { "" };
        let indentation = 2 * call.depth.saturating_sub(2) as usize;
        writeln!(
            out,
            "{label:<9} {:indentation$}{}, {} gas",
            "",
            call.program_id,
            grouped(call.gas_used)
        )?;
    }
    Ok(())
}

/// Writes the lines of a text behind a label.
fn labelled(out: &mut String, label: &str, text: &str) -> Result {
    let labels = std::iter::once(label).chain(std::iter::repeat(""));
    for (label, line) in labels.zip(text.lines()) {
        writeln!(out, "{label:<9} {line}")?;
    }
    Ok(())
}

fn heap(out: &mut String, heap: &HeapUse) -> Result {
    let bytes = |count: Option<u32>| {
        count.map_or_else(|| "unknown".to_owned(), |count| grouped(count.into()))
    };
    let (used, peak) = (bytes(heap.used), bytes(heap.peak));
    let limit = grouped(heap.limit.into());
    writeln!(
        out,
        "heap      {used} used, {peak} peak, {limit} limit (bytes)"
    )
}

fn accounts(out: &mut String, invocation: &Invocation, outcome: &Outcome) -> Result {
    if invocation.accounts.is_empty() {
        return writeln!(out, "accounts  none");
    }
    writeln!(out, "accounts")?;
    let mut after = outcome.accounts.iter();
    for (index, entry) in invocation.accounts.iter().enumerate() {
        match entry {
            AccountEntry::Repeat(first) => writeln!(out, "  {index:<7} account {first} again")?,
            AccountEntry::First(before) => {
                // An outcome has one account for each first occurrence.
                if let Some(after) = after.next() {
                    account(out, index, before, after)?;
                }
            }
        }
    }
    let reason = match outcome.failure {
        None => return Ok(()),
        Some(Failure::WriteBack(_)) => "the loader rejected the changes",
        Some(_) => "the program failed",
    };
    writeln!(out, "          nothing was changed, because {reason}")
}

fn account(out: &mut String, index: usize, before: &AccountInput, after: &Account) -> Result {
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
    writeln!(out, "  {index:<7} {}{flags}", before.key)?;
    change(
        out,
        "owner",
        &before.owner.to_string(),
        &after.owner.to_string(),
    )?;
    change(
        out,
        "kelvins",
        &grouped(before.kelvins),
        &grouped(after.kelvins),
    )?;
    data::write(out, &before.data, &after.data)
}

fn change(out: &mut String, name: &str, before: &str, after: &str) -> Result {
    if before == after {
        writeln!(out, "          {name:<8} {before}")
    } else {
        writeln!(out, "          {name:<8} {before} -> {after}")
    }
}
