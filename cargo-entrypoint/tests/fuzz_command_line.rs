//! `cargo entrypoint fuzz`

use std::path::Path;

use support::{entrypoint, json, refused, says, stdout};

mod support;

/// The program with a planted fault.
const PROGRAM: &str = "tests/guests/planted";

fn fuzz(output: &Path, words: &[&str]) -> (Option<i32>, String) {
    let folder = output.display().to_string();
    let words = [&["fuzz", PROGRAM, "--output", &folder], words].concat();
    let output = entrypoint(&words);
    (output.status.code(), stdout(&output))
}

#[test]
fn planted_fault_becomes_a_fixture() {
    let folder = tempfile::tempdir().expect("a folder");
    let (code, said) = fuzz(folder.path(), &["--first", "--time", "60"]);
    assert_eq!(code, Some(1), "{said}");
    says(&said, &["index out of bounds", " a second; ", " edges, "]);
    let fixture = folder.path().join("crash-1-Panicked.toml");
    let text = std::fs::read_to_string(&fixture).expect("the fixture");
    // The smallest input: the tag, an index, the key, one account that has signed.
    says(
        &text,
        &[
            "data = \"7069636b00\"",
            "data = \"551eed5e\"",
            "signer = true",
        ],
    );
    assert_eq!(text.matches("[[accounts]]").count(), 1, "{text}");
    let run = entrypoint(&[
        "run",
        PROGRAM,
        "--json",
        "--fixture",
        &fixture.display().to_string(),
    ]);
    assert_eq!(json(&run)["error"]["kind"], "Panicked");
}

#[test]
fn same_seed_runs_the_same_inputs() {
    let folder = tempfile::tempdir().expect("a folder");
    let figures = |seed: &str| {
        let (code, said) = fuzz(folder.path(), &["--runs", "3000", "--seed", seed]);
        assert!(matches!(code, Some(0 | 1)), "{said}");
        let last = said.lines().last().expect("a line").to_owned();
        last.split_once("; ").expect("figures").1.to_owned()
    };
    assert_eq!(figures("7"), figures("7"));
}

#[test]
fn file_has_no_fixtures_to_start_from() {
    let folder = tempfile::tempdir().expect("a folder");
    let blob = folder.path().join("some.polkavm");
    std::fs::write(&blob, b"PVM").expect("a file");
    refused(
        &["fuzz", &blob.display().to_string()],
        &["no fixtures to start from", "pass the program's crate"],
    );
}
