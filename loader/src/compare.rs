//! Compares the outcomes of one invocation on two engines.

use std::fmt::Debug;

use abi::Pubkey;

use crate::error::Failure;
use crate::log_style::is_same_line;
use crate::outcome::{Outcome, status_text};

impl Outcome {
    /// Returns the differences between this outcome and that of the same invocation on another
    /// engine, one line each.
    ///
    /// It compares status, failure, logs, return data, calls and accounts. It does not compare gas
    /// and heap use, which depend on the target, nor the gas in the lines that the loader itself
    /// logs. Of a failure that names a place in memory or code,
    /// it compares only the kind.
    ///
    /// ```no_run
    /// # use loader::{Invocation, InvocationError, Program};
    /// # fn example(polkavm: &Program, wasm: &Program, invocation: &Invocation)
    /// # -> Result<(), InvocationError> {
    /// let differences = polkavm.invoke(invocation)?.differences(&wasm.invoke(invocation)?);
    /// assert!(differences.is_empty(), "{}", differences.join("\n"));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let mut differences = Vec::new();
        let (first, second) = (self.engine, other.engine);
        if self.status != other.status {
            let [one, another] = [self.status, other.status].map(status_text);
            differences.push(format!(
                "status: {one} on the {first} engine, {another} on the {second} engine"
            ));
        }
        let mut compare = |what: &str, one: &dyn Debug, another: &dyn Debug, is_same: bool| {
            if !is_same {
                differences.push(format!(
                    "{what}: {one:?} on the {first} engine, {another:?} on the {second} engine"
                ));
            }
        };
        let same_failure = match (&self.failure, &other.failure) {
            (Some(one), Some(another)) => one.agrees_with(another),
            (one, another) => one == another,
        };
        compare("failure", &self.failure, &other.failure, same_failure);
        let lines = self.logs.len().max(other.logs.len());
        for line in 0..lines {
            let (one, another) = (self.logs.get(line), other.logs.get(line));
            let is_same = match (one, another) {
                (Some(one), Some(another)) => is_same_line(one, another),
                _ => one == another,
            };
            compare(&format!("log line {line}"), &one, &another, is_same);
        }
        let same_data = self.return_data == other.return_data;
        compare(
            "return data",
            &self.return_data,
            &other.return_data,
            same_data,
        );
        let calls = |outcome: &Self| -> Vec<(Pubkey, u64)> {
            let calls = outcome.calls.iter();
            calls.map(|call| (call.program_id, call.depth)).collect()
        };
        let (one, another) = (calls(self), calls(other));
        compare("calls", &one, &another, one == another);
        let accounts = self.accounts.len().max(other.accounts.len());
        for index in 0..accounts {
            let (one, another) = (self.accounts.get(index), other.accounts.get(index));
            compare(&format!("account {index}"), &one, &another, one == another);
        }
        differences
    }
}

impl Failure {
    /// Whether a failure of the same invocation on another engine is the same. Of a failure that
    /// names a place in memory or code, only the kind is compared.
    ///
    /// ```
    /// use loader::Failure;
    ///
    /// assert!(Failure::out_of_gas(10).agrees_with(&Failure::out_of_gas(20)));
    /// assert!(!Failure::out_of_gas(10).agrees_with(&Failure::Aborted));
    /// ```
    #[must_use]
    pub fn agrees_with(&self, other: &Self) -> bool {
        is_same_failure(self, other)
    }
}

/// Whether two failures are equal, apart from details that depend on the target.
fn is_same_failure(one: &Failure, another: &Failure) -> bool {
    if let (
        Failure::Called {
            program_id,
            depth,
            failure,
        },
        Failure::Called {
            program_id: other_id,
            depth: other_depth,
            failure: other_failure,
        },
    ) = (one, another)
    {
        let is_same_call = (program_id, depth) == (other_id, other_depth);
        return is_same_call && is_same_failure(failure, other_failure);
    }
    match one {
        Failure::OutOfGas { .. }
        | Failure::OutOfMemory { .. }
        | Failure::Trapped { .. }
        | Failure::StackOverflow { .. }
        | Failure::InvalidPointer { .. } => one.kind() == another.kind(),
        _ => one == another,
    }
}

#[cfg(test)]
mod tests {
    use abi::ProgramError;

    use super::*;
    use crate::account::Account;
    use crate::engine::Engine;
    use crate::outcome::HeapUse;
    use crate::transaction_use::TransactionUse;

    fn outcome(engine: Engine) -> Outcome {
        Outcome {
            status: Some(0),
            failure: None,
            gas_used: 10,
            heap: HeapUse::default(),
            logs: vec!["one".to_owned(), "two".to_owned()],
            return_data: vec![1],
            accounts: vec![Account::default()],
            calls: Vec::new(),
            transaction_use: TransactionUse::default(),
            engine,
        }
    }

    fn differences(change: impl Fn(&mut Outcome)) -> Vec<String> {
        let one = outcome(Engine::Interpreter);
        let mut another = outcome(Engine::Wasm);
        change(&mut another);
        assert_eq!(
            one.differences(&another).len(),
            another.differences(&one).len()
        );
        one.differences(&another)
    }

    #[test]
    fn gas_and_heap_may_differ() {
        let none = differences(|outcome| {
            outcome.gas_used = 20;
            outcome.heap.limit = 7;
            outcome.heap.peak = Some(3);
        });
        assert_eq!(none, [""; 0]);
    }

    #[test]
    fn each_difference_is_reported() {
        assert_eq!(
            differences(|outcome| outcome.status = None),
            ["status: 0 (success) on the interpreter engine, none on the wasm engine"]
        );
        assert_eq!(
            differences(|outcome| outcome.logs.push("three".to_owned())),
            ["log line 2: None on the interpreter engine, Some(\"three\") on the wasm engine"]
        );
        for change in [
            |outcome: &mut Outcome| outcome.failure = Some(Failure::Aborted),
            |outcome: &mut Outcome| outcome.logs[0].clear(),
            |outcome: &mut Outcome| outcome.return_data.clear(),
            |outcome: &mut Outcome| outcome.accounts.clear(),
            |outcome: &mut Outcome| outcome.accounts[0].kelvins = 1,
        ] {
            assert_eq!(differences(change).len(), 1);
        }
    }

    #[test]
    fn target_dependent_failures_compare_by_kind() {
        let trap = Failure::trapped_because;
        assert!(is_same_failure(&trap("one"), &trap("another")));
        assert!(!is_same_failure(&trap("one"), &Failure::Aborted));
        let error = |error| Failure::ProgramError { error };
        assert!(!is_same_failure(
            &error(ProgramError::Custom(1)),
            &error(ProgramError::Custom(2))
        ));
    }
}
