//! What a transaction did.

use std::collections::BTreeMap;
use std::sync::Arc;

use loader::{Account, CallRecord, Failure, HeapUse, Pubkey, logged_text};

use crate::error::{StorageError, TransactionError};

/// What a transaction did, and what each of its instructions did.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[must_use = "a transaction may have failed"]
pub struct TransactionOutcome {
    /// Why the transaction had no effect; `None` if it was kept.
    pub error: Option<TransactionError>,
    /// The instructions that ran, in order. If one failed, it is the last.
    pub instructions: Vec<InstructionOutcome>,
    /// The gas that all instructions together used.
    pub gas_used: u64,
    /// The most gas that they could use.
    pub gas_limit: u64,
    /// The kelvins that the payer paid, whether or not the transaction was kept.
    pub fee: u64,
    /// Every account of the transaction, before and after it. If the transaction was not kept, only
    /// the payer changes.
    pub accounts: Vec<AccountChange>,
}

/// What one instruction of a transaction did.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InstructionOutcome {
    /// The program that was called.
    pub program_id: Pubkey,
    /// The status that it returned; `None` if it ended without returning.
    pub status: Option<u64>,
    /// Why nothing is kept; `None` if the program succeeded.
    pub failure: Option<Failure>,
    /// The gas that it used, that of the programs which it called included.
    pub gas_used: u64,
    /// How it used its heap.
    pub heap: HeapUse,
    /// The lines that it and the programs which it called logged.
    pub logs: Vec<String>,
    /// The return data; empty if the program did not succeed.
    pub return_data: Vec<u8>,
    /// The calls from one program to another, in the order in which they began. Their depths make a
    /// tree of the list: see [`CallRecord`].
    pub calls: Vec<CallRecord>,
}

/// An account before and after a transaction. An account that does not exist has no kelvins, no
/// data, and the system program as its owner.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AccountChange {
    /// Its address.
    pub key: Pubkey,
    /// The account before the transaction; `None` if it did not exist.
    pub before: Option<Arc<Account>>,
    /// The account after it; `None` if it does not exist.
    pub after: Option<Arc<Account>>,
}

impl AccountChange {
    /// Whether the account after the transaction differs from that before it.
    #[must_use]
    pub fn is_changed(&self) -> bool {
        match (&self.before, &self.after) {
            (Some(before), Some(after)) => !Arc::ptr_eq(before, after) && before != after,
            (before, after) => before.is_some() != after.is_some(),
        }
    }
}

impl InstructionOutcome {
    /// The texts that the programs logged: see [`TransactionOutcome::texts`].
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.logs.iter().filter_map(|line| logged_text(line))
    }
}

impl TransactionOutcome {
    /// Whether the transaction was kept.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.error.is_none()
    }

    /// Notes that the changes could not be stored, so that there are none.
    pub(crate) fn not_stored(&mut self, error: &StorageError) {
        self.error = Some(TransactionError::NotStored {
            reason: error.to_string(),
            error: self.error.take().map(Box::new),
        });
        self.fee = 0;
        for account in &mut self.accounts {
            account.after.clone_from(&account.before);
        }
    }

    /// The log lines of all instructions, in order and in the words of the ledger's loader.
    pub fn logs(&self) -> impl Iterator<Item = &str> {
        let instructions = self.instructions.iter();
        instructions.flat_map(|instruction| instruction.logs.iter().map(String::as_str))
    }

    /// The texts that all programs logged, in order, without the lines in which the runtime says
    /// where a program begins and ends: see [`loader::logged_text`].
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.logs().filter_map(logged_text)
    }

    /// The return data of the last instruction; empty if it set none.
    #[must_use]
    pub fn return_data(&self) -> &[u8] {
        let last = self.instructions.last();
        last.map_or(&[], |instruction| &instruction.return_data)
    }

    /// The accounts that the transaction changed.
    pub fn changes(&self) -> impl Iterator<Item = &AccountChange> {
        self.accounts.iter().filter(|account| account.is_changed())
    }

    /// The gas that each program used itself, without that of the programs which it called. The sum
    /// is [`gas_used`](Self::gas_used).
    #[must_use]
    pub fn gas_by_program(&self) -> BTreeMap<Pubkey, u64> {
        let mut gas = BTreeMap::new();
        for instruction in &self.instructions {
            // The programs that wait for a call, each with the gas that it used itself so far.
            let mut waiting = vec![(1, instruction.program_id, instruction.gas_used)];
            for call in &instruction.calls {
                while waiting.len() > 1 && waiting.last().is_some_and(|last| last.0 >= call.depth) {
                    end(&mut waiting, &mut gas);
                }
                if let Some(caller) = waiting.last_mut() {
                    caller.2 = caller.2.saturating_sub(call.gas_used);
                }
                waiting.push((call.depth, call.program_id, call.gas_used));
            }
            while !waiting.is_empty() {
                end(&mut waiting, &mut gas);
            }
        }
        gas
    }
}

/// Adds the gas of the innermost program that waits to that of its id.
fn end(waiting: &mut Vec<(u64, Pubkey, u64)>, gas: &mut BTreeMap<Pubkey, u64>) {
    if let Some((_, program_id, own)) = waiting.pop() {
        *gas.entry(program_id).or_default() += own;
    }
}
