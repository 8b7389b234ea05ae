//! A batch has the outcomes and leaves the accounts that its transactions have one after the other.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use ledger::{
    Account, AccountMeta, Fee, Instruction, Ledger, Pubkey, Transaction, TransactionOutcome,
};
use loader::{Builtin, BuiltinCall, Failure, ProgramError, ids};
use proptest::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};
use tests::project;

/// A program that does what its instruction data says.
const MIXER: Pubkey = Pubkey::new([0x40; 32]);

/// The example `oracle_reader`, which loads an account that its instruction does not list.
const READER: Pubkey = Pubkey::new([0x41; 32]);

const JOURNAL: Pubkey = Pubkey::new([0x42; 32]);

/// The addresses of accounts of the mixer: of the first five there are accounts at the start. The
/// first one is the price that the journal records.
fn mixed(number: u8) -> Pubkey {
    Pubkey::new([0x50 + number; 32])
}

/// The addresses of accounts of the system program: of the first three there are accounts.
fn payer(number: u8) -> Pubkey {
    Pubkey::new([0x60 + number; 32])
}

/// Every address that a transaction may list.
fn any_key() -> impl Strategy<Value = Pubkey> {
    prop_oneof![
        6 => (0..7_u8).prop_map(mixed),
        3 => (0..5_u8).prop_map(payer),
        1 => Just(ids::CLOCK),
        1 => Just(JOURNAL),
        1 => Just(READER),
    ]
}

/// The steps of the mixer. Each has two arguments.
#[derive(Clone, Copy, Debug)]
#[repr(u8)]
enum Step {
    /// Adds the sum so far to the first byte of an account, and makes its time later by one.
    Add,
    /// Adds all bytes and kelvins of an account that the host finds to the sum.
    Load,
    /// Moves the sum's kelvins from an account to another.
    Pay,
    /// Fails if the sum is a multiple of a number.
    Fail,
    /// Makes the data of an account as long as the sum.
    Resize,
    /// Makes an account an empty one, and moves its kelvins to another.
    Close,
}

const STEPS: [Step; 6] = [
    Step::Add,
    Step::Load,
    Step::Pay,
    Step::Fail,
    Step::Resize,
    Step::Close,
];

struct Mixer;

/// How often the mixer ran.
static RUNS: AtomicUsize = AtomicUsize::new(0);

impl Builtin for Mixer {
    fn call(&self, call: &mut BuiltinCall<'_>) -> Result<(), Failure> {
        RUNS.fetch_add(1, Ordering::Relaxed);
        let mut sum = 1_u64;
        for step in call.data().chunks_exact(3) {
            call.use_gas(10 + sum % 7)?;
            let (first, second) = (usize::from(step[1]), usize::from(step[2]));
            match STEPS[usize::from(step[0])] {
                Step::Add => {
                    let data = &mut call.account_mut(first)?.data;
                    let byte = data.first_mut().ok_or(ProgramError::AccountDataTooSmall)?;
                    *byte = byte.wrapping_add(sum as u8);
                    sum += u64::from(*byte);
                    if let Some(time) = data.get_mut(8) {
                        *time = time.wrapping_add(1);
                    }
                }
                Step::Load => {
                    let found = call.host().find_account(&mixed(step[1]));
                    sum += found.map_or(7, |account| {
                        let bytes = account.data.iter().map(|byte| u64::from(*byte));
                        bytes.sum::<u64>() + account.kelvins % 1_000
                    });
                }
                Step::Pay => {
                    let from = call.account_mut(first)?;
                    let rest = from.kelvins.checked_sub(sum);
                    from.kelvins = rest.ok_or(ProgramError::InsufficientFunds)?;
                    call.account_mut(second)?.kelvins += sum;
                }
                Step::Fail if sum.is_multiple_of(2 + second as u64) => {
                    return Err(ProgramError::Custom(sum as u32 | 1).into());
                }
                Step::Fail => {}
                Step::Resize => {
                    call.account_mut(first)?.data.resize(sum as usize % 300, 3);
                }
                Step::Close => {
                    let closed = call.account_mut(first)?;
                    closed.data.clear();
                    let kelvins = std::mem::take(&mut closed.kelvins);
                    call.account_mut(second)?.kelvins += kelvins;
                }
            }
            call.log(format!("{sum}"))?;
        }
        call.set_return_data(sum.to_le_bytes())
    }
}

/// The example's file, built once.
static READER_FILE: LazyLock<Vec<u8>> =
    LazyLock::new(|| program_test::build(project().join("examples/oracle_reader")));

/// A file that is a program and does something else.
static OTHER_FILE: LazyLock<Vec<u8>> =
    LazyLock::new(|| program_test::build(project().join("examples/counter")));

static THREADS: LazyLock<ThreadPool> =
    LazyLock::new(|| ThreadPoolBuilder::new().num_threads(3).build().unwrap());

fn new_ledger() -> Ledger {
    let mut ledger = Ledger::new().builtin(MIXER, Mixer).fee(Fee {
        base: 1_000,
        per_signer: 10,
    });
    ledger.deploy(READER, &READER_FILE).unwrap();
    for number in 0..5 {
        // The second is close to the kelvins that it needs, so it may fail by that.
        let kelvins = [20_000_000, 1_002_500, 3_000_000, 20_000_000, 20_000_000];
        let account = Account {
            key: mixed(number),
            owner: MIXER,
            kelvins: kelvins[usize::from(number)],
            data: vec![number; 16].into(),
            ..Account::default()
        };
        ledger.set_account(account).unwrap();
    }
    for number in 0..3 {
        let kelvins = [1_000_000_000, 2_000_000, 893_000][usize::from(number)];
        ledger.airdrop(payer(number), kelvins).unwrap();
    }
    // The journal of the price at `mixed(0)`, which may be of any age.
    let age = u64::MAX.to_le_bytes();
    let data = [
        mixed(0).as_bytes(),
        MIXER.as_bytes(),
        &[0; 32][..],
        &age,
        &[0; 16],
    ]
    .concat();
    let journal = Account {
        key: JOURNAL,
        owner: READER,
        kelvins: 20_000_000,
        data: data.into(),
        ..Account::default()
    };
    ledger.set_account(journal).unwrap();
    ledger.warp_to(1_000_000).unwrap();
    ledger
}

fn any_mix() -> impl Strategy<Value = Instruction> {
    let meta = (
        any_key(),
        prop::bool::weighted(0.3),
        prop::bool::weighted(0.7),
    );
    let metas = prop::collection::vec(meta, 1..5);
    let steps = prop::collection::vec((0..6_u8, 0..5_u8, 0..5_u8), 0..5);
    (metas, steps).prop_map(|(metas, steps)| {
        let metas = metas.into_iter();
        let metas = metas.map(|(key, signs, writable)| AccountMeta::new(key, signs, writable));
        let steps: Vec<u8> = steps
            .iter()
            .flat_map(|step| [step.0, step.1, step.2])
            .collect();
        Instruction::new(MIXER).accounts(metas).data(steps)
    })
}

fn record() -> Instruction {
    Instruction::new(READER)
        .account(AccountMeta::writable(JOURNAL))
        .data([1])
}

fn transfer(from: Pubkey, to: Pubkey, kelvins: u64) -> Instruction {
    let data = [2_u32.to_le_bytes().as_slice(), &kelvins.to_le_bytes()].concat();
    Instruction::new(ids::SYSTEM_PROGRAM)
        .account(AccountMeta::writable_signer(from))
        .account(AccountMeta::writable(to))
        .data(data)
}

fn any_transaction() -> impl Strategy<Value = Transaction> {
    let any_transfer = (0..5_u8, any_key(), 0..2_000_000_u64);
    let any_transfer =
        any_transfer.prop_map(|(from, to, kelvins)| transfer(payer(from), to, kelvins));
    let instruction = prop_oneof![
        8 => any_mix(),
        3 => any_transfer,
        2 => Just(record()),
        1 => Just(Instruction::new(mixed(0))),
    ];
    let instructions = prop::collection::vec(instruction, 0..4);
    let payer = prop::option::weighted(0.6, (0..5_u8).prop_map(payer));
    let gas = prop_oneof![9 => Just(None), 1 => (0..2_000_u64).prop_map(Some)];
    (instructions, payer, gas).prop_map(|(instructions, payer, gas)| {
        let mut transaction = Transaction::new(instructions);
        transaction.payer = payer;
        transaction.gas = gas;
        transaction
    })
}

/// The same transactions, but that none reads an account that it does not list: nothing is judged
/// again then.
fn without_more_reads(mut transactions: Vec<Transaction>) -> Vec<Transaction> {
    for transaction in &mut transactions {
        let instructions = &mut transaction.instructions;
        instructions.retain(|instruction| instruction.program_id != READER);
        for mix in instructions {
            let steps = mix.data.chunks_exact_mut(3);
            for step in steps.filter(|step| step[0] == Step::Load as u8) {
                step[0] = Step::Add as u8;
            }
        }
    }
    transactions
}

/// What happens between two batches.
#[derive(Clone, Copy, Debug)]
enum Between {
    Nothing,
    Deploy,
    Airdrop,
    Clock,
}

fn any_between() -> impl Strategy<Value = Between> {
    prop_oneof![
        Just(Between::Nothing),
        Just(Between::Deploy),
        Just(Between::Airdrop),
        Just(Between::Clock)
    ]
}

fn apply(ledger: &mut Ledger, between: Between) {
    match between {
        Between::Nothing => {}
        Between::Deploy => {
            // The file changes each time.
            let is_reader = ledger.account(&READER).unwrap().data[48..] == READER_FILE[..];
            let file = if is_reader { &OTHER_FILE } else { &READER_FILE };
            ledger.deploy(READER, file).unwrap();
        }
        Between::Airdrop => ledger.airdrop(payer(2), 5_000).unwrap(),
        Between::Clock => ledger
            .warp_to(ledger.sysvars().clock.unix_timestamp_ms + 900)
            .unwrap(),
    }
}

/// Runs the transactions as a batch and one by one, and compares everything.
fn compare(
    batched: &mut Ledger,
    one_by_one: &mut Ledger,
    transactions: &[Transaction],
) -> Vec<TransactionOutcome> {
    let outcomes = THREADS.install(|| batched.run_batch(transactions.to_vec()));
    let expected: Vec<_> = transactions
        .iter()
        .map(|transaction| one_by_one.send(transaction.clone()))
        .collect();
    for (index, (outcome, expected)) in outcomes.iter().zip(&expected).enumerate() {
        assert_eq!(outcome, expected, "transaction {index}");
    }
    assert_eq!(outcomes.len(), expected.len());
    assert!(batched.accounts().eq(one_by_one.accounts()));
    assert_eq!(batched.sysvars(), one_by_one.sysvars());
    assert_eq!(batched.history(5_000), one_by_one.history(5_000));
    outcomes
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 150,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]
    #[test]
    fn any_batch_is_its_transactions_in_order(
        batches in prop::collection::vec(
            (any_between(), prop::collection::vec(any_transaction(), 0..40), any::<bool>()),
            1..4,
        ),
    ) {
        let mut batched = new_ledger();
        let mut one_by_one = batched.clone();
        for (between, mut transactions, reads_more) in batches {
            apply(&mut batched, between);
            apply(&mut one_by_one, between);
            if !reads_more {
                transactions = without_more_reads(transactions);
            }
            compare(&mut batched, &mut one_by_one, &transactions);
        }
    }
}

/// The random batches above are of some use: transactions succeed and fail in all ways.
#[test]
fn random_transactions_succeed_and_fail() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;

    let mut runner = TestRunner::deterministic();
    let mut ledger = new_ledger();
    let mut kinds = std::collections::BTreeMap::<String, usize>::new();
    for _ in 0..2_000 {
        let transaction = any_transaction().new_tree(&mut runner).unwrap().current();
        let outcome = ledger.clone().send(transaction.clone());
        let kind = match outcome.error {
            None => "success".to_owned(),
            Some(error) => format!("{error:?}")
                .split([' ', '{', '('])
                .next()
                .unwrap()
                .to_owned(),
        };
        *kinds.entry(kind).or_default() += 1;
        // A few stay, so that the accounts are not always the first ones.
        if transaction.instructions.len() == 1 {
            let _ = ledger.send(transaction);
        }
    }
    println!("{kinds:?}");
    for kind in [
        "success",
        "InstructionFailed",
        "UnknownProgram",
        "NoInstructions",
        "InsufficientFundsForFee",
        "InsufficientFundsForRent",
    ] {
        assert!(
            kinds.get(kind).is_some_and(|count| *count >= 5),
            "{kind}: {kinds:?}"
        );
    }
}

#[test]
fn undeclared_reads_see_what_was_before_them() {
    let mut batched = new_ledger();
    let mut one_by_one = batched.clone();
    let add = |account: u8| {
        Instruction::new(MIXER)
            .account(AccountMeta::writable(mixed(account)))
            .data([Step::Add as u8, 0, 0])
    };
    let load = |account: u8| Instruction::new(MIXER).data([Step::Load as u8, account, 0]);
    let transactions: Vec<Transaction> = [
        load(0),
        add(0),
        load(0), // It lists nothing, so it runs before the transaction above has ended.
        add(1),
        load(0),
        add(0),
        load(0),
        record(), // The same for a guest, which reads the price at `mixed(0)`.
        add(0),
        record(),
    ]
    .map(Transaction::from)
    .into();
    let before = RUNS.load(Ordering::Relaxed);
    let outcomes = compare(&mut batched, &mut one_by_one, &transactions);
    // Other tests run the mixer too, at the same time.
    assert!(RUNS.load(Ordering::Relaxed) - before >= 2 * 8);
    // The first byte and the time of `mixed(0)` are 0, 1 and 2.
    let sums = [0, 2, 4, 6].map(|index| outcomes[index].return_data()[0]);
    assert_eq!(sums, [1, 3, 3, 5]);
    assert!(outcomes[7].is_success() && outcomes[9].is_success());
    assert_ne!(outcomes[7].texts().last(), outcomes[9].texts().last());
}

#[test]
fn large_batches_with_any_share_of_conflicts() {
    let mut ledger = new_ledger();
    let key = |number: usize| {
        let mut bytes = [0x70; 32];
        bytes[..8].copy_from_slice(&number.to_le_bytes());
        Pubkey::new(bytes)
    };
    for number in 0..1_500 {
        ledger.airdrop(key(number), 10_000_000).unwrap();
    }
    for share in [0, 3, 50, 100] {
        let transactions: Vec<_> = (0..1_500)
            .map(|number| {
                let to = if number % 100 < share {
                    2_000
                } else {
                    3_000 + number
                };
                let instruction = transfer(key(number), key(to), 1_000_000 + number as u64);
                Transaction::new([instruction]).payer(key(number))
            })
            .collect();
        let mut batched = ledger.clone();
        let mut one_by_one = ledger.clone();
        let outcomes = compare(&mut batched, &mut one_by_one, &transactions);
        assert!(outcomes.iter().all(TransactionOutcome::is_success));
        // In memory, the history has the last 1,000.
        let history = batched.history(5_000).unwrap();
        assert_eq!((history[0].number, history.len()), (501, 1_000));
    }
}

#[test]
fn a_batch_is_stored_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.redb");
    let mut stored = Ledger::open(&path).unwrap();
    stored.airdrop(payer(0), 1_000_000_000).unwrap();
    let mut one_by_one = stored.clone();
    let transactions: Vec<_> = (0..1_200_u64)
        .map(|number| {
            let to = mixed((number % 10) as u8);
            Transaction::from([transfer(payer(0), to, 1_000_000 + number)])
        })
        .collect();
    let outcomes = THREADS.install(|| stored.run_batch(transactions.clone()));
    for (transaction, outcome) in transactions.into_iter().zip(outcomes) {
        assert_eq!(one_by_one.send(transaction), outcome);
    }
    drop(stored);
    let stored = Ledger::open(&path).unwrap();
    assert!(stored.accounts().eq(one_by_one.accounts()));
    let history = stored.history(5_000).unwrap();
    assert_eq!(history.len(), 1_200);
    assert_eq!(history[200..], one_by_one.history(5_000).unwrap());
}
