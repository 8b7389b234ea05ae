//! `cargo entrypoint run`, as users and scripts call it.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};

use crate::support::{
    add_foreign_files, entrypoint, entrypoint_in, entrypoint_outside, json, new_program,
    polkavm_engines, project, refused, stderr, stdout,
};

#[test]
fn run_without_a_program_runs_the_counter() {
    let output = entrypoint(&["run"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let report = stdout(&output);
    for part in [
        "counter",
        "status    0 (success)",
        "count: 42",
        "2900000000000000 -> 2a00000000000000",
    ] {
        assert!(report.contains(part), "{part:?} is not in:\n{report}");
    }
}

#[test]
fn json_has_the_documented_form_on_both_engines() {
    let run = |engine: &str| {
        let output = entrypoint(&["run", "--json", "--engine", engine]);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        json(&output)
    };
    let mut interpreted = run("interpreter");
    assert_eq!(interpreted["engine"], "interpreter");
    assert!(interpreted["gas_used"].as_u64() > Some(0));
    let keys: Vec<&String> = interpreted.as_object().expect("an object").keys().collect();
    let mut documented = [
        "status",
        "error",
        "gas_used",
        "heap",
        "logs",
        "return_data",
        "accounts",
        "calls",
        "engine",
    ];
    documented.sort_unstable();
    assert_eq!(keys, documented);
    assert_eq!(interpreted["status"], 0);
    assert_eq!(interpreted["error"], Value::Null);
    assert_eq!(
        interpreted["heap"],
        json!({ "limit": 32_768, "used": 0, "peak": 0 })
    );
    assert_eq!(interpreted["logs"], json!(["count: 42"]));
    assert_eq!(interpreted["return_data"], "");
    assert_eq!(interpreted["accounts"][0]["data"], "2a00000000000000");
    assert_eq!(interpreted["accounts"][0]["kelvins"], 1_000);

    for engine in polkavm_engines() {
        interpreted["engine"] = engine.clone().into();
        assert_eq!(interpreted, run(&engine));
    }
}

#[test]
fn json_keeps_all_digits_of_64_bits() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("large.toml");
    let account = "[[accounts]]\nkey = \"Counter111111111111111111111111111111111111\"\n\
        kelvins = 18446744073709551615\nrent_epoch = 9007199254740993\n\
        data = \"0000000000000000\"\nwritable = true\n";
    std::fs::write(&file, account).expect("a file");
    let fixture = file.display().to_string();
    let output = entrypoint(&["run", "--fixture", &fixture, "--json"]);
    let text = stdout(&output);
    // The next number of JavaScript is 18446744073709552000, and 9007199254740992.
    for part in [
        "\"kelvins\": 18446744073709551615,",
        "\"rent_epoch\": 9007199254740993\n",
    ] {
        assert!(text.contains(part), "{part:?} is not in:\n{text}");
    }
    let help = stdout(&entrypoint(&["run", "--help"]));
    assert!(help.contains("BigInt"), "{help}");
}

#[test]
fn a_failure_is_data_and_an_exit_code() {
    // The fixture expects the failure.
    let output = entrypoint(&["run", "vault", "--fixture", "too_much", "--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let value = json(&output);
    assert_eq!(value["status"], json!(6_u64 << 32));
    assert_eq!(value["error"]["kind"], "ProgramError");
    assert_eq!(value["error"]["error"], "InsufficientFunds");

    let output = entrypoint(&["run", "--gas", "100", "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let value = json(&output);
    assert_eq!(value["status"], Value::Null);
    assert_eq!(value["error"]["kind"], "OutOfGas");
    assert_eq!(value["error"]["limit"], 100);
    assert_eq!(value["gas_used"], 100);
    // The account is unchanged.
    assert_eq!(value["accounts"][0]["data"], "2900000000000000");

    let output = entrypoint(&["run", "--gas", "0"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stdout(&output).contains("out of gas: the limit is 0"),
        "{}",
        stdout(&output)
    );
}

#[test]
fn options_replace_the_fixtures_values() {
    let output = entrypoint(&[
        "run",
        "--data",
        "0a00000000000000",
        "--heap",
        "1MiB",
        "--json",
    ]);
    let value = json(&output);
    assert_eq!(value["logs"], json!(["count: 51"]));
    assert_eq!(value["heap"]["limit"], 1 << 20);

    // With `0x` too, here and in a fixture.
    let folder = tempfile::tempdir().expect("a folder");
    let output = entrypoint(&["run", "--data", "0x0a00000000000000", "--json"]);
    assert_eq!(json(&output)["logs"], json!(["count: 51"]));
    let file = folder.path().join("prefixed.toml");
    std::fs::write(&file, "data = \"0x6d6f6f6e\"\n").expect("a file");
    let fixture = file.display().to_string();
    let output = entrypoint(&["run", "hello", "--fixture", &fixture, "--json"]);
    assert_eq!(json(&output)["logs"], json!(["Hello, moon!"]));

    let file = folder.path().join("data.bin");
    std::fs::write(&file, 5_u64.to_le_bytes()).expect("a file");
    let output = entrypoint(&["run", "--data", &format!("@{}", file.display()), "--json"]);
    assert_eq!(json(&output)["logs"], json!(["count: 46"]));
}

#[test]
fn invalid_arguments_are_rejected() {
    refused(&["run", "--fixtrue", "x"], &["--fixtrue", "--fixture"]);
    refused(&["rum"], &["rum", "run"]);
    refused(
        &["run", "--engine", "steam"],
        &["steam", "interpreter", "compiler"],
    );
    refused(
        &["run", "--data", "0g"],
        &["0g", "not hexadecimal", "@FILE"],
    );
    refused(&["run", "--data", "123"], &["123", "not hexadecimal"]);
    refused(
        &["run", "--heap", "much"],
        &["\"much\" is not a size", "64KiB"],
    );
    refused(&["run", "--heap", "5GiB"], &["\"5GiB\" is too large"]);
    refused(&["run", "--gas", "-1"], &["-1"]);
    refused(&["run", "--heap", "-1"], &["\"-1\" is not a size"]);
    refused(
        &["run", "."],
        &["is a workspace and not a program", "`counter`"],
    );
    refused(&["run", "tests"], &["is not a program"]);
    for gas in ["lots", "", "99999999999999999999"] {
        refused(
            &["run", "--gas", gas],
            &[&format!("{gas:?} is not a number of units")],
        );
    }
    // Between bytes only.
    refused(&["run", "--data", "0 102"], &["Odd number of digits"]);
    refused(
        &["run", "--heap", "0"],
        &["a heap of 0 bytes is too small", "32,768"],
    );
    refused(
        &["run", "--gas", "9223372036854775808"],
        &["a gas limit of 9,223,372,036,854,775,808"],
    );
    refused(
        &["run", "no-such-program"],
        &["there is no program `no-such-program`", "`counter`"],
    );
    refused(
        &["run", "program-loader"],
        &["`program-loader` is not a program", "entrypoint"],
    );
    refused(
        &["run", "counter", "--fixture", "no-such"],
        &["no fixture `no-such`", "default"],
    );
    refused(
        &["run", "--data", "@no-such-file"],
        &["no-such-file", "No such file"],
    );
    refused(&["run", "no-such.polkavm"], &["no-such.polkavm"]);
    refused(
        &["run", "README.md"],
        &["cannot load README.md", "invalid PolkaVM blob"],
    );
    refused(
        &["build", "--target", "wasm"],
        &["'wasm'", "wasm32", "riscv64", "native"],
    );
    refused(&["run", "no-such.wasm"], &["there is no file no-such.wasm"]);
    refused(&["run", "no-such.so"], &["there is no file no-such.so"]);
    let output = Command::new(env!("CARGO_BIN_EXE_cargo-entrypoint"))
        .args(["run", "hello"])
        .env("CARGO", "/no-such/cargo")
        .current_dir(project())
        .output()
        .expect("the command runs");
    let said = stderr(&output);
    assert!(said.contains("cannot run /no-such/cargo"), "{said}");
    refused(
        &["build", "README.md"],
        &["README.md is a file, not a program crate"],
    );
}

#[test]
fn invalid_fixture_is_rejected_with_its_place() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("typo.toml");
    std::fs::write(&file, "gas = 5\nheep = 3\n").expect("a file");
    let file = file.display().to_string();
    refused(
        &["run", "--fixture", &file],
        &[&file, "line 2", "unknown field `heep`", "`heap`"],
    );

    // A value that no invocation can have names the fixture, unless an option replaces it.
    let bounds = folder.path().join("bounds.toml");
    std::fs::write(&bounds, "heap = 1\n").expect("a file");
    let bounds = bounds.display().to_string();
    refused(
        &["run", "hello", "--fixture", &bounds],
        &[&bounds, "a heap of 1 bytes is too small"],
    );
    let words = ["run", "hello", "--fixture", &bounds, "--heap", "65_536"];
    let output = entrypoint(&[&words[..], &["--gas", "1_000_000", "--data", "6d"]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));

    let output = entrypoint(&["run", "--fixture", &file, "--json"]);
    assert_eq!(output.status.code(), Some(2));
    let value = json(&output);
    assert_eq!(value["status"], Value::Null);
    assert_eq!(value["error"]["kind"], "InvalidFixture");
    assert_eq!(
        value["heap"],
        json!({ "limit": null, "used": null, "peak": null })
    );

    let output = entrypoint(&["run", "--json", "--data", "0g"]);
    assert_eq!(output.status.code(), Some(2));
    let value = json(&output);
    assert_eq!(value["error"]["kind"], "Usage");
    assert!(
        value["error"]["description"]
            .as_str()
            .is_some_and(|text| text.contains("0g"))
    );
}

#[test]
fn foreign_files_are_not_fixtures() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = new_program(folder.path(), "tidy");
    let fixtures = program.join("fixtures");
    fs::rename(fixtures.join("default.toml"), fixtures.join("only.toml")).expect("a file");
    fs::remove_file(fixtures.join("overflow.toml")).expect("a fixture");
    add_foreign_files(&fixtures);
    let output = entrypoint_outside(&program, &["run", "--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    refused(
        &["run", &program.display().to_string(), "--fixture", "none"],
        &["the program's fixtures are only\n"],
    );
}

#[test]
fn several_fixtures_need_a_default() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = new_program(folder.path(), "chooser");
    let fixtures = program.join("fixtures");
    std::fs::rename(fixtures.join("default.toml"), fixtures.join("one.toml")).expect("a file");
    std::fs::copy(fixtures.join("one.toml"), fixtures.join("two.toml")).expect("a file");
    refused(
        &["run", &program.display().to_string()],
        &["--fixture", "one, overflow, two"],
    );
}

#[test]
fn program_is_found_from_inside_and_by_links() {
    let output = entrypoint_in(&project().join("examples/vault/src"), &["run", "--json"]);
    assert_eq!(json(&output)["logs"], json!(["withdrew 250 kelvins"]));
    // The probe's folder is inside that of the package `tests`, which is not a program.
    let output = entrypoint_in(
        &project().join("tests/guests/probe"),
        &["run", "--data", "00"],
    );
    assert!(
        stdout(&output).contains("probe · no fixture · interpreter"),
        "{}",
        stderr(&output)
    );

    let folder = tempfile::tempdir().expect("a folder");
    let link = folder.path().join("link");
    std::os::unix::fs::symlink(project().join("examples"), &link).expect("a link");
    let hello = link.join("hello").display().to_string();
    assert_eq!(
        json(&entrypoint(&["run", &hello, "--json"]))["logs"],
        json!(["Hello, world!"])
    );
}

#[test]
fn closed_output_is_not_an_error() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_cargo-entrypoint"))
        .args(["run", "hello"])
        .current_dir(project())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("run the command");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("the end of the command");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));

    let full = std::fs::File::options()
        .write(true)
        .open("/dev/full")
        .expect("a full device");
    let output = Command::new(env!("CARGO_BIN_EXE_cargo-entrypoint"))
        .args(["run", "hello"])
        .current_dir(project())
        .stdout(full)
        .output()
        .expect("run the command");
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("cannot write to the standard output"));
}

#[test]
fn a_difference_from_the_fixture_is_a_failure() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("wrong.toml");
    std::fs::write(&file, "[expect]\nlogs = [\"Hello, moon!\"]\n").expect("a file");
    let output = entrypoint(&["run", "hello", "--fixture", &file.display().to_string()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr(&output).contains("logs: expected [\"Hello, moon!\"], found [\"Hello, world!\"]"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn fixture_without_expectation_expects_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("one.toml");
    let run = |text: &str, exit_code| {
        std::fs::write(&file, text).expect("a file");
        let output = entrypoint(&["run", "--fixture", &file.display().to_string()]);
        assert_eq!(output.status.code(), Some(exit_code), "{text}");
        let ends_well = stdout(&output).ends_with("\nall as the fixture expects\n");
        assert_eq!(ends_well, exit_code == 0, "{}", stdout(&output));
        let said = stderr(&output);
        let errors = said.lines().filter(|line| line.starts_with("error: "));
        errors.map(str::to_owned).collect::<Vec<_>>()
    };
    // The counter fails without an account.
    assert_eq!(run("", 1), [""; 0]);
    assert_eq!(run("[expect]\nfailure = \"ProgramError\"", 0), [""; 0]);
    assert_eq!(run("[expect]\nstatus = 0xb00000000", 0), [""; 0]);
    assert_eq!(
        run("[expect]\nlogs = []", 1),
        ["error: not as the fixture expects: failure: expected none, found ProgramError"]
    );
    assert_eq!(
        run("[expect]\nstatus = 0", 1),
        [
            "error: not as the fixture expects: status: expected 0 (success), found 0xb00000000 \
             (NotEnoughAccountKeys)",
            "error: not as the fixture expects: failure: expected none, found ProgramError"
        ]
    );
}

#[test]
fn handler_is_reported_as_not_a_program() {
    let output = entrypoint(&["run", "edge_handler", "--target", "wasm32"]);
    assert_eq!(output.status.code(), Some(2));
    let said = stderr(&output);
    let expected = "error: edge_handler is not a program but a module with the handlers `handle`; run it in a host, as in docs/handlers.md: ";
    assert!(said.contains(expected), "{said}");
    for words in [
        &["run", "edge_handler"][..],
        &["run", "edge_handler", "--target", "native"],
        &["build", "edge_handler"],
    ] {
        let output = entrypoint(words);
        assert_eq!(output.status.code(), Some(2));
        let said = stderr(&output);
        for part in [
            "EP0028: this is not a program but a handler, `handle`, for a host on WebAssembly",
            "help: build it with `cargo entrypoint build --target wasm32`",
        ] {
            assert!(said.contains(part), "{part:?} is not in:\n{said}");
        }
    }
    let output = entrypoint(&["build", "edge_handler", "--target", "wasm32"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stdout(&output).contains("edge_handler.wasm"));
}

#[test]
fn invalid_invocation_fails_before_the_build() {
    for words in [
        ["run", "--heap", "0"],
        ["run", "--gas", "9223372036854775808"],
    ] {
        let target = tempfile::tempdir().expect("a folder");
        let output = Command::new(env!("CARGO_BIN_EXE_cargo-entrypoint"))
            .args(words)
            .env("CARGO_TARGET_DIR", target.path())
            .current_dir(project())
            .output()
            .expect("run the command");
        assert_eq!(output.status.code(), Some(2), "{words:?}");
        assert!(
            !target.path().join("guest").exists(),
            "{words:?}: {}",
            stderr(&output)
        );
    }
}

#[test]
fn a_missing_program_is_named_outside_of_a_workspace() {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in [
        ("./nothing", "there is no file or folder ./nothing"),
        (
            "nothing",
            "`nothing` is neither a file nor a folder, and the current folder is not in a workspace",
        ),
    ] {
        let output = entrypoint_in(folder.path(), &["run", name]);
        assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
        assert!(stderr(&output).contains(text), "{}", stderr(&output));
    }
}

#[test]
fn a_program_runs_as_on_the_runtime() {
    let output = entrypoint(&["run", "--json", "--as", "rialo", "counter"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let logs = json(&output)["logs"].clone();
    let logs: Vec<&str> = logs
        .as_array()
        .expect("lines")
        .iter()
        .filter_map(Value::as_str)
        .collect();
    assert_eq!(logs.len(), 4, "{logs:?}");
    assert!(logs[0].ends_with(" invoke [1]"), "{logs:?}");
    assert_eq!(logs[1], "Program log: count: 42");
    assert!(logs[2].ends_with(" of 200000 compute units"), "{logs:?}");
    assert!(logs[3].ends_with(" success"), "{logs:?}");
    // The limits are those of the runtime too.
    let output = entrypoint(&["run", "--as", "rialo", "--gas", "1_400_001", "counter"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("the maximum is 1,400,000"),
        "{}",
        stderr(&output)
    );
    let output = entrypoint(&["run", "--as", "own", "counter"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
}
