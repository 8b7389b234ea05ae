//! The loader's verdict on a changed input is that of the rules as stated here. The guest `poke`
//! makes random edits, on both engines.
//!
//! The rules here have their own reader of the input, from `docs/abi.md`, and share no code with
//! the loader.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::OnceLock;

use loader::{
    Account, AccountEntry, AccountInput, Failure, Invocation, Loader, Outcome, Program, Pubkey,
    WriteBackError,
};
use poke::{Ending, script};
use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};
use tests::{PROGRAM_ID, guest};

use tests::edits::{Edit, Pick, Scene, layout, scenes};

/// A rule, and the account that breaks it.
#[derive(Debug, PartialEq, Eq)]
struct Broken {
    rule: &'static str,
    account: Option<(usize, Pubkey)>,
}

/// The accounts to keep from an input that a program has overwritten, or the broken rule.
fn verdict(call: &Invocation, offsets: &[usize], input: &[u8]) -> Result<Vec<Account>, Broken> {
    let mut after = Vec::new();
    for (index, (entry, offset)) in call.accounts.iter().zip(offsets).enumerate() {
        let bytes = &input[*offset..];
        match entry {
            AccountEntry::First(before) => {
                let rules = rules(&call.program_id, before, bytes);
                if let Some((rule, _)) = rules.iter().find(|(_, is_kept)| !is_kept()) {
                    let account = Some((index, before.account.key));
                    return Err(Broken { rule, account });
                }
                after.push(Account {
                    owner: Pubkey::new(array(bytes, 40)),
                    kelvins: number(bytes, 72),
                    data: data(bytes).into(),
                    ..before.account.clone()
                });
            }
            AccountEntry::Repeat(first) => {
                if bytes[..8] != [*first as u8, 0, 0, 0, 0, 0, 0, 0] {
                    let AccountEntry::First(of) = &call.accounts[*first] else {
                        panic!("a repeat of a repeat");
                    };
                    return Err(Broken {
                        rule: "RepeatChanged",
                        account: Some((index, of.account.key)),
                    });
                }
            }
        }
    }
    let sum =
        |accounts: &[Account]| -> u128 { accounts.iter().map(|one| u128::from(one.kelvins)).sum() };
    if sum(&after) != sum(&before(call)) {
        return Err(Broken {
            rule: "KelvinsNotConserved",
            account: None,
        });
    }
    Ok(after)
}

/// The name of a rule, and a check that returns true if the rule is kept.
type Rule<'a> = (&'static str, Box<dyn Fn() -> bool + 'a>);

/// The rules for one account, in the order in which the loader checks them. A rule after those for
/// lengths may read the data.
fn rules<'a>(program: &'a Pubkey, before: &'a AccountInput, bytes: &'a [u8]) -> Vec<Rule<'a>> {
    let account = &before.account;
    let was = account.data.len();
    let is_same_data = move || data(bytes) == account.data;
    let is_same_owner = move || array(bytes, 40) == account.owner.to_bytes();
    let kelvins = number(bytes, 72);
    let is_own = account.owner == *program;
    let rent_epoch = 88 + (was + 10_240).next_multiple_of(8);
    vec![
        (
            "DataGrewTooMuch",
            Box::new(move || number(bytes, 80) <= was as u64 + 10_240),
        ),
        (
            "DataTooLong",
            Box::new(move || number(bytes, 80) <= 10 * 1024 * 1024),
        ),
        (
            "KeyChanged",
            Box::new(move || array(bytes, 8) == account.key.to_bytes()),
        ),
        (
            "SignerFlagChanged",
            Box::new(move || bytes[1] == u8::from(before.is_signer)),
        ),
        (
            "WritableFlagChanged",
            Box::new(move || bytes[2] == u8::from(before.is_writable)),
        ),
        (
            "ExecutableChanged",
            Box::new(move || bytes[3] == u8::from(account.executable)),
        ),
        (
            "RentEpochChanged",
            Box::new(move || number(bytes, rent_epoch) == account.rent_epoch),
        ),
        (
            "AccountNotWritable",
            Box::new(move || {
                before.is_writable
                    || is_same_data() && is_same_owner() && kelvins == account.kelvins
            }),
        ),
        (
            "ReassignedByNonOwner",
            Box::new(move || is_own || is_same_owner()),
        ),
        (
            "DataChangedByNonOwner",
            Box::new(move || is_own || is_same_data()),
        ),
        (
            "DebitedByNonOwner",
            Box::new(move || is_own || kelvins >= account.kelvins),
        ),
        (
            "ReassignedWithData",
            Box::new(move || is_same_owner() || data(bytes).iter().all(|byte| *byte == 0)),
        ),
    ]
}

fn number(bytes: &[u8], offset: usize) -> u64 {
    u64::from_le_bytes(bytes[offset..offset + 8].try_into().unwrap())
}

fn array(bytes: &[u8], offset: usize) -> [u8; 32] {
    bytes[offset..offset + 32].try_into().unwrap()
}

fn data(bytes: &[u8]) -> &[u8] {
    &bytes[88..88 + number(bytes, 80) as usize]
}

/// The accounts before the call.
fn before(call: &Invocation) -> Vec<Account> {
    let first = |entry: &AccountEntry| match entry {
        AccountEntry::First(input) => Some(input.account.clone()),
        AccountEntry::Repeat(_) => None,
    };
    call.accounts.iter().filter_map(first).collect()
}

/// The outcome of a call, which must be the same on both engines.
fn run(call: &Invocation) -> Outcome {
    static PROGRAMS: OnceLock<[Program; 2]> = OnceLock::new();
    let programs = PROGRAMS.get_or_init(|| {
        let blob = program_test::build(guest("poke"));
        tests::polkavm().map(|engine| Loader::new(engine).unwrap().load(&blob).unwrap())
    });
    let [interpreted, mut compiled] = programs
        .each_ref()
        .map(|program| program.invoke(call).expect("a valid invocation"));
    compiled.engine = interpreted.engine;
    assert_eq!(interpreted, compiled, "the engines differ");
    interpreted
}

/// The rule and the account that an error names.
fn broken(refusal: &WriteBackError) -> Broken {
    use WriteBackError as W;
    let account = match refusal {
        W::AccountNotWritable { index, key }
        | W::DataChangedByNonOwner { index, key }
        | W::DebitedByNonOwner { index, key }
        | W::ReassignedByNonOwner { index, key }
        | W::ReassignedWithData { index, key }
        | W::DataGrewTooMuch { index, key, .. }
        | W::DataTooLong { index, key, .. }
        | W::KeyChanged { index, key }
        | W::SignerFlagChanged { index, key }
        | W::WritableFlagChanged { index, key }
        | W::ExecutableChanged { index, key }
        | W::RentEpochChanged { index, key }
        | W::RepeatChanged { index, key, .. } => Some((*index, *key)),
        _ => None,
    };
    Broken {
        rule: refusal.kind(),
        account,
    }
}

/// Runs the program with a scene's edits, compares the outcome with the verdict, and returns its
/// name.
fn check(scene: &Scene) -> Result<&'static str, TestCaseError> {
    let (call, pokes) = scene.call();
    let (mut input, offsets) = layout(&call);
    for (offset, bytes) in pokes {
        input[offset as usize..][..bytes.len()].copy_from_slice(&bytes);
    }
    let expected = verdict(&call, &offsets, &input);
    let outcome = run(&call);
    prop_assert_eq!(outcome.status, Some(0), "{:?}", outcome.failure);
    let found = match outcome.failure {
        None => Ok(outcome.accounts),
        Some(Failure::WriteBack(refusal)) => {
            prop_assert_eq!(
                outcome.accounts,
                before(&call),
                "the accounts are unchanged"
            );
            Err(broken(&refusal))
        }
        Some(other) => return Err(TestCaseError::fail(other.to_string())),
    };
    prop_assert_eq!(&found, &expected);
    Ok(expected.map_or_else(|broken| broken.rule, |_| "accepted"))
}

#[test]
fn verdict_matches_the_rules() {
    // A fixed seed, because the test counts the cases.
    let config = ProptestConfig {
        cases: 2_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let random = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(config, random);
    let counts = RefCell::new(BTreeMap::<&str, usize>::new());
    let result = runner.run(&scenes(), |scene| {
        *counts.borrow_mut().entry(check(&scene)?).or_default() += 1;
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));

    let counts = counts.into_inner();
    println!("{counts:#?}");
    let count = |kind: &str| counts.get(kind).copied().unwrap_or(0);
    for kind in tests::variants::variants_of("WriteBackError") {
        assert!(count(&kind) >= 10, "only {} cases of {kind}", count(&kind));
    }
    assert!(count("accepted") >= 200, "{counts:?}");
}

/// A program that makes valid changes and then fails.
fn failing(ending: Ending) -> Invocation {
    let account = AccountInput::new(Pubkey::new([10; 32]))
        .owner(PROGRAM_ID)
        .kelvins(100)
        .data([0; 4])
        .writable();
    let other = AccountInput {
        account: Account {
            key: Pubkey::new([11; 32]),
            ..account.account.clone()
        },
        ..account.clone()
    };
    let call = |data| {
        Invocation::new(PROGRAM_ID)
            .account(account.clone())
            .account(other.clone())
            .data(data)
            .gas(200_000)
    };
    let pokes = |first: usize, second: usize| {
        [
            (first + 72, 99_u64.to_le_bytes().to_vec()),
            (second + 72, 101_u64.to_le_bytes().to_vec()),
            (first + 88, vec![1, 2, 3, 4]),
            (second + 40, vec![9; 32]),
        ]
        .map(|(offset, bytes)| (offset as u32, bytes))
    };
    // The length of the script does not depend on the offsets.
    let (_, offsets) = layout(&call(script(ending, &pokes(0, 0))));
    call(script(ending, &pokes(offsets[0], offsets[1])))
}

#[test]
fn every_failure_changes_nothing() {
    let success = run(&failing(Ending::Success));
    assert_eq!(success.failure, None);
    assert_ne!(success.accounts, before(&failing(Ending::Success)));

    let mut missing = tests::variants::variants_of("Failure");
    // The test of the rules covers all write-back errors.
    missing.remove("WriteBack");
    // Both of these engines have a gas limit, and no time limit.
    missing.remove("TimedOut");
    // `runtime` tests a status that is not an error, and the growth of all accounts together.
    missing.remove("InvalidStatus");
    missing.remove("GrewTooMuch");
    // The program makes no calls, and no syscalls of an embedder's: `calls` and `syscalls` test
    // them.
    for kind in ["Called", "InvalidCall", "SyscallFailed"] {
        missing.remove(kind);
    }
    for ending in Ending::ALL {
        let call = failing(*ending);
        let outcome = run(&call);
        let Some(failure) = outcome.failure else {
            assert_eq!(*ending, Ending::Success);
            continue;
        };
        assert_eq!(outcome.accounts, before(&call), "{ending:?}: {failure}");
        assert!(outcome.return_data.is_empty(), "{ending:?}");
        assert!(missing.remove(failure.kind()), "{ending:?}: {failure}");
    }
    assert!(missing.is_empty(), "no case for {missing:?}");
}

#[test]
fn first_broken_rule_is_reported() {
    // The second account breaks a rule that is checked early, and the first account one that is
    // checked late.
    let scene = Scene::of_two_foreign(vec![
        Edit::Kelvins {
            account: Pick(0),
            change: -1,
        },
        Edit::Header {
            account: Pick(1),
            offset: 8,
            value: 0,
        },
    ]);
    assert_eq!(check(&scene).unwrap(), "DebitedByNonOwner");
}

#[test]
fn lengths_are_rejected_one_past_their_limits() {
    let most = 10 * 1024 * 1024;
    for (length, change, expected) in [
        (0, 10_240, "accepted"),
        (0, 10_241, "DataGrewTooMuch"),
        (33, 10_240, "accepted"),
        (33, 10_241, "DataGrewTooMuch"),
        (most - 10_240, 10_240, "accepted"),
        (most - 10_239, 10_239, "accepted"),
        (most - 10_239, 10_240, "DataTooLong"),
        (most, 0, "accepted"),
        (most, 1, "DataTooLong"),
        (most, 10_241, "DataGrewTooMuch"),
        (0, -1, "DataGrewTooMuch"),
    ] {
        let scene = Scene::resized(length, change);
        assert_eq!(check(&scene).unwrap(), expected, "{length} and {change}");
    }
}
