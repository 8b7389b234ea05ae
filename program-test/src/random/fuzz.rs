//! Fuzz targets for libFuzzer: any bytes as transactions.
//!
//! See [`fuzz!`](crate::fuzz!).

use arbitrary::{Arbitrary, Result, Unstructured};
use ledger::{AccountMeta, Instruction, Pubkey, Transaction};

use super::Step;
use super::replay;
use crate::{TestLedger, TestOutcome};

/// The most transactions that bytes are read as.
const MOST_TRANSACTIONS: usize = 32;

/// Where the cases of a fuzz target begin.
#[derive(Clone, Debug)]
pub struct Start {
    /// The ledger. Each case gets a copy.
    pub ledger: TestLedger,
    /// The programs that the transactions call.
    pub programs: Vec<Pubkey>,
    /// The accounts that the transactions name.
    pub accounts: Vec<Pubkey>,
}

/// A fuzz target for libFuzzer, in one line: a function that makes a [`Start`], and one that panics
/// if something does not hold after a transaction. The bytes of the fuzzer become transactions of
/// any programs and accounts of the start, with any flags and data.
///
/// The fuzz crate depends on `libfuzzer-sys`, and on `program-test` with the feature `fuzz`:
///
/// ```ignore
/// #![no_main]
///
/// program_test::fuzz!(start, |ledger, outcome| assert_eq!(sum(ledger), 1_000));
/// ```
#[macro_export]
macro_rules! fuzz {
    ($start:expr, $invariant:expr $(,)?) => {
        ::libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
            static START: ::std::sync::LazyLock<$crate::random::fuzz::Start> =
                ::std::sync::LazyLock::new($start);
            $crate::random::fuzz::check(&START, bytes, $invariant);
        });
    };
}

/// Sends the transactions that bytes are read as, and checks after each what must hold.
///
/// # Panics
///
/// If it does not; the message has the transactions as a scenario.
pub fn check(start: &Start, bytes: &[u8], invariant: impl Fn(&TestLedger, Option<&TestOutcome>)) {
    let steps: Vec<Step> = transactions(start, bytes)
        .into_iter()
        .map(Step::Send)
        .collect();
    if let Some(broken) = replay::run(&start.ledger, &steps, &invariant) {
        panic!("{}", replay::report(&start.ledger, &steps, &broken));
    }
}

/// The transactions that bytes are read as.
///
/// ```
/// use program_test::random::fuzz::{Start, transactions};
/// use program_test::{TestLedger, key};
///
/// let start = Start {
///     ledger: TestLedger::new(),
///     programs: vec![key("bank")],
///     accounts: vec![key("alice")],
/// };
/// let found = transactions(&start, &[7; 100]);
/// assert_eq!(found[0].instructions[0].program_id, key("bank"));
/// assert!(transactions(&start, &[]).is_empty());
/// ```
#[must_use]
pub fn transactions(start: &Start, bytes: &[u8]) -> Vec<Transaction> {
    let mut bytes = Unstructured::new(bytes);
    let mut transactions = Vec::new();
    while !bytes.is_empty() && transactions.len() < MOST_TRANSACTIONS {
        // Bytes that end in the middle of a transaction end before it.
        let Ok(transaction) = transaction(start, &mut bytes) else {
            break;
        };
        transactions.push(transaction);
    }
    transactions
}

fn transaction(start: &Start, bytes: &mut Unstructured<'_>) -> Result<Transaction> {
    let count = bytes.int_in_range(1..=3)?;
    let instructions = (0..count).map(|_| instruction(start, bytes));
    Ok(Transaction::new(instructions.collect::<Result<Vec<_>>>()?))
}

fn instruction(start: &Start, bytes: &mut Unstructured<'_>) -> Result<Instruction> {
    let program_id = *bytes.choose(&start.programs)?;
    let mut instruction = Instruction::new(program_id);
    for _ in 0..bytes.int_in_range(0..=8)? {
        let index = bytes.choose_index(start.accounts.len() + start.programs.len())?;
        let mut keys = start.accounts.iter().chain(&start.programs);
        let key = keys.nth(index).ok_or(arbitrary::Error::EmptyChoose)?;
        let flags = u8::arbitrary(bytes)?;
        let account = AccountMeta::new(*key, flags & 1 != 0, flags & 2 != 0);
        instruction = instruction.account(account);
    }
    let length = bytes.int_in_range(0..=64)?;
    Ok(instruction.data(bytes.bytes(length)?))
}
