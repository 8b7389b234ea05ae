//! Random transactions find the mistake of the guest `bank`, and the scenario of the shortest case
//! does it again.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use ledger::scenario::{self, Action, ProgramFile, Scenario};
use program_test::proptest::prelude::*;
use program_test::proptest::sample::select;
use program_test::random::fuzz::{self, Start};
use program_test::random::property::{Property, any_instruction};
use program_test::{AccountMeta, Fee, Instruction, Pubkey, TestLedger, Transaction, key, program};

const HOLDERS: [&str; 3] = ["vault", "alice", "bob"];

/// A ledger with the bank, whose vault has all its money.
fn bank() -> (TestLedger, Pubkey) {
    let mut ledger = TestLedger::new();
    let bank = ledger.deploy(program!("guests/bank"));
    for (holder, balance) in HOLDERS.iter().zip([1_000_u64, 0, 0]) {
        ledger.create(key(holder), bank, balance);
    }
    (ledger, bank)
}

fn sum(ledger: &TestLedger) -> u64 {
    HOLDERS
        .iter()
        .map(|holder| ledger.data_as::<u64>(key(holder)))
        .sum()
}

fn instruction(bank: Pubkey, kind: u8, from: &str, to: &str, amount: u64) -> Instruction {
    Instruction::new(bank)
        .account(AccountMeta::writable(key(from)))
        .account(AccountMeta::writable(key(to)))
        .data([&[kind], &amount.to_le_bytes()[..]].concat())
}

/// The message with which a property fails.
fn message(panics: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(panics)).expect_err("the property holds");
    *panic.downcast::<String>().expect("a message with values")
}

#[test]
fn mistake_is_found_and_the_shortest_case_is_a_scenario() {
    let (ledger, bank) = bank();
    let customer = || select(vec!["alice", "bob"]);
    let pay_out = (customer(), 0..2_000_u64)
        .prop_map(move |(to, amount)| instruction(bank, 0, "vault", to, amount));
    let transfer = (customer(), customer(), 0..2_000_u64)
        .prop_map(move |(from, to, amount)| instruction(bank, 1, from, to, amount));
    let found = message(|| {
        Property::new(&ledger)
            .transaction(pay_out)
            .transaction(transfer)
            .check(|ledger, _| assert_eq!(sum(ledger), 1_000, "money was made"));
    });
    assert!(
        found.starts_with("the invariant does not hold after 2 steps: "),
        "{found}"
    );
    assert!(
        found.contains("money was made\n  left: 1001\n right: 1000, at "),
        "{found}"
    );
    assert!(
        found.contains("the last transaction succeeded, with "),
        "{found}"
    );

    let (_, rest) = found.split_once("cargo entrypoint run ").expect("a file");
    let (path, printed) = rest.split_once("\n\n").expect("a scenario");
    assert_eq!(fs::read_to_string(path).expect("a file"), printed);
    // One is paid out, and its owner pays it to themselves.
    let scenario = Scenario::read(Path::new(path)).expect("a scenario");
    let [first, second] = &scenario.steps[..] else {
        panic!("{printed}");
    };
    let transaction = |step: &scenario::Step| match &step.action {
        Action::Transaction(transaction) => transaction.transaction(),
        other => panic!("{other:?}"),
    };
    let owner = ["alice", "bob"].into_iter().find(|owner| {
        transaction(first) == instruction(bank, 0, "vault", owner, 1).into()
            && transaction(second) == instruction(bank, 1, owner, owner, 1).into()
    });
    assert!(owner.is_some(), "{printed}");

    // The file does it again.
    let load = |path: &Path| {
        let bytes = program_test::build(path);
        Ok(ProgramFile {
            bytes,
            errors: Vec::new(),
        })
    };
    let again = scenario::run(&scenario, ledger::Ledger::new(), load).expect("a run");
    let change = &again.steps[1].changes[0];
    let balance = |account: &Option<_>| -> u64 {
        let account: &std::sync::Arc<program_test::Account> = account.as_ref().expect("an account");
        bytemuck::pod_read_unaligned(&account.data)
    };
    assert_eq!([balance(&change.before), balance(&change.after)], [1, 2]);
}

/// The fee is a part of what goes wrong, so the scenario has it.
#[test]
fn scenario_has_the_fee() {
    let (mut ledger, bank) = bank();
    let fee = Fee {
        base: 7,
        per_signer: 0,
    };
    ledger.configure(|ledger| ledger.fee(fee));
    ledger.fund(key("carol"), 10_000_000);
    let pay = Just(Transaction::new([instruction(bank, 0, "vault", "bob", 1)]).payer(key("carol")));
    let found = message(|| {
        Property::new(&ledger)
            .transaction(pay)
            .check(|ledger, _| assert_eq!(ledger.kelvins(&key("carol")), 10_000_000));
    });
    let (_, rest) = found.split_once("cargo entrypoint run ").expect("a file");
    let (path, _) = rest.split_once("\n\n").expect("a scenario");
    let scenario = Scenario::read(Path::new(path)).expect("a scenario");
    assert_eq!(scenario.fee, fee);
}

#[test]
fn property_that_holds_passes() {
    let (ledger, bank) = bank();
    let pay_out = (select(vec!["alice", "bob"]), 0..2_000_u64)
        .prop_map(move |(to, amount)| instruction(bank, 0, "vault", to, amount));
    Property::new(&ledger)
        .transaction(pay_out)
        .warp(std::time::Duration::from_secs(60))
        .cases(50)
        .check(|ledger, _| assert_eq!(sum(ledger), 1_000));
}

#[test]
fn instructions_of_every_kind_reach_the_program() {
    let (ledger, bank) = bank();
    let accounts = HOLDERS.map(key);
    let kinds = std::cell::RefCell::new(std::collections::BTreeSet::new());
    Property::new(&ledger)
        .transaction(any_instruction(&[bank], &accounts))
        .check(|_, outcome| {
            let outcome = outcome.expect("only transactions");
            let failure = outcome
                .failed_program()
                .map(|(_, failure)| failure.to_string());
            kinds.borrow_mut().insert(failure);
        });
    assert!(kinds.borrow().len() >= 3, "{kinds:?}");
}

#[test]
fn fuzzer_finds_the_mistake_too() {
    let (ledger, bank) = bank();
    let start = Start {
        ledger,
        programs: vec![bank],
        accounts: HOLDERS.map(key).to_vec(),
    };
    let invariant = |ledger: &TestLedger, _: Option<&_>| assert_eq!(sum(ledger), 1_000);
    // A seed of a corpus: two instructions, as the fuzzer would find them.
    let transactions = fuzz::transactions(&start, &[1; 200]);
    assert!(!transactions.is_empty());
    fuzz::check(&start, &[1; 200], invariant);
    // Transfers of the vault to itself, in the form in which the bytes are read.
    let found = message(|| {
        for seed in 0..=u8::MAX {
            let mut bytes = vec![0, 2, 0, 3, 0, 3, 9, 1, seed];
            bytes.resize(100, 0);
            fuzz::check(&start, &bytes, invariant);
        }
    });
    assert!(found.contains("[[steps]]"), "{found}");
}
