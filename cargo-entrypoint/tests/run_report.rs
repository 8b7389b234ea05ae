//! What `cargo entrypoint run` prints about a program: places, statuses, and texts that try to
//! forge a report.

mod support;

use serde_json::json;

use support::{entrypoint, json, polkavm_engines, project, stderr, stdout};

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
        "\nhelp      raise the heap size, for example to 128 KiB: `heap` in a fixture, `--heap` on the \
         command line, or `Invocation::heap_size`\n",
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
