//! What a scenario did, for people.

use std::fmt::{self, Write};

use loader::display::escape_control;
use loader::fixture::group_digits;
use loader::{Account, Pubkey};

use super::{ScenarioOutcome, StepOutcome};
use crate::outcome::{AccountChange, InstructionOutcome, TransactionOutcome};

/// Writes the steps one after the other: title, result, gas, calls, logs, changed accounts, and
/// what is not as expected.
impl fmt::Display for ScenarioOutcome {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, step) in self.steps.iter().enumerate() {
            if index > 0 {
                writeln!(out)?;
            }
            writeln!(out, "{}. {}", index + 1, escape_control(&step.title))?;
            self.step(out, step)?;
        }
        Ok(())
    }
}

/// Something wider than the names of lines.
const MARGIN: &str = "             ";

impl ScenarioOutcome {
    fn step(&self, out: &mut impl Write, step: &StepOutcome) -> fmt::Result {
        if let Some(transaction) = &step.transaction {
            self.transaction(out, step, transaction)?;
        }
        for (index, change) in step.changes.iter().enumerate() {
            let title = if index == 0 { "changed" } else { "" };
            let lines = self.change(change);
            let name = self.names.text(&change.key);
            writeln!(out, "   {title:<9} {name}")?;
            for line in lines {
                writeln!(out, "{MARGIN}  {}", escape_control(&line))?;
            }
        }
        for line in &step.differences {
            writeln!(out, "   not as expected: {}", escape_control(line))?;
        }
        Ok(())
    }

    fn transaction(
        &self,
        out: &mut impl Write,
        step: &StepOutcome,
        transaction: &TransactionOutcome,
    ) -> fmt::Result {
        match &step.error {
            None => writeln!(out, "   success")?,
            Some(error) => writeln!(out, "   failed    {}", escape_control(error))?,
        }
        let [used, limit] = [transaction.gas_used, transaction.gas_limit].map(group_digits);
        writeln!(out, "   gas       {used} of {limit}")?;
        if transaction.fee > 0 {
            writeln!(out, "   fee       {}", group_digits(transaction.fee))?;
        }
        let instructions = &transaction.instructions;
        let has_calls = instructions
            .iter()
            .any(|instruction| !instruction.calls.is_empty());
        if has_calls || instructions.len() > 1 {
            for (index, instruction) in instructions.iter().enumerate() {
                let title = if index == 0 { "calls" } else { "" };
                self.calls(out, title, instruction)?;
            }
        }
        for (index, line) in transaction.texts().enumerate() {
            let title = if index == 0 { "logs" } else { "" };
            writeln!(out, "   {title:<9} {}", escape_control(line))?;
        }
        let return_data = transaction.return_data();
        if !return_data.is_empty() {
            writeln!(out, "   returned  {}", hex(return_data))?;
        }
        Ok(())
    }

    /// An instruction, and the programs that it called, as a tree.
    fn calls(
        &self,
        out: &mut impl Write,
        title: &str,
        instruction: &InstructionOutcome,
    ) -> fmt::Result {
        let mut line = |title: &str, depth: u64, program_id: &Pubkey, gas: u64| {
            let indentation = "  ".repeat(usize::try_from(depth).unwrap_or(0));
            let name = format!("{indentation}{}", self.names.text(program_id));
            writeln!(out, "   {title:<9} {name:<24} {:>9}", group_digits(gas))
        };
        line(title, 0, &instruction.program_id, instruction.gas_used)?;
        for call in &instruction.calls {
            line(
                "",
                call.depth.saturating_sub(1),
                &call.program_id,
                call.gas_used,
            )?;
        }
        Ok(())
    }

    /// What changed in an account.
    fn change(&self, change: &AccountChange) -> Vec<String> {
        match (change.before.as_deref(), change.after.as_deref()) {
            (None, Some(after)) => {
                let mut lines = vec![format!(
                    "made: {} kelvins, owner {}",
                    group_digits(after.kelvins),
                    self.names.text(&after.owner)
                )];
                lines.extend(self.content(after));
                lines
            }
            (Some(before), None) => {
                vec![format!(
                    "gone: it had {} kelvins",
                    group_digits(before.kelvins)
                )]
            }
            (Some(before), Some(after)) => self.both(before, after),
            (None, None) => Vec::new(),
        }
    }

    fn both(&self, before: &Account, after: &Account) -> Vec<String> {
        let mut lines = Vec::new();
        if before.kelvins != after.kelvins {
            let difference = match after.kelvins.checked_sub(before.kelvins) {
                Some(more) => format!("+{}", group_digits(more)),
                None => format!("-{}", group_digits(before.kelvins - after.kelvins)),
            };
            let [before, after] = [before, after].map(|account| group_digits(account.kelvins));
            lines.push(format!("kelvins  {before} -> {after} ({difference})"));
        }
        if before.owner != after.owner {
            let [before, after] = [before, after].map(|account| self.names.text(&account.owner));
            lines.push(format!("owner  {before} -> {after}"));
        }
        if before.executable != after.executable {
            lines.push(format!(
                "executable  {} -> {}",
                before.executable, after.executable
            ));
        }
        if before.data != after.data {
            lines.extend(self.data(&before.data, after));
        }
        lines
    }

    /// What changed in the data of an account.
    fn data(&self, before: &[u8], after: &Account) -> Vec<String> {
        let fields = self.fields.get(&after.key);
        let changes = fields.and_then(|fields| fields.changes(before, &after.data, &self.names));
        if let Some(changes) = changes {
            return changes;
        }
        if before.len() != after.data.len() || after.executable {
            let mut lines = vec![format!(
                "data  {} -> {} bytes",
                group_digits(before.len()),
                group_digits(after.data.len())
            )];
            lines.extend(self.content(after));
            return lines;
        }
        let differ = |index: &usize| before[*index] != after.data[*index];
        let first = (0..before.len()).find(differ).unwrap_or(0);
        let last = (0..before.len()).rev().find(differ).unwrap_or(0);
        let [before, after] = [before, &after.data].map(|data| hex(&data[first..=last]));
        vec![format!("data {first}..{}  {before} -> {after}", last + 1)]
    }

    /// The data of an account.
    fn content(&self, account: &Account) -> Vec<String> {
        if account.data.is_empty() || account.executable {
            return Vec::new();
        }
        let fields = self.fields.get(&account.key);
        match fields.and_then(|fields| fields.read(&account.data)) {
            Some(fields) => fields.lines(&self.names),
            None => vec![format!("data  {}", hex(&account.data))],
        }
    }
}

/// Bytes in hexadecimal, without those beyond 32.
fn hex(bytes: &[u8]) -> String {
    const SHOWN: usize = 32;
    let shown = bytes.iter().take(SHOWN);
    let mut text: String = shown.map(|byte| format!("{byte:02x}")).collect();
    if bytes.len() > SHOWN {
        let _ = write!(text, "… ({} bytes)", group_digits(bytes.len()));
    }
    text
}
