//! `cargo entrypoint ledger`

mod account;
mod address;
mod deploy;
mod file;
mod known;
mod log;
mod send;
mod time;
pub mod words;

use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use ledger::{Ledger, StorageError};
use loader::{Engine, InvocationError, LoadError};
use serde_json::Value;

use crate::arguments::ledger::{LedgerArguments, LedgerCommand};
use crate::report;

/// What a command prints, and how it ended.
struct Done {
    text: String,
    json: Value,
    exit_code: ExitCode,
}

impl Done {
    fn new(text: impl Into<String>, json: Value) -> Self {
        Self {
            text: text.into(),
            json,
            exit_code: ExitCode::SUCCESS,
        }
    }

    /// As [`new`](Self::new), for a transaction that failed or an account that does not exist.
    fn failed(text: impl Into<String>, json: Value) -> Self {
        Self {
            exit_code: ExitCode::from(report::EXIT_FAILED),
            ..Self::new(text, json)
        }
    }

    /// As [`new`](Self::new), for a transaction whose effects cannot be stored.
    fn not_done(text: impl Into<String>, json: Value) -> Self {
        Self {
            exit_code: ExitCode::from(report::EXIT_NOT_RUN),
            ..Self::new(text, json)
        }
    }
}

pub fn ledger(arguments: &LedgerArguments) -> Result<ExitCode> {
    match run(arguments) {
        Ok(done) => {
            if arguments.json {
                report::print(&report::json::value(&done.json)?)?;
            } else {
                report::print(&done.text)?;
            }
            Ok(done.exit_code)
        }
        Err(error) => {
            if arguments.json {
                let description = format!("{error:#}");
                report::print(&report::json::only_error(kind(&error), &description)?)?;
            }
            Err(error)
        }
    }
}

fn run(arguments: &LedgerArguments) -> Result<Done> {
    match &arguments.command {
        // Building takes long, and the file is not open in the meantime.
        LedgerCommand::Deploy(options) => deploy::deploy(arguments, options),
        LedgerCommand::Send(options) => send::send(&mut open(arguments)?, options),
        LedgerCommand::Transfer(options) => send::transfer(&mut open(arguments)?, options),
        LedgerCommand::Airdrop(options) => {
            account::airdrop(&mut open_or_create(arguments)?, options)
        }
        LedgerCommand::Create(options) => account::create(arguments, options),
        LedgerCommand::Address(options) => address::address(options),
        LedgerCommand::Account(options) => account::show(&open(arguments)?, options),
        LedgerCommand::Accounts => Ok(account::list(&open(arguments)?)),
        LedgerCommand::Log(options) => log::log(&open(arguments)?, options),
        LedgerCommand::Warp(options) => time::warp(arguments, options),
    }
}

/// The ledger, which must exist.
fn open(arguments: &LedgerArguments) -> Result<Ledger> {
    let path = &arguments.ledger;
    if !path.exists() {
        bail!(
            "there is no ledger {}; `cargo entrypoint ledger deploy`, `airdrop` or `create` \
             begins one, and --ledger names another file",
            path.display()
        );
    }
    open_or_create(arguments)
}

/// How long a command waits for another one that uses the file.
const MAX_WAIT: Duration = Duration::from_secs(2);

/// The ledger. Waits for a command that uses the file, such as another one of the same script.
fn open_or_create(arguments: &LedgerArguments) -> Result<Ledger> {
    let begin = Instant::now();
    loop {
        match Ledger::open(&arguments.ledger) {
            Err(StorageError::InUse { .. }) if begin.elapsed() < MAX_WAIT => {
                thread::sleep(Duration::from_millis(20));
            }
            opened => return Ok(opened?),
        }
    }
}

/// The stable name of an error.
fn kind(error: &anyhow::Error) -> &'static str {
    if let Some(StorageError::InUse { .. }) = error.downcast_ref() {
        "InUse"
    } else if error.downcast_ref::<StorageError>().is_some() {
        "Storage"
    } else if let Some(error) = error.downcast_ref::<LoadError>() {
        error.kind()
    } else if let Some(error) = error.downcast_ref::<InvocationError>() {
        error.kind()
    } else {
        "NotDone"
    }
}

/// The engine of the ledger's programs.
const ENGINE: Engine = Engine::Interpreter;
