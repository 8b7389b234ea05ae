//! `cargo entrypoint allocators`, as users and scripts call it.

use std::fs;

use serde_json::Value;

use crate::support::{entrypoint, json, refused, stderr, stdout};

/// The comparison of allocators as JSON, which the command must print.
#[track_caller]
fn allocators(words: &[&str]) -> Value {
    let output = entrypoint(&[&["allocators", "--json"], words].concat());
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    serde_json::from_str(&stdout(&output)).expect("JSON")
}

/// The replay tells what the program costs with another heap, and running the program with it
/// agrees.
#[test]
fn replay_agrees_with_the_run() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("trace.json");
    let path = path.to_str().expect("a UTF-8 path");
    let program = "tests/guests/collections_bump";
    let call = ["--data", "02", "--gas", "100000000", "--heap", "1MiB"];
    let compared = allocators(&[&[program, "--trace", path], &call[..]].concat());
    let [bump, segregated] = &compared["allocators"].as_array().expect("rows")[..] else {
        panic!("{compared}");
    };
    let figure = |row: &Value, name: &str| {
        let figure = row[name].as_u64();
        figure.unwrap_or_else(|| panic!("{name} in {row}"))
    };
    assert_eq!(compared["heap"], "bump");
    assert!(compared["calls"].as_u64() > Some(500), "{compared}");
    // The replay of the program's own heap is where it starts from.
    assert_eq!(figure(bump, "replayed_gas"), figure(bump, "run_gas"));
    assert_eq!(figure(bump, "run_gas"), figure(&compared, "gas"));
    let (replayed, run) = (
        figure(segregated, "replayed_gas"),
        figure(segregated, "run_gas"),
    );
    assert_ne!(replayed, figure(bump, "replayed_gas"));
    assert!(replayed.abs_diff(run) * 100 <= run * 2, "{compared}");
    let cheaper = if run < figure(bump, "run_gas") {
        "segregated"
    } else {
        "bump"
    };
    assert_eq!(compared["best"], cheaper);
    // The bump heap leaks what is not freed in reverse order; the other one takes back all.
    assert!(figure(bump, "leaked") > 10_000, "{compared}");
    assert_eq!(figure(segregated, "leaked"), 0, "{compared}");
    assert!(figure(bump, "peak") > figure(segregated, "peak"));

    // The file is the same trace, which no run goes with.
    let mut again = allocators(&[program, "--replay", path]);
    for row in again["allocators"].as_array_mut().expect("rows") {
        assert!(row["run_gas"].is_null());
        let name = row["allocator"].as_str().expect("a name");
        let before = if name == "bump" { bump } else { segregated };
        for figure in ["run_gas", "run_succeeds"] {
            row[figure] = before[figure].clone();
        }
    }
    assert_eq!(again["allocators"], compared["allocators"]);

    // A file that was cut is refused before anything is built.
    let text = fs::read_to_string(path).expect("a trace");
    fs::write(path, &text[..text.len() / 2]).expect("a file");
    refused(
        &["allocators", program, "--replay", path],
        &["trace.json is not a trace", "was cut"],
    );
}

#[test]
fn heap_of_the_programs_own_is_not_compared() {
    refused(
        &["allocators", "custom_heap"],
        &["custom_heap names its heap", "`heap = segregated`"],
    );
    refused(
        &["allocators", "counter", "--replay", "no/trace.json"],
        &["cannot read the trace no/trace.json"],
    );
    refused(
        &["allocators", "counter", "--replay", "x", "--gas", "1"],
        &["cannot be used with"],
    );
    for (option, kind) in [
        ("--jsn", "Usage"),
        ("--replay=no/trace.json", "NotCompared"),
    ] {
        let output = entrypoint(&["allocators", "counter", option, "--json"]);
        assert_eq!(output.status.code(), Some(2));
        let printed = json(&output);
        let fields = printed.as_object().expect("an object");
        assert!(fields.keys().eq(["error"]), "{printed}");
        assert_eq!(printed["error"]["kind"], kind, "{printed}");
    }
}
