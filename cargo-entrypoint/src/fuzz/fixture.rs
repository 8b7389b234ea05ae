//! Writes an input as a fixture.

use anyhow::{Context, Result};
use loader::{AccountEntry, Failure, Invocation};
use toml::{Table, Value};

/// The fixture of an input that was made of a seed. It keeps what the program can reach beyond its
/// own input, and expects the failure. `seed` is the seed's text, and `folder_change` leads from
/// the folder of the new fixture to that of the seed.
///
/// # Errors
///
/// If the seed is not TOML.
pub fn write(
    seed: Option<&str>,
    folder_change: &std::path::Path,
    invocation: &Invocation,
    failure: &Failure,
) -> Result<String> {
    let mut table: Table = match seed {
        Some(text) => toml::from_str(text).context("the seed is not TOML")?,
        None => Table::new(),
    };
    let hex = |bytes: &[u8]| Value::String(hex::encode(bytes));
    table.insert("program_id".into(), text(invocation.program_id));
    table.insert("data".into(), hex(&invocation.data));
    table.insert("gas".into(), number(invocation.gas)?);
    table.insert("heap".into(), number(invocation.heap_size.into())?);
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
                    account.insert("key".into(), text(input.account.key));
                    account.insert("owner".into(), text(input.account.owner));
                    account.insert("kelvins".into(), number(input.account.kelvins)?);
                    account.insert("data".into(), hex(&input.account.data));
                    account.insert("signer".into(), Value::Boolean(input.is_signer));
                    account.insert("writable".into(), Value::Boolean(input.is_writable));
                    let executable = input.account.executable;
                    account.insert("executable".into(), Value::Boolean(executable));
                    account.insert("rent_epoch".into(), number(input.account.rent_epoch)?);
                }
            }
            Ok(Value::Table(account))
        })
        .collect::<Result<_>>()?;
    if accounts.is_empty() {
        table.remove("accounts");
    } else {
        table.insert("accounts".into(), Value::Array(accounts));
    }
    // The paths of other programs start at the folder of the fixture.
    if let Some(Value::Array(programs)) = table.get_mut("programs") {
        for program in programs {
            if let Some(Value::String(path)) = program.get_mut("path") {
                *path = folder_change.join(&*path).display().to_string();
            }
        }
    }
    let mut expect = Table::new();
    expect.insert("failure".into(), Value::String(failure.kind().to_owned()));
    table.insert("expect".into(), Value::Table(expect));
    Ok(toml::to_string(&table)?)
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
