//! Random scripts of the guest `everywhere` have the same outcome on every target.

use std::cell::Cell;

use everywhere::Command;
use loader::{AccountInput, Invocation};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::TestRunner;
use tests::PROGRAM_ID;
use tests::everywhere_guest::{Step, programs, script};

use super::agreement::{compare, key};

/// Numbers of steps; some of them are valid for some commands.
fn number() -> impl Strategy<Value = u64> {
    prop_oneof![
        4 => 0_u64..4,
        3 => 0_u64..100,
        3 => 0_u64..20_000,
        1 => select(vec![u64::MAX, 1 << 31, 1 << 32, (1 << 32) - 1, 1 << 63]),
        1 => select(vec![1.5_f64.to_bits(), f64::NAN.to_bits()]),
        1 => any::<u64>(),
    ]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let same = Command::ALL
        .iter()
        .copied()
        .take_while(|command| *command != Command::LAST_SAME);
    // A command that ends the script is rare, so that other commands run before it.
    let is_last = |command: &Command| {
        use Command::{OutOfMemory, Panic, PanicAsRust, Return};
        matches!(command, Return | Panic | PanicAsRust | OutOfMemory)
    };
    let (last, other): (Vec<Command>, Vec<Command>) =
        same.chain([Command::LAST_SAME]).partition(is_last);
    let command = prop_oneof![1 => select(last), 12 => select(other)];
    prop::collection::vec((command, [number(), number(), number()]), 0..10)
}

/// Instruction data: a script, sometimes with invalid bytes after it.
fn data() -> impl Strategy<Value = Vec<u8>> {
    let rest = prop_oneof![
        8 => Just(Vec::new()),
        1 => prop::collection::vec(any::<u8>(), 1..25),
        1 => prop::collection::vec(200_u8.., 25..60),
    ];
    (steps(), rest).prop_map(|(steps, rest)| [script(&steps), rest].concat())
}

fn account(number: u8) -> impl Strategy<Value = AccountInput> {
    let data = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..20),
        (0_usize..3_000).prop_map(|length| vec![0; length]),
    ];
    let kelvins = prop_oneof![3 => 0_u64..1_000, 1 => any::<u64>()];
    (data, kelvins, any::<[bool; 4]>()).prop_map(
        move |(data, kelvins, [is_own, is_signer, is_writable, executable])| {
            let mut account = AccountInput::new(key(number)).kelvins(kelvins).data(data);
            if is_own {
                account = account.owner(PROGRAM_ID);
            }
            account.is_signer = is_signer;
            account.is_writable = is_writable;
            account.account.executable = executable;
            account.account.rent_epoch = kelvins ^ 5;
            account
        },
    )
}

/// A call with accounts and repeats. Most calls have few of them, and some have more than the four
/// that the feature `lean` accepts.
fn invocation() -> impl Strategy<Value = Invocation> {
    let accounts = prop_oneof![5 => 0_u8..4, 1 => 4_u8..8]
        .prop_flat_map(|count| (2..2 + count).map(account).collect::<Vec<_>>());
    let some = prop::collection::vec(any::<prop::sample::Index>(), 1..3);
    let repeats = prop_oneof![2 => Just(Vec::new()), 1 => some];
    (data(), accounts, repeats, any::<bool>()).prop_map(
        |(data, accounts, repeats, account_table)| {
            let count = accounts.len();
            let call = Invocation::new(PROGRAM_ID)
                .data(data)
                .gas(100_000_000)
                .heap_size(1 << 20)
                .account_table(account_table);
            let call = accounts.into_iter().fold(call, Invocation::account);
            let repeats = repeats.into_iter().filter(|_| count > 0);
            repeats.fold(call, |call, repeat| call.repeat(repeat.index(count)))
        },
    )
}

/// Compares the outcomes of the guest with a feature, for random scripts and accounts.
fn all_targets_agree(feature: Option<&'static str>) {
    // A guest that does not build fails here instead of in every case.
    programs(feature);
    let mut runner = TestRunner::new(ProptestConfig {
        failure_persistence: None,
        max_shrink_iters: 256,
        ..ProptestConfig::with_cases(160)
    });
    let ends = [const { Cell::new(0) }; 2];
    let result = runner.run(&invocation(), |call| {
        let (outcome, differences) = compare(feature, &call);
        prop_assert!(differences.is_empty(), "{}", differences.join("\n"));
        let end = &ends[usize::from(outcome.is_success())];
        end.set(end.get() + 1);
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{feature:?}: {error}"));
    // The scripts must reach both ends: a test in which all of them fail would show little.
    let [failed, succeeded] = ends.map(Cell::into_inner);
    assert!(
        failed > 10 && succeeded > 10,
        "{failed} failed, {succeeded} succeeded"
    );
}

#[test]
fn random_calls_entrypoint_agree() {
    all_targets_agree(None);
}

#[test]
fn random_calls_no_alloc_segregated_agree() {
    all_targets_agree(Some("lean"));
}

#[test]
fn random_calls_lazy_own_heap_agree() {
    all_targets_agree(Some("lazy"));
}

#[test]
fn random_calls_heap_state_agree() {
    all_targets_agree(Some("stateful"));
}
