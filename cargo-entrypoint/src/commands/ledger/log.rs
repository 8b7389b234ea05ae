//! `cargo entrypoint ledger log`

use std::fmt::Write;

use anyhow::Result;
use ledger::{Ledger, Names, TransactionRecord};
use loader::display::escape_control;
use loader::fixture::time_text;
use loader::logged_text;
use serde_json::{Value, json};

use super::Done;
use super::known::key_json;
use crate::arguments::ledger::LogArguments;
use crate::text::grouped;

pub fn log(ledger: &Ledger, options: &LogArguments) -> Result<Done> {
    let records = ledger.history(options.most)?;
    let json: Vec<Value> = records.iter().map(record_json).collect();
    let json = json!({ "error": null, "transactions": json });
    if records.is_empty() && options.most > 0 {
        return Ok(Done::new("there are no transactions\n", json));
    }
    let mut text = String::new();
    for record in &records {
        write_record(&mut text, record)?;
    }
    Ok(Done::new(text, json))
}

fn write_record(text: &mut String, record: &TransactionRecord) -> Result<()> {
    let names = Names::new();
    let end = match record.error {
        None => "succeeded",
        Some(_) => "failed",
    };
    let time = time_text(record.unix_timestamp_ms);
    let gas = grouped(record.gas_used);
    writeln!(
        text,
        "{} {end}, slot {}, {time}, {gas} gas",
        record.number, record.slot
    )?;
    for instruction in &record.transaction.instructions {
        write!(text, "  {}", names.show(&instruction.program_id))?;
        for account in &instruction.accounts {
            let flags = match (account.is_signer, account.is_writable) {
                (false, false) => "",
                (true, false) => ":s",
                (false, true) => ":w",
                (true, true) => ":sw",
            };
            write!(text, " {}{flags}", names.show(&account.key))?;
        }
        if !instruction.data.is_empty() {
            write!(text, " data {}", hex::encode(&instruction.data))?;
        }
        writeln!(text)?;
    }
    if let Some(error) = &record.error {
        writeln!(text, "  {}", names.in_text(&escape_control(error)))?;
    }
    // As `send` prints them: without the lines that the runtime adds around a program's own.
    for line in record.logs.iter().filter_map(|line| logged_text(line)) {
        writeln!(text, "  log: {}", names.in_text(&escape_control(line)))?;
    }
    Ok(())
}

fn record_json(record: &TransactionRecord) -> Value {
    let instructions = record.transaction.instructions.iter().map(|instruction| {
        let accounts = instruction.accounts.iter().map(|account| {
            json!({
                "key": key_json(&account.key),
                "signer": account.is_signer,
                "writable": account.is_writable,
            })
        });
        json!({
            "program_id": key_json(&instruction.program_id),
            "accounts": accounts.collect::<Vec<_>>(),
            "data": hex::encode(&instruction.data),
        })
    });
    json!({
        "number": record.number,
        "slot": record.slot,
        "unix_timestamp_ms": record.unix_timestamp_ms,
        "error": record.error,
        "payer": record.transaction.payer.as_ref().map(key_json),
        "instructions": instructions.collect::<Vec<_>>(),
        "gas_used": record.gas_used,
        "gas_limit": record.gas_limit,
        "fee": record.fee,
        "logs": record.logs,
        "return_data": hex::encode(&record.return_data),
    })
}
