//! The result of a sweep.

use std::collections::BTreeMap;
use std::fmt;

use crate::error::InvocationError;
use crate::outcome::Outcome;

/// The resource that a sweep limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resource {
    /// Gas, in units.
    Gas,
    /// The heap, in bytes.
    Heap,
}

impl fmt::Display for Resource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Gas => "gas",
            Self::Heap => "heap",
        })
    }
}

/// The result of a sweep, if every outcome was good.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// The limited resource.
    pub resource: Resource,
    /// The least limit that was tried and enough.
    pub enough: u64,
    /// How many limits were tried.
    pub limits: u64,
    /// How many of them gave the complete result.
    pub complete: u64,
    /// How many ended in a clean error, by its [`kind`](crate::Failure::kind).
    pub failures: BTreeMap<&'static str, u64>,
    /// How many had another outcome that [`Sweep::allow`](super::Sweep::allow) accepts.
    pub allowed: u64,
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self.resource {
            Resource::Gas => "units of gas are",
            Resource::Heap => "bytes of heap are",
        };
        write!(
            formatter,
            "{} {unit} enough; of {} limits {} gave the complete result",
            self.enough, self.limits, self.complete
        )?;
        for (kind, count) in &self.failures {
            write!(formatter, ", {count} {kind}")?;
        }
        if self.allowed > 0 {
            write!(formatter, ", {} allowed", self.allowed)?;
        }
        Ok(())
    }
}

/// The problem of an outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// It used more gas than it had.
    #[error("the program used more gas than the limit")]
    UsedMore,
    /// It succeeded with another result than the complete one.
    #[error("the program succeeded with a different result")]
    AnotherResult,
    /// It failed for a reason that has nothing to do with the limit.
    #[error("the program failed for a reason other than the limit")]
    AnotherFailure,
    /// It failed, and an account is not what it was.
    #[error("the program failed, but an account was changed")]
    AccountsChanged,
    /// It failed, and left return data.
    #[error("the program failed, but left return data")]
    ReturnData,
    /// It failed after lines that are not the first of the complete logs.
    #[error("the logs are not a prefix of the complete logs")]
    Logs,
    /// It failed although less was enough.
    #[error("the lower limit of {enough} was enough")]
    LessWasEnough {
        /// The lesser limit.
        enough: u64,
    },
}

/// Why a sweep ended before its end.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SweepFailed {
    /// The program could not be called.
    #[error(transparent)]
    NotCalled(#[from] InvocationError),
    /// The invocation itself runs out of gas or memory, so there is no complete result.
    #[error(
        "the sweep has no complete result to compare with: {}; raise the invocation's gas or heap",
        failure_of(outcome)
    )]
    NotEnough {
        /// The outcome of the invocation.
        outcome: Box<Outcome>,
    },
    /// An outcome was neither the complete result nor a clean error.
    #[error(
        "with a {resource} limit of {limit}: {problem} ({})",
        failure_of(outcome)
    )]
    Outcome {
        /// The limited resource.
        resource: Resource,
        /// The limit.
        limit: u64,
        /// The problem.
        problem: Problem,
        /// The outcome under the limit.
        outcome: Box<Outcome>,
    },
}

fn failure_of(outcome: &Outcome) -> String {
    match &outcome.failure {
        Some(failure) => failure.to_string(),
        None => format!("logs: {:?}", outcome.logs),
    }
}
