//! `cargo entrypoint ledger send` and `transfer`

use anyhow::{Context, Result};
use ledger::{Instruction, Ledger, Transaction, TransactionError, TransactionOutcome, system};
use serde_json::{Value, json};

use super::account::account_json;
use super::known::{Known, key_json};
use super::words::{AccountWord, all_bytes};
use super::{Done, file};
use crate::arguments::ledger::{SendArguments, TransferArguments};

pub fn send(ledger: &mut Ledger, options: &SendArguments) -> Result<Done> {
    let transaction = match &options.file {
        Some(path) => file::read(path)?,
        None => transaction(options)?,
    };
    let outcome = match options.simulate {
        true => ledger.simulate(transaction),
        false => ledger.send(transaction),
    };
    Ok(done(ledger, &outcome))
}

pub fn transfer(ledger: &mut Ledger, options: &TransferArguments) -> Result<Done> {
    let outcome = ledger.send(system::transfer(options.from, options.to, options.kelvins));
    Ok(done(ledger, &outcome))
}

fn transaction(options: &SendArguments) -> Result<Transaction> {
    let program_id = options
        .program
        .context("the command line has a program or a file")?;
    let accounts = options.accounts.iter().map(|AccountWord(meta)| *meta);
    let instruction = Instruction::new(program_id)
        .accounts(accounts)
        .data(all_bytes(&options.data)?);
    let mut transaction = Transaction::new([instruction]);
    transaction.payer = options.payer;
    transaction.gas = options.gas;
    transaction.heap = options.heap;
    Ok(transaction)
}

fn done(ledger: &Ledger, outcome: &TransactionOutcome) -> Done {
    let known = Known::of(ledger, outcome);
    let text = outcome.report(&known).to_string();
    let json = outcome_json(outcome);
    match &outcome.error {
        None => Done::new(text, json),
        Some(TransactionError::NotStored { .. }) => Done::not_done(text, json),
        Some(_) => Done::failed(text, json),
    }
}

/// The outcome of a transaction as JSON.
fn outcome_json(outcome: &TransactionOutcome) -> Value {
    let failed = outcome.failed_program();
    let error = outcome.error.as_ref().map(|error| {
        json!({
            "kind": failed.as_ref().map_or(error.kind(), |(_, failure)| failure.kind()),
            "description": error.to_string(),
            "failed_program": failed.as_ref().map(|(program_id, _)| key_json(program_id)),
        })
    });
    let instructions = outcome.instructions.iter().map(|instruction| {
        json!({
            "program_id": key_json(&instruction.program_id),
            "status": instruction.status,
            "gas_used": instruction.gas_used,
            "logs": instruction.logs,
            "return_data": hex::encode(&instruction.return_data),
            "calls": instruction.calls,
        })
    });
    let changes = outcome.changes().map(|change| {
        json!({
            "key": key_json(&change.key),
            "before": change.before.as_deref().map(account_json),
            "after": change.after.as_deref().map(account_json),
        })
    });
    json!({
        "error": error,
        "gas_used": outcome.gas_used,
        "gas_limit": outcome.gas_limit,
        "fee": outcome.fee,
        "instructions": instructions.collect::<Vec<_>>(),
        "changes": changes.collect::<Vec<_>>(),
    })
}
