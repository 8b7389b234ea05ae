//! The judgement of outcomes.

use super::report::{Problem, Resource};
use crate::account::Account;
use crate::error::Failure;
use crate::log_style::{before_failed_ends, is_same_line_without_gas};
use crate::outcome::Outcome;

/// The judgement of a good outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Complete,
    CleanError(&'static str),
    Allowed,
}

/// Knows what a good outcome is.
pub(super) struct Judge {
    pub resource: Resource,
    pub allow: fn(&Outcome) -> bool,
    pub before: Vec<Account>,
    pub complete: Outcome,
}

impl Judge {
    /// Judges the outcome under a limit. `enough` is the least that was.
    pub fn judge(
        &self,
        outcome: &Outcome,
        limit: u64,
        enough: Option<u64>,
    ) -> Result<Verdict, Problem> {
        if self.resource == Resource::Gas && outcome.gas_used > limit {
            return Err(Problem::UsedMore);
        }
        if self.is_complete(outcome) {
            return Ok(Verdict::Complete);
        }
        if outcome.failure.is_some() {
            if outcome.accounts != self.before {
                return Err(Problem::AccountsChanged);
            }
            if !outcome.return_data.is_empty() {
                return Err(Problem::ReturnData);
            }
        }
        if (self.allow)(outcome) {
            return Ok(Verdict::Allowed);
        }
        let Some(failure) = &outcome.failure else {
            return Err(Problem::AnotherResult);
        };
        if !self.is_expected(failure) {
            return Err(Problem::AnotherFailure);
        }
        let complete = &self.complete.logs;
        let logs = before_failed_ends(&outcome.logs);
        let is_prefix = logs.len() <= complete.len() && logs.iter().zip(complete).all(is_same_line);
        if !is_prefix {
            return Err(Problem::Logs);
        }
        match enough {
            Some(enough) => Err(Problem::LessWasEnough { enough }),
            None => Ok(Verdict::CleanError(failure.kind())),
        }
    }

    pub fn is_complete(&self, outcome: &Outcome) -> bool {
        let complete = &self.complete;
        outcome.status == complete.status
            && outcome.failure == complete.failure
            && outcome.logs.len() == complete.logs.len()
            && outcome.logs.iter().zip(&complete.logs).all(is_same_line)
            && outcome.return_data == complete.return_data
            && outcome.accounts == complete.accounts
    }

    fn is_expected(&self, failure: &Failure) -> bool {
        let failure = failure.cause();
        match self.resource {
            Resource::Gas => matches!(failure, Failure::OutOfGas { .. }),
            Resource::Heap => matches!(
                failure,
                Failure::OutOfMemory { .. } | Failure::ProgramError { .. }
            ),
        }
    }
}

/// Whether two log lines are the same, how much gas remains left aside.
fn is_same_line((left, right): (&String, &String)) -> bool {
    is_same_line_without_gas(left, right)
}

#[cfg(test)]
mod tests {
    use abi::{ProgramError, Pubkey};

    use super::*;
    use crate::{Engine, HeapUse};

    fn account(kelvins: u64) -> Account {
        Account {
            key: Pubkey::new([1; 32]),
            kelvins,
            ..Account::default()
        }
    }

    fn complete() -> Outcome {
        Outcome {
            status: Some(0),
            failure: None,
            gas_used: 100,
            heap: HeapUse::default(),
            logs: ["one", "gas remaining: 900", "two"]
                .map(str::to_owned)
                .to_vec(),
            return_data: vec![1],
            accounts: vec![account(6)],
            calls: Vec::new(),
            transaction_use: crate::TransactionUse::default(),
            engine: Engine::Interpreter,
        }
    }

    /// A clean one.
    fn failed(failure: Failure) -> Outcome {
        Outcome {
            status: None,
            failure: Some(failure),
            gas_used: 50,
            logs: vec!["one".to_owned()],
            return_data: Vec::new(),
            accounts: vec![account(5)],
            ..complete()
        }
    }

    fn judge(resource: Resource) -> Judge {
        Judge {
            resource,
            allow: |_| false,
            before: vec![account(5)],
            complete: complete(),
        }
    }

    const NO_GAS: Failure = Failure::OutOfGas {
        limit: 50,
        program_counter: Some(0),
        function: None,
        location: None,
    };

    /// The problem of an outcome in a sweep of gas under a limit of 50.
    fn problem(outcome: Outcome) -> Option<Problem> {
        judge(Resource::Gas).judge(&outcome, 50, None).err()
    }

    #[test]
    fn complete_result_ignores_figures() {
        let judge = judge(Resource::Gas);
        let is_complete = |change: fn(&mut Outcome)| {
            let mut outcome = complete();
            change(&mut outcome);
            judge.judge(&outcome, 1_000, None) == Ok(Verdict::Complete)
        };
        assert!(is_complete(|_| ()));
        assert!(is_complete(|outcome| outcome.gas_used += 1));
        assert!(is_complete(|outcome| outcome.heap.limit = 5));
        assert!(is_complete(
            |outcome| outcome.logs[1] = "gas remaining: 7".to_owned()
        ));
        assert!(!is_complete(
            |outcome| outcome.logs[1] = "gas remaining: x".to_owned()
        ));
        assert!(!is_complete(
            |outcome| outcome.logs[2] = "gas remaining: 7".to_owned()
        ));
        assert!(!is_complete(|outcome| outcome.logs.truncate(2)));
        assert!(!is_complete(|outcome| outcome.logs.push(String::new())));
        assert!(!is_complete(|outcome| outcome.return_data.clear()));
        assert!(!is_complete(|outcome| outcome.accounts[0].rent_epoch = 1));
        assert!(!is_complete(|outcome| outcome.status = Some(1)));
    }

    #[test]
    fn clean_error_leaves_nothing() {
        assert_eq!(problem(failed(NO_GAS)), None);
        let with = |change: fn(&mut Outcome)| {
            let mut outcome = failed(NO_GAS);
            change(&mut outcome);
            problem(outcome)
        };
        assert_eq!(
            with(|outcome| outcome.gas_used = 51),
            Some(Problem::UsedMore)
        );
        let changed = with(|outcome| outcome.accounts[0].kelvins = 6);
        assert_eq!(changed, Some(Problem::AccountsChanged));
        let lost = with(|outcome| outcome.accounts.clear());
        assert_eq!(lost, Some(Problem::AccountsChanged));
        assert_eq!(
            with(|outcome| outcome.return_data.push(0)),
            Some(Problem::ReturnData)
        );
        assert_eq!(with(|outcome| outcome.logs.clear()), None);
        assert_eq!(
            with(|outcome| outcome.logs[0].push('!')),
            Some(Problem::Logs)
        );
        let longer = with(|outcome| outcome.logs = vec!["one".to_owned(); 4]);
        assert_eq!(longer, Some(Problem::Logs));
        assert_eq!(
            with(|outcome| outcome.failure = None),
            Some(Problem::AnotherResult)
        );
    }

    #[test]
    fn each_resource_has_its_errors() {
        let memory = Failure::OutOfMemory {
            size: 1,
            align: 1,
            used: None,
            limit: 1,
        };
        let chosen = Failure::ProgramError {
            error: ProgramError::Custom(1),
        };
        for (resource, failure, expected) in [
            (Resource::Gas, &NO_GAS, Ok(Verdict::CleanError("OutOfGas"))),
            (Resource::Gas, &memory, Err(Problem::AnotherFailure)),
            (Resource::Gas, &chosen, Err(Problem::AnotherFailure)),
            (Resource::Heap, &NO_GAS, Err(Problem::AnotherFailure)),
            (
                Resource::Heap,
                &memory,
                Ok(Verdict::CleanError("OutOfMemory")),
            ),
            (
                Resource::Heap,
                &chosen,
                Ok(Verdict::CleanError("ProgramError")),
            ),
        ] {
            let outcome = failed(failure.clone());
            assert_eq!(judge(resource).judge(&outcome, 50, None), expected);
        }
    }

    #[test]
    fn failure_above_a_sufficient_limit_is_a_problem() {
        let judge = judge(Resource::Gas);
        let verdict = judge.judge(&failed(NO_GAS), 50, Some(49));
        assert_eq!(verdict, Err(Problem::LessWasEnough { enough: 49 }));
    }

    #[test]
    fn allowed_outcome_must_change_nothing() {
        let judge = Judge {
            allow: |outcome| outcome.failure == Some(Failure::Aborted),
            ..judge(Resource::Heap)
        };
        let mut outcome = failed(Failure::Aborted);
        outcome.logs = vec!["no memory".to_owned()];
        assert_eq!(judge.judge(&outcome, 50, None), Ok(Verdict::Allowed));
        outcome.accounts[0].kelvins = 6;
        assert_eq!(
            judge.judge(&outcome, 50, None),
            Err(Problem::AccountsChanged)
        );
    }
}
