//! Runs the command as a user does.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// The folder of the project.
pub fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the folder above this crate")
        .to_owned()
}

/// Runs `cargo entrypoint` with these arguments in the project's folder.
pub fn entrypoint(words: &[&str]) -> Output {
    entrypoint_in(&project(), words)
}

/// Runs `cargo entrypoint` in another folder; see [`entrypoint`].
pub fn entrypoint_in(folder: &Path, words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_cargo-entrypoint"))
        .arg("entrypoint")
        .args(words)
        .current_dir(folder)
        .output()
        .expect("run the command")
}

/// The names of PolkaVM's engines that run here. Prints which is left out.
pub fn polkavm_engines() -> Vec<String> {
    let engines = program_test::polkavm_engines();
    engines.iter().map(ToString::to_string).collect()
}

/// The text on standard output.
pub fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("text")
}

/// The text on standard error.
pub fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("text")
}

/// The only JSON value on standard output.
pub fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("no JSON: {error}\n{}\n{}", stdout(output), stderr(output)))
}

/// Asserts that the command exits with code 2 and an error that contains all parts.
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

/// Creates a program crate in a folder.
pub fn new_program(folder: &Path, name: &str) -> PathBuf {
    let program = folder.join(name);
    let output = entrypoint(&["new", &program.display().to_string()]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    program
}

/// Runs `cargo entrypoint` in a program's folder outside the project. With the project's lock file,
/// all dependencies are already compiled.
pub fn entrypoint_outside(program: &Path, words: &[&str]) -> Output {
    std::fs::copy(project().join("Cargo.lock"), program.join("Cargo.lock"))
        .expect("copy the lock file");
    Command::new(env!("CARGO_BIN_EXE_cargo-entrypoint"))
        .arg("entrypoint")
        .args(words)
        .env("CARGO_TARGET_DIR", project().join("target"))
        .current_dir(program)
        .output()
        .expect("run the command")
}

/// Asserts that a text contains all these parts.
pub fn says(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in:\n{text}");
    }
}

/// Puts into a folder of fixtures what is not one: what an editor and a file system keep beside a
/// file, and a folder.
pub fn add_foreign_files(fixtures: &Path) {
    std::os::unix::fs::symlink("somebody@somewhere.1234", fixtures.join(".#default.toml"))
        .expect("a link");
    std::fs::write(fixtures.join("._default.toml"), b"\0\x05\x16\x07").expect("a file");
    std::fs::create_dir(fixtures.join("folder.toml")).expect("a folder");
}
