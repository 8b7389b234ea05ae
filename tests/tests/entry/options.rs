//! The gas of the macros' options, and of the lazy entry. The documentation of `entrypoint-macros`
//! quotes these figures.

use loader::{AccountInput, Engine, Invocation, Loader, Program, Pubkey};
use program_build::guest::{DebugInfo, build_with_features};
use program_build::package::ProgramPackage;
use tests::{PROGRAM_ID, is_reference_compiler, project};

fn program(feature: &str) -> Program {
    let folder = project().join("benches/entry");
    let package = ProgramPackage::in_folder(&folder).unwrap_or_else(|error| panic!("{error:?}"));
    let blob = build_with_features(&package, &[feature], DebugInfo::Strip)
        .unwrap_or_else(|error| panic!("{error:?}"));
    let loader = Loader::new(Engine::Interpreter).expect("an engine");
    loader.load(&blob).expect("a program")
}

/// The gas of a call with this many accounts, with an account table and without.
fn gas(program: &Program, accounts: u8, data: &[u8]) -> [f64; 2] {
    let call = (0..accounts).fold(Invocation::new(PROGRAM_ID), |call, number| {
        call.account(AccountInput::new(Pubkey::new([number; 32])).data([0; 100]))
    });
    [true, false].map(|account_table| {
        let call = call.clone().data(data).account_table(account_table);
        let outcome = program.invoke(&call).expect("a valid invocation");
        assert_eq!(outcome.failure, None);
        outcome.gas_used as f64
    })
}

/// The average gas that one more account adds to a call, from 1 to 63 accounts.
fn each(program: &Program) -> [f64; 2] {
    let [one, many] = [1, 63].map(|accounts| gas(program, accounts, &[]));
    [0, 1].map(|table| (many[table] - one[table]) / 62.0)
}

#[test]
fn rejecting_duplicates_costs_little_per_account() {
    if !is_reference_compiler() {
        return;
    }
    let [allowed, refused] = ["entrypoint", "entrypoint_reject"].map(|entry| each(&program(entry)));
    let [with_table, without] = [0, 1].map(|table| refused[table] - allowed[table]);
    assert!((3.0..=3.5).contains(&with_table), "{with_table}");
    assert!((-0.5..=0.5).contains(&without), "{without}");
}

#[test]
fn a_limit_of_accounts_costs_two_units() {
    if !is_reference_compiler() {
        return;
    }
    let [unlimited, limited] =
        ["entrypoint", "entrypoint_no_alloc"].map(|entry| gas(&program(entry), 8, &[])[0]);
    assert_eq!(limited - unlimited, 2.0);
}

#[test]
fn lazy_entry_pays_per_requested_account() {
    if !is_reference_compiler() {
        return;
    }
    let program = program("entrypoint_lazy");
    let none = gas(&program, 0, &[]);
    assert!(none[0] <= 20.0, "{none:?}");
    for accounts in [0, 1, 63] {
        assert_eq!(
            gas(&program, accounts, &[]),
            none,
            "the program requests no account"
        );
    }
    let [one, many] = [1, 63].map(|requested| gas(&program, 63, &vec![0; requested]));
    assert_eq!(one[0], one[1], "the lazy entry ignores the table");
    let each = (many[0] - one[0]) / 62.0;
    // The walk takes 8, the balance 2, and the check for further requests 2.
    assert!((8.0..=12.0).contains(&each), "{each}");
}
