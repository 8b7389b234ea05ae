//! `cargo entrypoint new`, as users call it.

mod support;

use std::process::Command;

use serde_json::json;

use support::{entrypoint, json, new_program, project, refused, says, stderr, stdout};

#[test]
fn new_program_runs_and_passes_its_test() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = new_program(folder.path(), "greeter");

    // With this lock file, all dependencies are already compiled.
    std::fs::copy(project().join("Cargo.lock"), program.join("Cargo.lock"))
        .expect("copy the lock file");
    let in_shared_target = |command: &mut Command| {
        let output = command
            .env("CARGO_TARGET_DIR", project().join("target"))
            .current_dir(&program)
            .output()
            .expect("run the command");
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
fn new_has_the_requested_dependency() {
    let folder = tempfile::tempdir().expect("a folder");
    let made = |name: &str, words: &[&str]| {
        let program = folder.path().join(name);
        let output = entrypoint(&[&["new", &program.display().to_string()], words].concat());
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        std::fs::read_to_string(program.join("Cargo.toml")).expect("a manifest")
    };
    let manifest = made("published", &["--registry"]);
    says(
        &manifest,
        &[
            "program-entrypoint = \"0.1.0\"\n",
            "program-test = \"0.1.0\"\n",
        ],
    );
    let checkout = project().display().to_string();
    let manifest = made("local", &["--path", &checkout]);
    let path = project().join("entrypoint").display().to_string();
    says(
        &manifest,
        &[&format!("program-entrypoint = {{ path = {path:?} }}\n")],
    );

    let nowhere = folder.path().display().to_string();
    let name = folder.path().join("lost").display().to_string();
    refused(
        &["new", &name, "--path", &nowhere],
        &[&nowhere, "is not a checkout", "entrypoint/Cargo.toml"],
    );
    refused(
        &["new", &name, "--path", &checkout, "--registry"],
        &["--registry", "cannot be used with"],
    );
    assert!(!folder.path().join("lost").exists());
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
