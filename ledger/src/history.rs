//! The transactions that a ledger has run.

use std::sync::Arc;

use imbl::Vector;

use crate::outcome::TransactionOutcome;
use crate::transaction::Transaction;

/// How many transactions the history of a ledger in memory keeps: the last ones.
pub(crate) const KEPT_IN_MEMORY: usize = 1_000;

/// A transaction that a ledger has run, and how it ended: see
/// [`Ledger::history`](crate::Ledger::history).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TransactionRecord {
    /// Its number, from 1 in the order in which the ledger ran them.
    pub number: u64,
    /// The slot in which it ran.
    pub slot: u64,
    /// The time of the ledger's clock when it ran, in milliseconds since 1970.
    pub unix_timestamp_ms: i64,
    /// The transaction itself.
    pub transaction: Transaction,
    /// The text of the error that ended it; `None` if it was kept.
    pub error: Option<String>,
    /// The gas that it used.
    pub gas_used: u64,
    /// The most gas that it could use.
    pub gas_limit: u64,
    /// The kelvins that its payer paid.
    pub fee: u64,
    /// The lines that its programs logged, in order.
    pub logs: Vec<String>,
    /// The return data of its last instruction; empty if there is none.
    pub return_data: Vec<u8>,
}

impl TransactionRecord {
    /// The record of a transaction.
    pub(crate) fn new(
        number: u64,
        clock: &loader::sysvars::Clock,
        transaction: Transaction,
        outcome: &TransactionOutcome,
    ) -> Self {
        Self {
            number,
            slot: clock.slot,
            unix_timestamp_ms: clock.unix_timestamp_ms,
            transaction,
            error: outcome.error.as_ref().map(ToString::to_string),
            gas_used: outcome.gas_used,
            gas_limit: outcome.gas_limit,
            fee: outcome.fee,
            logs: outcome.logs().map(str::to_owned).collect(),
            return_data: outcome.return_data().to_vec(),
        }
    }
}

/// The history of a ledger in memory.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recent(Vector<Arc<TransactionRecord>>);

impl Recent {
    /// Adds records, and drops the oldest ones if there are too many.
    pub fn add(&mut self, records: impl IntoIterator<Item = TransactionRecord>) {
        self.0.extend(records.into_iter().map(Arc::new));
        while self.0.len() > KEPT_IN_MEMORY {
            self.0.pop_front();
        }
    }

    /// The last records, oldest first.
    pub fn last(&self, most: usize) -> Vec<TransactionRecord> {
        let skipped = self.0.len().saturating_sub(most);
        let records = self.0.iter().skip(skipped);
        records
            .map(|record| TransactionRecord::clone(record))
            .collect()
    }
}
