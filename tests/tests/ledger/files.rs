//! The files of ledgers: what they keep, and which files are rejected.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use ledger::{Account, AccountMeta, Instruction, Ledger, Pubkey, StorageError, Transaction};
use loader::{Engine, Loader, ids};
use redb::{Database, TableDefinition};
use tempfile::TempDir;

const ALICE: Pubkey = Pubkey::new([1; 32]);
const BOB: Pubkey = Pubkey::new([2; 32]);

fn new_path() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.redb");
    (folder, path)
}

/// A transaction that sends kelvins from Alice to Bob.
fn transfer(kelvins: u64) -> Transaction {
    let data = [2_u32.to_le_bytes().as_slice(), &kelvins.to_le_bytes()].concat();
    let instruction = Instruction::new(ids::SYSTEM_PROGRAM)
        .account(AccountMeta::writable_signer(ALICE))
        .account(AccountMeta::writable(BOB))
        .data(data);
    Transaction::new([instruction])
        .payer(ALICE)
        .gas(1_000)
        .heap(64 << 10)
}

/// A ledger with a little of everything.
fn fill(ledger: &mut Ledger) {
    ledger.airdrop(ALICE, 1_000_000_000).unwrap();
    ledger
        .set_account(Account {
            key: Pubkey::new([3; 32]),
            owner: ALICE,
            kelvins: 77,
            data: (0..100_000_u32).map(|at| (at % 251) as u8).collect(),
            executable: false,
            rent_epoch: 5,
        })
        .unwrap();
    ledger.warp_by(Duration::from_secs(3)).unwrap();
    assert!(ledger.send(transfer(1_000_000)).is_success());
    assert!(!ledger.send(transfer(u64::MAX)).is_success());
}

/// Asserts that a file cannot be opened and stays as it is. Returns the error.
#[track_caller]
fn rejected(path: &Path) -> StorageError {
    let before = fs::read(path).ok();
    let error = Ledger::open(path).expect_err("this is not a ledger");
    assert_eq!(fs::read(path).ok(), before, "{error}: the file has changed");
    assert!(
        error.to_string().contains(path.to_str().unwrap()),
        "{error}"
    );
    error
}

#[test]
fn a_file_has_what_the_ledger_had() {
    let (_folder, path) = new_path();
    let mut ledger = Ledger::open(&path).unwrap();
    let mut in_memory = Ledger::new();
    assert_eq!((ledger.path(), in_memory.path()), (Some(&*path), None));
    fill(&mut ledger);
    fill(&mut in_memory);
    for _ in 0..2 {
        assert!(ledger.accounts().eq(in_memory.accounts()));
        assert_eq!(ledger.sysvars(), in_memory.sysvars());
        let history = ledger.history(10).unwrap();
        assert_eq!(history, in_memory.history(10).unwrap());
        assert_eq!(ledger.history(1).unwrap(), history[1..]);
        drop(ledger);
        ledger = Ledger::open(&path).unwrap();
    }

    let history = ledger.history(10).unwrap();
    let [first, second] = &*history else {
        panic!("{history:?}");
    };
    assert_eq!((first.number, second.number), (1, 2));
    assert_eq!((first.slot, first.unix_timestamp_ms), (7, 3_000));
    assert_eq!(first.transaction, transfer(1_000_000));
    assert_eq!((&first.error, first.gas_limit), (&None, 1_000));
    let error = second.error.as_deref().unwrap();
    assert!(error.starts_with("instruction 0 of 1111"), "{error}");
    assert!(second.logs[1].contains("must pay"), "{:?}", second.logs);

    // The numbers go on, and a clone does not write the file.
    let mut clone = ledger.clone();
    assert!(clone.send(transfer(5)).is_success());
    assert_eq!(clone.history(10).unwrap()[0].number, 3);
    assert!(ledger.send(transfer(6)).is_success());
    assert_eq!(ledger.history(1).unwrap()[0].number, 3);
    drop(ledger);
    assert_eq!(Ledger::open(&path).unwrap().kelvins(&BOB), 1_000_006);
}

#[test]
fn a_new_file_has_the_permissions_of_any_new_file() {
    let (folder, path) = new_path();
    drop(Ledger::open(&path).unwrap());
    let other = folder.path().join("other");
    fs::write(&other, "").unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode();
    assert_eq!(mode(&path), mode(&other));
    // And there is no other file than these two.
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 2);
}

#[test]
fn two_cannot_open_the_same_file() {
    let (_folder, path) = new_path();
    let mut ledger = Ledger::open(&path).unwrap();
    fill(&mut ledger);
    let in_use = StorageError::InUse { path: path.clone() };
    assert_eq!(Ledger::open(&path).unwrap_err(), in_use);

    let other_process = || {
        let output = Command::new(std::env::current_exe().unwrap())
            .args([
                "ledger::files::other_process",
                "--exact",
                "--ignored",
                "--nocapture",
            ])
            .env("LEDGER_OTHER_PROCESS", &path)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let output = other_process();
    assert!(output.contains(&in_use.to_string()), "{output}");
    // The ledger that was first still works.
    assert!(ledger.send(transfer(1)).is_success());
    drop(ledger);
    let output = other_process();
    assert!(output.contains("opened with 3 accounts"), "{output}");
}

#[test]
#[ignore = "it is the process that `two_cannot_open_the_same_file` starts"]
fn other_process() {
    if let Some(path) = std::env::var_os("LEDGER_OTHER_PROCESS") {
        match Ledger::open(path) {
            Ok(ledger) => println!("opened with {} accounts", ledger.accounts().count()),
            Err(error) => println!("{error}"),
        }
    }
}

#[test]
fn rubbish_is_not_a_ledger() {
    let (folder, path) = new_path();
    let contents: [&[u8]; 5] = [
        b"",
        b"x",
        &[0; 4_096],
        &[0xff; 1 << 20],
        b"redb\x1a\x0a\xa9\x0d\x0a",
    ];
    for content in contents {
        fs::write(&path, content).unwrap();
        let error = rejected(&path);
        assert!(matches!(error, StorageError::Invalid { .. }), "{error:?}");
    }
    let error = Ledger::open(folder.path()).unwrap_err();
    assert!(matches!(error, StorageError::Open { .. }), "{error:?}");
    let error = rejected(&path.join("below a file"));
    assert!(matches!(error, StorageError::Open { .. }), "{error:?}");
    let error = rejected(&folder.path().join("missing/ledger"));
    assert!(matches!(error, StorageError::Open { .. }), "{error:?}");
}

#[test]
fn truncated_and_altered_files_are_rejected() {
    let (_folder, path) = new_path();
    let mut ledger = Ledger::open(&path).unwrap();
    fill(&mut ledger);
    let accounts: Vec<_> = ledger.accounts().cloned().collect();
    drop(ledger);
    let whole = fs::read(&path).unwrap();
    let lengths = (0..whole.len())
        .step_by(4_096)
        .flat_map(|at| [at, at + 320, at + 4_095]);
    for length in lengths.filter(|length| *length < whole.len()) {
        fs::write(&path, &whole[..length]).unwrap();
        let error = rejected(&path);
        assert!(
            matches!(error, StorageError::Invalid { .. }),
            "{length}: {error:?}"
        );
    }
    // A byte that is altered is in a page that is not in use, or it is noticed.
    let mut noticed = 0;
    for at in (0..whole.len()).step_by(1_021) {
        let mut altered = whole.clone();
        altered[at] ^= 0x40;
        fs::write(&path, &altered).unwrap();
        match Ledger::open(&path) {
            Ok(ledger) => assert!(ledger.accounts().eq(&accounts), "byte {at}"),
            Err(error) => {
                assert!(
                    matches!(error, StorageError::Invalid { .. }),
                    "{at}: {error:?}"
                );
                noticed += 1;
            }
        }
    }
    assert!(
        noticed > 50,
        "{noticed} of {} altered bytes",
        whole.len() / 1_021
    );
    fs::write(&path, &whole).unwrap();
    assert!(Ledger::open(&path).unwrap().accounts().eq(&accounts));
}

#[test]
fn other_databases_and_other_formats_are_rejected() {
    let table = TableDefinition::<&str, &[u8]>::new("ledger");
    let write = |path: &Path, name: &str, value: &[u8]| {
        let database = Database::create(path).unwrap();
        let transaction = database.begin_write().unwrap();
        transaction
            .open_table(table)
            .unwrap()
            .insert(name, value)
            .unwrap();
        transaction.commit().unwrap();
    };
    let (_folder, path) = new_path();
    let database = Database::create(&path).unwrap();
    database.begin_write().unwrap().commit().unwrap();
    drop(database);
    let error = Ledger::open(&path).unwrap_err().to_string();
    assert!(
        error.ends_with("it is another program's database"),
        "{error}"
    );

    let (_folder, path) = new_path();
    let mut ledger = Ledger::open(&path).unwrap();
    fill(&mut ledger);
    drop(ledger);
    write(&path, "format", &2_u64.to_le_bytes());
    let error = StorageError::OtherFormat {
        path: path.clone(),
        found: 2,
        supported: 1,
    };
    assert_eq!(Ledger::open(&path).unwrap_err(), error);
    write(&path, "format", b"?");
    let error = Ledger::open(&path).unwrap_err().to_string();
    assert!(error.ends_with("its format is [63]"), "{error}");
    write(&path, "format", &1_u64.to_le_bytes());
    assert_eq!(Ledger::open(&path).unwrap().history(10).unwrap().len(), 2);
}

#[test]
fn an_engine_of_another_target_is_rejected() {
    let (_folder, path) = new_path();
    fill(&mut Ledger::open(&path).unwrap());
    let wasm = || Loader::new(Engine::Wasm).unwrap();
    let error = Ledger::open_with_loader(&path, wasm()).unwrap_err();
    assert_eq!(
        error,
        StorageError::OtherTarget {
            path: path.clone(),
            found: "riscv64".to_owned(),
            engine: Engine::Wasm,
        }
    );
    let text = error.to_string();
    assert!(
        text.contains("riscv64") && text.contains("wasm32"),
        "{text}"
    );

    let (_folder, path) = new_path();
    fill(&mut Ledger::open_with_loader(&path, wasm()).unwrap());
    Ledger::open(&path).unwrap_err();
    assert_eq!(
        Ledger::open_with_loader(&path, wasm())
            .unwrap()
            .kelvins(&BOB),
        1_000_000
    );
}

#[test]
fn folders_that_cannot_be_written() {
    // Not even root can write here.
    let error = rejected(Path::new("/proc/ledger.redb"));
    assert!(matches!(error, StorageError::Open { .. }), "{error:?}");

    let (folder, path) = new_path();
    fill(&mut Ledger::open(&path).unwrap());
    fs::set_permissions(&path, Permissions::from_mode(0o444)).unwrap();
    fs::set_permissions(&folder, Permissions::from_mode(0o555)).unwrap();
    let is_root = fs::write(folder.path().join("probe"), "").is_ok();
    if is_root {
        println!("skipped: permissions do not bind this user");
    } else {
        for path in [path, folder.path().join("new")] {
            let error = rejected(&path);
            assert!(matches!(error, StorageError::Open { .. }), "{error:?}");
        }
    }
    fs::set_permissions(&folder, Permissions::from_mode(0o755)).unwrap();
}
