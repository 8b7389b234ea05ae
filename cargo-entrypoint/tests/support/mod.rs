//! The command, run as it is typed.
#![allow(
    dead_code,
    reason = "each test file is a program of its own and uses a part of this"
)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// The project's folder.
pub fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("a project around it")
        .to_owned()
}

/// Runs `cargo entrypoint` with these words in the project's folder.
pub fn entrypoint(words: &[&str]) -> Output {
    entrypoint_in(&project(), words)
}

/// As [`entrypoint`], in another folder.
pub fn entrypoint_in(folder: &Path, words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_cargo-entrypoint"))
        .arg("entrypoint")
        .args(words)
        .current_dir(folder)
        .output()
        .expect("the command runs")
}

/// The names of PolkaVM's engines that run here. Prints which is left out.
pub fn polkavm_engines() -> Vec<String> {
    let engines = program_test::polkavm_engines();
    engines.iter().map(ToString::to_string).collect()
}

/// What was printed on the standard output.
pub fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("text")
}

/// What was printed on the standard error.
pub fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("text")
}

/// The one JSON value on the standard output.
pub fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("no JSON: {error}\n{}\n{}", stdout(output), stderr(output)))
}

/// Asserts that the command was refused with exit code 2 and says all this.
pub fn refused(words: &[&str], parts: &[&str]) {
    let output = entrypoint(words);
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(2), "{words:?}: {said}");
    for part in parts {
        assert!(
            said.contains(part),
            "{words:?}: {part:?} is not in:\n{said}"
        );
    }
}

/// Makes a program crate in a folder.
pub fn new_program(folder: &Path, name: &str) -> PathBuf {
    let program = folder.join(name);
    let output = entrypoint(&["new", &program.display().to_string()]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    program
}

/// Runs `cargo entrypoint` in a program's folder outside of the project. What the program depends
/// on has been compiled once already, at the versions that are locked here.
pub fn entrypoint_outside(program: &Path, words: &[&str]) -> Output {
    std::fs::copy(project().join("Cargo.lock"), program.join("Cargo.lock")).expect("a lock file");
    Command::new(env!("CARGO_BIN_EXE_cargo-entrypoint"))
        .arg("entrypoint")
        .args(words)
        .env("CARGO_TARGET_DIR", project().join("target"))
        .current_dir(program)
        .output()
        .expect("the command runs")
}

/// Asserts that a text has all these parts.
pub fn says(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in:\n{text}");
    }
}
