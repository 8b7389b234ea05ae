//! `cargo entrypoint bench`, as users and scripts call it.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use crate::support::{
    add_foreign_files, entrypoint, entrypoint_in, entrypoint_outside, json, new_program, project,
    refused, says, stderr, stdout,
};
use serde_json::{Value, json};

/// Measures a program against a baseline of its own. Returns standard output, standard error and
/// the exit code.
fn against(program: &str, baseline: &Path, more: &[&str]) -> (String, String, Option<i32>) {
    let baseline = baseline.display().to_string();
    let words = [&["bench", program, "--baseline", &baseline], more].concat();
    let output = entrypoint(&words);
    (stdout(&output), stderr(&output), output.status.code())
}

/// Replaces a text that the file must contain.
fn change(file: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(file).expect("a file");
    assert!(text.contains(from), "{from:?} is not in:\n{text}");
    fs::write(file, text.replace(from, to)).expect("a file");
}

#[test]
fn invalid_arguments_fail_before_the_build() {
    refused(&["bench", "counte"], &["`counte`", "`counter`"]);
    refused(&["bench", "counter", "--jsno"], &["--jsno", "--json"]);
    refused(&["bench", "counter", "hello"], &["hello"]);
    refused(
        &["bench", "program-loader"],
        &["`program-loader` is not a program"],
    );
    refused(
        &["bench", "README.md"],
        &["README.md is a file and has no fixtures"],
    );
    refused(
        &["bench", "tests/guests/probe"],
        &["`probe` has no fixtures", "fixtures/default.toml"],
    );

    // A row is not an outcome, so `--json` has no form for it.
    let output = entrypoint(&["bench", "counter", "--json", "--jsno"]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(stdout(&output), "");
}

#[test]
fn without_a_workspace_there_is_nothing_to_measure() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = entrypoint_in(folder.path(), &["bench"]);
    assert_eq!(output.status.code(), Some(2));
    says(&stderr(&output), &["current folder", "Cargo.toml"]);
}

#[test]
fn suite_guests_require_their_features() {
    for (package, part) in [
        (
            "allocator-bench",
            "choose exactly one allocator by its feature",
        ),
        ("entry-bench", "choose exactly one entry by its feature"),
        ("peers-bench", "choose a peer by its feature"),
        ("size-bench", "choose exactly one program and one level"),
    ] {
        let compiles = format!("`{package}` does not compile for riscv64");
        refused(
            &["build", package],
            &[part, "cargo xtask bench ", &compiles],
        );
    }
}

#[test]
fn invalid_baseline_error_names_the_place() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("old.json");
    let path = file.display().to_string();
    for (text, parts) in [
        ("gas: 5\n", ["is not a baseline", "line 1 column 1"]),
        ("{\n\"compiler\": 5}", ["invalid type", "line 2"]),
        (
            "{\"compiler\": \"a\",\n\"programms\": []}",
            ["unknown field `programms`", "line 2"],
        ),
        (
            "{\"compiler\": \"a\",\n\"programs\": [{\"program\": \"a\"}]}",
            ["missing field `fixture`", "line 2"],
        ),
    ] {
        fs::write(&file, text).expect("a file");
        for more in [&[] as &[&str], &["--bless"]] {
            let (out, said, code) = against("counter", &file, more);
            assert_eq!((out.as_str(), code), ("", Some(2)), "{said}");
            says(&said, &[&path]);
            says(&said, &parts);
            assert!(!said.contains("building"), "{said}");
        }
        // The command does not overwrite a file that it cannot read.
        assert_eq!(fs::read_to_string(&file).expect("a file"), text);
    }
    fs::remove_file(&file).expect("a file");
    let (_, said, code) = against("counter", &file, &[]);
    assert_eq!(code, Some(2));
    says(&said, &["there is no baseline", &path, "--bless"]);
}

#[test]
fn unwritable_baseline_fails_before_the_build() {
    let folder = tempfile::tempdir().expect("a folder");
    // No user can create a file in `/proc`.
    for file in [
        folder.path(),
        &folder.path().join("missing/bench.json"),
        Path::new("/proc/bench.json"),
    ] {
        let (out, said, code) = against("counter", file, &["--bless"]);
        assert_eq!((out.as_str(), code), ("", Some(2)), "{said}");
        says(&said, &[&file.display().to_string()]);
        assert!(!said.contains("building"), "{said}");
    }
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 0);
}

/// Every baseline of the tests had been a plain file with the usual mode.
#[test]
fn bless_writes_through_a_link_and_keeps_the_mode() {
    let folder = tempfile::tempdir().expect("a folder");
    let shared = folder.path().join("shared");
    fs::create_dir(&shared).expect("a folder");
    let link = folder.path().join("bench.json");
    // Relative, as links mostly are. At first it leads to a file that does not exist.
    symlink("shared/results.json", &link).expect("a link");
    let file = shared.join("results.json");
    let bless = || {
        let (_, said, code) = against("hello", &link, &["--bless"]);
        assert_eq!(code, Some(0), "{said}");
        assert!(link.is_symlink() && !file.is_symlink());
        let text = fs::read_to_string(&file).expect("the target of the link");
        assert!(text.contains("\"program\": \"hello\""), "{text}");
        fs::metadata(&file).expect("a file").permissions().mode() & 0o7777
    };
    let usual = folder.path().join("usual");
    fs::write(&usual, "").expect("a file");
    let usual = fs::metadata(&usual).expect("a file").permissions().mode();
    assert_eq!(bless(), usual & 0o777);
    for mode in [0o640, 0o664] {
        fs::set_permissions(&file, Permissions::from_mode(mode)).expect("a mode");
        assert_eq!(bless(), mode, "{mode:o}");
    }
    // The file itself, and nothing half-written beside it.
    assert_eq!(fs::read_dir(&shared).expect("a folder").count(), 1);
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 3);
}

#[test]
fn a_worse_figure_fails_and_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("old.json");
    let (_, said, code) = against("vault", &file, &["--bless"]);
    assert_eq!(code, Some(0), "{said}");
    says(&said, &["wrote the baseline "]);
    let blessed = fs::read_to_string(&file).expect("a baseline");
    assert!(blessed.ends_with("}\n"), "{blessed}");
    let read: Value = serde_json::from_str(&blessed).expect("JSON");
    let gas = read["programs"][1]["gas"].as_u64().expect("a number");
    let blob = read["programs"][1]["blob"].as_u64().expect("a number");
    assert_eq!(read["programs"][1]["fixture"], "open");

    let (out, said, code) = against("vault", &file, &[]);
    assert_eq!(code, Some(0), "{said}");
    says(&out, &["| open ", "no differences from "]);

    // The baseline has smaller figures than the measured ones, so these are worse.
    change(
        &file,
        &format!("\"gas\": {gas},"),
        &format!("\"gas\": {},", gas - 6),
    );
    change(
        &file,
        &format!("\"blob\": {blob}"),
        &format!("\"blob\": {}", blob - 1),
    );
    let delta = format!("vault/open gas {} -> {gas} (+6, worse)", gas - 6);
    let (out, said, code) = against("vault", &file, &[]);
    assert_eq!(code, Some(1), "{said}");
    says(&out, &[&format!("- {delta}\n")]);
    says(&said, &[&format!("error: {delta}"), "error: vault blob "]);
    says(
        &said,
        &["--bless", &file.display().to_string(), "bench vault"],
    );
    let (out, said, code) = against("vault", &file, &["--json"]);
    assert_eq!(code, Some(1), "{said}");
    serde_json::from_str::<Value>(&out).expect("only JSON");
    says(&said, &[&delta]);

    // A difference between compilers is not a difference of the program.
    let text = fs::read_to_string(&file).expect("a baseline");
    change(&file, "rustc ", "another rustc ");
    let (out, said, code) = against("vault", &file, &[]);
    assert_eq!(code, Some(0), "{said}");
    says(
        &out,
        &[&delta, "another rustc", "differences are not failures"],
    );
    // This covers all rows of the baseline.
    let (_, said, code) = against("vault", &file, &["--bless"]);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(fs::read_to_string(&file).expect("a baseline"), blessed);
    // But a baseline cannot have rows of two compilers.
    fs::write(&file, text.replace("rustc ", "another rustc ")).expect("a baseline");
    let (_, said, code) = against("counter", &file, &["--bless"]);
    assert_eq!(code, Some(2), "{said}");
    says(&said, &["another rustc", "two compilers"]);
    assert!(!said.contains("building"), "{said}");

    // The baseline has larger figures than the measured ones: better, which the report names.
    fs::write(&file, &blessed).expect("a baseline");
    change(
        &file,
        &format!("\"gas\": {gas},"),
        &format!("\"gas\": {},", gas + 6),
    );
    let (out, said, code) = against("vault", &file, &[]);
    assert_eq!(code, Some(0), "{said}");
    says(&out, &["(-6, better)"]);
    says(&said, &["better than", "--bless"]);

    // `--bless` for one program keeps the rows of the others.
    let (_, said, code) = against("hello", &file, &["--bless"]);
    assert_eq!(code, Some(0), "{said}");
    let both = fs::read_to_string(&file).expect("a baseline");
    says(
        &both,
        &["\"vault\"", "\"hello\"", &format!("\"gas\": {},", gas + 6)],
    );
}

#[test]
fn new_program_is_measured_with_all_fixtures() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = new_program(folder.path(), "greeter");
    let fixtures = program.join("fixtures");
    fs::remove_file(fixtures.join("overflow.toml")).expect("a fixture");
    add_foreign_files(&fixtures);
    fs::copy(fixtures.join("default.toml"), fixtures.join("again.toml")).expect("a fixture");
    change(&fixtures.join("again.toml"), "{ u64 = 0 }", "{ u64 = 1 }");
    change(&fixtures.join("again.toml"), "number 1", "number 2");
    let bench = |words: &[&str]| entrypoint_outside(&program, &[&["bench"], words].concat());
    let baseline = program.join("bench.json");

    // The expected account of the second call differs from that of the first.
    let output = bench(&["--bless"]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    says(
        &stdout(&output),
        &["| greeter | again ", "| greeter | default "],
    );
    says(
        &stderr(&output),
        &[
            "greeter/again: not as the fixture expects: data of",
            "the baseline was not written",
        ],
    );
    assert!(!baseline.exists());

    let text = fs::read_to_string(fixtures.join("again.toml")).expect("a fixture");
    let (before, after) = text.rsplit_once("u64 = 1").expect("the expected accounts");
    let text = format!("{before}u64 = 2{after}");
    fs::write(fixtures.join("again.toml"), text).expect("a fixture");
    let output = bench(&[]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    says(&stderr(&output), &["no baseline bench.json", "--bless"]);

    let output = bench(&["--json", "--bless"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let results = json(&output);
    let keys: Vec<&String> = results.as_object().expect("an object").keys().collect();
    assert_eq!(keys, ["compiler", "programs"]);
    let rows = results["programs"].as_array().expect("rows");
    assert_eq!(rows.len(), 2);
    for (row, fixture) in rows.iter().zip(["again", "default"]) {
        assert_eq!(row["program"], "greeter");
        assert_eq!(row["fixture"], fixture);
        assert_eq!(row["status"], 0);
        assert_eq!(row["failure"], Value::Null);
        assert_eq!(row["heap_peak"], json!(0));
        assert!(row["gas"].as_u64() > Some(0) && row["blob"].as_u64() > Some(0));
    }
    // The command prints the table that it writes.
    assert_eq!(
        fs::read_to_string(&baseline).expect("a baseline"),
        stdout(&output)
    );
    let output = bench(&[]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    says(&stdout(&output), &["no differences from bench.json"]);

    // The same program by its path has the same baseline, and the report has only rows.
    let output = entrypoint_outside(&program, &["bench", ".", "--json"]);
    assert_eq!(json(&output), results["programs"]);
    says(&stderr(&output), &["no differences from"]);

    let file = fixtures.join("again.toml");
    change(&file, "status = 0", "statsu = 0");
    let output = bench(&[]);
    assert_eq!(output.status.code(), Some(2));
    says(&stderr(&output), &["again.toml", "statsu"]);
}

#[test]
fn a_fixture_cannot_forge_the_report() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = new_program(folder.path(), "forger");
    let fixtures = program.join("fixtures");
    fs::rename(
        fixtures.join("default.toml"),
        fixtures.join("a|b\u{1b}[2J\n.toml"),
    )
    .expect("a fixture");
    let output = entrypoint_outside(&program, &["bench"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    says(&stdout(&output), &[r"| a\|b\u{1b}[2J\n "]);
}

#[test]
fn program_folder_is_the_default_program() {
    let output = entrypoint_in(&project().join("examples/hello/src"), &["bench", "--json"]);
    let results = json(&output);
    assert_eq!(results["programs"].as_array().map(Vec::len), Some(1));
}

#[test]
fn without_arguments_all_programs_are_measured() {
    // A folder in the workspace that belongs to no program, like the root itself.
    let output = entrypoint_in(&project().join("loader/src"), &["bench", "--json"]);
    let results = json(&output);
    let keys: Vec<&String> = results.as_object().expect("an object").keys().collect();
    assert_eq!(keys, ["compiler", "programs"]);
    let rows = |program: &str| {
        let rows = results["programs"].as_array().expect("rows");
        rows.iter().filter(|row| row["program"] == program).count()
    };
    for example in fs::read_dir(project().join("examples")).expect("the examples") {
        let example = example.expect("an example");
        // A crate of handlers is not a program and has no rows.
        let fixtures = fs::read_dir(example.path().join("fixtures"));
        let count = fixtures.map_or(0, Iterator::count);
        let name = example.file_name().into_string().expect("text");
        assert_eq!(rows(&name), count);
    }
    // The command has read the committed baseline, whatever the differences are.
    says(
        &stderr(&output),
        &[&project().join("bench.json").display().to_string()],
    );
    assert!(!stderr(&output).contains("there is no baseline"));
}

#[test]
fn workspace_program_uses_the_workspace_baseline() {
    let output = entrypoint_in(&project().join("examples/hello"), &["bench"]);
    let root = project().join("bench.json");
    says(&stdout(&output), &[&root.display().to_string()]);
    // A baseline of the program itself has priority.
    let folder = tempfile::tempdir().expect("a folder");
    let program = new_program(folder.path(), "member");
    fs::write(
        folder.path().join("Cargo.toml"),
        "[workspace]\nmembers = [\"member\"]\nresolver = \"3\"\n",
    )
    .expect("a manifest");
    fs::write(folder.path().join("bench.json"), "the root's").expect("a file");
    let output = entrypoint_in(&program, &["bench"]);
    says(&stderr(&output), &["bench.json is not a baseline"]);
    fs::write(program.join("bench.json"), "{\"compiler\": \"its own\"").expect("a file");
    let output = entrypoint_in(&program, &["bench"]);
    says(&stderr(&output), &["bench.json is not a baseline", "EOF"]);
    // A workspace without fixtures cannot be measured.
    fs::remove_file(folder.path().join("bench.json")).expect("a file");
    fs::remove_dir_all(program.join("fixtures")).expect("a folder");
    let output = entrypoint_in(folder.path(), &["bench"]);
    assert_eq!(output.status.code(), Some(2));
    says(
        &stderr(&output),
        &["no program of this workspace has fixtures", "`member`"],
    );
}
