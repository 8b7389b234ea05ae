//! `cargo entrypoint new`, as people type it.

mod support;

use std::process::Command;

use serde_json::json;

use support::{entrypoint, json, new_program, project, refused, says, stderr, stdout};

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

/// Cargo's first resolver, which a workspace has that names none, would have the features of the
/// tests reach the program. Every workspace here names a resolver, so no test saw it.
#[test]
fn new_program_compiles_in_a_workspace_without_a_resolver() {
    let folder = tempfile::tempdir().expect("a folder");
    let manifest = folder.path().join("Cargo.toml");
    let workspace = "[workspace]\nmembers = [\"greeter\"]\n";
    std::fs::write(&manifest, workspace).expect("a manifest");
    let program = new_program(folder.path(), "greeter");
    let lock = folder.path().join("Cargo.lock");
    std::fs::copy(project().join("Cargo.lock"), lock).expect("a lock file");
    let build = || {
        Command::new(env!("CARGO_BIN_EXE_cargo-entrypoint"))
            .args(["entrypoint", "build"])
            .env("CARGO_TARGET_DIR", project().join("target"))
            .current_dir(&program)
            .output()
            .expect("the command runs")
    };
    let output = build();
    assert!(output.status.success(), "{}", stderr(&output));

    // The dependencies of a build script cannot be kept out, so the error says what to do.
    let own = program.join("Cargo.toml");
    let before = std::fs::read_to_string(&own).expect("a manifest");
    let needs_std = format!("{before}\n[build-dependencies]\nhex = \"0.4\"\n");
    std::fs::write(&own, needs_std).expect("a manifest");
    std::fs::write(program.join("build.rs"), "fn main() {}\n").expect("a script");
    let output = build();
    assert!(!output.status.success());
    says(&stderr(&output), &["add `resolver = \"2\"` to "]);
    std::fs::write(&manifest, format!("{workspace}resolver = \"2\"\n")).expect("a manifest");
    let output = build();
    assert!(output.status.success(), "{}", stderr(&output));
}

#[test]
fn new_depends_on_what_it_is_told() {
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
