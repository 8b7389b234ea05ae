//! A process that writes a ledger's file is killed at random moments. What it reported as done is
//! in the file, and of the operation after that all or nothing.

use std::env;
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use ledger::{
    Account, AccountMeta, Fee, Instruction, Ledger, Pubkey, Transaction, TransactionRecord,
};
use loader::{Sysvars, ids};
use proptest::prelude::RngExt;
use proptest::test_runner::{RngAlgorithm, TestRng};
use tempfile::TempDir;

/// The environment variable with the path of the writer's file.
const FILE: &str = "LEDGER_WRITER_FILE";

/// The environment variable with the number of the writer's first operation.
const FIRST: &str = "LEDGER_WRITER_FIRST";

/// The environment variable with the number of kills, if it is not the default.
const KILLS: &str = "LEDGER_KILLS";

/// How many kills the same file survives before the test takes a new one.
const KILLS_OF_A_FILE: usize = 50;

const ALICE: Pubkey = Pubkey::new([1; 32]);
const LONG: Pubkey = Pubkey::new([9; 32]);

fn key(number: u64) -> Pubkey {
    Pubkey::new([20 + (number % 40) as u8; 32])
}

fn transfer(to: Pubkey, kelvins: u64) -> Instruction {
    let data = [2_u32.to_le_bytes().as_slice(), &kelvins.to_le_bytes()].concat();
    Instruction::new(ids::SYSTEM_PROGRAM)
        .account(AccountMeta::writable_signer(ALICE))
        .account(AccountMeta::writable(to))
        .data(data)
}

/// An account whose data has a length on both sides of the borders of the file's pieces.
fn long(number: u64) -> Account {
    let length = [0, 100, 16_000, 16_001, 70_000][number as usize / 8 % 5];
    Account {
        key: LONG,
        owner: ALICE,
        kelvins: 1_000_000_000 + number,
        data: (0..length)
            .map(|at| (at as u64 / 9_000 * number) as u8)
            .collect(),
        ..Account::default()
    }
}

fn with_fee(ledger: Ledger) -> Ledger {
    ledger.fee(Fee {
        base: 10,
        per_signer: 0,
    })
}

/// One operation: the same for the same number. The first one is 0.
fn operate(ledger: &mut Ledger, number: u64) {
    let stored = match number % 8 {
        0 => ledger.airdrop(ALICE, 100_000_000),
        1 => ledger.set_account(long(number)),
        2 => ledger.warp_by(Duration::from_millis(number)),
        3 => {
            // Several changes in one operation: some accounts are new, some change, one goes.
            let mut fork = ledger.clone();
            for number in number..number + 5 {
                fork.airdrop(key(number), 900_000).unwrap();
            }
            let gone = Account {
                key: key(number + 37),
                ..Account::default()
            };
            fork.set_account(gone).unwrap();
            fork.set_account(long(number + 20)).unwrap();
            ledger.restore(&fork.snapshot())
        }
        4 => {
            let transfers = (0..6).map(|index| transfer(key(number * 3 + index), 900_000 + index));
            assert!(
                ledger
                    .send(Transaction::new(transfers).payer(ALICE))
                    .is_success()
            );
            Ok(())
        }
        5 => {
            // It fails, and its fee is kept.
            let transfers = [transfer(key(number), 900_000), transfer(ALICE, u64::MAX)];
            let outcome = ledger.send(Transaction::new(transfers).payer(ALICE));
            assert!(outcome.fee == 10 && !outcome.is_success());
            Ok(())
        }
        _ => ledger.airdrop(key(number), number),
    };
    stored.unwrap();
}

/// What the process does that the test kills: it opens the file, and runs one operation after the
/// other. It prints the number of each that is done.
#[test]
#[ignore = "it is the process that `killed_writers_lose_nothing` kills"]
fn writer() {
    let (Some(path), Ok(first)) = (env::var_os(FILE), env::var(FIRST)) else {
        return;
    };
    let mut ledger = with_fee(Ledger::open(path).unwrap());
    let first: u64 = first.parse().unwrap();
    // It ends by itself if the test that should kill it has ended.
    for number in first..first + 10_000 {
        operate(&mut ledger, number);
        writeln!(io::stdout(), "\ndone {number}").unwrap();
    }
}

fn start_writer(path: &Path, first: u64) -> Child {
    Command::new(env::current_exe().unwrap())
        .args([
            "ledger::kills::writer",
            "--exact",
            "--ignored",
            "--nocapture",
        ])
        .env(FILE, path)
        .env(FIRST, first.to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap()
}

/// Starts a writer, and kills it at a random moment: while it opens the file, or after some
/// operations and some more time. Returns how many operations it has reported as done.
fn kill_writer(path: &Path, first: u64, random: &mut TestRng) -> u64 {
    let mut writer = start_writer(path, first);
    let mut lines = BufReader::new(writer.stdout.take().unwrap()).lines();
    let mut done = 0;
    let mut count = |line: io::Result<String>| {
        if let Some(number) = line.unwrap().strip_prefix("done ") {
            assert_eq!(number.parse(), Ok(first + done));
            done += 1;
        }
        done
    };
    let least = random.random_range(0..8);
    while least > 0 && count(lines.next().expect("the writer ended by itself")) < least {}
    thread::sleep(Duration::from_micros(random.random_range(0..6_000)));
    writer.kill().unwrap();
    lines.for_each(|line| {
        count(line);
    });
    assert_eq!(writer.wait().unwrap().signal(), Some(9), "it was killed");
    done
}

/// All that a ledger keeps.
fn contents(ledger: &Ledger) -> (Vec<Arc<Account>>, Sysvars, Vec<TransactionRecord>) {
    (
        ledger.accounts().cloned().collect(),
        ledger.sysvars().clone(),
        ledger.history(1_000).unwrap(),
    )
}

/// A folder for the file. A killed process loses nothing that it has written, whatever the file
/// system, so the folder is in memory: there, syncs do not wait for what other processes write. The
/// test of another number of kills takes a disk.
fn new_folder() -> TempDir {
    match (env::var_os(KILLS), tempfile::tempdir_in("/dev/shm")) {
        (None, Ok(folder)) => folder,
        _ => tempfile::tempdir().unwrap(),
    }
}

#[test]
fn killed_writers_lose_nothing() {
    let kills: usize = env::var(KILLS).map_or(100, |kills| kills.parse().unwrap());
    let mut random = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut unacknowledged = 0;
    let mut operations = 0;
    for first_kill in (0..kills).step_by(KILLS_OF_A_FILE) {
        let folder = new_folder();
        let path = folder.path().join("ledger.redb");
        // The same ledger in memory, and how many operations it has seen.
        let mut model = with_fee(Ledger::new());
        let mut next = 0;
        for kill in first_kill..kills.min(first_kill + KILLS_OF_A_FILE) {
            let done = kill_writer(&path, next, &mut random);
            for number in next..next + done {
                operate(&mut model, number);
            }
            next += done;
            if done == 0 && next == 0 && !path.exists() {
                continue;
            }
            let found = contents(&Ledger::open(&path).unwrap());
            if found != contents(&model) {
                operate(&mut model, next);
                next += 1;
                unacknowledged += 1;
                assert_eq!(
                    found,
                    contents(&model),
                    "kill {kill}: operation {next} is not whole"
                );
            }
        }
        operations += next;
    }
    println!("{kills} kills, {operations} operations, {unacknowledged} of them not acknowledged");
    assert!(operations > kills as u64, "the writers did something");
}
