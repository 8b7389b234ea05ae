//! Reads a scenario's file.

use std::collections::HashSet;
use std::path::Path;
use std::str::FromStr;

use loader::Pubkey;
use loader::fixture::{
    Entries, Layouts, Names, Purpose, Reader, Size, WrittenKey, advice, read_text,
};
use loader::ids;
use loader::sysvars::Clock;
use toml::{Spanned, Value as Toml};

use super::file::{File, FileAccount, FileExpect, FileInstruction, FileState, FileStep};
use super::{
    AccountState, Action, Expect, ExpectedKelvins, ExpectedState, OWN_NAMES, Scenario,
    ScenarioError, ScenarioInstruction, ScenarioProgram, ScenarioTransaction, Step, key_of,
};
use crate::instruction::AccountMeta;
use crate::settings::Fee;

impl Scenario {
    /// Reads a scenario from a file.
    ///
    /// # Errors
    ///
    /// [`ScenarioError`] if the file cannot be read or is not a valid scenario.
    pub fn read(path: &Path) -> Result<Self, ScenarioError> {
        let text = read_text(path).map_err(|error| ScenarioError::Unreadable {
            path: path.to_owned(),
            reason: error.to_string(),
        })?;
        let folder = path.parent().unwrap_or(Path::new(""));
        parse_in(&text, folder).map_err(|reason| ScenarioError::Invalid {
            path: Some(path.to_owned()),
            reason,
        })
    }

    /// Reads a scenario from a text. Files that its data names are those of the current folder.
    ///
    /// # Errors
    ///
    /// [`ScenarioError::Invalid`] if the text is not a valid scenario.
    pub fn parse(text: &str) -> Result<Self, ScenarioError> {
        parse_in(text, Path::new(""))
            .map_err(|reason| ScenarioError::Invalid { path: None, reason })
    }
}

fn parse_in(text: &str, folder: &Path) -> Result<Scenario, String> {
    let file: File = toml::from_str(text).map_err(|error| error.to_string())?;
    let layouts = Layouts::read(&file.layouts, text)?;
    let mut names = Names::default();
    let programs = name_all(&file, text, folder, &mut names)?;
    let reader = Reader {
        text,
        folder,
        names: &names,
        layouts: &layouts,
    };
    let accounts = reader.accounts(&file.accounts)?;
    for (account, (name, _)) in accounts.iter().zip(&file.accounts.0) {
        if let Some(program) = programs.iter().find(|program| program.id == account.key) {
            let reason = format!(
                "this is the key of the program `{}`, which has an account already; remove one of \
                 the two",
                program.name
            );
            return Err(reader.error(name.span().start, &reason));
        }
    }
    let steps = file.steps.iter().map(|step| reader.step(step));
    let steps = steps.collect::<Result<_, _>>()?;
    if file.steps.is_empty() {
        return Err(reader.error(0, "the scenario has no steps; write at least one [[steps]]"));
    }
    let clock = match &file.clock {
        Some(clock) => reader.clock(clock)?,
        None => Clock::default(),
    };
    Ok(Scenario {
        title: file.title,
        programs,
        clock,
        random_seed: reader.or_zero(file.random_seed.as_ref())?,
        fee: Fee {
            base: reader.or_zero(file.fee.base.as_ref())?,
            per_signer: reader.or_zero(file.fee.per_signer.as_ref())?,
        },
        accounts,
        steps,
        names,
    })
}

/// Finds the key of each name: first those that need no others, then those that derive from them.
fn name_all(
    file: &File,
    text: &str,
    folder: &Path,
    names: &mut Names,
) -> Result<Vec<ScenarioProgram>, String> {
    let layouts = Layouts::default();
    for (name, key) in OWN_NAMES {
        names.add(name, key);
    }
    macro_rules! reader {
        () => {
            Reader {
                text,
                folder,
                names: &*names,
                layouts: &layouts,
            }
        };
    }
    let mut programs = Vec::new();
    for (name, program) in &file.programs.0 {
        reader!().new_name(name, names)?;
        let id = match &program.id {
            Some(id) => reader!().key(id)?,
            None => key_of(name.get_ref()),
        };
        names.add(name.get_ref(), id);
        programs.push(ScenarioProgram {
            name: name.get_ref().clone(),
            id,
            path: program.path.clone(),
        });
    }
    let mut derived: Vec<(&Spanned<String>, &WrittenKey)> = Vec::new();
    for (name, key) in &file.keys.0 {
        reader!().new_name(name, names)?;
        match key.get_ref() {
            Toml::Table(table) if table.is_empty() => {
                names.add(name.get_ref(), key_of(name.get_ref()));
            }
            Toml::Table(_) => {
                names.add_pending(name.get_ref());
                derived.push((name, key));
            }
            _ => {
                let key = reader!().key(key)?;
                names.add(name.get_ref(), key);
            }
        }
    }
    for (name, _) in &file.accounts.0 {
        let is_known = file.keys.0.iter().any(|(other, _)| other == name);
        if !is_known && Pubkey::from_str(name.get_ref()).is_err() {
            reader!().new_name(name, names)?;
            names.add(name.get_ref(), key_of(name.get_ref()));
        }
    }
    // Those whose seeds are known give the names for the seeds of others.
    while !derived.is_empty() {
        let mut waiting = Vec::new();
        let mut error = None;
        let before = derived.len();
        for (name, key) in derived {
            match reader!().derived(key) {
                Ok(Some(address)) => names.add_derived(name.get_ref(), address),
                Ok(None) => {}
                Err(reason) => {
                    error.get_or_insert(reason);
                    waiting.push((name, key));
                }
            }
        }
        if waiting.len() == before
            && let Some(reason) = error
        {
            return Err(reason);
        }
        derived = waiting;
    }
    Ok(programs)
}

/// The parts of a scenario, read with its names.
trait ScenarioReader {
    fn new_name(&self, name: &Spanned<String>, names: &Names) -> Result<(), String>;
    fn named_key(&self, name: &Spanned<String>) -> Result<Pubkey, String>;
    fn or_zero(&self, number: Option<&Spanned<Toml>>) -> Result<u64, String>;
    fn clock(&self, clock: &Spanned<Toml>) -> Result<Clock, String>;
    fn accounts(&self, accounts: &Entries<FileAccount>) -> Result<Vec<AccountState>, String>;
    fn step(&self, step: &Spanned<FileStep>) -> Result<Step, String>;
    fn action(&self, step: &FileStep, place: usize) -> Result<Action, String>;
    fn instruction(&self, instruction: &FileInstruction) -> Result<ScenarioInstruction, String>;
    fn metas(&self, accounts: &[Spanned<String>]) -> Result<Vec<AccountMeta>, String>;
    fn meta(&self, written: &str) -> Result<AccountMeta, String>;
    fn expect(&self, expect: &Spanned<FileExpect>) -> Result<Expect, String>;
    fn expected(&self, name: &Spanned<String>, state: &FileState) -> Result<ExpectedState, String>;
    fn kelvins(&self, kelvins: &Spanned<Toml>) -> Result<ExpectedKelvins, String>;
}

impl ScenarioReader for Reader<'_> {
    /// Checks a name that is about to be added.
    fn new_name(&self, name: &Spanned<String>, names: &Names) -> Result<(), String> {
        let text = name.get_ref();
        let is_plain =
            |character: char| character.is_ascii_alphanumeric() || "_-".contains(character);
        let reason = if text.is_empty() || !text.chars().all(is_plain) {
            "a name has letters, digits, `_` and `-`; choose another".to_owned()
        } else if Pubkey::from_str(text).is_ok() {
            "a key is not a name; choose a name, and write the key to its right".to_owned()
        } else if names.key(text).is_ok() || names.is_pending(text) {
            format!("the name `{text}` is there already; choose another")
        } else {
            return Ok(());
        };
        Err(self.error(name.span().start, &reason))
    }

    /// The key at the left side of an entry: a name without `$`, or base58.
    fn named_key(&self, name: &Spanned<String>) -> Result<Pubkey, String> {
        let text = name.get_ref();
        let named = self.names.key(text.strip_prefix('$').unwrap_or(text));
        let key = named.or_else(|reason| Pubkey::from_str(text).map_err(|_| reason));
        key.map_err(|reason| self.error(name.span().start, &reason))
    }

    fn or_zero(&self, number: Option<&Spanned<Toml>>) -> Result<u64, String> {
        number.map_or(Ok(0), |number| self.u64(number))
    }

    fn clock(&self, clock: &Spanned<Toml>) -> Result<Clock, String> {
        let Toml::Table(table) = clock.get_ref() else {
            return Ok(Clock {
                unix_timestamp_ms: self.time(clock)?,
                ..Clock::default()
            });
        };
        let mut read = Clock::default();
        for (name, value) in table {
            let value = Spanned::new(clock.span(), value.clone());
            match name.as_str() {
                "slot" => read.slot = self.u64(&value)?,
                "time" => read.unix_timestamp_ms = self.time(&value)?,
                "epoch_start" => read.epoch_start_timestamp_ms = self.time(&value)?,
                other => {
                    let advice = advice(other, "", &["time", "slot", "epoch_start"]);
                    let reason = format!("the clock has no `{other}`; {advice}");
                    return Err(self.error(clock.span().start, &reason));
                }
            }
        }
        Ok(read)
    }

    fn accounts(&self, accounts: &Entries<FileAccount>) -> Result<Vec<AccountState>, String> {
        let mut known = HashSet::new();
        let accounts = accounts.0.iter().map(|(name, account)| {
            let key = self.named_key(name)?;
            if !known.insert(key) {
                let reason = format!(
                    "the account {} is there already, under its name or its key; remove one of \
                     the two",
                    self.names.text(&key)
                );
                return Err(self.error(name.span().start, &reason));
            }
            let owner = account.owner.as_ref().map(|owner| self.key(owner));
            let kelvins = account.kelvins.as_ref().map(|kelvins| self.u64(kelvins));
            let data = self.optional_fields(account.data.as_ref(), Purpose::Content)?;
            Ok(AccountState {
                key,
                owner: owner.transpose()?.unwrap_or(ids::SYSTEM_PROGRAM),
                kelvins: kelvins.transpose()?,
                data: data.unwrap_or_default(),
            })
        });
        accounts.collect()
    }

    fn step(&self, step: &Spanned<FileStep>) -> Result<Step, String> {
        let place = step.span().start;
        let step = step.get_ref();
        let expect = step.expect.as_ref().map(|expect| self.expect(expect));
        let action = self.action(step, place)?;
        let expect = expect.transpose()?;
        if let (Some(expect), Some(written)) = (&expect, &step.expect)
            && !matches!(action, Action::Transaction(_))
        {
            let accounts = expect.accounts.clone();
            let only_accounts = Expect {
                accounts,
                ..Expect::default()
            };
            if *expect != only_accounts {
                let reason = "this step runs no program; expect only `accounts` of it";
                return Err(self.error(written.span().start, reason));
            }
        }
        Ok(Step {
            title: step.title.clone(),
            action,
            expect,
        })
    }

    fn action(&self, step: &FileStep, place: usize) -> Result<Action, String> {
        let kinds = [
            ("program", step.program.is_some()),
            ("instructions", step.instructions.is_some()),
            ("warp", step.warp.is_some()),
            ("warp_to", step.warp_to.is_some()),
            ("airdrop", step.airdrop.is_some()),
            ("set", step.set.is_some()),
            ("deploy", step.deploy.is_some()),
        ];
        let given = kinds.iter().filter(|(_, is_given)| *is_given);
        let given: Vec<&str> = given.map(|(name, _)| *name).collect();
        let kind = match given[..] {
            [kind] => kind,
            [] => {
                return Err(self.error(
                    place,
                    "the step does nothing; it needs one of `program`, `instructions`, `warp`, \
                     `warp_to`, `airdrop`, `set`, `deploy`",
                ));
            }
            [one, other, ..] => {
                let reason =
                    format!("a step does one thing; make two steps of `{one}` and `{other}`");
                return Err(self.error(place, &reason));
            }
        };
        let is_empty = [
            step.instructions.as_ref().is_some_and(Vec::is_empty),
            step.airdrop
                .as_ref()
                .is_some_and(|table| table.0.is_empty()),
            step.set.as_ref().is_some_and(|table| table.0.is_empty()),
            step.deploy.as_ref().is_some_and(|table| table.0.is_empty()),
        ];
        if is_empty.contains(&true) {
            let reason = format!("the step does nothing, because `{kind}` is empty");
            return Err(self.error(place, &reason));
        }
        let of_program = [
            ("accounts", step.accounts.is_some()),
            ("data", step.data.is_some()),
        ];
        let of_transaction = [
            ("payer", step.payer.is_some()),
            ("gas", step.gas.is_some()),
            ("heap", step.heap.is_some()),
        ];
        let is_transaction = ["program", "instructions"].contains(&kind);
        let mut other = of_program.iter().filter(|_| kind != "program");
        let mut others = of_transaction.iter().filter(|_| !is_transaction);
        let is_given = |(_, is_given): &&(&str, bool)| *is_given;
        if let Some((name, _)) = other.find(is_given).or_else(|| others.find(is_given)) {
            let reason = format!("`{name}` does not belong to a step with `{kind}`; remove it");
            return Err(self.error(place, &reason));
        }
        if let Some(program) = &step.program {
            let data = self.optional_fields(step.data.as_ref(), Purpose::Content)?;
            let instruction = ScenarioInstruction {
                program_id: self.program(program)?,
                accounts: self.metas(step.accounts.as_deref().unwrap_or_default())?,
                data: data.unwrap_or_default(),
            };
            return transaction(self, step, vec![instruction]);
        }
        if let Some(instructions) = &step.instructions {
            let instructions = instructions.iter().map(|written| self.instruction(written));
            return transaction(self, step, instructions.collect::<Result<_, _>>()?);
        }
        if let Some(time) = &step.warp {
            let read = humantime::parse_duration(time.get_ref());
            let read = read.map_err(|error| {
                let reason = format!(
                    "{:?} is not a span of time: {error}; write for example \"30 days\" or \"1h 30m\"",
                    time.get_ref()
                );
                self.error(time.span().start, &reason)
            })?;
            return Ok(Action::Warp(read));
        }
        if let Some(time) = &step.warp_to {
            return self.time(time).map(Action::WarpTo);
        }
        if let Some(airdrop) = &step.airdrop {
            let airdrop = airdrop
                .0
                .iter()
                .map(|(name, kelvins)| Ok((self.named_key(name)?, self.u64(kelvins)?)));
            return airdrop.collect::<Result<_, _>>().map(Action::Airdrop);
        }
        if let Some(accounts) = &step.set {
            return self.accounts(accounts).map(Action::Set);
        }
        let programs = step.deploy.iter().flat_map(|deploy| &deploy.0);
        let programs = programs.map(|(name, path)| Ok((self.named_key(name)?, path.clone())));
        programs.collect::<Result<_, _>>().map(Action::Deploy)
    }

    fn instruction(&self, instruction: &FileInstruction) -> Result<ScenarioInstruction, String> {
        let data = self.optional_fields(instruction.data.as_ref(), Purpose::Content)?;
        Ok(ScenarioInstruction {
            program_id: self.program(&instruction.program)?,
            accounts: self.metas(&instruction.accounts)?,
            data: data.unwrap_or_default(),
        })
    }

    fn metas(&self, accounts: &[Spanned<String>]) -> Result<Vec<AccountMeta>, String> {
        let accounts = accounts.iter().map(|written| {
            let meta = self.meta(written.get_ref());
            meta.map_err(|reason| self.error(written.span().start, &reason))
        });
        accounts.collect()
    }

    /// An account and its flags: `$alice signer writable`.
    fn meta(&self, written: &str) -> Result<AccountMeta, String> {
        let mut words = written.split_whitespace();
        let key = words.next().unwrap_or_default();
        let key = match key.strip_prefix('$') {
            Some(name) => self.names.key(name)?,
            None => Pubkey::from_str(key).map_err(|error| match self.names.key(key) {
                Ok(_) => format!("{key:?} is not a key; for the name, write \"${key}\""),
                Err(_) => format!("{key:?} is not a key: {error}"),
            })?,
        };
        let mut meta = AccountMeta::readonly(key);
        for flag in words {
            match flag {
                "signer" => meta.is_signer = true,
                "writable" => meta.is_writable = true,
                other => {
                    let advice = advice(other, "", &["signer", "writable"]);
                    return Err(format!("`{other}` is not a flag of an account; {advice}"));
                }
            }
        }
        Ok(meta)
    }

    fn expect(&self, expect: &Spanned<FileExpect>) -> Result<Expect, String> {
        let place = expect.span().start;
        let expect = expect.get_ref();
        if expect.success == Some(true) && expect.error.is_some() {
            let reason = "a transaction with an `error` has no success; remove one of the two";
            return Err(self.error(place, reason));
        }
        let accounts = expect.accounts.0.iter();
        let accounts = accounts.map(|(name, state)| self.expected(name, state));
        Ok(Expect {
            success: expect.success,
            error: expect.error.clone(),
            logs: expect.logs.clone(),
            logs_contain: expect.logs_contain.clone(),
            return_data: self.optional_fields(expect.return_data.as_ref(), Purpose::Expectation)?,
            gas_used: expect
                .gas_used
                .as_ref()
                .map(|gas| self.u64(gas))
                .transpose()?,
            accounts: accounts.collect::<Result<_, _>>()?,
        })
    }

    fn expected(&self, name: &Spanned<String>, state: &FileState) -> Result<ExpectedState, String> {
        let key = self.named_key(name)?;
        let FileState::Table(account) = state else {
            return Ok(ExpectedState {
                key,
                is_gone: true,
                ..ExpectedState::default()
            });
        };
        let owner = account.owner.as_ref().map(|owner| self.key(owner));
        let kelvins = account
            .kelvins
            .as_ref()
            .map(|kelvins| self.kelvins(kelvins));
        Ok(ExpectedState {
            key,
            is_gone: false,
            owner: owner.transpose()?,
            kelvins: kelvins.transpose()?,
            data: self.optional_fields(account.data.as_ref(), Purpose::Expectation)?,
        })
    }

    fn kelvins(&self, kelvins: &Spanned<Toml>) -> Result<ExpectedKelvins, String> {
        let number = |text: &str| {
            let value = Spanned::new(kelvins.span(), Toml::String(text.to_owned()));
            self.u64(&value)
        };
        match kelvins.get_ref() {
            Toml::String(text) => match text.split_at_checked(1) {
                Some(("+", more)) => number(more).map(ExpectedKelvins::More),
                Some(("-", less)) => number(less).map(ExpectedKelvins::Less),
                _ => number(text).map(ExpectedKelvins::Exactly),
            },
            _ => self.u64(kelvins).map(ExpectedKelvins::Exactly),
        }
    }
}

fn transaction(
    reader: &Reader<'_>,
    step: &FileStep,
    instructions: Vec<ScenarioInstruction>,
) -> Result<Action, String> {
    let payer = step.payer.as_ref().map(|payer| reader.key(payer));
    Ok(Action::Transaction(ScenarioTransaction {
        instructions,
        payer: payer.transpose()?,
        gas: step.gas.as_ref().map(|gas| reader.u64(gas)).transpose()?,
        heap: step.heap.map(|Size(size)| size),
    }))
}
