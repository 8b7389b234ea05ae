//! Writes an input as a fixture.

use std::path::Path;

use anyhow::{Context, Result};
use loader::fixture::Surroundings;
use loader::{Account, AccountEntry, Failure, Invocation, ProcessedInstruction, Runtime};
use toml::{Table, Value};

/// The fixture of an input that was made of a seed. It keeps what the program can reach beyond its
/// own input, and expects the failure. `seed` is the seed's text, `surroundings` are what it says,
/// and `folder_change` leads from the folder of the new fixture to that of the seed.
///
/// # Errors
///
/// If the seed is not TOML.
pub fn write(
    seed: Option<&str>,
    surroundings: &Surroundings,
    runtime: Runtime,
    folder_change: &Path,
    invocation: &Invocation,
    failure: &Failure,
) -> Result<String> {
    let mut table: Table = match seed {
        Some(text) => toml::from_str(text).context("the seed is not TOML")?,
        None => Table::new(),
    };
    table.insert("as".into(), text(runtime.name()));
    table.insert("program_id".into(), text(invocation.program_id));
    table.insert("data".into(), hex(&invocation.data));
    table.insert("gas".into(), number(invocation.gas)?);
    table.insert(
        "account_table".into(),
        Value::Boolean(invocation.account_table),
    );
    let accounts: Vec<Value> = invocation
        .accounts
        .iter()
        .map(|entry| {
            let mut account = Table::new();
            match entry {
                AccountEntry::Repeat(first) => {
                    account.insert("repeat".into(), number(*first as u64)?);
                }
                AccountEntry::First(input) => {
                    account = described(&input.account)?;
                    account.insert("signer".into(), Value::Boolean(input.is_signer));
                    account.insert("writable".into(), Value::Boolean(input.is_writable));
                }
            }
            Ok(Value::Table(account))
        })
        .collect::<Result<_>>()?;
    set_list(&mut table, "accounts", accounts);
    // Data, and the seeds of keys, may come from files beside the seed, so the bytes are written.
    let others = surroundings.accounts.iter();
    let others = others.map(|account| described(account).map(Value::Table));
    set_list(&mut table, "other_accounts", others.collect::<Result<_>>()?);
    let processed = surroundings.processed.iter();
    let processed = processed.map(|instruction| Value::Table(processed_before(instruction)));
    set_list(&mut table, "processed", processed.collect());
    // The paths of other programs start at the folder of the fixture.
    let programs = surroundings.programs.iter().map(|program| {
        let path = folder_change.join(&program.path);
        let mut written = Table::new();
        written.insert("id".into(), text(program.id));
        written.insert("path".into(), text(path.display()));
        Value::Table(written)
    });
    set_list(&mut table, "programs", programs.collect());
    // All bytes are in hexadecimal, so none has a layout.
    table.remove("layouts");
    let mut expect = Table::new();
    expect.insert("failure".into(), Value::String(failure.kind().to_owned()));
    table.insert("expect".into(), Value::Table(expect));
    Ok(toml::to_string(&table)?)
}

/// An account as a fixture has it.
fn described(account: &Account) -> Result<Table> {
    let mut written = Table::new();
    written.insert("key".into(), text(account.key));
    written.insert("owner".into(), text(account.owner));
    written.insert("kelvins".into(), number(account.kelvins)?);
    written.insert("data".into(), hex(&account.data));
    written.insert("executable".into(), Value::Boolean(account.executable));
    written.insert("rent_epoch".into(), number(account.rent_epoch)?);
    Ok(written)
}

/// An instruction that was processed before, as a fixture has it.
fn processed_before(instruction: &ProcessedInstruction) -> Table {
    let accounts = instruction.accounts.iter().map(|meta| {
        let mut written = Table::new();
        written.insert("key".into(), text(meta.key));
        written.insert("signer".into(), Value::Boolean(meta.is_signer != 0));
        written.insert("writable".into(), Value::Boolean(meta.is_writable != 0));
        Value::Table(written)
    });
    let mut written = Table::new();
    written.insert("program".into(), text(instruction.program_id));
    written.insert("data".into(), hex(&instruction.data));
    written.insert("accounts".into(), Value::Array(accounts.collect()));
    written
}

/// Sets a list of tables, or removes an empty one.
fn set_list(table: &mut Table, name: &str, list: Vec<Value>) {
    if list.is_empty() {
        table.remove(name);
    } else {
        table.insert(name.into(), Value::Array(list));
    }
}

fn hex(bytes: &[u8]) -> Value {
    Value::String(hex::encode(bytes))
}

fn text(value: impl std::fmt::Display) -> Value {
    Value::String(value.to_string())
}

/// A number of TOML, which has 63 bits.
fn number(number: u64) -> Result<Value> {
    match i64::try_from(number) {
        Ok(number) => Ok(Value::Integer(number)),
        Err(_) => anyhow::bail!("{number} is too large for a fixture"),
    }
}
