//! `cargo entrypoint new`, as people type it.

mod support;

use std::process::Command;

use serde_json::json;

use support::{json, new_program, project, refused, stderr, stdout};

#[test]
fn new_program_runs_and_passes_its_test() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = new_program(folder.path(), "greeter");

    // What it depends on has been compiled once already, at the versions that are locked here.
    std::fs::copy(project().join("Cargo.lock"), program.join("Cargo.lock")).expect("a lock file");
    let in_shared_target = |command: &mut Command| {
        let output = command
            .env("CARGO_TARGET_DIR", project().join("target"))
            .current_dir(&program)
            .output()
            .expect("the command runs");
        assert!(
            output.status.success(),
            "{}\n{}",
            stdout(&output),
            stderr(&output)
        );
        output
    };
    let output = in_shared_target(Command::new(env!("CARGO_BIN_EXE_cargo-entrypoint")).args([
        "entrypoint",
        "run",
        "--json",
    ]));
    assert_eq!(json(&output)["logs"], json!(["greeting number 1"]));
    let output = in_shared_target(Command::new("cargo").arg("test"));
    assert!(stdout(&output).contains("2 passed"), "{}", stdout(&output));
}

#[test]
fn new_keeps_files_and_checks_the_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let taken = folder.path().join("taken");
    std::fs::create_dir(&taken).expect("a folder");
    refused(&["new", &taken.display().to_string()], &["exists already"]);
    for name in ["1st", "with space", "ünicode", "core", "abi", "loader"] {
        let path = folder.path().join(name).display().to_string();
        refused(&["new", &path], &[name]);
        assert!(!folder.path().join(name).exists());
    }
}
