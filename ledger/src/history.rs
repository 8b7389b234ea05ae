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
            logs: outcome.logs().map(str::to_owned).collect(),
            ..Self::without_logs(number, clock, transaction, outcome)
        }
    }

    fn without_logs(
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
            logs: Vec::new(),
            return_data: outcome.return_data().to_vec(),
        }
    }
}

/// The history of a ledger in memory.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recent(Vector<Arc<Kept>>);

/// A record whose log lines are in one text.
#[derive(Debug)]
struct Kept {
    /// The record without its log lines.
    record: TransactionRecord,
    logs: String,
    /// Where each line ends in the text.
    ends: Vec<usize>,
}

impl Recent {
    /// Adds the record of a transaction, and drops the oldest one if there are too many.
    pub fn add(
        &mut self,
        number: u64,
        clock: &loader::sysvars::Clock,
        transaction: Transaction,
        outcome: &TransactionOutcome,
    ) {
        self.0
            .push_back(Arc::new(Kept::new(number, clock, transaction, outcome)));
        if self.0.len() > KEPT_IN_MEMORY {
            self.0.pop_front();
        }
    }

    /// The last records, oldest first.
    pub fn last(&self, most: usize) -> Vec<TransactionRecord> {
        let skipped = self.0.len().saturating_sub(most);
        let records = self.0.iter().skip(skipped);
        records.map(|kept| kept.record()).collect()
    }
}

impl Kept {
    fn new(
        number: u64,
        clock: &loader::sysvars::Clock,
        transaction: Transaction,
        outcome: &TransactionOutcome,
    ) -> Self {
        let length = outcome.logs().map(str::len).sum();
        let mut kept = Self {
            record: TransactionRecord::without_logs(number, clock, transaction, outcome),
            logs: String::with_capacity(length),
            ends: Vec::with_capacity(outcome.logs().count()),
        };
        for line in outcome.logs() {
            kept.logs.push_str(line);
            kept.ends.push(kept.logs.len());
        }
        kept
    }

    fn record(&self) -> TransactionRecord {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        let lines = starts.zip(&self.ends);
        TransactionRecord {
            logs: lines
                .map(|(start, end)| self.logs[start..*end].to_owned())
                .collect(),
            ..self.record.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Ledger, system};
    use loader::Pubkey;

    #[test]
    fn lines_come_back() {
        let [alice, bob] = [[2; 32], [3; 32]].map(Pubkey::new);
        let mut ledger = Ledger::new();
        ledger.airdrop(alice, 1_000_000_000).unwrap();
        let mut outcome = ledger.send([system::transfer(alice, bob, 1_000_000)]);
        for lines in [&[][..], &["", "a\nb", "", "é"]] {
            outcome.instructions[0].logs = lines.iter().map(|line| (*line).to_owned()).collect();
            let clock = ledger.sysvars().clock;
            let [transaction, same] = [(); 2].map(|()| Transaction::default());
            let kept = Kept::new(7, &clock, transaction, &outcome);
            let record = TransactionRecord::new(7, &clock, same, &outcome);
            assert_eq!(record.logs, lines);
            assert_eq!(kept.record(), record);
        }
    }
}
