//! Scenarios: files with several steps that keep state.
//!
//! ```
//! use ledger::scenario::Scenario;
//!
//! let scenario = Scenario::parse(
//!     r#"
//!     title = "Alice counts twice"
//!
//!     [programs]
//!     counter = "../examples/counter"      # its package, or its file
//!
//!     [accounts]
//!     alice = {}                           # an account of the system program
//!     tally = { owner = "$counter", data = [{ u64 = 41 }] }
//!
//!     [[steps]]
//!     title = "Alice counts"
//!     program = "counter"
//!     accounts = ["$tally writable"]
//!
//!     [steps.expect.accounts]
//!     tally = { data = [{ u64 = 42 }] }
//!     "#,
//! )?;
//! assert_eq!(scenario.steps.len(), 1);
//! // It can be printed, and read again.
//! assert_eq!(Scenario::parse(&scenario.to_string())?, scenario);
//! # Ok::<(), ledger::scenario::ScenarioError>(())
//! ```
//!
//! `docs/scenarios.md` describes the file. [`run`] runs a scenario.

use std::path::{Path, PathBuf};
use std::time::Duration;

use loader::sysvars::Clock;
use loader::{Pubkey, ids};

use crate::instruction::{AccountMeta, Instruction};
use crate::settings::Fee;
use crate::transaction::Transaction;

mod compare;
mod file;
mod judge;
mod read;
mod report;
mod run;
#[cfg(test)]
mod tests;
mod write;

pub use run::{ProgramFile, RunError, ScenarioOutcome, StepOutcome, run};

pub use loader::fixture::{Derived, ExpectedStatus, Field, Fields, Names, Value};

/// Programs, accounts, and steps that happen one after the other.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Scenario {
    /// What the scenario shows; empty if it has no title.
    pub title: String,
    /// The programs that are deployed at the start.
    pub programs: Vec<ScenarioProgram>,
    /// The names of keys. `system` is the system program.
    pub names: Names,
    /// The clock at the start.
    pub clock: Clock,
    /// The random seed.
    pub random_seed: u64,
    /// What each transaction with a payer costs it.
    pub fee: Fee,
    /// The accounts at the start.
    pub accounts: Vec<AccountState>,
    /// The steps.
    pub steps: Vec<Step>,
}

/// A program that a scenario deploys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScenarioProgram {
    /// Its name, without the `$`.
    pub name: String,
    /// Its id.
    pub id: Pubkey,
    /// The folder of its package, or its file; relative to the folder of the scenario's file.
    pub path: PathBuf,
}

/// An account that a scenario sets.
#[derive(Clone, Debug, PartialEq)]
pub struct AccountState {
    /// Its address.
    pub key: Pubkey,
    /// Its owner.
    pub owner: Pubkey,
    /// Its kelvins: if `None`, the least that its data needs. With 0 it does not exist.
    pub kelvins: Option<u64>,
    /// Its data.
    pub data: Fields,
}

/// One step of a scenario.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// What happens; empty if the step has no title.
    pub title: String,
    /// What the step does.
    pub action: Action,
    /// What is expected of it.
    pub expect: Option<Expect>,
}

/// What a [`Step`] does.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Action {
    /// Sends a transaction.
    Transaction(ScenarioTransaction),
    /// Lets time pass.
    Warp(Duration),
    /// Sets the time: milliseconds since 1970.
    WarpTo(i64),
    /// Gives accounts kelvins out of nothing.
    Airdrop(Vec<(Pubkey, u64)>),
    /// Sets accounts as they are described.
    Set(Vec<AccountState>),
    /// Deploys programs: each id, and the folder of the package, or the file.
    Deploy(Vec<(Pubkey, PathBuf)>),
}

/// A transaction whose instruction data has fields.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ScenarioTransaction {
    /// The instructions, in order.
    pub instructions: Vec<ScenarioInstruction>,
    /// The account that pays the fee.
    pub payer: Option<Pubkey>,
    /// The most gas of all instructions together.
    pub gas: Option<u64>,
    /// The length of each program's heap in bytes.
    pub heap: Option<u32>,
}

/// An instruction whose data has fields.
#[derive(Clone, Debug, PartialEq)]
pub struct ScenarioInstruction {
    /// The program to call.
    pub program_id: Pubkey,
    /// The accounts that it gets, in order.
    pub accounts: Vec<AccountMeta>,
    /// The instruction data.
    pub data: Fields,
}

/// What is expected of a [`Step`]. What is `None` or empty is not compared.
///
/// The transaction is expected to succeed, unless there is an `error` or `success` is false.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Expect {
    /// Whether the transaction succeeds, if no `error` says it.
    pub success: Option<bool>,
    /// How the transaction fails: the status of the program that failed, by number or name, or the
    /// kind of the [`Failure`](loader::Failure) or of the
    /// [`TransactionError`](crate::TransactionError).
    pub error: Option<ExpectedStatus>,
    /// What all programs log, all of it, without the lines that the runtime adds.
    pub logs: Option<Vec<String>>,
    /// Texts, each of which is in some log line.
    pub logs_contain: Vec<String>,
    /// The return data of the last instruction.
    pub return_data: Option<Fields>,
    /// The gas used on riscv64. On other targets it is not compared.
    pub gas_used: Option<u64>,
    /// Accounts after the step.
    pub accounts: Vec<ExpectedState>,
}

/// What is expected of an account after a [`Step`]. What is `None` is not compared.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ExpectedState {
    /// Its address.
    pub key: Pubkey,
    /// Whether it does not exist. Then the other fields are `None`.
    pub is_gone: bool,
    /// Its owner.
    pub owner: Option<Pubkey>,
    /// Its kelvins.
    pub kelvins: Option<ExpectedKelvins>,
    /// Its data.
    pub data: Option<Fields>,
}

/// The kelvins that are expected of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExpectedKelvins {
    /// So many.
    Exactly(u64),
    /// So many more than before the step.
    More(u64),
    /// So many less than before the step.
    Less(u64),
}

/// Why a scenario cannot be used. The text names the file, the line and the column.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScenarioError {
    /// The file cannot be read.
    #[error("cannot read the scenario {}: {reason}", shown(path))]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's error.
        reason: String,
    },
    /// The text is not a valid scenario.
    #[error(
        "invalid scenario{}: {}",
        path.as_ref().map_or_else(String::new, |path| format!(" {}", shown(path))),
        loader::display::escape_control_in_lines(reason)
    )]
    Invalid {
        /// The file, if it came from one.
        path: Option<PathBuf>,
        /// The reason, and its place in the text.
        reason: String,
    },
}

fn shown(path: &Path) -> String {
    loader::display::escape_control(&path.display().to_string())
}

/// The key that a name without a key of its own stands for.
pub use crate::names::key as key_of;

/// The names that every scenario has.
const OWN_NAMES: [(&str, Pubkey); 1] = [("system", ids::SYSTEM_PROGRAM)];

impl Scenario {
    /// A scenario without programs, accounts and steps.
    #[must_use]
    pub fn new() -> Self {
        let mut names = Names::default();
        for (name, key) in OWN_NAMES {
            names.add(name, key);
        }
        Self {
            title: String::new(),
            programs: Vec::new(),
            names,
            clock: Clock::default(),
            random_seed: 0,
            fee: Fee::default(),
            accounts: Vec::new(),
            steps: Vec::new(),
        }
    }

    /// Sets the title.
    #[must_use]
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = title.into();
        self
    }

    /// Gives a key a name, by which files and reports call it. A name has letters, digits, `_` and
    /// `-`.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>, key: Pubkey) -> Self {
        self.names.add(name, key);
        self
    }

    /// Deploys a program at the start. `path` is the folder of its package, or its file.
    #[must_use]
    pub fn program(
        mut self,
        name: impl Into<String>,
        id: Pubkey,
        path: impl Into<PathBuf>,
    ) -> Self {
        let name = name.into();
        self.names.add(name.clone(), id);
        self.programs.push(ScenarioProgram {
            name,
            id,
            path: path.into(),
        });
        self
    }

    /// Sets an account at the start. An [`Account`](crate::Account) can be one.
    #[must_use]
    pub fn account(mut self, account: impl Into<AccountState>) -> Self {
        self.accounts.push(account.into());
        self
    }

    /// Adds a step.
    #[must_use]
    pub fn step(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }

    /// Whether any step expects something.
    #[must_use]
    pub fn has_expectations(&self) -> bool {
        self.steps.iter().any(|step| step.expect.is_some())
    }
}

impl Default for Scenario {
    fn default() -> Self {
        Self::new()
    }
}

impl Step {
    /// A step that does this, and expects nothing.
    #[must_use]
    pub fn new(action: Action) -> Self {
        Self {
            title: String::new(),
            action,
            expect: None,
        }
    }

    /// A step that sends a transaction.
    ///
    /// ```
    /// use ledger::scenario::{Scenario, Step, key_of};
    /// use ledger::{AccountMeta, Instruction};
    ///
    /// let [counter, tally] = ["counter", "tally"].map(key_of);
    /// let count = Instruction::new(counter).account(AccountMeta::writable(tally)).data([7]);
    /// let scenario = Scenario::new()
    ///     .program("counter", counter, "../counter")
    ///     .name("tally", tally)
    ///     .step(Step::transaction(count).title("count"));
    /// assert!(scenario.to_string().contains(r#"accounts = ["$tally writable"]"#));
    /// ```
    #[must_use]
    pub fn transaction(transaction: impl Into<Transaction>) -> Self {
        Self::new(Action::Transaction(transaction.into().into()))
    }

    /// Sets the title.
    #[must_use]
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = title.into();
        self
    }

    /// Expects this of the step.
    #[must_use]
    pub fn expect(mut self, expect: Expect) -> Self {
        self.expect = Some(expect);
        self
    }
}

impl From<crate::Account> for AccountState {
    fn from(account: crate::Account) -> Self {
        Self {
            key: account.key,
            owner: account.owner,
            kelvins: Some(account.kelvins),
            data: account.data.into_vec().into(),
        }
    }
}

impl From<Instruction> for ScenarioInstruction {
    fn from(instruction: Instruction) -> Self {
        Self {
            program_id: instruction.program_id,
            accounts: instruction.accounts,
            data: instruction.data.into(),
        }
    }
}

impl From<Transaction> for ScenarioTransaction {
    fn from(transaction: Transaction) -> Self {
        let instructions = transaction.instructions.into_iter();
        Self {
            instructions: instructions.map(ScenarioInstruction::from).collect(),
            payer: transaction.payer,
            gas: transaction.gas,
            heap: transaction.heap,
        }
    }
}

impl ScenarioTransaction {
    /// The transaction that a ledger runs.
    #[must_use]
    pub fn transaction(&self) -> Transaction {
        let instructions = self.instructions.iter().map(|instruction| {
            Instruction::new(instruction.program_id)
                .accounts(instruction.accounts.iter().copied())
                .data(instruction.data.bytes())
        });
        let mut transaction = Transaction::new(instructions);
        transaction.payer = self.payer;
        transaction.gas = self.gas;
        transaction.heap = self.heap;
        transaction
    }
}
