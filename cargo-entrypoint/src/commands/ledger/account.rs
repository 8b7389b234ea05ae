//! `cargo entrypoint ledger account`, `accounts`, `airdrop` and `create`

use std::fmt::Write;

use anyhow::{Context, Result, bail};
use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, Table};
use ledger::{Account, Ledger, Names};
use serde_json::{Value, json};

use super::known::{key_json, key_text};
use super::words::{MAX_DATA, all_bytes};
use super::{Done, open_or_create};
use crate::arguments::ledger::{
    AccountArguments, AirdropArguments, CreateArguments, LedgerArguments,
};
use crate::text::grouped;

/// How many bytes of an account's data a line shows.
const BYTES_PER_LINE: usize = 32;

/// The most bytes of an account's data that are shown; JSON has them all.
const SHOWN_BYTES: usize = 1_024;

pub fn show(ledger: &Ledger, options: &AccountArguments) -> Result<Done> {
    let Some(account) = ledger.account(&options.key) else {
        let text = format!("there is no account {}\n", key_text(&options.key));
        return Ok(Done::failed(
            text,
            json!({ "error": null, "account": null }),
        ));
    };
    let json = json!({ "error": null, "account": account_json(&account) });
    Ok(Done::new(text(&account)?, json))
}

pub fn list(ledger: &Ledger) -> Done {
    let accounts: Vec<&Account> = ledger.accounts().map(|account| &**account).collect();
    let json: Vec<Value> = accounts
        .iter()
        .map(|account| account_json(account))
        .collect();
    let json = json!({ "error": null, "accounts": json });
    if accounts.is_empty() {
        return Done::new("there are no accounts\n", json);
    }
    let names = Names::new();
    let rows = accounts.iter().map(|account| {
        let kind = match account.executable {
            true => "program".to_owned(),
            false => names.show(&account.owner),
        };
        let kelvins = grouped(account.kelvins);
        let length = grouped(account.data.len() as u64);
        [names.show(&account.key), kelvins, length, kind]
    });
    let mut table = Table::new();
    table
        .load_preset(NOTHING)
        .set_header(["account", "kelvins", "bytes", "owner"])
        .add_rows(rows);
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 2));
        if [1, 2].contains(&index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    Done::new(format!("{}\n", table.trim_fmt()), json)
}

pub fn airdrop(ledger: &mut Ledger, options: &AirdropArguments) -> Result<Done> {
    let before = ledger.kelvins(&options.key);
    if before.checked_add(options.kelvins).is_none() {
        bail!(
            "{} has {} kelvins, and an account holds at most {}; give it fewer",
            key_text(&options.key),
            grouped(before),
            grouped(u64::MAX)
        );
    }
    ledger.airdrop(options.key, options.kelvins)?;
    let kelvins = ledger.kelvins(&options.key);
    let text = format!(
        "{} has {} kelvins\n",
        key_text(&options.key),
        grouped(kelvins)
    );
    let json = json!({ "error": null, "key": key_json(&options.key), "kelvins": kelvins });
    Ok(Done::new(text, json))
}

pub fn create(arguments: &LedgerArguments, options: &CreateArguments) -> Result<Done> {
    let mut data = all_bytes(&options.data)?;
    let length = u64::try_from(data.len())?.saturating_add(options.space);
    if length > MAX_DATA as u64 {
        bail!(
            "an account has at most {} bytes of data, and this one would have {}",
            grouped(MAX_DATA as u64),
            grouped(length)
        );
    }
    data.resize(usize::try_from(length)?, 0);
    if options.kelvins == Some(0) {
        bail!("an account without kelvins does not exist; give it at least 1");
    }
    // Only now: a command that does nothing makes no file.
    let mut ledger = open_or_create(arguments)?;
    if ledger.account(&options.key).is_some() {
        bail!("there is an account {} already", key_text(&options.key));
    }
    let rent = ledger.sysvars().rent.minimum_balance(data.len());
    let kelvins = options.kelvins.unwrap_or(rent);
    ledger.set_account(Account {
        key: options.key,
        owner: options.owner,
        kelvins,
        data: data.into(),
        ..Account::default()
    })?;
    let account = ledger
        .account(&options.key)
        .context("the account is there")?;
    let json = json!({ "error": null, "account": account_json(&account) });
    Ok(Done::new(text(&account)?, json))
}

/// An account for people.
fn text(account: &Account) -> Result<String> {
    let names = Names::new();
    let mut text = format!("{}\n", key_text(&account.key));
    writeln!(text, "owner    {}", names.show(&account.owner))?;
    writeln!(text, "kelvins  {}", grouped(account.kelvins))?;
    if account.executable {
        let length = grouped(account.data.len() as u64);
        writeln!(text, "data     a program, {length} bytes")?;
        return Ok(text);
    }
    writeln!(
        text,
        "data     {} bytes",
        grouped(account.data.len() as u64)
    )?;
    let shown = account.data.get(..SHOWN_BYTES).unwrap_or(&account.data);
    for (index, bytes) in shown.chunks(BYTES_PER_LINE).enumerate() {
        writeln!(
            text,
            "  {:>6}  {}",
            index * BYTES_PER_LINE,
            hex::encode(bytes)
        )?;
    }
    if shown.len() < account.data.len() {
        writeln!(text, "  …; --json prints all bytes")?;
    }
    Ok(text)
}

/// An account as JSON.
pub fn account_json(account: &Account) -> Value {
    json!({
        "key": key_json(&account.key),
        "owner": key_json(&account.owner),
        "kelvins": account.kelvins,
        "data": hex::encode(&account.data),
        "executable": account.executable,
        "rent_epoch": account.rent_epoch,
    })
}
