//! What `cargo entrypoint run` prints about a program: places, statuses, and texts that try to
//! forge a report.

use serde_json::json;

use crate::support::{entrypoint, entrypoint_in, json, polkavm_engines, project, stderr, stdout};

#[test]
fn a_program_cannot_forge_the_report() {
    let forged = hex::encode("x\n\nstatus    0 (success)\u{1b}[2J");
    let output = entrypoint(&["run", "hello", "--data", &forged]);
    let report = stdout(&output);
    assert!(
        report.contains(r"Hello, x\n\nstatus    0 (success)\u{1b}[2J!"),
        "{report}"
    );
}

#[test]
fn format_characters_are_escaped_for_people_and_kept_in_json() {
    // They turn the direction of the text, have no width, or begin a terminal's sequence.
    let name = "x\u{202e}y\u{2066}z\u{200b}\u{9b}2J\u{e0041}";
    let escaped = r"x\u{202e}y\u{2066}z\u{200b}\u{9b}2J\u{e0041}";
    let data = hex::encode(name);
    let output = entrypoint(&["run", "hello", "--data", &data]);
    let report = stdout(&output);
    assert!(report.contains(&format!("Hello, {escaped}!")), "{report}");

    let output = entrypoint(&["run", "hello", "--data", &data, "--json"]);
    assert_eq!(json(&output)["logs"], json!([format!("Hello, {name}!")]));
    // The same characters on the way to the terminal.
    assert!(output.stdout.is_ascii(), "{}", stdout(&output));

    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("\u{202e}lmot.toml");
    let output = entrypoint(&["run", "hello", "--fixture", &file.display().to_string()]);
    let said = stderr(&output);
    assert!(said.contains(r"\u{202e}lmot.toml"), "{said}");
    std::fs::write(&file, "gas = \"\u{2066}1\"\n").expect("a file");
    let output = entrypoint(&["run", "hello", "--fixture", &file.display().to_string()]);
    let said = stderr(&output);
    for part in [r"\u{202e}lmot.toml", "1 | gas = \"\\u{2066}1\"\n  |"] {
        assert!(said.contains(part), "{part:?} is not in:\n{said}");
    }
    assert!(!said.contains(['\u{202e}', '\u{2066}']), "{said}");
}

#[test]
fn status_and_end_are_printed_in_one_way() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("one.toml");
    let run = |program: &str, text: &str| {
        std::fs::write(&file, text).expect("a file");
        let fixture = file.display().to_string();
        stdout(&entrypoint(&["run", program, "--fixture", &fixture]))
    };
    // A program that returns 0 and breaks a rule: the status is the program's, the end is not.
    let report = run(
        "counter",
        "[[accounts]]\nkey = \"Counter111111111111111111111111111111111111\"\ndata = \"0000000000000000\"\n",
    );
    let expected = "status    0 (success)\nrejected  account 0 \
        (Counter111111111111111111111111111111111111) was changed, but is not writable\n";
    for part in [
        expected,
        "nothing was changed, because the loader rejected the changes\n",
    ] {
        assert!(report.contains(part), "{part:?} is not in:\n{report}");
    }
    let report = run("counter", "");
    let expected = "status    0xb00000000 (NotEnoughAccountKeys)\nfailed    the program returned \
        NotEnoughAccountKeys: the instruction needs more accounts than it was given\n";
    assert!(report.contains(expected), "{report}");
    // The probe's command 1 returns the custom error of the number.
    for (number, expected) in [
        (
            0_u64,
            "status    0x100000000 (Custom(0))\nfailed    the program returned Custom(0)\n",
        ),
        (
            7,
            "status    7 (Custom(7))\nfailed    the program returned Custom(7)\n",
        ),
    ] {
        let data = format!("01{}", hex::encode(number.to_le_bytes()));
        let report = stdout(&entrypoint(&["run", "tests/guests/probe", "--data", &data]));
        assert!(report.contains(expected), "{report}");
    }
}

/// The line of the probe's source that has this text, and the column where it starts.
fn probe_line(text: &str) -> String {
    let file = "tests/guests/probe/src/lib.rs";
    let source = std::fs::read_to_string(project().join(file)).expect("a source");
    let lines = source.lines().zip(1..);
    let mut found = lines.filter_map(|(line, number)| Some((number, line.find(text)? + 1)));
    let (line, column) = found.next().expect("a line with the text");
    assert_eq!(found.next(), None, "{text} is on one line");
    format!("{file}:{line}:{column}")
}

#[test]
fn failure_names_the_authors_line_and_what_to_do() {
    let run = |command: u8, number: u64, more: &[&str]| {
        let data = format!("{command:02x}{}", hex::encode(number.to_le_bytes()));
        let words = [&["run", "tests/guests/probe", "--data", &data], more].concat();
        let output = entrypoint(&words);
        assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
        output
    };
    // The probe's command 4 allocates.
    let report = stdout(&run(4, 100_000, &[]));
    let own = probe_line("Vec::<u8>::with_capacity");
    let at =
        format!("\nat        {own} in probe::process_instruction\n          alloc/src/vec/mod.rs:");
    for part in [
        &at,
        "\nhelp      raise the heap size, for example to 128 KiB: `heap_size` in the program's entry for \
         all runs, or for one `heap` in a fixture, `--heap` on the command line, or \
         `Invocation::heap_size`\n",
    ] {
        assert!(report.contains(part), "{part:?} is not in:\n{report}");
    }
    // Command 7 loops without an end, in a function that is inlined into the export.
    let report = stdout(&run(7, 0, &[]));
    let own = probe_line("black_box(());");
    let at =
        format!("\nat        {own} in probe::process_instruction\n          core/src/hint.rs:");
    assert!(report.contains(&at), "{at:?} is not in:\n{report}");
    // Command 10 logs without an end.
    let report = stdout(&run(10, 0, &[]));
    let at = format!(
        "\nat        {} in probe::process_instruction\n",
        probe_line("msg!(\"again\")")
    );
    assert!(report.contains(&at), "{at:?} is not in:\n{report}");
    // Command 8 recurses without an end.
    let report = stdout(&run(8, 0, &[]));
    let own = probe_line("black_box([depth; 64])");
    let at = format!("\nat        {own} in probe::recurse\n          core/src/hint.rs:");
    for part in [
        &at,
        "\nhelp      keep large values in a `Box`",
        "bytes are used up at 0x",
    ] {
        assert!(report.contains(part), "{part:?} is not in:\n{report}");
    }
    for engine in polkavm_engines() {
        let error = &json(&run(8, 0, &["--json", "--engine", &engine]))["error"];
        assert_eq!(error["function"], "probe::recurse");
        let place = format!("{}:{}:{}", error["file"], error["line"], error["column"]);
        assert_eq!(place.replace('"', ""), own);
    }
    let report = stdout(&run(8, 0, &["--gas", "1000"]));
    assert!(
        report.contains("raise the gas limit: `gas` in a fixture"),
        "{report}"
    );
}

#[test]
fn a_file_of_handlers_cannot_forge_the_report() {
    // A handwritten module with a hostile handler name: memory, `alloc`, and one function of each
    // type.
    let name = b"\x1b[2Jok";
    let mut module = b"\0asm\x01\0\0\0".to_vec();
    module.extend(
        b"\x01\x0b\x02\x60\x01\x7f\x01\x7f\x60\x01\x7e\x01\x7e\x03\x03\x02\0\x01\x05\x03\x01\0\x01",
    );
    let mut exports = b"\x03\x06memory\x02\0\x05alloc\0\0".to_vec();
    exports.push(name.len() as u8);
    exports.extend(name);
    exports.extend(b"\0\x01");
    module.extend([7, exports.len() as u8]);
    module.extend(exports);
    module.extend(b"\x0a\x0b\x02\x04\0\x20\0\x0b\x04\0\x20\0\x0b");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("evil.wasm");
    std::fs::write(&file, module).expect("a file");
    let output = entrypoint(&["run", file.to_str().expect("a path")]);
    assert_eq!(output.status.code(), Some(2));
    let said = stderr(&output);
    assert!(
        said.contains("is not a program but a module with the handlers"),
        "{said}"
    );
    assert!(!said.contains('\x1b'), "{said}");
}

#[test]
fn custom_error_has_its_name_and_text() {
    let output = entrypoint(&["run", "vault", "--fixture", "wrong_authority"]);
    let report = stdout(&output);
    let line = "status    1 (Custom(1): VaultError::WrongAuthority, \
                \"The vault belongs to another authority\")";
    assert!(report.contains(line), "{report}");
}

#[test]
fn expectation_that_is_not_compared_is_named() {
    let run = |options: &[&str]| {
        let words = [&["run", "vault", "--fixture", "wrong_authority"], options].concat();
        let output = entrypoint(&words);
        (output.status.code(), stderr(&output))
    };
    let (code, said) = run(&["--gas", "999999"]);
    assert_eq!(code, Some(1), "{said}");
    let line = "the fixture's [expect] was not compared, because --gas replaces its value\n";
    assert!(said.ends_with(line), "{said}");
    let (_, said) = run(&["--gas", "999999", "--heap", "64KiB"]);
    let line = "because --heap and --gas replace its values\n";
    assert!(said.ends_with(line), "{said}");
    let (code, said) = run(&[]);
    assert_eq!(code, Some(0), "{said}");
    assert!(!said.contains("[expect]"), "{said}");
}

/// A program that calls itself has the errors of its own file.
#[test]
fn custom_error_of_a_program_that_calls_itself_has_its_name() {
    let output = entrypoint(&["run", "tests/guests/asks", "--data", "0a0300000000000000"]);
    let report = stdout(&output);
    let line = "status    3 (Custom(3): AskError::AsAsked, \
                \"The instruction data asks for an error\")";
    assert!(report.contains(line), "{report}");
}

#[test]
fn rejected_call_names_the_line_of_the_caller() {
    let folder = tempfile::tempdir().expect("a folder");
    let fixture = folder.path().join("read_only.toml");
    let text = "data = \"060000000000000000\"\n\n[[accounts]]\nkey = \
                \"Token11111111111111111111111111111111111111\"\n";
    std::fs::write(&fixture, text).expect("a file");
    let fixture = fixture.to_str().expect("a path");
    let output = entrypoint(&["run", "tests/guests/asks", "--fixture", fixture]);
    let report = stdout(&output);
    assert!(report.contains("as writable, but it is not"), "{report}");
    let source = include_str!("../../../tests/guests/asks/src/lib.rs");
    let mut lines = source.lines();
    let line = lines.position(|line| line.contains("// The loader rejects it"));
    let line = line.expect("the line") + 2;
    // The line alone: the functions in it are those of the call.
    let place = format!("tests/guests/asks/src/lib.rs:{line}:5 in asks::call_itself");
    assert!(
        report.contains(&format!("\nat        {place}\nhelp ")),
        "{report}"
    );
}

/// The path of a program may lead to a file without an end.
#[test]
fn a_program_of_a_fixture_is_read_to_a_limit() {
    let folder = tempfile::tempdir().expect("a folder");
    let fixture = folder.path().join("endless.toml");
    let text = "[[programs]]\nid = \"Token11111111111111111111111111111111111111\"\n\
                path = \"/dev/zero\"\n";
    std::fs::write(&fixture, text).expect("a file");
    let fixture = fixture.to_str().expect("a path");
    let output = entrypoint(&["run", "hello", "--fixture", fixture]);
    assert_eq!(output.status.code(), Some(2));
    let said = stderr(&output);
    assert!(
        said.contains("/dev/zero has more than 33554432 bytes"),
        "{said}"
    );
    assert!(
        said.contains("Token11111111111111111111111111111111111111"),
        "{said}"
    );
}

#[test]
fn a_scenario_is_run_step_by_step() {
    let vault = project().join("examples/vault");
    // By its name in the folder of the program, by its file, and by the name of its program.
    let report = stdout(&entrypoint_in(&vault, &["run", "open_and_withdraw"]));
    let file = "examples/vault/scenarios/open_and_withdraw.toml";
    assert_eq!(stdout(&entrypoint(&["run", file])), report);
    let by_name = ["run", "vault", "--scenario", "open_and_withdraw"];
    assert_eq!(stdout(&entrypoint(&by_name)), report);
    for part in [
        "A vault is opened, and pays only to its authority's order · interpreter\n",
        "2. Alice opens it, and is its authority\n   success\n",
        "key at 0  $alice\n",
        "VaultError::WrongAuthority, \"The vault belongs to another authority\"",
        "kelvins  5_000_000 -> 4_000_000 (-1_000_000)",
        "gone: it had 4_000_000 kelvins",
    ] {
        assert!(report.contains(part), "{part:?} is not in:\n{report}");
    }
    let output = entrypoint(&[&by_name[..], &["--json", "--target", "wasm32"]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let value = json(&output);
    assert_eq!(value["engine"], "wasm");
    assert_eq!(
        value["steps"][4]["transaction"]["error"]["kind"],
        "ProgramError"
    );
    assert_eq!(value["steps"][1]["changes"][0]["name"], "vault_1");
}

#[test]
fn a_scenario_that_differs_is_exit_code_1() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("one.toml");
    let path = file.display().to_string();
    let vault = project().join("examples/vault");
    let run = |expect: &str, words: &[&str]| {
        let text = format!(
            "[programs]\nvault = {vault:?}\n[accounts]\nalice = {{}}\nbox = {{ owner = \"$vault\" }}\n\
             [[steps]]\nprogram = \"vault\"\naccounts = [\"$box writable\", \"$alice\"]\ndata = \"00\"\n\
             {expect}"
        );
        std::fs::write(&file, text).expect("a file");
        entrypoint(&[&["run", &path], words].concat())
    };
    let output = run("expect.error = \"InsufficientFunds\"", &[]);
    assert_eq!(output.status.code(), Some(1));
    let line = "error: expected InsufficientFunds, found 0x800000000 (MissingRequiredSignature)";
    assert!(stdout(&output).contains(&format!("   not as expected: {line}\n")));
    let end = "error: 1 of 1 steps did not do what the scenario expects\n";
    assert!(stderr(&output).contains(end), "{}", stderr(&output));
    // Without an expectation, nothing is judged.
    let output = run("", &[]);
    assert_eq!(output.status.code(), Some(0));
    assert!(!stdout(&output).contains("as the scenario expects"));
    let output = run("expect.error = \"MissingRequiredSignature\"", &[]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stdout(&output).ends_with("\nall as the scenario expects\n"));

    let refused = |expect: &str, words: &[&str], parts: &[&str]| {
        let output = run(expect, words);
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{said}");
        for part in parts {
            assert!(said.contains(part), "{part:?} is not in:\n{said}");
        }
        output
    };
    let unknown = "expect.accounts.bxo = \"gone\"";
    let known = "there is no name `$bxo`; did you mean `$box`?";
    refused(
        unknown,
        &[],
        &["one.toml: error at line 10, column 17", known],
    );
    let output = refused(unknown, &["--json"], &[known]);
    assert_eq!(json(&output)["error"]["kind"], "InvalidScenario");
    refused(
        "",
        &["--gas", "5"],
        &["`--gas` is for one call of a program"],
    );
    refused(
        "",
        &["--target", "wasm32", "--engine", "compiler"],
        &["for riscv64"],
    );

    let fixture = "examples/vault/fixtures/open.toml";
    let output = entrypoint(&["run", fixture]);
    assert_eq!(output.status.code(), Some(2));
    let said = stderr(&output);
    assert!(
        said.contains(&format!("pass it with `--fixture {fixture}`")),
        "{said}"
    );
    let output = entrypoint(&["run", "vault", "--scenario", "none"]);
    let said = stderr(&output);
    assert!(
        said.contains("the program's scenarios are open_and_withdraw"),
        "{said}"
    );
}

#[test]
fn full_heap_names_the_lines_that_fill_it() {
    let words = ["run", "tests/guests/collections_bump", "--data", "ff"];
    let outcome = json(&entrypoint(&[&words[..], &["--json"]].concat()));
    assert_eq!(outcome["error"]["kind"], "OutOfMemory");
    let holder = &outcome["heap_holders"][0];
    assert_eq!(holder["file"], "tests/guests/collections_bump/src/lib.rs");
    assert_eq!(holder["line"], 21);
    assert!(holder["bytes"].as_u64() > Some(0), "{holder}");
    // A program that succeeds has no such field.
    let outcome = json(&entrypoint(&["run", "hello", "--json"]));
    assert!(outcome.get("heap_holders").is_none(), "{outcome}");
}
