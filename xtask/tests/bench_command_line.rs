//! `cargo xtask bench`, as the authors of this project and `.ci/run` call it.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use xtask::bench::results::SuiteResults;
use xtask::bench::{BASELINE, formatting, marked};
use xtask::project;

/// Runs `cargo xtask bench` with these arguments in a folder.
fn bench_in(folder: &Path, words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_xtask"))
        .arg("bench")
        .args(words)
        .current_dir(folder)
        .output()
        .expect("run the command")
}

fn bench(words: &[&str]) -> Output {
    bench_in(project(), words)
}

fn stdout(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).expect("text")
}

fn stderr(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).expect("text")
}

/// The only JSON value on standard output.
fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("no JSON: {error}\n{}\n{}", stdout(output), stderr(output)))
}

/// Asserts that a text contains all these parts.
#[track_caller]
fn says(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in:\n{text}");
    }
}

/// Measures the sizes of blobs against a baseline of its own.
fn size_against(baseline: &Path, more: &[&str]) -> Output {
    let path = baseline.display().to_string();
    bench(&[&["size", "--baseline", &path], more].concat())
}

#[test]
fn invalid_arguments_fail_before_the_build() {
    let folder = tempfile::tempdir().expect("a folder");
    let missing = folder.path().join("missing.json");
    let missing = missing.display().to_string();
    for (words, parts) in [
        (
            &["alocators"] as &[&str],
            &["alocators", "entry", "allocators", "size"] as &[&str],
        ),
        (&["counter"], &["counter", "entry"]),
        (&["size", "--jsno"], &["--jsno", "--json"]),
        (&["size", "entry"], &["unexpected argument", "entry"]),
        (
            &["size", "--baseline", &missing],
            &["there is no baseline", &missing, "--bless"],
        ),
        (
            &["size", "--bless", "--baseline", "/proc/bench.json"],
            &["/proc/bench.json"],
        ),
        // The baseline of the programs is not that of the suites.
        (
            &["size", "--baseline", "bench.json"],
            &["bench.json is not a baseline", "unknown field `programs`"],
        ),
    ] {
        let output = bench(words);
        assert_eq!(output.status.code(), Some(2), "{words:?}");
        assert_eq!(stdout(&output), "", "{words:?}");
        says(stderr(&output), parts);
        assert!(!stderr(&output).contains("building"), "{words:?}");
    }
}

#[test]
fn entries_have_the_rows_that_scripts_read() {
    let output = bench(&["entry", "--json"]);
    let rows = json(&output);
    let rows = rows.as_array().expect("an array");
    assert_eq!(rows.len(), 2 * 2 * 7 + 7, "{}", stderr(&output));
    for row in rows {
        let row = row.as_object().expect("an object");
        let keys: Vec<&str> = row.keys().map(String::as_str).collect();
        let mut wanted = ["entry", "table", "accounts", "repeats", "gas"];
        wanted.sort_unstable();
        assert_eq!(keys, wanted);
        assert!(row["gas"].as_u64() > Some(0));
    }
    let of_pinocchio = rows.iter().filter(|row| row["entry"] == "pinocchio");
    assert!(of_pinocchio.clone().all(|row| row["table"] == false));
    assert_eq!(of_pinocchio.count(), 7);
}

#[test]
fn without_arguments_every_suite_is_measured() {
    // The suites are those of the checkout, wherever the command runs.
    let elsewhere = tempfile::tempdir().expect("a folder");
    let output = bench_in(elsewhere.path(), &["--json"]);
    let results = json(&output);
    let rows = |suite: &str, key: &str, name: &str| {
        let rows = results[suite].as_array().expect("rows");
        rows.iter().filter(|row| row[key] == name).count()
    };
    for entry in ["entrypoint", "entrypoint_no_alloc"] {
        assert_eq!(rows("entry", "entry", entry), 2 * 7);
    }
    assert_eq!(rows("entry", "entry", "pinocchio"), 7);
    for allocator in [
        "bump",
        "segregated",
        "picoalloc",
        "talc",
        "rlsf",
        "linked_list_allocator",
    ] {
        assert_eq!(rows("allocators", "allocator", allocator), 11);
    }
    for program in ["empty", "log", "index", "counter"] {
        assert_eq!(rows("size", "program", program), 3);
    }
    let lines = results["formatting"].as_array().expect("rows");
    assert_eq!(lines.len(), formatting::CASES.len());
    // The command has read the committed baseline, whatever the differences are.
    let baseline = project().join(BASELINE).display().to_string();
    says(stderr(&output), &[&baseline]);
    assert!(!stderr(&output).contains("there is no baseline"));
}

#[test]
fn a_worse_figure_fails_and_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("old.json");
    let output = size_against(&file, &["--bless"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let blessed = fs::read_to_string(&file).expect("a baseline");
    let read: Value = serde_json::from_str(&blessed).expect("JSON");
    assert_eq!(read["size"].as_array().map(Vec::len), Some(4 * 3));
    assert_eq!(read["entry"], Value::Null);
    let blob = read["size"][0]["blob"].as_u64().expect("a number");

    let smaller = blessed.replacen(
        &format!("\"blob\": {blob}}}"),
        &format!("\"blob\": {}}}", blob - 1),
        1,
    );
    assert_ne!(smaller, blessed);
    fs::write(&file, &smaller).expect("a baseline");
    let output = size_against(&file, &[]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let change = format!(
        "empty with panic = message blob {} -> {blob} (+1, worse)",
        blob - 1
    );
    says(
        stdout(&output),
        &["| empty ", "## baseline", &format!("- {change}\n")],
    );
    let again = format!(
        "`cargo xtask bench size --baseline {} --bless`",
        file.display()
    );
    says(stderr(&output), &[&format!("error: {change}"), &again]);

    // A suite that is not measured stays in the baseline.
    let entry = r#""entry": [
    {"entry": "entrypoint", "table": true, "accounts": 0, "repeats": 0, "gas": 1}
  ],
  "size""#;
    let with_entry = smaller.replace("\"size\"", entry);
    fs::write(&file, &with_entry).expect("a baseline");
    let output = size_against(&file, &["--bless", "--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(json(&output), read["size"]);
    assert_eq!(
        fs::read_to_string(&file).expect("a baseline"),
        blessed.replace("\"size\"", entry)
    );
}

/// `.ci/run` and the tests of exact figures read the compiler of `bench.json` only.
#[test]
fn both_baselines_have_one_compiler() {
    let [suites, programs] = [BASELINE, "bench.json"].map(|file| {
        let text = fs::read_to_string(project().join(file)).expect("a baseline");
        let baseline: Value = serde_json::from_str(&text).expect("JSON");
        baseline["compiler"]
            .as_str()
            .expect("a compiler")
            .to_owned()
    });
    assert_eq!(suites, programs);
}

/// The figures of the baseline are those that `.ci/run` has compared with a run.
#[test]
fn the_page_of_log_lines_shows_the_baseline() {
    let read = |path: &str| fs::read_to_string(project().join(path)).expect("a file");
    let baseline: SuiteResults = serde_json::from_str(&read(BASELINE)).expect("a baseline");
    let page = read("entrypoint/src/log/cost.md");
    let written = marked::find(&page, formatting::START);
    assert_eq!(
        written.unwrap_or_else(|error| panic!("{error}")),
        formatting::section(&baseline.formatting, &baseline.compiler),
        "type `cargo xtask bench formatting --update`"
    );
}

/// A program may show a key where it pays for a few numbers.
#[test]
fn a_key_costs_less_than_a_tenth_of_its_division_byte_by_byte() {
    const BYTE_BY_BYTE: u64 = 11_659;
    let text = fs::read_to_string(project().join(BASELINE)).expect("a baseline");
    let baseline: SuiteResults = serde_json::from_str(&text).expect("a baseline");
    let row = baseline
        .formatting
        .iter()
        .find(|row| row.code == "msg!(\"{key}\")");
    let gas = row.expect("a row of a key").gas;
    assert!(gas <= BYTE_BY_BYTE / 10, "{gas}");
}
