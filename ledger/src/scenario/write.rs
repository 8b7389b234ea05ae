//! Writes a scenario as TOML.

use std::collections::BTreeSet;
use std::fmt::{self, Write};

use loader::fixture::{ExpectedStatus, group_digits, quoted, time_text};
use loader::sysvars::Clock;
use loader::{Pubkey, ids};

use super::{
    AccountState, Action, Expect, ExpectedKelvins, ExpectedState, OWN_NAMES, Scenario,
    ScenarioInstruction, ScenarioTransaction, Step, key_of,
};
use crate::instruction::AccountMeta;
use crate::settings::Fee;

/// Writes the scenario as a file has it. Reading the text gives the same scenario, if its paths and
/// texts are UTF-8, its names are those that a file may have, it has steps, and each step does
/// something.
impl fmt::Display for Scenario {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.title.is_empty() {
            writeln!(out, "title = {}", quoted(&self.title))?;
        }
        self.settings(out)?;
        if !self.programs.is_empty() {
            writeln!(out, "\n[programs]")?;
        }
        for program in &self.programs {
            let path = quoted(&program.path.to_string_lossy());
            match program.id == key_of(&program.name) {
                true => writeln!(out, "{} = {path}", program.name)?,
                false => {
                    let id = program.id;
                    writeln!(out, "{} = {{ path = {path}, id = \"{id}\" }}", program.name)?;
                }
            }
        }
        self.keys(out)?;
        if !self.accounts.is_empty() {
            writeln!(out, "\n[accounts]")?;
        }
        for account in &self.accounts {
            self.write_account(out, account)?;
        }
        for step in &self.steps {
            self.write_step(out, step)?;
        }
        Ok(())
    }
}

impl Scenario {
    /// The scenario as TOML: what [`Display`](fmt::Display) writes.
    #[must_use]
    pub fn to_toml(&self) -> String {
        self.to_string()
    }

    fn settings(&self, out: &mut impl Write) -> fmt::Result {
        let clock = self.clock;
        let time = time_text(clock.unix_timestamp_ms);
        let only_time = Clock {
            unix_timestamp_ms: clock.unix_timestamp_ms,
            ..Clock::default()
        };
        if clock == Clock::default() {
        } else if clock == only_time {
            writeln!(out, "clock = {time}")?;
        } else {
            let slot = number(clock.slot);
            let start = time_text(clock.epoch_start_timestamp_ms);
            writeln!(
                out,
                "clock = {{ time = {time}, slot = {slot}, epoch_start = {start} }}"
            )?;
        }
        if self.random_seed != 0 {
            writeln!(out, "random_seed = {}", number(self.random_seed))?;
        }
        if self.fee != Fee::default() {
            let [base, per_signer] = [self.fee.base, self.fee.per_signer].map(number);
            writeln!(out, "fee = {{ base = {base}, per_signer = {per_signer} }}")?;
        }
        Ok(())
    }

    /// The names that are not those of programs or accounts.
    fn keys(&self, out: &mut impl Write) -> fmt::Result {
        let programs = self.programs.iter().map(|program| program.name.as_str());
        let own = OWN_NAMES.iter().map(|(name, _)| *name);
        let mut elsewhere: BTreeSet<&str> = programs.chain(own).collect();
        for account in &self.accounts {
            if let Some(name) = self.names.name(&account.key)
                && account.key == key_of(name)
            {
                elsewhere.insert(name);
            }
        }
        let mut names = self.names.iter();
        let mut next = names.find(|(name, _)| !elsewhere.contains(name));
        if next.is_some() {
            writeln!(out, "\n[keys]")?;
        }
        while let Some((name, key)) = next {
            match self.names.derived(key) {
                Some(derived) => writeln!(out, "{name} = {}", derived.to_toml(&self.names))?,
                None if *key == key_of(name) => writeln!(out, "{name} = {{}}")?,
                None => writeln!(out, "{name} = \"{key}\"")?,
            }
            next = names.find(|(name, _)| !elsewhere.contains(name));
        }
        Ok(())
    }

    /// The left side of an entry.
    fn left_side(&self, key: &Pubkey) -> String {
        self.names.program_text(key)
    }

    fn write_account(&self, out: &mut impl Write, account: &AccountState) -> fmt::Result {
        let mut parts = Vec::new();
        if account.owner != ids::SYSTEM_PROGRAM {
            parts.push(format!("owner = \"{}\"", self.names.text(&account.owner)));
        }
        if let Some(kelvins) = account.kelvins {
            parts.push(format!("kelvins = {}", number(kelvins)));
        }
        if !account.data.0.is_empty() {
            parts.push(format!("data = {}", account.data.to_toml(&self.names)));
        }
        // The name of a program cannot be that of an account.
        let mut programs = self.programs.iter().map(|program| program.id);
        let key = match account.key {
            key if key == ids::SYSTEM_PROGRAM || programs.any(|id| id == key) => key.to_string(),
            key => self.left_side(&key),
        };
        writeln!(out, "{key} = {}", table(&parts))
    }

    fn write_step(&self, out: &mut impl Write, step: &Step) -> fmt::Result {
        writeln!(out, "\n[[steps]]")?;
        if !step.title.is_empty() {
            writeln!(out, "title = {}", quoted(&step.title))?;
        }
        match &step.action {
            Action::Transaction(transaction) => self.transaction(out, transaction)?,
            Action::Warp(time) => {
                writeln!(out, "warp = \"{}\"", humantime::format_duration(*time))?;
            }
            Action::WarpTo(time) => writeln!(out, "warp_to = {}", time_text(*time))?,
            Action::Airdrop(airdrop) => {
                let parts = airdrop.iter();
                let parts = parts.map(|(key, kelvins)| {
                    format!("{} = {}", self.left_side(key), number(*kelvins))
                });
                writeln!(out, "airdrop = {}", table(&parts.collect::<Vec<_>>()))?;
            }
            Action::Deploy(programs) => {
                let parts = programs.iter().map(|(key, path)| {
                    format!(
                        "{} = {}",
                        self.left_side(key),
                        quoted(&path.to_string_lossy())
                    )
                });
                writeln!(out, "deploy = {}", table(&parts.collect::<Vec<_>>()))?;
            }
            Action::Set(accounts) => {
                writeln!(out, "\n[steps.set]")?;
                for account in accounts {
                    self.write_account(out, account)?;
                }
            }
        }
        match &step.expect {
            Some(expect) => self.expect(out, expect),
            None => Ok(()),
        }
    }

    fn transaction(&self, out: &mut impl Write, transaction: &ScenarioTransaction) -> fmt::Result {
        let settings = |out: &mut _| self.transaction_settings(out, transaction);
        if let [instruction] = &transaction.instructions[..] {
            self.instruction(out, instruction)?;
            return settings(out);
        }
        settings(out)?;
        if transaction.instructions.is_empty() {
            return writeln!(out, "instructions = []");
        }
        for instruction in &transaction.instructions {
            writeln!(out, "\n[[steps.instructions]]")?;
            self.instruction(out, instruction)?;
        }
        Ok(())
    }

    fn transaction_settings(
        &self,
        out: &mut impl Write,
        transaction: &ScenarioTransaction,
    ) -> fmt::Result {
        if let Some(payer) = &transaction.payer {
            writeln!(out, "payer = \"{}\"", self.names.text(payer))?;
        }
        if let Some(gas) = transaction.gas {
            writeln!(out, "gas = {}", number(gas))?;
        }
        if let Some(heap) = transaction.heap {
            writeln!(out, "heap = {}", number(heap.into()))?;
        }
        Ok(())
    }

    fn instruction(&self, out: &mut impl Write, instruction: &ScenarioInstruction) -> fmt::Result {
        let program = self.names.program_text(&instruction.program_id);
        writeln!(out, "program = \"{program}\"")?;
        let meta = |meta: &AccountMeta| {
            let mut text = self.names.text(&meta.key);
            for (flag, is_set) in [(" signer", meta.is_signer), (" writable", meta.is_writable)] {
                text.push_str(if is_set { flag } else { "" });
            }
            format!("\"{text}\"")
        };
        let accounts: Vec<String> = instruction.accounts.iter().map(meta).collect();
        if !accounts.is_empty() {
            writeln!(out, "accounts = {}", list(&accounts))?;
        }
        if !instruction.data.0.is_empty() {
            writeln!(out, "data = {}", instruction.data.to_toml(&self.names))?;
        }
        Ok(())
    }

    fn expect(&self, out: &mut impl Write, expect: &Expect) -> fmt::Result {
        writeln!(out, "\n[steps.expect]")?;
        if let Some(success) = expect.success {
            writeln!(out, "success = {success}")?;
        }
        match &expect.error {
            Some(ExpectedStatus::Name(name)) => writeln!(out, "error = {}", quoted(name))?,
            Some(ExpectedStatus::Number(status)) => writeln!(out, "error = {}", number(*status))?,
            None => {}
        }
        let texts = |texts: &[String]| {
            let texts: Vec<String> = texts.iter().map(|text| quoted(text)).collect();
            list(&texts)
        };
        if let Some(logs) = &expect.logs {
            writeln!(out, "logs = {}", texts(logs))?;
        }
        if !expect.logs_contain.is_empty() {
            writeln!(out, "logs_contain = {}", texts(&expect.logs_contain))?;
        }
        if let Some(return_data) = &expect.return_data {
            writeln!(out, "return_data = {}", return_data.to_toml(&self.names))?;
        }
        if let Some(gas_used) = expect.gas_used {
            writeln!(out, "gas_used = {}", number(gas_used))?;
        }
        if !expect.accounts.is_empty() {
            writeln!(out, "\n[steps.expect.accounts]")?;
        }
        for expected in &expect.accounts {
            let state = self.state(expected);
            writeln!(out, "{} = {state}", self.left_side(&expected.key))?;
        }
        Ok(())
    }

    fn state(&self, expected: &ExpectedState) -> String {
        if expected.is_gone {
            return "\"gone\"".to_owned();
        }
        let mut parts = Vec::new();
        if let Some(owner) = &expected.owner {
            parts.push(format!("owner = \"{}\"", self.names.text(owner)));
        }
        match expected.kelvins {
            Some(ExpectedKelvins::Exactly(kelvins)) => {
                parts.push(format!("kelvins = {}", number(kelvins)));
            }
            Some(ExpectedKelvins::More(more)) => {
                parts.push(format!("kelvins = \"+{}\"", group_digits(more)));
            }
            Some(ExpectedKelvins::Less(less)) => {
                parts.push(format!("kelvins = \"-{}\"", group_digits(less)));
            }
            None => {}
        }
        if let Some(data) = &expected.data {
            parts.push(format!("data = {}", data.to_toml(&self.names)));
        }
        table(&parts)
    }
}

/// A number, or a text if TOML has no such number.
fn number(number: u64) -> String {
    let text = group_digits(number);
    match i64::try_from(number) {
        Ok(_) => text,
        Err(_) => quoted(&text),
    }
}

fn table(parts: &[String]) -> String {
    match parts {
        [] => "{}".to_owned(),
        parts => format!("{{ {} }}", parts.join(", ")),
    }
}

fn list(parts: &[String]) -> String {
    let on_one_line = format!("[{}]", parts.join(", "));
    if on_one_line.len() <= 80 {
        return on_one_line;
    }
    let lines = parts.iter().map(|part| format!("    {part},\n"));
    format!("[\n{}]", lines.collect::<String>())
}
