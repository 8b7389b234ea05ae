//! Runs a scenario.

use std::collections::HashMap;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use loader::display::escape_control;
use loader::fixture::{group_digits, time_text};
use loader::{Account, CustomError, Engine, Failure, ProgramError, Pubkey, ids};

use super::{AccountState, Action, Expect, Fields, Names, Scenario, Step};
use crate::error::{DeployError, StorageError, TransactionError};
use crate::ledger::Ledger;
use crate::outcome::{AccountChange, TransactionOutcome};

/// The file of a program that a scenario deploys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProgramFile {
    /// The file.
    pub bytes: Vec<u8>,
    /// The custom errors that it names.
    pub errors: Vec<CustomError>,
}

/// What a scenario did.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[must_use = "a step may not have done what is expected of it"]
pub struct ScenarioOutcome {
    /// The engine that ran the programs.
    pub engine: Engine,
    /// The title of the scenario.
    pub title: String,
    /// What each step did, in order.
    pub steps: Vec<StepOutcome>,
    /// The names of keys.
    pub names: Names,
    /// The fields of accounts, where the scenario describes them.
    pub(super) fields: HashMap<Pubkey, Fields>,
}

/// What a step did.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct StepOutcome {
    /// The title of the step, or what it does if it has no title.
    pub title: String,
    /// What its transaction did, if it has one.
    pub transaction: Option<TransactionOutcome>,
    /// Why the transaction failed, for people: with the names of keys and of the program's own
    /// errors.
    pub error: Option<String>,
    /// The accounts that the step changed.
    pub changes: Vec<AccountChange>,
    /// The differences from what is expected, one line each.
    pub differences: Vec<String>,
}

/// Why a scenario was not run to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// There is no file of a program.
    #[error("the scenario's program {}: {}", escape_control(&path.display().to_string()), chain(&**error))]
    Program {
        /// The path in the scenario.
        path: PathBuf,
        /// The error of the function that gets files.
        error: Box<dyn Error + Send + Sync>,
    },
    /// A program cannot be deployed.
    #[error("cannot deploy the scenario's program {}: {error}", escape_control(&path.display().to_string()))]
    Deploy {
        /// The path in the scenario.
        path: PathBuf,
        /// The ledger's error.
        error: DeployError,
    },
    /// An airdrop gives an account more kelvins than it can hold.
    #[error(
        "{account} has {} kelvins, and an account holds at most {}; an airdrop of {} is too much",
        group_digits(*before), group_digits(u64::MAX), group_digits(*airdrop)
    )]
    TooManyKelvins {
        /// The name of the account.
        account: String,
        /// Its kelvins.
        before: u64,
        /// The kelvins of the airdrop.
        airdrop: u64,
    },
    /// The ledger has a file, which cannot be written.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// An error and its causes.
fn chain(error: &(dyn Error + Send + Sync + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    text
}

/// Runs a scenario on a ledger. `load` gets the path of each program, as the scenario has it, and
/// returns the program's file for the target of the ledger's loader.
///
/// If a step does not do what is expected of it, the other steps run too.
///
/// ```
/// use std::path::Path;
///
/// use ledger::Ledger;
/// use ledger::scenario::{ProgramFile, Scenario, run};
///
/// let scenario = Scenario::parse(
///     r#"
///     [programs]
///     counter = "../examples/counter"
///
///     [accounts]
///     tally = { owner = "$counter", data = [{ name = "count", u64 = 41 }] }
///
///     [[steps]]
///     title = "Alice counts"
///     program = "counter"
///     accounts = ["$tally writable"]
///
///     [steps.expect.accounts]
///     tally = { data = [{ name = "count", u64 = 43 }] }
///     "#,
/// )?;
/// let load = |path: &Path| {
///     Ok(ProgramFile { bytes: program_test::build(path), errors: Vec::new() })
/// };
/// let outcome = run(&scenario, Ledger::new(), load)?;
/// assert_eq!(
///     outcome.differences(),
///     ["step 1 (Alice counts): data of $tally: `count`: expected 43, found 42"]
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// [`RunError`] if a program cannot be loaded, or the ledger's file cannot be written.
pub fn run(
    scenario: &Scenario,
    ledger: Ledger,
    load: impl FnMut(&Path) -> Result<ProgramFile, Box<dyn Error + Send + Sync>>,
) -> Result<ScenarioOutcome, RunError> {
    let engine = ledger.loader().engine();
    let mut run = Run {
        scenario,
        ledger: ledger.fee(scenario.fee),
        load,
        errors: HashMap::from([(ids::SYSTEM_PROGRAM, CustomError::of_system_program())]),
    };
    run.start()?;
    let mut steps = Vec::with_capacity(scenario.steps.len());
    for step in &scenario.steps {
        steps.push(run.step(step)?);
    }
    Ok(ScenarioOutcome {
        engine,
        title: scenario.title.clone(),
        steps,
        names: scenario.names.clone(),
        fields: fields(scenario),
    })
}

struct Run<'a, L> {
    scenario: &'a Scenario,
    ledger: Ledger,
    load: L,
    /// The errors of each program, by its id.
    errors: HashMap<Pubkey, Vec<CustomError>>,
}

impl<L> Run<'_, L>
where
    L: FnMut(&Path) -> Result<ProgramFile, Box<dyn Error + Send + Sync>>,
{
    fn start(&mut self) -> Result<(), RunError> {
        let scenario = self.scenario;
        let sysvars = self.ledger.sysvars().clone();
        let sysvars = sysvars
            .clock(scenario.clock)
            .random_seed(scenario.random_seed);
        self.ledger.set_sysvars(sysvars)?;
        for program in &scenario.programs {
            self.deploy(program.id, &program.path)?;
        }
        for account in &scenario.accounts {
            self.set(account)?;
        }
        Ok(())
    }

    fn deploy(&mut self, program_id: Pubkey, path: &Path) -> Result<(), RunError> {
        let file = (self.load)(path).map_err(|error| RunError::Program {
            path: path.to_owned(),
            error,
        })?;
        let deployed = self.ledger.deploy(program_id, &file.bytes);
        deployed.map_err(|error| RunError::Deploy {
            path: path.to_owned(),
            error,
        })?;
        self.errors.insert(program_id, file.errors);
        Ok(())
    }

    fn set(&mut self, state: &AccountState) -> Result<(), RunError> {
        let data = state.data.bytes();
        let least = self.ledger.sysvars().rent.minimum_balance(data.len());
        self.ledger.set_account(Account {
            key: state.key,
            owner: state.owner,
            kelvins: state.kelvins.unwrap_or(least),
            data: data.into(),
            ..Account::default()
        })?;
        Ok(())
    }

    fn step(&mut self, step: &Step) -> Result<StepOutcome, RunError> {
        let expected = step.expect.iter().flat_map(|expect| &expect.accounts);
        let mut keys: Vec<Pubkey> = expected.map(|account| account.key).collect();
        keys.extend(touched(&step.action));
        keys.sort();
        keys.dedup();
        let before: Vec<Option<Arc<Account>>> =
            keys.iter().map(|key| self.ledger.account(key)).collect();
        let transaction = self.act(&step.action)?;
        let states = keys.into_iter().zip(before);
        let states: Vec<AccountChange> = states
            .map(|(key, before)| AccountChange {
                key,
                before,
                after: self.ledger.account(&key),
            })
            .collect();
        let names = &self.scenario.names;
        let mut differences = Vec::new();
        // A step without expectations has to succeed, if others have some.
        let success = Expect::default();
        let is_judged = self.scenario.has_expectations();
        let expect = step.expect.as_ref().or(is_judged.then_some(&success));
        let error = transaction
            .as_ref()
            .and_then(|outcome| outcome.error.as_ref());
        let errors = self.errors_of(error);
        if let Some(expect) = expect {
            if let Some(outcome) = &transaction {
                let is_riscv64 = self.ledger.loader().engine().target() == loader::Target::Riscv64;
                expect.judge(outcome, is_riscv64, errors, names, &mut differences);
            }
            for account in &expect.accounts {
                let found = states.iter().find(|state| state.key == account.key);
                account.judge(found, names, &mut differences);
            }
        }
        let is_alone = match &step.action {
            Action::Transaction(transaction) => transaction.instructions.len() == 1,
            _ => false,
        };
        let changes = match &transaction {
            Some(outcome) => outcome.changes().cloned().collect(),
            None => states
                .into_iter()
                .filter(AccountChange::is_changed)
                .collect(),
        };
        Ok(StepOutcome {
            title: self.title(step),
            error: error.map(|error| describe(error, errors, names, is_alone)),
            transaction,
            changes,
            differences,
        })
    }

    fn act(&mut self, action: &Action) -> Result<Option<TransactionOutcome>, RunError> {
        match action {
            Action::Transaction(transaction) => {
                return Ok(Some(self.ledger.send(transaction.transaction())));
            }
            Action::Warp(time) => self.ledger.warp_by(*time)?,
            Action::WarpTo(time) => self.ledger.warp_to(*time)?,
            Action::Airdrop(airdrop) => {
                for (key, kelvins) in airdrop {
                    let before = self.ledger.kelvins(key);
                    if before.checked_add(*kelvins).is_none() {
                        return Err(RunError::TooManyKelvins {
                            account: self.scenario.names.text(key),
                            before,
                            airdrop: *kelvins,
                        });
                    }
                    self.ledger.airdrop(*key, *kelvins)?;
                }
            }
            Action::Set(accounts) => {
                for account in accounts {
                    self.set(account)?;
                }
            }
            Action::Deploy(programs) => {
                for (program_id, path) in programs {
                    self.deploy(*program_id, path)?;
                }
            }
        }
        Ok(None)
    }

    /// The custom errors of the program whose error it is.
    fn errors_of(&self, error: Option<&TransactionError>) -> &[CustomError] {
        let Some(TransactionError::InstructionFailed {
            program_id,
            failure,
            ..
        }) = error
        else {
            return &[];
        };
        let program_id = match &**failure {
            Failure::Called { program_id, .. } => program_id,
            _ => program_id,
        };
        self.errors.get(program_id).map_or(&[], Vec::as_slice)
    }

    /// The title, or what the step does.
    fn title(&self, step: &Step) -> String {
        if !step.title.is_empty() {
            return step.title.clone();
        }
        let names = &self.scenario.names;
        let list = |keys: Vec<&Pubkey>| {
            let keys = keys.into_iter().map(|key| names.text(key));
            keys.collect::<Vec<_>>().join(", ")
        };
        match &step.action {
            Action::Transaction(transaction) => {
                let programs = transaction.instructions.iter();
                format!(
                    "call {}",
                    list(programs.map(|call| &call.program_id).collect())
                )
            }
            Action::Warp(time) => format!("{} pass", span(*time)),
            Action::WarpTo(time) => format!("it is {}", time_text(*time)),
            Action::Airdrop(airdrop) => {
                let parts = airdrop.iter().map(|(key, kelvins)| {
                    format!("{} gets {}", names.text(key), group_digits(kelvins))
                });
                parts.collect::<Vec<_>>().join(", ")
            }
            Action::Set(accounts) => {
                format!(
                    "set {}",
                    list(accounts.iter().map(|account| &account.key).collect())
                )
            }
            Action::Deploy(programs) => {
                format!(
                    "deploy {}",
                    list(programs.iter().map(|(key, _)| key).collect())
                )
            }
        }
    }
}

/// A span of time for people: `1 day 2 h`.
fn span(time: Duration) -> String {
    let mut text = String::new();
    for character in humantime::format_duration(time).to_string().chars() {
        let follows_digit = text.ends_with(|last: char| last.is_ascii_digit());
        if follows_digit && character.is_ascii_alphabetic() {
            text.push(' ');
        }
        text.push(character);
    }
    text
}

/// The accounts that an action changes, other than a transaction.
fn touched(action: &Action) -> Vec<Pubkey> {
    match action {
        Action::Transaction(_) | Action::Warp(_) | Action::WarpTo(_) => Vec::new(),
        Action::Airdrop(airdrop) => airdrop.iter().map(|(key, _)| *key).collect(),
        Action::Set(accounts) => accounts.iter().map(|account| account.key).collect(),
        Action::Deploy(programs) => programs.iter().map(|(key, _)| *key).collect(),
    }
}

/// The fields of each account that the scenario describes by some.
fn fields(scenario: &Scenario) -> HashMap<Pubkey, Fields> {
    let mut known = HashMap::new();
    let mut add = |key: Pubkey, fields: &Fields| {
        // Bytes in hexadecimal have no fields.
        let has_fields = fields.0.iter().any(|field| field.value.kind() != "hex");
        if has_fields {
            known.entry(key).or_insert_with(|| fields.clone());
        }
    };
    for step in &scenario.steps {
        for account in step.expect.iter().flat_map(|expect| &expect.accounts) {
            if let Some(data) = &account.data {
                add(account.key, data);
            }
        }
        if let Action::Set(accounts) = &step.action {
            for account in accounts {
                add(account.key, &account.data);
            }
        }
    }
    for account in &scenario.accounts {
        add(account.key, &account.data);
    }
    known
}

/// Why a transaction failed, with names. `is_alone` if it has one instruction.
fn describe(
    error: &TransactionError,
    errors: &[CustomError],
    names: &Names,
    is_alone: bool,
) -> String {
    let text = names.in_text(&error.to_string());
    // The number says nothing if there is only one instruction.
    let text = match text.strip_prefix("instruction 0 of ") {
        Some(rest) if is_alone => rest.to_owned(),
        _ => text,
    };
    let Some(Failure::ProgramError {
        error: ProgramError::Custom(code),
    }) = error.failure()
    else {
        return text;
    };
    let own = errors.iter().filter(|error| error.code == *code);
    let own: Vec<String> = own.map(CustomError::to_string).collect();
    match own[..] {
        [] => text,
        _ => format!("{text}: {}", own.join(" or ")),
    }
}
