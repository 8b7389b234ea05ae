//! Property tests: random transactions, and what must hold after each.
//!
//! See [`Property`].

use std::ops::RangeInclusive;
use std::time::Duration;

use ledger::{AccountMeta, Instruction, Pubkey};
use proptest::collection::vec;
use proptest::prelude::any;
use proptest::sample::select;
use proptest::strategy::{BoxedStrategy, Strategy, Union};
use proptest::test_runner::{Config, TestCaseError, TestError, TestRunner};

use super::Step;
use super::replay::{self, Invariant};
use crate::{TestLedger, TestOutcome};

/// Sends random transactions to copies of a ledger, and checks after each of them what must always
/// hold.
///
/// If it does not hold, the test fails with the shortest list of transactions that it can find, and
/// the simplest ones. It prints them as a scenario, and writes that to a file, which `cargo
/// entrypoint run` runs.
///
/// ```
/// use program_test::proptest::prelude::*;
/// use program_test::proptest::sample::select;
/// use program_test::random::property::Property;
/// use program_test::{TestLedger, key, system};
///
/// let mut ledger = TestLedger::new();
/// let people = ["alice", "bob", "carol"].map(key);
/// for key in people {
///     ledger.fund(key, 10_000_000);
/// }
/// let person = || select(people.to_vec());
/// let pay = (person(), person(), 0..20_000_000_u64)
///     .prop_map(|(from, to, kelvins)| system::transfer(from, to, kelvins));
///
/// Property::new(&ledger).transaction(pay).cases(20).check(|ledger, _| {
///     let kelvins: u64 = people.iter().map(|key| ledger.kelvins(key)).sum();
///     assert_eq!(kelvins, 30_000_000, "kelvins were made or lost");
/// });
/// ```
#[derive(Clone, Debug)]
#[must_use = "call `check`"]
pub struct Property<'a> {
    start: &'a TestLedger,
    steps: Vec<(u32, BoxedStrategy<Step>)>,
    length: RangeInclusive<usize>,
    config: Config,
}

impl<'a> Property<'a> {
    /// A test whose cases each begin with a copy of this ledger.
    pub fn new(start: &'a TestLedger) -> Self {
        Self {
            start,
            steps: Vec::new(),
            length: 1..=16,
            config: Config {
                failure_persistence: None,
                max_shrink_iters: 10_000,
                ..Config::default()
            },
        }
    }

    /// Adds transactions: the values of a strategy, each an [`Instruction`], a list of them, or a
    /// [`Transaction`](ledger::Transaction). Each strategy is as frequent as every other.
    pub fn transaction<S>(self, strategy: S) -> Self
    where
        S: Strategy<Value: Into<Step>> + 'static,
    {
        self.weighted(1, strategy)
    }

    /// Adds transactions, as [`transaction`](Self::transaction) does, that are this many times as
    /// frequent.
    pub fn weighted<S>(mut self, weight: u32, strategy: S) -> Self
    where
        S: Strategy<Value: Into<Step>> + 'static,
    {
        let strategy = strategy.prop_map(Into::into).boxed();
        self.steps.push((weight, strategy));
        self
    }

    /// Lets time pass between transactions, at most this long at once.
    pub fn warp(self, longest: Duration) -> Self {
        let longest = u64::try_from(longest.as_millis()).unwrap_or(u64::MAX);
        self.transaction((0..=longest).prop_map(Duration::from_millis))
    }

    /// Sets how many steps a case has. By default it has 1 to 16.
    ///
    /// # Panics
    ///
    /// If the range is empty.
    pub fn length(mut self, length: RangeInclusive<usize>) -> Self {
        assert!(!length.is_empty(), "a case needs a number of steps");
        self.length = length;
        self
    }

    /// Sets how many cases are tried. By default it is that of `proptest`: 256, or the environment
    /// variable `PROPTEST_CASES`.
    pub fn cases(mut self, cases: u32) -> Self {
        self.config.cases = cases;
        self
    }

    /// Runs the test. The function gets the ledger after each step and what the transaction did;
    /// `None` if time has passed. It panics if something does not hold.
    ///
    /// # Panics
    ///
    /// If a case breaks the invariant, with the shortest case that was found; and if there are no
    /// transactions.
    #[track_caller]
    pub fn check(self, invariant: impl Fn(&TestLedger, Option<&TestOutcome>)) {
        self.run(&invariant);
    }

    #[track_caller]
    fn run(self, invariant: &Invariant<'_>) {
        assert!(
            !self.steps.is_empty(),
            "there are no transactions; add some with `transaction`"
        );
        // The shrinker begins at the start of a list, and does not come back. What a step needs of
        // those before it is known when it is as simple as it gets, so the last one comes first.
        let steps = vec(Union::new_weighted(self.steps), self.length);
        let steps = steps.prop_map(|mut steps| {
            steps.reverse();
            steps
        });
        let mut runner = TestRunner::new(self.config);
        let result = runner.run(&steps, |steps| {
            match replay::run(self.start, &steps, invariant) {
                None => Ok(()),
                Some(broken) => Err(TestCaseError::fail(broken.reason)),
            }
        });
        match result {
            Ok(()) => {}
            Err(TestError::Abort(reason)) => panic!("no random transactions: {reason}"),
            Err(TestError::Fail(reason, steps)) => {
                match replay::run(self.start, &steps, invariant) {
                    Some(broken) => panic!("{}", replay::report(self.start, &steps, &broken)),
                    None => panic!(
                        "the invariant did not hold, and holds when the same steps are done \
                         again, so it depends on more than the ledger: {reason}"
                    ),
                }
            }
        }
    }
}

/// Instructions of every kind: any of these programs, any of these accounts in any order, any
/// flags, any data of up to 64 bytes. Most of them fail; none may do harm.
///
/// # Panics
///
/// If there are no programs.
pub fn any_instruction(
    programs: &[Pubkey],
    accounts: &[Pubkey],
) -> impl Strategy<Value = Instruction> + use<> {
    assert!(!programs.is_empty(), "pass at least one program");
    let keys = [programs, accounts].concat();
    let account = (select(keys), any::<bool>(), any::<bool>());
    let account = account
        .prop_map(|(key, is_signer, is_writable)| AccountMeta::new(key, is_signer, is_writable));
    let parts = (
        select(programs.to_vec()),
        vec(account, 0..=8),
        vec(any::<u8>(), 0..=64),
    );
    parts.prop_map(|(program_id, accounts, data)| {
        Instruction::new(program_id).accounts(accounts).data(data)
    })
}
