//! Compares what a scenario did on two engines.

use std::collections::BTreeSet;
use std::fmt::Debug;

use loader::Pubkey;

use super::{ScenarioOutcome, StepOutcome};
use crate::error::TransactionError;
use crate::outcome::{AccountChange, TransactionOutcome};

impl ScenarioOutcome {
    /// The differences from what the steps expect, one line each. The line names the step.
    #[must_use]
    pub fn differences(&self) -> Vec<String> {
        let steps = self.steps.iter().enumerate();
        let lines = steps.flat_map(|(index, step)| {
            let place = place(index, step);
            let lines = step.differences.iter();
            lines.map(move |line| format!("{place}: {line}"))
        });
        lines.collect()
    }

    /// The differences from the same scenario on another engine, one line each.
    ///
    /// It compares what [`Outcome::differences`](loader::Outcome::differences) compares: errors,
    /// logs, return data, calls and accounts, and for engines of the same target the gas.
    #[must_use]
    pub fn differences_from(&self, other: &Self) -> Vec<String> {
        let (one, another) = (self.engine, other.engine);
        let mut differences = Vec::new();
        for (index, (step, others)) in self.steps.iter().zip(&other.steps).enumerate() {
            let place = place(index, step);
            let mut add = |what: &str, here: &dyn Debug, there: &dyn Debug| {
                differences.push(format!(
                    "{place}: {what}: {here:?} on the {one} engine, {there:?} on the {another} \
                     engine"
                ));
            };
            if let (Some(here), Some(there)) = (&step.transaction, &others.transaction) {
                compare(here, there, one.target() == another.target(), &mut add);
            }
            let keys = step.changes.iter().chain(&others.changes);
            let keys: BTreeSet<Pubkey> = keys.map(|change| change.key).collect();
            for key in keys {
                let [here, there] = [step, others].map(|step| after(step, &key));
                if here != there && !is_program(here) {
                    add(&self.names.text(&key), &here, &there);
                }
            }
        }
        differences
    }
}

/// The number of a step, and its title.
fn place(index: usize, step: &StepOutcome) -> String {
    format!("step {} ({})", index + 1, step.title)
}

/// What a step made of an account, if it changed it.
fn after<'a>(step: &'a StepOutcome, key: &Pubkey) -> Option<&'a AccountChange> {
    step.changes.iter().find(|change| change.key == *key)
}

/// Whether it is the account of a program, whose file depends on the target.
fn is_program(change: Option<&AccountChange>) -> bool {
    let after = change.and_then(|change| change.after.as_ref());
    after.is_some_and(|account| account.executable)
}

fn compare(
    here: &TransactionOutcome,
    there: &TransactionOutcome,
    is_same_target: bool,
    add: &mut impl FnMut(&str, &dyn Debug, &dyn Debug),
) {
    if !is_same_error(here.error.as_ref(), there.error.as_ref()) {
        add("error", &here.error, &there.error);
    }
    if is_same_target && here.gas_used != there.gas_used {
        add("gas used", &here.gas_used, &there.gas_used);
    }
    if here.fee != there.fee {
        add("fee", &here.fee, &there.fee);
    }
    for (index, (here, there)) in here
        .instructions
        .iter()
        .zip(&there.instructions)
        .enumerate()
    {
        let [ours, theirs] =
            [here, there].map(|instruction| -> Vec<_> { instruction.texts().collect() });
        if ours != theirs {
            add(&format!("logs of instruction {index}"), &ours, &theirs);
        }
        if here.return_data != there.return_data {
            let what = format!("return data of instruction {index}");
            add(&what, &here.return_data, &there.return_data);
        }
        let [ours, theirs] = [here, there].map(|instruction| -> Vec<(Pubkey, u64)> {
            let calls = instruction.calls.iter();
            calls.map(|call| (call.program_id, call.depth)).collect()
        });
        if ours != theirs {
            add(&format!("calls of instruction {index}"), &ours, &theirs);
        }
    }
}

fn is_same_error(here: Option<&TransactionError>, there: Option<&TransactionError>) -> bool {
    use TransactionError::InstructionFailed;

    match (here, there) {
        (
            Some(InstructionFailed { index, failure, .. }),
            Some(InstructionFailed {
                index: other_index,
                failure: other_failure,
                ..
            }),
        ) => index == other_index && failure.agrees_with(other_failure),
        (here, there) => here == there,
    }
}
