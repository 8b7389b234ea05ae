//! Every entry passes the same input to the program on the VM, with an account table and without.

use entries::{MAX_ACCOUNTS, SEEN_LENGTH};
use loader::fixture::Fixture;
use loader::{AccountEntry, AccountInput, Engine, Failure, Invocation, Limits, Loader, Program};
use program_build::guest::{DebugInfo, build_with_features};
use program_build::package::ProgramPackage;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use tests::input::{Expected, inputs};
use tests::{PROGRAM_ID, example, guest};

/// Limits that allow the guest's return data.
const LIMITS: fn() -> Limits = || Limits::default().return_data(4_096);

/// The guest with the entry that a feature chooses, on both engines.
fn programs(feature: Option<&str>) -> Vec<Program> {
    let package =
        ProgramPackage::in_folder(&guest("entries")).unwrap_or_else(|error| panic!("{error:?}"));
    let features: Vec<&str> = feature.into_iter().collect();
    let blob = build_with_features(&package, &features, DebugInfo::Strip)
        .unwrap_or_else(|error| panic!("{error:?}"));
    let load = |engine| {
        let loader = Loader::new(engine).expect("an engine").limits(LIMITS());
        loader.load(&blob).expect("a program")
    };
    tests::polkavm().map(load).into()
}

/// The return data that the guest should set.
fn expected_view(expected: &Expected) -> Vec<u8> {
    let (_, spans) = expected.write();
    let mut view = expected.program_id.to_vec();
    view.extend((expected.instruction_data.len() as u64).to_le_bytes());
    for position in 0..expected.entries.len() {
        let first = expected.first(position);
        let header = spans.iter().find(|span| {
            span.field == entrypoint::input::Field::AccountHeader && span.account == Some(first)
        });
        let key = header
            .expect("the header of a first occurrence")
            .bytes
            .start;
        let account = expected.account(position);
        let start = view.len();
        // The instruction data starts at offset 8.
        for number in [
            key as u64 - 8,
            account.kelvins,
            account.data.len() as u64,
            account.rent_epoch,
        ] {
            view.extend(number.to_le_bytes());
        }
        view.extend(account.key);
        view.extend(account.owner);
        let flags = [account.is_signer, account.is_writable, account.executable];
        view.extend(flags.map(u8::from));
        view.resize(start + SEEN_LENGTH, 0);
    }
    view
}

/// Checks that the guest with this entry reads every input correctly.
fn sees_every_input(feature: Option<&str>) {
    let programs = programs(feature);
    let mut runner = TestRunner::new(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(48)
    });
    let result = runner.run(&(inputs(), any::<bool>()), |(expected, account_table)| {
        let invocation = expected.invocation().account_table(account_table);
        for program in &programs {
            let outcome = program.invoke(&invocation).expect("a valid invocation");
            prop_assert_eq!(&outcome.failure, &None);
            prop_assert_eq!(&outcome.return_data, &expected_view(&expected));
        }
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn entrypoint_sees_every_input() {
    sees_every_input(None);
}

#[test]
fn entrypoint_no_alloc_sees_every_input() {
    sees_every_input(Some("no_alloc"));
}

#[test]
fn entrypoint_lazy_sees_every_input() {
    sees_every_input(Some("lazy"));
}

/// A call with so many accounts, followed by repeats of the given accounts.
fn call(accounts: usize, repeats: &[usize]) -> Invocation {
    let call = (0..accounts).fold(Invocation::new(PROGRAM_ID), |call, number| {
        let key = loader::Pubkey::new([number as u8; 32]);
        call.account(AccountInput::new(key).data([number as u8; 13]))
    });
    repeats.iter().fold(call, |call, index| call.repeat(*index))
}

/// The failure of a call, which must be the same on both engines, with and without a table.
#[track_caller]
fn failures(programs: &[Program], call: &Invocation) -> Option<Failure> {
    let mut failures = Vec::new();
    for account_table in [true, false] {
        let call = call.clone().account_table(account_table);
        for program in programs {
            failures.push(program.invoke(&call).expect("a valid invocation").failure);
        }
    }
    assert!(
        failures.iter().all(|failure| *failure == failures[0]),
        "{failures:?}"
    );
    failures.swap_remove(0)
}

#[test]
fn every_count_up_to_the_maximum_is_accepted() {
    for feature in [
        None,
        Some("no_alloc"),
        Some("no_alloc_reject"),
        Some("lazy"),
    ] {
        let programs = programs(feature);
        for accounts in 0..=MAX_ACCOUNTS {
            assert_eq!(failures(&programs, &call(accounts, &[])), None);
        }
    }
}

#[test]
fn one_account_too_many_is_rejected() {
    for feature in ["no_alloc", "no_alloc_reject"] {
        let programs = programs(Some(feature));
        for (accounts, repeats) in [(9, &[][..]), (8, &[0]), (1, &[0; 8]), (63, &[])] {
            let given = (accounts + repeats.len()) as u64;
            assert_eq!(
                failures(&programs, &call(accounts, repeats)),
                Some(Failure::TooManyAccounts { given, max: 8 })
            );
        }
    }
}

#[test]
fn repeat_is_rejected_with_the_option() {
    for feature in ["reject", "no_alloc_reject"] {
        let programs = programs(Some(feature));
        for (accounts, first) in [(1, 0), (2, 0), (2, 1), (7, 0), (7, 3), (7, 6)] {
            assert_eq!(
                failures(&programs, &call(accounts, &[first])),
                Some(Failure::DuplicateAccount {
                    index: accounts as u64,
                    first: first as u64,
                })
            );
        }
    }
}

/// The examples do not depend on the account table.
#[test]
fn examples_agree_without_an_account_table() {
    for name in ["hello", "counter", "vault", "no_alloc", "arena", "scratch"] {
        let package = ProgramPackage::in_folder(&example(name)).expect("a program");
        let blob = program_test::build(example(name));
        let loader = Loader::new(Engine::Interpreter).expect("an engine");
        let program = loader.load(&blob).expect("a program");
        for fixture in package.fixtures().expect("a folder") {
            let path = package.fixture(&fixture).expect("a fixture");
            let Fixture { invocation, .. } = Fixture::read(&path).expect("a fixture");
            let [with, without] = [true, false].map(|account_table| {
                let call = invocation.clone().account_table(account_table);
                program.invoke(&call).expect("a valid invocation")
            });
            let accounts = invocation.accounts.len() as u64;
            let what = format!("{name}, {fixture}");
            assert_eq!(with.failure, without.failure, "{what}");
            assert_eq!(with.logs, without.logs, "{what}");
            assert_eq!(with.return_data, without.return_data, "{what}");
            assert_eq!(with.accounts, without.accounts, "{what}");
            let is_first = |entry: &&AccountEntry| matches!(entry, AccountEntry::First(_));
            let firsts = invocation.accounts.iter().filter(is_first).count();
            assert_eq!(without.accounts.len(), firsts, "{what}");
            if accounts > 0 && with.is_success() {
                assert!(with.gas_used < without.gas_used, "{what}");
            }
        }
    }
}
