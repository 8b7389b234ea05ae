//! Compares what a step did with what is expected of it.

use loader::fixture::{ExpectedStatus, Fields, Names, group_digits};
use loader::{CustomError, Failure, ProgramError, status_text};
use strum::VariantNames;

use super::{Expect, ExpectedKelvins, ExpectedState};
use crate::error::TransactionError;
use crate::outcome::{AccountChange, TransactionOutcome};

impl Expect {
    /// Adds a line for each difference of a transaction, without its accounts. `errors` are those
    /// of the program that failed.
    pub(super) fn judge(
        &self,
        outcome: &TransactionOutcome,
        is_riscv64: bool,
        errors: &[CustomError],
        names: &Names,
        differences: &mut Vec<String>,
    ) {
        match (&self.error, &outcome.error) {
            (Some(expected), Some(found)) if !is_error(expected, found, errors) => {
                let found = short(found, errors, names);
                differences.push(format!("error: expected {expected}, found {found}"));
                differences.extend(advice(expected, errors));
            }
            (Some(expected), None) => {
                differences.push(format!("error: expected {expected}, but it succeeded"));
            }
            (None, Some(found)) if self.success != Some(false) => {
                let found = short(found, errors, names);
                differences.push(format!("expected success, found the error {found}"));
            }
            (None, None) if self.success == Some(false) => {
                differences.push("expected an error, but it succeeded".to_owned());
            }
            _ => {}
        }
        let logs: Vec<&str> = outcome.texts().collect();
        if let Some(expected) = &self.logs
            && !expected.iter().eq(&logs)
        {
            differences.push(format!("logs: expected {expected:?}, found {logs:?}"));
        }
        for part in &self.logs_contain {
            if !logs.iter().any(|line| line.contains(part)) {
                differences.push(format!("logs: no line contains {part:?}, found {logs:?}"));
            }
        }
        if let Some(expected) = &self.return_data {
            data(
                "return data",
                expected,
                outcome.return_data(),
                names,
                differences,
            );
        }
        if let Some(expected) = self.gas_used
            && is_riscv64
            && expected != outcome.gas_used
        {
            let [expected, found] = [expected, outcome.gas_used].map(group_digits);
            differences.push(format!("gas used: expected {expected}, found {found}"));
        }
    }
}

impl ExpectedState {
    /// Adds a line for each difference of an account.
    pub(super) fn judge(
        &self,
        found: Option<&AccountChange>,
        names: &Names,
        differences: &mut Vec<String>,
    ) {
        let name = names.text(&self.key);
        let before = found.and_then(|found| found.before.as_deref());
        let after = found.and_then(|found| found.after.as_deref());
        let kelvins = after.map_or(0, |account| account.kelvins);
        if self.is_gone {
            if after.is_some() {
                let kelvins = group_digits(kelvins);
                differences.push(format!("{name}: expected gone, found {kelvins} kelvins"));
            }
            return;
        }
        let Some(account) = after else {
            differences.push(format!("{name}: expected an account, found none"));
            return;
        };
        if let Some(owner) = &self.owner
            && *owner != account.owner
        {
            let [expected, found] = [owner, &account.owner].map(|key| names.text(key));
            differences.push(format!(
                "owner of {name}: expected {expected}, found {found}"
            ));
        }
        let was = before.map_or(0, |account| account.kelvins);
        match self.kelvins {
            Some(ExpectedKelvins::Exactly(expected)) if expected != kelvins => {
                let [expected, found] = [expected, kelvins].map(group_digits);
                differences.push(format!(
                    "kelvins of {name}: expected {expected}, found {found}"
                ));
            }
            Some(ExpectedKelvins::More(more)) if was.checked_add(more) != Some(kelvins) => {
                let expected = group_digits(more);
                differences.push(change(&name, "+", &expected, was, kelvins));
            }
            Some(ExpectedKelvins::Less(less)) if was.checked_sub(less) != Some(kelvins) => {
                let expected = group_digits(less);
                differences.push(change(&name, "-", &expected, was, kelvins));
            }
            _ => {}
        }
        if let Some(expected) = &self.data {
            data(
                &format!("data of {name}"),
                expected,
                &account.data,
                names,
                differences,
            );
        }
    }
}

/// The difference of a change.
fn change(name: &str, sign: &str, expected: &str, before: u64, after: u64) -> String {
    let found = match after.checked_sub(before) {
        Some(more) => format!("+{}", group_digits(more)),
        None => format!("-{}", group_digits(before - after)),
    };
    format!("kelvins of {name}: expected {sign}{expected}, found {found}")
}

/// Adds a line for each field that differs.
fn data(what: &str, expected: &Fields, found: &[u8], names: &Names, differences: &mut Vec<String>) {
    let lines = expected.differences(found, names);
    differences.extend(lines.iter().map(|line| format!("{what}: {line}")));
}

/// Whether an error is the one that is expected.
fn is_error(expected: &ExpectedStatus, found: &TransactionError, errors: &[CustomError]) -> bool {
    if let Some(Failure::ProgramError { error }) = found.failure()
        && expected.is_status(error.status(), errors)
    {
        return true;
    }
    let ExpectedStatus::Name(name) = expected else {
        return false;
    };
    let kind = found.failure().map(Failure::kind);
    kind == Some(name) || found.kind() == name
}

/// An error in a few words: the name that a file has for it.
fn short(found: &TransactionError, errors: &[CustomError], names: &Names) -> String {
    let Some(failure) = found.failure() else {
        return format!("{}: {}", found.kind(), names.in_text(&found.to_string()));
    };
    let Failure::ProgramError { error } = failure else {
        return format!(
            "{}: {}",
            failure.kind(),
            names.in_text(&failure.to_string())
        );
    };
    let own = match error {
        ProgramError::Custom(code) => errors.iter().find(|error| error.code == *code),
        _ => None,
    };
    own.map_or_else(|| status_text(Some(error.status())), |own| own.name.clone())
}

/// What to write instead, if no error has the name.
fn advice(expected: &ExpectedStatus, errors: &[CustomError]) -> Option<String> {
    let ExpectedStatus::Name(name) = expected else {
        return None;
    };
    let kinds = TransactionError::VARIANTS.iter().copied();
    let is_kind = kinds.chain(Failure::kinds()).any(|kind| kind == name);
    (!is_kind).then(|| expected.advice(errors)).flatten()
}
