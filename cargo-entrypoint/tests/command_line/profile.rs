//! `cargo entrypoint profile`, as users and scripts call it.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use roxmltree::Document;
use serde_json::Value;

use crate::support::{
    entrypoint, entrypoint_in, json, new_program, project, refused, stderr, stdout,
};

/// Profiles into a new folder. Returns the exit code, standard output and error, and the files by
/// name.
pub fn profile(words: &[&str]) -> (Option<i32>, String, Vec<(String, String)>) {
    let folder = tempfile::tempdir().expect("a folder");
    let output_folder = folder.path().join("pictures");
    let output_folder = output_folder.to_str().expect("a UTF-8 path");
    let words = [&["profile"], words, &["--output", output_folder]].concat();
    let output = entrypoint(&words);
    let mut files: Vec<(String, String)> = fs::read_dir(output_folder)
        .unwrap_or_else(|error| panic!("{error}: {}", stderr(&output)))
        .flatten()
        .map(|entry| {
            let name = entry.file_name().into_string().expect("a name");
            let text = fs::read_to_string(entry.path()).expect("text");
            (name, text)
        })
        .collect();
    files.sort();
    let report = stdout(&output).replace(output_folder, "FOLDER");
    (output.status.code(), report, files)
}

/// Asserts that a picture is XML without external resources, and returns its text.
#[track_caller]
pub fn picture_text(svg: &str) -> String {
    let options = roxmltree::ParsingOptions {
        allow_dtd: true,
        ..Default::default()
    };
    let document = Document::parse_with_options(svg, options).expect("XML");
    let root = document.root_element();
    assert_eq!(root.tag_name().name(), "svg");
    for node in document.descendants() {
        for attribute in node.attributes() {
            let value = attribute.value();
            assert!(!value.contains("://"), "{}={value}", attribute.name());
        }
    }
    root.descendants()
        .filter_map(|node| node.text())
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn counter_has_functions_lines_and_pictures() {
    let (code, report, files) = profile(&[]);
    assert_eq!(code, Some(0), "{report}");
    for part in [
        "counter · fixture default · profile",
        "status    0 (success)",
        "counter::process_instruction",
        "core::fmt::write",
        "msg!(\"count: {count}\");",
        "heap      0 peak, 0 used at the end, 0 leaked, 32,768 limit (bytes)",
        "gas       FOLDER/counter-default.gas.svg",
        "heap      FOLDER/counter-default.heap.svg",
    ] {
        assert!(report.contains(part), "{part:?} is not in:\n{report}");
    }
    let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        ["counter-default.gas.svg", "counter-default.heap.svg"]
    );

    let gas = picture_text(&files[0].1);
    assert!(gas.contains("counter, default: "), "{gas}");
    assert!(gas.contains("counter::process_instruction ("));
    assert!(gas.contains("rlo_log_ (3 gas, "));
    assert!(gas.contains(" gas, 100%)"));
    let heap = picture_text(&files[1].1);
    for part in [
        "counter, default: heap",
        "gas used",
        "bytes",
        "the program allocated nothing",
    ] {
        assert!(heap.contains(part), "{part:?} is not in:\n{heap}");
    }
}

#[test]
fn own_gas_of_functions_adds_up() {
    for program in ["vault", "escrow"] {
        let (_, report, _) = profile(&[program]);
        own_gas_adds_up(&report);
    }
}

fn own_gas_adds_up(report: &str) {
    let gas = |line: &str| -> u64 {
        let number = line.split_whitespace().next().expect("a number");
        number.replace(',', "").parse().expect("a number")
    };
    let total = report
        .lines()
        .find_map(|line| line.strip_prefix("gas "))
        .map(gas)
        .expect("the gas");
    let rows = report
        .lines()
        .skip_while(|line| !line.ends_with("  function"))
        .skip(1)
        .take_while(|line| !line.is_empty());
    assert_eq!(rows.map(gas).sum::<u64>(), total, "{report}");
}

#[test]
fn functions_of_a_called_program_are_inside_of_the_call() {
    let (code, report, files) = profile(&["escrow"]);
    assert_eq!(code, Some(0), "{report}");
    let call = "call of Token11111111111111111111111111111111111111";
    let picture = picture_text(&files[0].1);
    let gas = |function: &str| -> u64 {
        let rows = picture.lines().filter_map(|line| {
            let (name, rest) = line.rsplit_once(" (")?;
            let number = rest.split_once(" gas")?.0.replace(',', "");
            (name == function).then(|| number.parse::<u64>().expect("a number"))
        });
        rows.sum()
    };
    let transfer = "token::process::transfer";
    let nested = ["escrow::take", call, transfer].map(gas);
    assert!(nested[2] > 0, "{nested:?}");
    assert!(nested[0] > nested[1] && nested[1] > nested[2], "{nested:?}");
    // A function and the file of the called program's own sources.
    assert!(report.contains("  token::entrypoint\n"), "{report}");
    assert!(
        report.contains("examples/token/src/process.rs:"),
        "{report}"
    );
}

#[test]
fn profiles_are_reproducible() {
    let options = ["segregated_heap", "--gas", "30000"];
    let (first, second) = (profile(&options), profile(&options));
    assert_eq!(first.0, Some(1));
    assert!(
        first.1.contains("out of gas: the limit is 30,000"),
        "{}",
        first.1
    );
    assert_eq!(first, second);
}

#[test]
fn failing_program_is_profiled() {
    let (code, report, files) = profile(&["vault", "--fixture", "too_much", "--data", "00"]);
    assert_eq!(code, Some(1), "{report}");
    assert!(
        report.contains("failed    the program returned"),
        "{report}"
    );
    assert!(report.contains("vault::process_instruction"), "{report}");
    assert_eq!(files.len(), 2);
    // The fixture expects this failure.
    let (code, report, _) = profile(&["vault", "--fixture", "too_much"]);
    assert_eq!(code, Some(0), "{report}");
    assert!(
        report.ends_with("\nall as the fixture expects\n"),
        "{report}"
    );

    let (code, report, files) = profile(&["--gas", "0"]);
    assert_eq!(code, Some(1), "{report}");
    assert!(report.contains("gas       no picture"), "{report}");
    // No instruction could have debug information, because nothing ran.
    assert!(!report.contains("no debug information"), "{report}");
    assert_eq!(files.len(), 1);
}

#[test]
fn leaks_are_shown_if_the_heap_can_count() {
    // A bump heap does not take back the blocks of these collections, which are not freed in
    // reverse order.
    let words = ["tests/guests/collections_bump", "--data", "01"];
    let leaks = |report: &str| report.contains(" leaked, ") && !report.contains(" 0 leaked, ");
    let (_, report, files) = profile(&words);
    assert!(leaks(&report), "{report}");
    // Whose they are.
    let line = "\nleaked    ";
    let (_, of) = report.split_once(line).expect("a line with leaked bytes");
    assert!(of.contains(" from tests/guests/collections"), "{report}");
    let counted = "live and leaked bytes are from a build that counts them";
    assert!(report.contains(counted), "{report}");
    // This is enough gas for the program, and too little for the build that counts.
    let gas = report
        .lines()
        .find_map(|line| line.strip_prefix("gas "))
        .expect("the gas");
    let gas = gas
        .split_whitespace()
        .next()
        .expect("a number")
        .replace(',', "");
    let (code, report, _) = profile(&[&words[..], &["--gas", &gas]].concat());
    assert_eq!(code, Some(0), "{report}");
    assert!(leaks(&report), "{report}");
    assert!(
        !report.contains("the counting build ended differently"),
        "{report}"
    );
    let heap = picture_text(&files[1].1);
    for part in ["live", "leaked", counted, "8 KiB"] {
        assert!(heap.contains(part), "{part:?} is not in:\n{heap}");
    }

    // All blocks were freed.
    assert!(!report.contains("\nlive "), "{report}");

    let (_, report, files) = profile(&["heap_state"]);
    let why = "live bytes are not counted: the program names its heap";
    assert!(report.contains(why), "{report}");
    let heap = picture_text(&files[1].1);
    assert!(
        heap.contains("in use") && !heap.contains("leaked"),
        "{heap}"
    );

    let (_, report, files) = profile(&["custom_heap"]);
    let why = "the program has its own heap, which does not report its use";
    assert!(report.contains(why), "{report}");
    assert_eq!(files.len(), 1);
}

#[test]
fn a_blob_is_profiled_without_lines() {
    let output = entrypoint(&["build", "hello", "--release"]);
    let line = stdout(&output);
    let (blob, _) = line.trim().rsplit_once(" (").expect("a path and a size");
    let folder = tempfile::tempdir().expect("a folder");
    let output = entrypoint_in(folder.path(), &["profile", blob]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let report = stdout(&output);
    for part in [
        "the blob has no debug information",
        "  entrypoint\n",
        "a blob cannot be rebuilt",
        "gas       profile/hello-no-accounts.gas.svg",
    ] {
        assert!(report.contains(part), "{part:?} is not in:\n{report}");
    }
    let picture = folder.path().join("profile/hello-no-accounts.gas.svg");
    let _ = picture_text(&fs::read_to_string(picture).expect("a picture"));
}

#[test]
fn foreign_workspace_program_shows_its_lines() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = new_program(folder.path(), "stranger");
    fs::copy(project().join("Cargo.lock"), program.join("Cargo.lock")).expect("copy the lock file");
    // The target folder is the program's own, but `core` is compiled already.
    let (shared, target) = (project().join("target/guest"), program.join("target"));
    fs::create_dir_all(&shared).expect("a folder");
    fs::create_dir(&target).expect("a folder");
    symlink(shared, target.join("guest")).expect("a link");
    let output = entrypoint_in(&program, &["profile"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let report = stdout(&output);
    assert!(report.contains("line of the program"), "{report}");
    assert!(report.contains("stranger::process_instruction"), "{report}");
    // The same with any target folder.
    let pictures = report.lines().filter_map(|line| {
        let (name, path) = line.split_once(' ')?;
        let path = path.trim();
        path.ends_with(&format!("profile/stranger-default.{name}.svg"))
            .then(|| program.join(path).is_file())
    });
    assert_eq!(pictures.collect::<Vec<_>>(), [true, true], "{report}");
}

#[test]
fn code_that_did_not_run_has_its_gas() {
    let (_, report, _) = profile(&["vault"]);
    let (_, lines) = report
        .split_once("code of the program that did not run")
        .expect("a table");
    // The fixture withdraws.
    let opened = lines
        .lines()
        .find(|line| line.ends_with("  msg!(\"opened\");"));
    assert!(opened.is_some_and(|line| line.contains(" 1  ")), "{report}");
    assert!(!lines.contains("msg!(\"withdrew"), "{report}");
}

#[test]
fn profile_is_json() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().to_str().expect("a UTF-8 path");
    let words = [
        "profile",
        "tests/guests/collections_bump",
        "--data",
        "01",
        "--json",
        "--output",
        path,
    ];
    let profile = json(&entrypoint(&words));
    let sum = |list: &str, field: &str| -> u64 {
        let list = profile[list].as_array().expect("a list");
        list.iter()
            .map(|row| row[field].as_u64().expect("a number"))
            .sum()
    };
    assert_eq!(
        sum("functions", "own"),
        profile["outcome"]["gas_used"],
        "{profile}"
    );
    assert!(
        sum("heap_leaks", "bytes") > 0 && sum("unreached", "gas") > 0,
        "{profile}"
    );
    assert_eq!(profile["heap_holders"], Value::Array(Vec::new()));
    let picture = profile["gas_picture"].as_str().expect("a path");
    assert!(Path::new(picture).is_file());

    for words in [
        ["profile", "no-such", "--json"],
        ["profile", "--jsn", "--json"],
    ] {
        let output = entrypoint(&words);
        assert_eq!(output.status.code(), Some(2));
        assert!(json(&output)["error"]["kind"].is_string());
    }
}

#[test]
fn invalid_arguments_fail_before_the_build() {
    refused(&["profil"], &["profil", "profile"]);
    refused(&["profile", "--engine", "compiler"], &["--engine"]);
    refused(&["profile", "--fixtrue", "x"], &["--fixtrue", "--fixture"]);
    refused(&["profile", "--heap", "much"], &["\"much\" is not a size"]);
    refused(&["profile", "--gas", "-1"], &["-1"]);
    refused(
        &["profile", "no-such-program"],
        &["there is no program `no-such-program`"],
    );
    refused(
        &["profile", "counter", "--fixture", "no"],
        &["no fixture `no`", "default"],
    );
    refused(
        &["profile", "--heap", "0"],
        &["a heap of 0 bytes is too small"],
    );
    refused(
        &["profile", "--output", "README.md"],
        &["cannot create the folder README.md"],
    );
    refused(&["profile", "--output"], &["--output"]);
}

#[test]
fn unwritable_output_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    // A folder prevents that the command writes the picture.
    let taken = folder.path().join("hello-default.gas.svg");
    fs::create_dir(&taken).expect("a folder");
    let path = folder.path().to_str().expect("a UTF-8 path");
    refused(
        &["profile", "hello", "--output", path],
        &["cannot write", "hello-default.gas.svg"],
    );
    assert!(Path::new(&taken).is_dir());
}

#[test]
fn pictures_of_an_earlier_run_are_removed() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().to_str().expect("a UTF-8 path");
    let picture = folder.path().join("hello-default.gas.svg");
    let output = entrypoint(&["profile", "hello", "--output", path]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(picture.is_file());
    let output = entrypoint(&["profile", "hello", "--output", path, "--gas", "0"]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert!(!picture.exists());
}

#[test]
fn help_describes_the_pictures() {
    let output = entrypoint(&["profile", "--help"]);
    let help = stdout(&output);
    for part in [
        "--output <FOLDER>",
        "--fixture <FIXTURE>",
        "[default: `profile`",
        "Exit codes:",
    ] {
        assert!(help.contains(part), "{part:?} is not in:\n{help}");
    }
    assert!(!help.contains("--engine"), "{help}");
    assert!(!help.contains("scenario"), "{help}");
}
