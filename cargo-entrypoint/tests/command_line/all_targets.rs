//! `cargo entrypoint run` on each engine, as users and scripts call it.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::{entrypoint, json, project, refused, says, stderr, stdout};
use everywhere::Command;
use program_build::guest::{Sanitizer, native_runner};
use program_build::options::CargoOptions;
use program_build::workspace::own_target_folder;
use serde_json::{Value, json};

/// The folder of the guest `everywhere`, which runs a script.
const EVERYWHERE: &str = "tests/guests/everywhere";

const TARGETS: [&str; 3] = ["riscv64", "wasm32", "native"];

/// Arguments that run the guest `everywhere` with these steps.
fn run_steps(steps: &[(Command, [u64; 3])], words: &[&str]) -> Vec<String> {
    let steps = steps
        .iter()
        .flat_map(|(command, numbers)| command.step(*numbers));
    let data = hex::encode(steps.collect::<Vec<u8>>());
    let words = [&["run", EVERYWHERE, "--data", &data], words].concat();
    words.into_iter().map(str::to_owned).collect()
}

fn run(words: &[String]) -> std::process::Output {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    entrypoint(&words)
}

/// Builds a program for a target, and returns the path of a copy with this name.
fn built(folder: &Path, program: &str, target: &str, name: &str) -> String {
    let output = entrypoint(&["build", program, "--target", target]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let said = stdout(&output);
    let (path, _) = said.trim().rsplit_once(" (").expect("a path and a size");
    let copy = folder.join(name);
    fs::copy(path, &copy).expect("the program");
    copy.display().to_string()
}

#[test]
fn program_runs_on_the_named_target() {
    let outcome = |target| {
        let output = entrypoint(&["run", "--target", target, "--json"]);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        json(&output)
    };
    let outcomes = TARGETS.map(outcome);
    let engines = outcomes.each_ref().map(|outcome| outcome["engine"].clone());
    assert_eq!(engines, ["interpreter", "wasm", "native"].map(Value::from));
    for outcome in &outcomes {
        for field in ["status", "error", "logs", "return_data", "accounts"] {
            assert_eq!(outcome[field], outcomes[0][field], "{field}");
        }
    }
    for (target, machine) in TARGETS.into_iter().zip([
        "counter · fixture default · interpreter\n",
        "counter · fixture default · wasm\n",
        "counter · fixture default · native\n",
    ]) {
        let output = entrypoint(&["run", "--target", target]);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        says(
            &stdout(&output),
            &[machine, "status    0 (success)", "count: 42"],
        );
    }
}

#[test]
fn fixture_is_compared_on_every_target() {
    for target in TARGETS {
        let output = entrypoint(&[
            "run",
            "vault",
            "--fixture",
            "too_much",
            "--target",
            target,
            "--json",
        ]);
        assert_eq!(
            output.status.code(),
            Some(0),
            "{target}: {}",
            stderr(&output)
        );
        assert_eq!(
            json(&output)["error"]["error"],
            "InsufficientFunds",
            "{target}"
        );
        assert!(
            !stderr(&output).contains("not as the fixture expects"),
            "{target}: {}",
            stderr(&output)
        );
    }
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("wrong.toml");
    fs::write(&file, "[expect]\nlogs = [\"Hello, moon!\"]\n").expect("a file");
    let file = file.display().to_string();
    for target in TARGETS {
        let output = entrypoint(&["run", "hello", "--fixture", &file, "--target", target]);
        assert_eq!(output.status.code(), Some(1), "{target}");
        says(
            &stderr(&output),
            &["not as the fixture expects: logs: expected [\"Hello, moon!\"]"],
        );
    }
}

#[test]
fn a_crash_of_the_program_is_a_failed_run() {
    let output = run(&run_steps(
        &[(Command::ReadAt, [0; 3])],
        &["--target", "native"],
    ));
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    says(
        &stdout(&output),
        &["failed    the program trapped: the process ended: signal: 11 (SIGSEGV)"],
    );

    let words = run_steps(
        &[(Command::Exit, [0; 3])],
        &["--target", "native", "--json"],
    );
    let output = run(&words);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let outcome = json(&output);
    assert_eq!(outcome["status"], Value::Null);
    assert_eq!(outcome["error"]["kind"], "Trapped");
    assert_eq!(
        outcome["error"]["cause"],
        "the process ended: exit status: 0"
    );
}

#[test]
fn native_output_is_not_in_the_outcome() {
    let noisy = "sh -c 'echo printed by the command; exec \"$@\"' sh";
    for runner in [&[][..], &["--runner", "env"], &["--runner", noisy]] {
        let options = [&["--target", "native", "--json"], runner].concat();
        let output = run(&run_steps(
            &[(Command::Print, [0; 3]), (Command::Count, [0; 3])],
            &options,
        ));
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        assert_eq!(
            json(&output)["logs"],
            json!(["7 in a static"]),
            "{runner:?}"
        );
        let said = stderr(&output);
        says(&said, &["printed by the program"]);
        assert_eq!(
            said.contains("printed by the command"),
            runner.contains(&noisy),
            "{said}"
        );
    }
}

#[test]
fn a_failing_runner_command_is_named() {
    let native = |runner| ["run", "hello", "--target", "native", "--runner", runner];
    refused(
        &native("no-such-command --args"),
        &["cannot run no-such-command", "No such file"],
    );
    refused(
        &native("false"),
        &["exited before it started the program (exit status: 1)"],
    );
    refused(&native(""), &["--runner", "the command is empty"]);
    refused(
        &native("gdb '--args"),
        &["--runner", "a quotation mark is not closed"],
    );

    let output = entrypoint(&[&native("no-such-command")[..], &["--json"]].concat());
    assert_eq!(output.status.code(), Some(2));
    let outcome = json(&output);
    assert_eq!(outcome["engine"], "native");
    assert_eq!(outcome["error"]["kind"], "Engine");
}

#[test]
fn options_of_other_targets_are_rejected() {
    refused(
        &["run", "--target", "wasm"],
        &["'wasm'", "riscv64", "wasm32", "native"],
    );
    refused(
        &["run", "--engine", "wasm"],
        &["'wasm'", "interpreter", "compiler"],
    );
    refused(
        &["run", "--sanitizer", "adress", "--target", "native"],
        &["'adress'", "address"],
    );
    for target in ["wasm32", "native"] {
        for engine in ["interpreter", "compiler"] {
            refused(
                &["run", "--target", target, "--engine", engine],
                &["`--engine` selects a PolkaVM engine for riscv64", target],
            );
        }
    }
    for words in [
        &["run"][..],
        &["run", "--target", "riscv64"],
        &["run", "--target", "wasm32"],
    ] {
        for (option, value) in [("--runner", "env"), ("--sanitizer", "address")] {
            refused(
                &[words, &[option, value]].concat(),
                &[&format!(
                    "`{option}` is for native programs; add `--target native`"
                )],
            );
        }
    }
    let output = entrypoint(&[
        "run", "--target", "wasm32", "--engine", "compiler", "--json",
    ]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(json(&output)["engine"], "wasm");
}

#[test]
fn misleading_name_does_not_start_a_native_program() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = built(folder.path(), "hello", "native", "hello.wasm");
    refused(
        &["run", &file],
        &[&file, "is a native library", "`--target native`"],
    );
}

#[test]
fn file_runs_on_the_target_of_its_magic() {
    let folder = tempfile::tempdir().expect("a folder");
    for (target, name, engine) in [
        ("riscv64", "hello.wasm", "interpreter"),
        ("wasm32", "hello.so", "wasm"),
        ("native", "hello", "native"),
    ] {
        let file = built(folder.path(), "hello", target, name);
        for words in [&[][..], &["--target", target]] {
            let output =
                entrypoint(&[&["run", &file, "--json", "--data", "6d6f6f6e"], words].concat());
            assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
            let outcome = json(&output);
            assert_eq!(
                (&outcome["engine"], &outcome["logs"]),
                (&engine.into(), &json!(["Hello, moon!"]))
            );
        }
        for other in TARGETS.into_iter().filter(|other| *other != target) {
            refused(
                &["run", &file, "--target", other],
                &[
                    &file,
                    &format!("is a program for {target}"),
                    &format!("`--target {other}`"),
                ],
            );
        }
        refused(
            &["run", &file, "--fixture", "default"],
            &["default is not a file", &file, "no fixtures"],
        );
        if target != "riscv64" {
            for command in ["inspect", "profile"] {
                refused(
                    &[command, &file],
                    &[&file, &format!("this is a program for {target}")],
                );
            }
            refused(
                &["run", &file, "--engine", "compiler"],
                &["`--engine`", target],
            );
        }
    }
}

#[test]
fn invalid_file_is_rejected_for_its_target() {
    for (target, reason) in [
        ("riscv64", "invalid PolkaVM blob"),
        ("wasm32", "invalid WebAssembly module: bad magic number"),
        ("native", "invalid native library: not an ELF file"),
    ] {
        refused(
            &["run", "README.md", "--target", target],
            &["cannot load README.md", reason],
        );
    }
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("garbage");
    fs::write(&file, [b"\x7fELF".as_slice(), &[7; 99]].concat()).expect("a file");
    refused(
        &["run", &file.display().to_string()],
        &[
            "native-runner: cannot open",
            "(exit status: 3)",
            "not a program",
        ],
    );
}

/// The command's part of a sanitizer; other tests check what it finds.
#[test]
fn sanitizer_is_built_in_or_rejected() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = built(folder.path(), "hello", "native", "hello.so");
    let words = ["run", &file, "--sanitizer", "address"];
    refused(&words, &[&file, "was built without the sanitizer"]);

    let target_folder: PathBuf = own_target_folder().expect("a folder");
    if let Err(error) = native_runner(
        &target_folder,
        Some(Sanitizer::Address),
        &CargoOptions::default(),
    ) {
        println!("skipped: {error}");
        return;
    }
    let overrun = |offset: u64| {
        let data = hex::encode(offset.to_le_bytes());
        let words = [
            "run",
            "tests/guests/overrun",
            "--target",
            "native",
            "--data",
            &data,
        ];
        entrypoint(&[&words[..], &["--sanitizer", "address", "--json"]].concat())
    };
    let output = overrun(31);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let output = overrun(32);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(json(&output)["error"]["kind"], "Trapped");
    says(
        &stderr(&output),
        &[
            "AddressSanitizer: global-buffer-overflow",
            "overrun/src/lib.rs",
        ],
    );

    let library = project()
        .join(target_folder)
        .join("guest/address/overrun.so");
    let library = library.display().to_string();
    let words = ["run", &library, "--data", "1f00000000000000"];
    let output = entrypoint(&[&words[..], &["--sanitizer", "address"]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    // Without the sanitizer, no library defines its functions.
    refused(&words, &["__asan_", "(exit status: 3)"]);
}
