//! The command on a machine without cargo and without this project, as far as a test can imitate
//! it: copies of the executables in another folder, called with an empty `PATH`.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::json;

use crate::support::{entrypoint, json, project, says, stderr, stdout};

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
    run_with_path(bin, words, bin.join("nothing").as_os_str())
}

fn run_with_path(bin: &Path, words: &[&str], path: &OsStr) -> Output {
    Command::new(bin.join("cargo-entrypoint"))
        .arg("entrypoint")
        .args(words)
        .env_clear()
        .env("PATH", path)
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
fn an_error_is_explained_without_the_book() {
    let folder = tempfile::tempdir().expect("a folder");
    let bin = install(folder.path());
    let output = run(&bin, &["explain", "EP0012"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    says(&stdout(&output), &["EP0012: `heap_size` is out of range\n"]);
    let output = run(&bin, &["explain", "EP0013"]);
    assert_eq!(output.status.code(), Some(2));
    says(&stderr(&output), &["did you mean EP0012: "]);
}

#[test]
fn doctor_names_the_native_runner() {
    let folder = tempfile::tempdir().expect("a folder");
    let bin = install(folder.path());
    let runner = bin.join("program-native-runner").display().to_string();
    let output = run(&bin, &["doctor"]);
    says(&stdout(&output), &[&format!("native runner  ok: {runner}")]);
    // Without it, this test's executable still knows the checkout that it was built from, but it
    // can compile nothing.
    fs::remove_file(&runner).expect("the runner");
    let unusable = "native runner  unusable, for `--target native`: ";
    let output = run(&bin, &["doctor"]);
    says(
        &stdout(&output),
        &[&format!(
            "{unusable}the runner of native programs has to be compiled"
        )],
    );
    let output = run_with_path(&bin, &["doctor"], &path());
    says(&stdout(&output), &["native runner  ok: compiled from "]);
}

/// `doctor` had reported that a tool exists, not that it works. A build found that out after it had
/// compiled `core`. The tests had complete tools only.
#[test]
fn unusable_tools_are_found_before_the_build() {
    let folder = tempfile::tempdir().expect("a folder");
    let bin = install(folder.path());
    // The crates of the test's executable are in the checkout, and what it builds goes elsewhere.
    let target = folder.path().join("target");
    let hello = project().join("examples/hello");
    let build = |words: &[&str], path: &OsStr| {
        let output = Command::new(bin.join("cargo-entrypoint"))
            .args(words)
            .arg(&hello)
            .env("PATH", path)
            .env("CARGO_TARGET_DIR", &target)
            .output()
            .expect("the command runs");
        assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
        assert!(!target.join("guest").exists(), "something was built");
        stderr(&output)
    };

    let runner = bin.join("program-native-runner");
    script(&runner, "exit 3");
    let wrong = format!("{} is not the runner of native programs", runner.display());
    let output = run_with_path(&bin, &["doctor"], &path());
    says(&stdout(&output), &["native runner  unusable", &wrong]);
    says(&build(&["run", "--target", "native"], &path()), &[&wrong]);

    // These are found first, and fail.
    let tools = folder.path().join("tools");
    fs::create_dir(&tools).expect("a folder");
    script(&tools.join("cc"), "echo no licence >&2; exit 1");
    let mut broken = tools.clone().into_os_string();
    broken.push(":");
    broken.push(path());
    let output = run_with_path(&bin, &["doctor"], &broken);
    let linker = format!("{} fails: no licence", tools.join("cc").display());
    says(
        &stdout(&output),
        &["native linker  unusable", &linker, "\nready: "],
    );
}

/// Where programs are found that the tests run with.
fn path() -> OsString {
    std::env::var_os("PATH").expect("a path")
}

/// Writes an executable script.
fn script(path: &Path, text: &str) {
    fs::write(path, format!("#!/bin/sh\n{text}\n")).expect("a script");
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("an executable");
}
