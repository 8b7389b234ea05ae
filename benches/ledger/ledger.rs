//! Transactions per second of a ledger: token transfers of `examples/token`, one by one and in
//! batches, in memory and with a file, and changes of a long account.
//!
//! `cargo bench -p ledger-bench` prints a table. With `-- --in-memory` it ends before those with a
//! file. `cargo xtask svm` compares one transfer with LiteSVM.

use std::time::{Duration, Instant};

use ledger::{Account, AccountMeta, Fee, Instruction, Ledger, Pubkey, Transaction};
use rayon::ThreadPoolBuilder;

const TOKEN: Pubkey = Pubkey::new([1; 32]);
const MINT: Pubkey = Pubkey::new([2; 32]);

/// Transactions of a batch.
const BATCH: usize = 500;

/// How often everything is measured. The table has the fastest. A round is short, because other
/// processes interrupt longer ones.
const ROUNDS: usize = 100;

/// Transfers one by one in each round.
const TRANSFERS: usize = 20_000;

/// How many of them are timed together.
const CHUNK: usize = 50;

/// Tokens of each holding before.
const TOKENS: u64 = 1_000_000_000_000;

/// An address of its own for each number.
fn key(kind: u8, number: usize) -> Pubkey {
    let mut bytes = [kind; 32];
    // Spread over the tree, as addresses are.
    let number = (number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    Pubkey::new(bytes)
}

fn owner(number: usize) -> Pubkey {
    key(3, number)
}

fn holding(number: usize) -> Pubkey {
    key(4, number)
}

/// Fills a ledger: the token program, and holdings with their owners.
fn fill(ledger: Ledger, blob: &[u8], holdings: usize) -> Ledger {
    // As in LiteSVM, the owner pays for its signature.
    let mut ledger = ledger.fee(Fee {
        base: 0,
        per_signer: 5_000,
    });
    ledger.deploy(TOKEN, blob).unwrap();
    let snapshot = {
        // The clone is in memory: a ledger with a file stores all of it at once.
        let mut fork = ledger.clone();
        for number in 0..holdings {
            fork.airdrop(owner(number), 1_000_000_000_000).unwrap();
            let data = token_holding(owner(number));
            let account = Account {
                key: holding(number),
                owner: TOKEN,
                kelvins: 10_000_000,
                data: data.into(),
                ..Account::default()
            };
            fork.set_account(account).unwrap();
        }
        fork.snapshot()
    };
    ledger.restore(&snapshot).unwrap();
    ledger
}

/// The data of a holding.
fn token_holding(owner: Pubkey) -> Vec<u8> {
    let amounts = [TOKENS, 0].map(u64::to_le_bytes);
    let keys = [MINT, owner, Pubkey::default()];
    let keys = keys.iter().flat_map(|key| *key.as_bytes());
    keys.chain(amounts.into_iter().flatten()).collect()
}

/// The tokens of a holding.
fn tokens(ledger: &Ledger, number: usize) -> u64 {
    let account = ledger.account(&holding(number)).unwrap();
    u64::from_le_bytes(account.data[96..104].try_into().unwrap())
}

fn transfer(from: usize, to: usize, amount: u64) -> Transaction {
    let mut data = vec![3];
    data.extend_from_slice(&amount.to_le_bytes());
    let instruction = Instruction::new(TOKEN)
        .account(AccountMeta::writable(holding(from)))
        .account(AccountMeta::writable(holding(to)))
        .account(AccountMeta::readonly_signer(owner(from)))
        .data(data);
    Transaction::new([instruction]).payer(owner(from))
}

/// Transfers, each from a holding of its own. This share of 100 goes to the same holding, and every
/// other to a holding of its own.
fn transfers(share: usize) -> Vec<Transaction> {
    (0..BATCH)
        .map(|number| {
            let to = match number % 100 < share {
                true => 2 * BATCH,
                false => BATCH + number,
            };
            transfer(number, to, number as u64 + 1)
        })
        .collect()
}

/// The time that `run` takes for each of `count` transactions.
fn time(count: usize, run: impl FnOnce()) -> Duration {
    let start = Instant::now();
    run();
    start.elapsed() / count as u32
}

/// The shortest time of several rounds.
fn shortest(round: impl FnMut() -> Duration) -> Duration {
    std::iter::repeat_with(round).take(ROUNDS).min().unwrap()
}

fn print(what: &str, time: Duration) {
    let second = 1.0 / time.as_secs_f64();
    println!("| {what} | {:.2} | {second:.0} |", time.as_secs_f64() * 1e6);
}

/// Transfers one by one on one core, from the same holding to the same other one: the shortest time
/// of [`CHUNK`] transfers after each other, because other processes interrupt longer runs.
fn one_by_one(ledger: &Ledger) -> Duration {
    let mut ledger = ledger.clone();
    let mut best = Duration::MAX;
    let amounts: Vec<u64> = (1..=TRANSFERS as u64).collect();
    for chunk in amounts.chunks(CHUNK) {
        let chunk: Vec<_> = chunk.iter().map(|amount| transfer(0, 1, *amount)).collect();
        let time = time(CHUNK, || {
            for transfer in chunk {
                assert!(ledger.send(transfer).is_success());
            }
        });
        best = best.min(time);
    }
    let count = TRANSFERS as u64;
    assert_eq!(tokens(&ledger, 1), TOKENS + count * (count + 1) / 2);
    best
}

fn batches(ledger: &Ledger) {
    let best = shortest(|| {
        let mut ledger = ledger.clone();
        let batch = transfers(0);
        time(BATCH, || {
            for transfer in batch {
                assert!(ledger.send(transfer).is_success());
            }
        })
    });
    print("one by one, each with holdings of its own", best);
    for share in [0, 10, 100] {
        let batch = transfers(share);
        for cores in [1, 2] {
            let pool = ThreadPoolBuilder::new().num_threads(cores).build().unwrap();
            let best = shortest(|| {
                let mut ledger = ledger.clone();
                let batch = batch.clone();
                time(BATCH, || {
                    let outcomes = pool.install(|| ledger.run_batch(batch));
                    assert!(outcomes.iter().all(|outcome| outcome.is_success()));
                })
            });
            print(
                &format!("batch, {share} % to one holding, cores: {cores}"),
                best,
            );
        }
    }
}

/// Transfers in a ledger with a file.
fn with_file(blob: &[u8]) {
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(folder.path().join("ledger.redb")).unwrap();
    let mut ledger = fill(ledger, blob, 2 * BATCH + 1);
    let best = shortest(|| {
        time(100, || {
            for amount in 1..=100 {
                assert!(ledger.send(transfer(0, 1, amount)).is_success());
            }
        })
    });
    print("one by one, with a file", best);
    let best = shortest(|| {
        let batch = transfers(0);
        time(BATCH, || {
            let outcomes = ledger.run_batch(batch);
            assert!(outcomes.iter().all(|outcome| outcome.is_success()));
        })
    });
    print(&format!("batch of {BATCH}, with a file, all cores"), best);
}

/// A call of `examples/counter` with an account of this length, of which it changes 8 bytes.
fn long_account(ledger: Ledger, blob: &[u8], length: usize) -> Duration {
    let mut ledger = ledger;
    let (program_id, counter) = (Pubkey::new([8; 32]), Pubkey::new([9; 32]));
    ledger.deploy(program_id, blob).unwrap();
    let account = Account {
        key: counter,
        owner: program_id,
        kelvins: 1_000_000_000_000,
        data: vec![0; length].into(),
        ..Account::default()
    };
    ledger.set_account(account).unwrap();
    let count = Instruction::new(program_id).account(AccountMeta::writable(counter));
    shortest(|| {
        time(10, || {
            for _ in 0..10 {
                assert!(ledger.send([count.clone()]).is_success());
            }
        })
    })
}

fn long_accounts() {
    let blob = program_test::build(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../examples/counter"
    ));
    for (length, text) in [(8, "8 bytes"), (10 << 20, "10 MiB")] {
        let best = long_account(Ledger::new(), &blob, length);
        print(&format!("8 bytes of {text} change"), best);
        let folder = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(folder.path().join("ledger.redb")).unwrap();
        let best = long_account(ledger, &blob, length);
        print(&format!("8 bytes of {text} change, with a file"), best);
    }
}

fn main() {
    // `cargo test --benches` builds this, and runs it without measuring.
    let arguments: Vec<String> = std::env::args().collect();
    let has = |name: &str| arguments.iter().any(|argument| argument == name);
    if !has("--bench") {
        return;
    }
    let blob = program_test::build(concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/token"));
    let ledger = fill(Ledger::new(), &blob, 2 * BATCH + 1);
    println!("| token transfers | µs each | a second |");
    println!("|---|---|---|");
    print("one by one", one_by_one(&ledger));
    batches(&ledger);
    if has("--in-memory") {
        return;
    }
    with_file(&blob);
    long_accounts();
}
