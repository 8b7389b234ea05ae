//! The outcome of a transaction, for people.

use std::fmt;

use loader::display::{escape_control, thousands};
use loader::{Account, Failure, ProgramError, Pubkey};

use crate::names::Names;
use crate::outcome::{AccountChange, InstructionOutcome, TransactionOutcome};

/// Data up to this length is shown whole; of longer data, its length and this many changed bytes.
const SHOWN_BYTES: usize = 32;

/// What people call the things in a report.
pub trait Describe {
    /// The names of keys.
    fn names(&self) -> &Names;

    /// The name and the text of a custom error of a program, if they are known.
    fn custom_error(&self, program_id: &Pubkey, code: u32) -> Option<String>;
}

impl Describe for Names {
    fn names(&self) -> &Names {
        self
    }

    fn custom_error(&self, _: &Pubkey, _: u32) -> Option<String> {
        None
    }
}

/// The outcome of a transaction as a text: the error, the tree of calls, the logs, and the accounts
/// that changed. See [`TransactionOutcome::report`].
#[derive(Clone, Copy)]
pub struct Report<'a> {
    outcome: &'a TransactionOutcome,
    describe: &'a dyn Describe,
}

impl TransactionOutcome {
    /// The outcome as a text for people.
    ///
    /// ```
    /// use ledger::{Ledger, Names, key, system};
    ///
    /// let mut ledger = Ledger::new();
    /// let [alice, bob] = ["alice", "bob"].map(key);
    /// ledger.airdrop(alice, 5_000_000)?;
    /// let outcome = ledger.send(system::transfer(alice, bob, 1_500_000));
    /// assert_eq!(
    ///     outcome.report(&Names::new()).to_string(),
    ///     "succeeded, with 150 of 200,000 gas
    ///   0 system program, 150 gas
    /// accounts
    ///   alice
    ///     kelvins 5,000,000 -> 3,500,000
    ///   bob
    ///     created
    ///     owner   system program
    ///     kelvins 1,500,000
    /// "
    /// );
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn report<'a>(&'a self, describe: &'a dyn Describe) -> Report<'a> {
        Report {
            outcome: self,
            describe,
        }
    }

    /// The program whose failure ended the transaction, and the failure: those of the innermost
    /// program of a chain of calls.
    #[must_use]
    pub fn failed_program(&self) -> Option<(Pubkey, &Failure)> {
        let failed = self.instructions.last()?;
        match failed.failure.as_ref()? {
            Failure::Called {
                program_id,
                failure,
                ..
            } => Some((*program_id, &**failure)),
            failure => Some((failed.program_id, failure)),
        }
    }
}

impl fmt::Debug for Report<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let outcome = self.outcome;
        let gas = thousands(outcome.gas_used);
        let limit = thousands(outcome.gas_limit);
        match &outcome.error {
            None => writeln!(formatter, "succeeded, with {gas} of {limit} gas")?,
            Some(error) => {
                writeln!(formatter, "failed, after {gas} of {limit} gas")?;
                let error = self.describe.names().in_text(&error.to_string());
                writeln!(formatter, "  {error}")?;
            }
        }
        if let Some((program_id, failure)) = outcome.failed_program() {
            self.explain(formatter, &program_id, failure)?;
        }
        for (index, instruction) in outcome.instructions.iter().enumerate() {
            self.instruction(formatter, index, instruction)?;
        }
        if outcome.fee > 0 {
            writeln!(formatter, "fee {} kelvins", thousands(outcome.fee))?;
        }
        let mut changes = outcome.changes().peekable();
        if changes.peek().is_some() {
            writeln!(formatter, "accounts")?;
        }
        changes.try_for_each(|change| self.change(formatter, change))
    }
}

impl Report<'_> {
    /// Writes what is known about a failure besides its text.
    fn explain(
        &self,
        formatter: &mut fmt::Formatter<'_>,
        program_id: &Pubkey,
        failure: &Failure,
    ) -> fmt::Result {
        if let Failure::ProgramError {
            error: ProgramError::Custom(code),
        } = failure
            && let Some(name) = self.describe.custom_error(program_id, *code)
        {
            let program = self.key(program_id);
            writeln!(formatter, "  error {code} of {program} is {name}")?;
        }
        for line in failure.help().iter().flat_map(|help| help.lines()) {
            writeln!(formatter, "  help: {line}")?;
        }
        Ok(())
    }

    fn instruction(
        &self,
        formatter: &mut fmt::Formatter<'_>,
        index: usize,
        instruction: &InstructionOutcome,
    ) -> fmt::Result {
        let program = self.key(&instruction.program_id);
        let gas = thousands(instruction.gas_used);
        let end = if instruction.failure.is_some() {
            ", failed"
        } else {
            ""
        };
        writeln!(formatter, "  {index} {program}, {gas} gas{end}")?;
        for call in &instruction.calls {
            let indentation = 2 * call.depth.saturating_sub(1) as usize;
            let program = self.key(&call.program_id);
            let gas = thousands(call.gas_used);
            writeln!(formatter, "  {:indentation$}  {program}, {gas} gas", "")?;
        }
        for line in instruction.texts() {
            let line = self.describe.names().in_text(&escape_control(line));
            writeln!(formatter, "    log: {line}")?;
        }
        if !instruction.return_data.is_empty() {
            let data = hexadecimal(&instruction.return_data);
            writeln!(formatter, "    returned {data}")?;
        }
        Ok(())
    }

    fn change(&self, formatter: &mut fmt::Formatter<'_>, change: &AccountChange) -> fmt::Result {
        writeln!(formatter, "  {}", self.key(&change.key))?;
        let nothing = Account {
            key: change.key,
            ..Account::default()
        };
        let (before, after) = match (&change.before, &change.after) {
            (None, Some(after)) => {
                writeln!(formatter, "    created")?;
                writeln!(formatter, "    owner   {}", self.key(&after.owner))?;
                writeln!(formatter, "    kelvins {}", thousands(after.kelvins))?;
                if !after.data.is_empty() {
                    writeln!(formatter, "    data    {}", shortened(&after.data))?;
                }
                return Ok(());
            }
            (Some(before), None) => {
                writeln!(formatter, "    removed")?;
                (&**before, &nothing)
            }
            (Some(before), Some(after)) => (&**before, &**after),
            (None, None) => return Ok(()),
        };
        if before.owner != after.owner && change.after.is_some() {
            let [before, after] = [before, after].map(|account| self.key(&account.owner));
            writeln!(formatter, "    owner   {before} -> {after}")?;
        }
        if before.kelvins != after.kelvins {
            let [before, after] = [before, after].map(|account| thousands(account.kelvins));
            writeln!(formatter, "    kelvins {before} -> {after}")?;
        }
        if before.data != after.data && change.after.is_some() {
            data(formatter, &before.data, &after.data)?;
        }
        Ok(())
    }

    /// A key for people.
    fn key(&self, key: &Pubkey) -> String {
        escape_control(&self.describe.names().show(key))
    }
}

/// Writes how data changed: short data whole, long data from the first to the last change.
fn data(formatter: &mut fmt::Formatter<'_>, before: &[u8], after: &[u8]) -> fmt::Result {
    if before.len().max(after.len()) <= SHOWN_BYTES {
        let [before, after] = [before, after].map(hexadecimal);
        return writeln!(formatter, "    data    {before} -> {after}");
    }
    if before.len() != after.len() {
        let [before, after] = [before, after].map(<[u8]>::len).map(thousands);
        writeln!(formatter, "    data    {before} bytes -> {after} bytes")?;
    }
    let is_same = |index: &usize| before.get(*index) == after.get(*index);
    let length = before.len().max(after.len());
    let start = (0..length).find(|index| !is_same(index)).unwrap_or(0);
    let end = (start..length).rfind(|index| !is_same(index));
    let end = end.map_or(length, |index| index + 1);
    let part = |data: &[u8]| {
        let end = end.min(data.len());
        shortened(data.get(start..end).unwrap_or(&[]))
    };
    let (before, after) = (part(before), part(after));
    writeln!(formatter, "    data    {start}..{end} {before} -> {after}")
}

fn shortened(data: &[u8]) -> String {
    match data.get(..SHOWN_BYTES) {
        Some(start) if start.len() < data.len() => {
            let length = thousands(data.len());
            format!("{}… ({length} bytes)", hexadecimal(start))
        }
        _ => hexadecimal(data),
    }
}

fn hexadecimal(data: &[u8]) -> String {
    if data.is_empty() {
        return "none".to_owned();
    }
    data.iter().map(|byte| format!("{byte:02x}")).collect()
}
