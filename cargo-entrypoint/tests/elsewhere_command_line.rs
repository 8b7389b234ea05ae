//! The command on a machine without cargo and without this project, as far as a test can imitate
//! it: copies of the executables in another folder, called with an empty `PATH`.

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::json;

use support::{entrypoint, json, says, stderr, stdout};

/// Copies the executables as `cargo install` does.
fn install(folder: &Path) -> PathBuf {
    let bin = folder.join("bin");
    fs::create_dir(&bin).expect("a folder");
    for executable in [
        env!("CARGO_BIN_EXE_cargo-entrypoint"),
        env!("CARGO_BIN_EXE_program-native-runner"),
    ] {
        let executable = Path::new(executable);
        let name = executable.file_name().expect("a name");
        fs::copy(executable, bin.join(name)).expect("a copy");
    }
    bin
}

fn run(bin: &Path, words: &[&str]) -> Output {
    Command::new(bin.join("cargo-entrypoint"))
        .arg("entrypoint")
        .args(words)
        .env_clear()
        .env("PATH", bin.join("nothing"))
        .current_dir(bin)
        .output()
        .expect("run the command")
}

#[test]
fn a_file_runs_without_cargo() {
    let folder = tempfile::tempdir().expect("a folder");
    let bin = install(folder.path());
    for target in ["riscv64", "wasm32", "native"] {
        let output = entrypoint(&["build", "hello", "--target", target]);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        let line = stdout(&output);
        let (file, _) = line.trim().rsplit_once(" (").expect("a path and a size");
        let output = run(&bin, &["run", file, "--json", "--data", "6d6f6f6e"]);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        assert_eq!(json(&output)["logs"], json!(["Hello, moon!"]), "{target}");
        if target == "riscv64" {
            let output = run(&bin, &["inspect", file]);
            assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        }
    }
}

#[test]
fn doctor_names_the_native_runner() {
    let folder = tempfile::tempdir().expect("a folder");
    let bin = install(folder.path());
    let runner = bin.join("program-native-runner").display().to_string();
    let output = run(&bin, &["doctor"]);
    says(&stdout(&output), &[&format!("native runner  ok: {runner}")]);
    // Without the runner's file, the command knows the checkout that it was built from.
    fs::remove_file(&runner).expect("the runner");
    let output = run(&bin, &["doctor"]);
    says(&stdout(&output), &["native runner  ok: compiled from "]);
}
