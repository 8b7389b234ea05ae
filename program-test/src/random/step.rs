//! What happens to a ledger, one step after the other.

use std::time::Duration;

use ledger::{Instruction, Transaction};

/// A step of a test with random steps.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step {
    /// A transaction is sent.
    Send(Transaction),
    /// Time passes.
    Warp(Duration),
}

impl From<Transaction> for Step {
    fn from(transaction: Transaction) -> Self {
        Self::Send(transaction)
    }
}

impl From<Instruction> for Step {
    fn from(instruction: Instruction) -> Self {
        Self::Send(instruction.into())
    }
}

impl From<Vec<Instruction>> for Step {
    fn from(instructions: Vec<Instruction>) -> Self {
        Self::Send(instructions.into())
    }
}

impl From<Duration> for Step {
    fn from(time: Duration) -> Self {
        Self::Warp(time)
    }
}
