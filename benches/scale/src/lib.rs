//! Measures how time, gas and memory grow: with the number of accounts, the length of an account's
//! data, the number of loaded programs, and the number of invocations in one process.
//!
//! `cargo xtask scale` builds the guests, runs the binary of this package in a process for each
//! [`Part`], and draws what it prints.
#![forbid(unsafe_code)]

mod accounts;
mod data;
mod invocations;
pub mod memory;
mod programs;
mod time;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use ledger::Pubkey;
use loader::{AccountInput, Engine, Invocation, Loader};
use strum::{EnumIter, EnumString, IntoStaticStr};

/// The address of every program here.
const PROGRAM_ID: Pubkey = Pubkey::new([1; 32]);

/// What is measured in a process of its own, so that its memory is not that of another part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, EnumString, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum Part {
    /// Time and gas of an invocation, by the number of its accounts.
    Accounts,
    /// Time of an invocation, by the length of one account's data.
    Data,
    /// Time and memory of loading programs on the interpreter, by the number of those loaded.
    ProgramsInterpreter,
    /// The same on the compiling engine.
    ProgramsCompiler,
    /// Memory and time during many invocations on the interpreter, by the number of those run.
    InvocationsInterpreter,
    /// The same on the compiling engine.
    InvocationsCompiler,
    /// The same through a ledger, on the interpreter.
    InvocationsLedger,
}

impl Part {
    /// The name, as the binary takes it.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// The name of the file that has the rows: those of all engines.
    #[must_use]
    pub fn file(self) -> &'static str {
        let name = self.name();
        name.split_once('-').map_or(name, |(file, _)| file)
    }
}

/// How much is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    /// All points, each often: minutes.
    Full,
    /// A few points, each once or twice: seconds even without optimization. The figures mean
    /// nothing.
    Quick,
}

/// The blobs of the programs that are measured.
#[derive(Clone, Debug)]
pub struct Blobs {
    /// Returns at once.
    pub no_op: Vec<u8>,
    /// `examples/counter`: changes 8 bytes of its account.
    pub counter: Vec<u8>,
    /// `examples/token`.
    pub token: Vec<u8>,
}

impl Blobs {
    /// The names of the files in [`read`](Self::read)'s folder.
    pub const FILES: [&'static str; 3] = ["no_op.polkavm", "counter.polkavm", "token.polkavm"];

    /// Reads the blobs from a folder.
    ///
    /// # Errors
    ///
    /// If a file cannot be read.
    pub fn read(folder: &Path) -> Result<Self> {
        let read = |name| {
            let path: PathBuf = folder.join(name);
            fs::read(&path).with_context(|| format!("cannot read the blob {}", path.display()))
        };
        let [no_op, counter, token] = Self::FILES;
        Ok(Self {
            no_op: read(no_op)?,
            counter: read(counter)?,
            token: read(token)?,
        })
    }
}

/// One point of a curve.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The curve, with the unit of its value.
    pub series: String,
    /// How many there are: accounts, bytes, programs or invocations.
    pub x: u64,
    /// The value in the series' unit.
    pub value: f64,
}

impl Row {
    fn new(series: impl Into<String>, x: u64, value: f64) -> Self {
        let series = series.into();
        Self { series, x, value }
    }
}

/// Measures a part. An engine that cannot run on this computer is left out, and the standard error
/// says so.
///
/// # Errors
///
/// If a program does not load, or an invocation does not end as expected.
pub fn measure(part: Part, effort: Effort, blobs: &Blobs) -> Result<Vec<Row>> {
    match part {
        Part::Accounts => accounts::measure(effort, blobs),
        Part::Data => data::measure(effort, blobs),
        Part::ProgramsInterpreter => programs::measure(effort, blobs, Engine::Interpreter),
        Part::ProgramsCompiler => programs::measure(effort, blobs, Engine::Compiler),
        Part::InvocationsInterpreter => {
            invocations::in_loader(effort, &blobs.counter, Engine::Interpreter)
        }
        Part::InvocationsCompiler => {
            invocations::in_loader(effort, &blobs.counter, Engine::Compiler)
        }
        Part::InvocationsLedger => invocations::in_ledger(effort, &blobs.counter),
    }
}

/// A loader on an engine, if it can run on this computer.
fn loader(engine: Engine) -> Option<Loader> {
    Loader::new(engine)
        .inspect_err(|error| eprintln!("skipped: {error}"))
        .ok()
}

/// The loaders of both engines of PolkaVM that can run on this computer.
fn loaders() -> Vec<Loader> {
    Engine::POLKAVM.into_iter().filter_map(loader).collect()
}

/// A call with writable accounts of this length, which the program owns.
fn invocation(accounts: u8, length: usize) -> Invocation {
    (0..accounts).fold(Invocation::new(PROGRAM_ID), |invocation, index| {
        let mut key = [2; 32];
        key[0] = index;
        let account = AccountInput::new(Pubkey::new(key))
            .owner(PROGRAM_ID)
            .kelvins(1_000)
            .data(data_of(length))
            .writable();
        invocation.account(account)
    })
}

/// Data of this length: a counter at 0, and then bytes that are not zeros.
fn data_of(length: usize) -> Vec<u8> {
    let counter = [0; 8];
    let rest = (0..length).map(|index| index as u8 | 1);
    counter.into_iter().chain(rest).take(length).collect()
}
