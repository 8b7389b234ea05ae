//! `cargo entrypoint ledger`, as users call it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{entrypoint, entrypoint_in, json, says, stderr, stdout};

/// A ledger in a folder of its own.
struct TestLedger {
    folder: TempDir,
}

impl TestLedger {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        Self { folder }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("a ledger.redb")
    }

    fn run(&self, words: &[&str]) -> Output {
        let file = self.file().display().to_string();
        entrypoint(&[&["ledger", "--ledger", &file], words].concat())
    }

    /// Runs a command that succeeds, and returns what it prints.
    #[track_caller]
    fn does(&self, words: &[&str]) -> String {
        let output = self.run(words);
        assert_eq!(
            output.status.code(),
            Some(0),
            "{words:?}: {}",
            stderr(&output)
        );
        stdout(&output)
    }

    /// As [`does`](Self::does), in JSON.
    #[track_caller]
    fn json(&self, words: &[&str]) -> Value {
        let output = self.run(&[words, &["--json"]].concat());
        assert_eq!(
            output.status.code(),
            Some(0),
            "{words:?}: {}",
            stderr(&output)
        );
        let value = json(&output);
        assert_eq!(value["error"], json!(null));
        value
    }

    /// Runs a command that does nothing. Its error must contain all parts, also in JSON, and
    /// nothing may change.
    #[track_caller]
    fn refuses(&self, words: &[&str], parts: &[&str]) {
        let before = fs::read(self.file()).ok();
        let output = self.run(words);
        assert_eq!(
            output.status.code(),
            Some(2),
            "{words:?}: {}",
            stdout(&output)
        );
        says(&stderr(&output), parts);
        let output = self.run(&[words, &["--json"]].concat());
        let error = json(&output)["error"]["description"].to_string();
        assert!(error.len() > 10, "{words:?}: {error}");
        let after = fs::read(self.file()).ok();
        assert_eq!(
            before.is_some(),
            after.is_some(),
            "{words:?} made or removed the file"
        );
    }
}

fn key(name: &str) -> Value {
    json!({ "key": ledger::key(name).to_string(), "name": name })
}

#[test]
fn a_session_from_the_first_program_to_the_log() {
    let ledger = TestLedger::new();
    let deployed = ledger.json(&["deploy", "counter", "--release"]);
    let length = deployed["length"].as_u64().expect("a length");
    assert_eq!(deployed["program_id"], key("counter"));
    // 48 bytes before the file, and 128 of overhead, at 6,960 a byte.
    assert_eq!(deployed["rent"], json!((length + 48 + 128) * 6_960));

    let made = ledger.does(&["create", "apples", "--owner", "counter", "--data", "u64:41"]);
    says(
        &made,
        &[
            "owner    counter",
            "kelvins  946,560",
            "0  2900000000000000",
        ],
    );

    let sent = ledger.does(&["send", "counter", "--account", "apples:w"]);
    says(
        &sent,
        &[
            "succeeded, with ",
            "  0 counter, ",
            "    log: count: 42\n",
            "accounts\n  apples\n    data    2900000000000000 -> 2a00000000000000\n",
        ],
    );
    let simulated = ledger.json(&["send", "counter", "-a", "apples:w", "--simulate"]);
    // JSON has all lines, also those of the runtime.
    let logs = &simulated["instructions"][0]["logs"];
    assert_eq!(logs[1], "Program log: count: 43");
    assert_eq!(logs.as_array().map(Vec::len), Some(4));
    assert_eq!(simulated["changes"][0]["after"]["data"], "2b00000000000000");

    let account = ledger.json(&["account", "apples"]);
    assert_eq!(account["account"]["data"], "2a00000000000000");
    assert_eq!(account["account"]["owner"], key("counter"));

    assert_eq!(
        ledger.json(&["airdrop", "alice", "5_000_000"])["kelvins"],
        json!(5_000_000)
    );
    ledger.does(&["transfer", "alice", "bob", "1000000"]);
    let accounts = ledger.does(&["accounts"]);
    let rows: Vec<Vec<&str>> = accounts
        .lines()
        .map(|line| {
            line.split("  ")
                .map(str::trim)
                .filter(|cell| !cell.is_empty())
                .collect()
        })
        .collect();
    assert_eq!(rows[0], ["account", "kelvins", "bytes", "owner"]);
    assert_eq!(rows[1], ["alice", "4,000,000", "0", "system program"]);
    assert_eq!(rows[2], ["apples", "946,560", "8", "counter"]);
    assert_eq!(rows[4][0], "counter");
    assert_eq!(rows[4][3], "program");

    assert_eq!(
        ledger.does(&["warp", "2030-01-31T12:00:00Z"]),
        "it is 2030-01-31T12:00:00Z, slot 4740228000\n"
    );
    assert_eq!(
        ledger.json(&["warp", "+90s"]),
        json!({ "error": null, "unix_timestamp_ms": 1_896_091_290_000_u64, "slot": 4_740_228_225_u64 })
    );
    let log = ledger.json(&["log"]);
    let transactions = log["transactions"].as_array().expect("a list");
    assert_eq!(transactions.len(), 2);
    assert_eq!(
        transactions[0]["instructions"][0]["program_id"],
        key("counter")
    );
    let log = ledger.does(&["log", "1"]);
    says(
        &log,
        &[
            "2 succeeded, slot 0, ",
            "  system program alice:sw bob:w data 0200000040",
        ],
    );
    assert!(!log.contains("counter"), "{log}");
    // The texts of programs, without the lines of the runtime around them.
    let log = ledger.does(&["log"]);
    says(&log, &["  log: count: 42\n"]);
    assert!(!log.contains("invoke ["), "{log}");
    assert_eq!(ledger.does(&["log", "0"]), "");
    assert_eq!(ledger.does(&["warp", "-5"]), "it is -5, slot 4740228225\n");
}

#[test]
fn failed_transaction_names_the_error_and_changes_nothing() {
    let ledger = TestLedger::new();
    ledger.does(&["deploy", "token", "--id", "gold_program"]);
    ledger.does(&["create", "gold", "--owner", "gold_program", "--space", "48"]);
    let make = [
        "send",
        "gold_program",
        "-a",
        "gold:w",
        "-d",
        "u8:0,u8:2,key:bank",
    ];
    ledger.does(&make);
    let output = ledger.run(&make);
    assert_eq!(output.status.code(), Some(1));
    says(
        &stdout(&output),
        &[
            "failed, after ",
            "  instruction 0 of gold_program failed: the program returned Custom(1)\n",
            "  error 1 of gold_program is TokenError::AlreadyMade, ",
        ],
    );
    let output = ledger.run(&[&make[..], &["--json"]].concat());
    assert_eq!(output.status.code(), Some(1));
    let failed = json(&output);
    assert_eq!(failed["error"]["kind"], "ProgramError");
    assert_eq!(failed["error"]["failed_program"], key("gold_program"));
    assert_eq!(failed["changes"], json!([]));
}

#[test]
fn a_file_has_several_instructions() {
    let ledger = TestLedger::new();
    ledger.does(&["airdrop", "alice", "10000000"]);
    let path = ledger.folder.path().join("pay.toml");
    let file = |text: &str| fs::write(&path, text).expect("a file");
    let path = path.display().to_string();
    let system = "11111111111111111111111111111111";
    file(&format!(
        "payer = \"alice\"\n\
         [[instructions]]\nprogram = \"{system}\"\naccounts = [\"alice:sw\", \"bob:w\"]\n\
         data = \"u32:2,u64:1_000_000\"\n\
         [[instructions]]\nprogram = \"{system}\"\naccounts = [\"bob:sw\", \"carol:w\"]\n\
         data = \"u32:2,u64:1_000_000\"\n"
    ));
    let sent = ledger.json(&["send", "--file", &path]);
    assert_eq!(sent["instructions"].as_array().map(Vec::len), Some(2));
    assert_eq!(
        ledger.json(&["account", "carol"])["account"]["kelvins"],
        json!(1_000_000)
    );
    assert_eq!(ledger.run(&["account", "bob"]).status.code(), Some(1));

    for (text, part) in [
        ("", "it has no [[instructions]]"),
        ("[[instructions]]\n", "missing field `program`"),
        (
            "[[instructions]]\nprogram = \"a\"\nacounts = []\n",
            "unknown field `acounts`",
        ),
        (
            "[[instructions]]\nprogram = \"a b\"\n",
            "instruction 0: \"a b\" is neither a key",
        ),
        (
            "[[instructions]]\nprogram = \"a\"\ndata = \"u8:256\"\n",
            "number too large",
        ),
        (
            "payer = \"\"\n[[instructions]]\nprogram = \"a\"\n",
            "\"\" is neither a key",
        ),
    ] {
        file(text);
        ledger.refuses(
            &["send", "--file", &path],
            &["pay.toml is not a transaction", part],
        );
    }
}

#[test]
fn rubbish_is_refused_and_nothing_is_lost() {
    let ledger = TestLedger::new();
    for words in [
        &["accounts"][..],
        &["account", "alice"],
        &["log"],
        &["send", "counter"],
    ] {
        ledger.refuses(words, &["there is no ledger ", "a ledger.redb", "--ledger"]);
    }
    // None of these makes the file of the ledger.
    for (words, part) in [
        (
            &["create", "a", "--owner", "b", "--kelvins", "0"][..],
            "does not exist",
        ),
        (
            &["create", "a", "--owner", "b", "--data", "@/nowhere"],
            "cannot read the data /nowhere",
        ),
        (
            &["create", "a", "--owner", "b", "--data", "@/dev/zero"],
            "cannot read the data /dev/zero",
        ),
        (&["deploy", "README.md"], "cannot deploy README"),
        (&["deploy", "/dev/zero"], "there is no program `/dev/zero`"),
        (&["warp", "+999999999years"], "write a shorter time"),
    ] {
        ledger.refuses(words, &[part]);
        assert!(!ledger.file().exists(), "{words:?}");
    }
    ledger.does(&["airdrop", "alice", "5000000"]);
    ledger.does(&["airdrop", "rich", &u64::MAX.to_string()]);
    let accounts = ledger.does(&["accounts"]);
    let log = ledger.does(&["log"]);
    for (words, part) in [
        (&["airdrop", "alice", "-5"][..], "\"-5\" is not an amount"),
        (
            &["airdrop", "alice & bob", "5"],
            "\"alice & bob\" is neither a key",
        ),
        (&["airdrop", "alice"], "<KELVINS>"),
        (
            &["airdrop", "rich", "1"],
            "an account holds at most 18,446,744,073,709,551,615",
        ),
        (&["warp", "+999999999years"], "write a shorter time"),
        (
            &["send", "counter", "-d", "@/dev/zero"],
            "it has more than 10485760 bytes",
        ),
        (
            &["send", "--file", "/dev/zero"],
            "cannot read the transaction /dev/zero",
        ),
        (&["send"], "<PROGRAM"),
        (&["send", "counter", "-a", "alice:x"], "'x' is not a flag"),
        (&["send", "counter", "-d", "u8:300"], "number too large"),
        (
            &["send", "counter", "-d", "@/nowhere"],
            "cannot read the data /nowhere",
        ),
        (
            &["send", "counter", "--file", "a.toml"],
            "cannot be used with",
        ),
        (
            &["send", "--file", "/nowhere.toml"],
            "cannot read the transaction /nowhere.toml",
        ),
        (&["warp", "tomorrow"], "\"tomorrow\" is not a time"),
        (&["warp", "+9 lives"], "is not a duration"),
        (&["log", "all"], "invalid value 'all'"),
        (
            &["create", "alice", "--owner", "bob"],
            "there is an account alice",
        ),
        (
            &["create", "big", "--owner", "bob", "--space", "10485761"],
            "at most 10,485,760 bytes",
        ),
        (
            &["create", "none", "--owner", "bob", "--kelvins", "0"],
            "does not exist",
        ),
        (
            &["deploy", "README.md"],
            "cannot deploy README: invalid PolkaVM blob",
        ),
        (
            &["deploy", "counter", "--id", "alice"],
            "that account exists, and it is not a program",
        ),
        (&["deploy", "nothing_here"], "nothing_here"),
        (&["destroy"], "destroy"),
    ] {
        ledger.refuses(words, &[part]);
    }
    assert_eq!(ledger.does(&["accounts"]), accounts);
    assert_eq!(ledger.does(&["log"]), log);
}

#[test]
fn file_that_is_not_a_ledger_stays_as_it_is() {
    let ledger = TestLedger::new();
    fs::write(ledger.file(), "my diary").expect("a file");
    ledger.refuses(&["airdrop", "alice", "5"], &["a ledger.redb"]);
    assert_eq!(fs::read(ledger.file()).expect("a file"), b"my diary");
}

#[test]
fn second_process_gets_a_clear_error() {
    let ledger = TestLedger::new();
    let held = ledger::Ledger::open(ledger.file()).expect("a ledger");
    ledger.refuses(
        &["airdrop", "alice", "5"],
        &["is in use: only one process can open it"],
    );
    let output = ledger.run(&["accounts", "--json"]);
    assert_eq!(json(&output)["error"]["kind"], "InUse");
    thread::scope(|scope| {
        // A command of the same script waits.
        let waits = scope.spawn(|| ledger.does(&["airdrop", "alice", "5"]));
        thread::sleep(Duration::from_millis(200));
        drop(held);
        waits.join().expect("it gets the file");
    });
}

#[test]
fn derived_address_is_printed_for_a_shell() {
    let ledger = TestLedger::new();
    let words = ["address", "exchange", "text:pool", "key:carol"];
    let output = ledger.run(&words);
    let carol = ledger::key("carol");
    let seeds = [b"pool", &carol.as_bytes()[..]];
    let found = ledger::find_program_address(&seeds, &ledger::key("exchange"));
    let (address, bump) = found.expect("an address");
    assert_eq!(stdout(&output), format!("{address}\n"));
    assert_eq!(stderr(&output), format!("bump {bump}\n"));
    assert_eq!(ledger.json(&words)["bump"], json!(bump));
    assert!(!ledger.file().exists());

    let many = [&["address", "exchange"][..], &["u8:1"; 16]].concat();
    ledger.refuses(&many, &["at most 15 seeds and its bump, and here are 16"]);
    ledger.refuses(
        &["address", "exchange", "text:a", "key:carol,u8:1"],
        &["a seed has at most 32 bytes, and seed 1 has 33"],
    );
}

#[test]
fn default_file_is_in_the_current_folder() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = entrypoint_in(folder.path(), &["ledger", "airdrop", "alice", "5"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(folder.path().join(Path::new("ledger.redb")).is_file());
}

#[test]
fn help_shows_the_grammar() {
    let help = stdout(&entrypoint(&["ledger", "--help"]));
    says(
        &help,
        &[
            "u64:5,key:alice",
            "ledger.redb",
            "Exit codes:",
            "deploy",
            "warp",
        ],
    );
    let help = stdout(&entrypoint(&["ledger", "send", "--help"]));
    says(&help, &["KEY[:sw]", "[[instructions]]", "--simulate"]);
}

/// A scenario's program is read to the limit of a program's file, and its error has its cause.
#[test]
fn a_scenarios_program_without_an_end_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("endless.toml");
    for (program, part) in [
        ("/dev/zero", "pass the file of a program"),
        ("/nowhere", "cannot read /nowhere: No such file"),
    ] {
        let text = format!("[programs]\na = \"{program}\"\n[[steps]]\nprogram = \"a\"\n");
        fs::write(&path, text).expect("a file");
        let output = entrypoint(&["run", &path.display().to_string()]);
        assert_eq!(output.status.code(), Some(2), "{}", stdout(&output));
        says(&stderr(&output), &[part]);
    }
}

/// A text without what depends on the compiler: the numbers of gas, and those of a deployment.
fn without_figures(text: &str) -> String {
    let is_figure = |word: &str| word.starts_with(|first: char| first.is_ascii_digit());
    let mut text_without = String::new();
    for line in text.lines() {
        let depends = ["gas", " bytes", "the rent of", "program"];
        if !depends.iter().any(|part| line.contains(part)) {
            text_without.push_str(line);
        } else {
            let words = line.split_whitespace();
            let words = words.map(|word| if is_figure(word) { "N" } else { word });
            text_without.push_str(&words.collect::<Vec<_>>().join(" "));
        }
        text_without.push('\n');
    }
    text_without
}

/// Each command of `docs/ledger.md`, with its output. `BLESS_DOCS=1` writes the outputs.
#[test]
fn page_shows_what_the_commands_print() {
    let path = crate::support::project().join("docs/ledger.md");
    let page = fs::read_to_string(&path).expect("a page");
    let start = page.find("```console\n").expect("a session") + "```console\n".len();
    let end = start + page[start..].find("```").expect("the end of the session");
    let commands = page[start..end]
        .lines()
        .filter_map(|line| line.strip_prefix("$ "));

    let ledger = TestLedger::new();
    let mut session = String::new();
    for command in commands {
        let words = command
            .strip_prefix("cargo entrypoint ledger ")
            .expect("a command");
        let output = ledger.run(&words.split(' ').collect::<Vec<_>>());
        assert_ne!(
            output.status.code(),
            Some(2),
            "{command}: {}",
            stderr(&output)
        );
        session.push_str(&format!("$ {command}\n{}", stdout(&output)));
    }
    if std::env::var_os("BLESS_DOCS").is_some() {
        let blessed = [&page[..start], &session, &page[end..]].concat();
        fs::write(&path, blessed).expect("write the page");
        return;
    }
    assert_eq!(
        without_figures(&page[start..end]),
        without_figures(&session)
    );
}

/// The scenario of a property test that failed, as the page shows it, does the same steps again.
#[test]
fn page_shows_a_scenario_that_runs() {
    let page = include_str!("../../../docs/ledger.md");
    let start = page.find("title = \"Found: ").expect("a scenario");
    let scenario = &page[start..start + page[start..].find("```").expect("its end")];
    let bank = crate::support::project().join("tests/guests/bank");
    let scenario = scenario.replace("tests/guests/bank", &bank.display().to_string());
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("found.toml");
    fs::write(&path, scenario).expect("a file");
    let output = entrypoint(&["run", &path.display().to_string()]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    // Bob has one, pays it to himself, and has two.
    says(
        &stdout(&output),
        &["data 0..1  00 -> 01", "data 0..1  01 -> 02"],
    );
}
