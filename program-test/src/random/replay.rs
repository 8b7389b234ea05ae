//! Steps that break an invariant: what they do, and the scenario that does it again.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

use anyhow::{Context, Result};
use ledger::scenario::{self, Action, Scenario};
use ledger::{Account, Pubkey};
use program_build::workspace;

use super::{Step, quiet};
use crate::{TestLedger, TestOutcome};

/// What must hold after each step: it panics if something is wrong.
pub type Invariant<'a> = dyn Fn(&TestLedger, Option<&TestOutcome>) + 'a;

/// The first step after which an invariant does not hold.
pub struct Broken {
    /// The number of the step, from 0.
    pub index: usize,
    /// What is wrong.
    pub reason: String,
    /// What the step's transaction did.
    pub outcome: Option<TestOutcome>,
}

/// Does the steps on a copy of the ledger, until the invariant does not hold. Returns `None` if it
/// holds after each.
pub fn run(start: &TestLedger, steps: &[Step], invariant: &Invariant<'_>) -> Option<Broken> {
    let mut ledger = start.clone();
    for (index, step) in steps.iter().enumerate() {
        let outcome = match step {
            Step::Send(transaction) => Some(ledger.send(transaction.clone())),
            Step::Warp(time) => {
                // The copy is in memory, where nothing can fail.
                let _ = ledger.warp_by(*time);
                None
            }
        };
        if let Err(reason) = quiet::catch(|| invariant(&ledger, outcome.as_ref())) {
            return Some(Broken {
                index,
                reason,
                outcome,
            });
        }
    }
    None
}

/// The text for people: what is wrong, the steps as a scenario, and the file that has it too.
pub fn report(start: &TestLedger, steps: &[Step], broken: &Broken) -> String {
    let steps = &steps[..=broken.index];
    let count = steps.len();
    let plural = if count == 1 { "step" } else { "steps" };
    let reason = start.names().in_text(&broken.reason);
    let mut text = format!("the invariant does not hold after {count} {plural}: {reason}\n");
    if let Some(outcome) = &broken.outcome {
        text.push_str(&format!("\nthe last transaction {outcome}"));
    }
    let scenario = scenario(start, steps, &reason);
    match write(&scenario) {
        Ok(path) => {
            let path = path.display();
            text.push_str(&format!(
                "\nto do the same steps again: cargo entrypoint run {path}\n"
            ));
        }
        Err(error) => text.push_str(&format!("\nthe scenario is not in a file: {error:#}\n")),
    }
    text.push_str(&format!("\n{scenario}"));
    text
}

/// The state at the start, and the steps.
fn scenario(start: &TestLedger, steps: &[Step], reason: &str) -> Scenario {
    let title = reason.lines().next().unwrap_or_default();
    let mut scenario = Scenario::new().title(format!("Found: {title}"));
    scenario.clock = start.sysvars().clock;
    scenario.random_seed = start.sysvars().random_seed;
    scenario.fee = start.transaction_fee();
    let mut names = Names {
        start,
        scenario: &mut scenario,
    };
    for program in start.deployed_programs() {
        names.add(&program.program_id);
    }
    let accounts: Vec<Account> = start
        .accounts()
        .filter(|account| !account.executable)
        .map(|account| Account::clone(account))
        .collect();
    for account in &accounts {
        names.add(&account.key);
    }
    for step in steps {
        if let Step::Send(transaction) = step {
            transaction.payer.iter().for_each(|key| names.add(key));
            for instruction in &transaction.instructions {
                let keys = instruction.accounts.iter().map(|account| account.key);
                keys.chain([instruction.program_id])
                    .for_each(|key| names.add(&key));
            }
        }
    }
    for program in start.deployed_programs() {
        let id = program.program_id;
        let name = start.names().find(&id).map(str::to_owned);
        let name = name.unwrap_or_else(|| id.to_string());
        scenario = scenario.program(name, id, &program.folder);
    }
    for account in accounts {
        scenario = scenario.account(account);
    }
    for step in steps {
        scenario = scenario.step(match step {
            Step::Send(transaction) => scenario::Step::transaction(transaction.clone()),
            Step::Warp(time) => scenario::Step::new(Action::Warp(*time)),
        });
    }
    scenario
}

/// Gives keys of a scenario the names that they have in the test.
struct Names<'a> {
    start: &'a TestLedger,
    scenario: &'a mut Scenario,
}

impl Names<'_> {
    fn add(&mut self, key: &Pubkey) {
        let Some(name) = self.start.names().find(key) else {
            return;
        };
        let is_allowed =
            |character: char| character.is_ascii_alphanumeric() || "_-".contains(character);
        if !name.is_empty() && name.chars().all(is_allowed) {
            self.scenario.names.add(name, *key);
        }
    }
}

/// Writes a scenario to a file, which has the name of the running test.
fn write(scenario: &Scenario) -> Result<PathBuf> {
    let folder = workspace::target_folder(Path::new("."))?.join("scenarios");
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let thread = thread::current();
    let name = thread.name().unwrap_or("random").replace("::", "-");
    let path = folder.join(format!("{name}.toml"));
    fs::write(&path, scenario.to_string())
        .with_context(|| format!("cannot write {}", path.display()))?;
    Ok(path)
}
