//! `cargo entrypoint inspect`, as users and scripts call it.

use std::path::{Path, PathBuf};

use crate::support::{
    entrypoint, entrypoint_in, json, new_program, project, refused, stderr, stdout,
};
use serde_json::{Value, json};

/// The report of a blob that the loader accepts.
fn report(words: &[&str]) -> String {
    let output = entrypoint(words);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    stdout(&output)
}

/// The path and the length of the blob that `build --release` makes of a package.
fn built(package: &str) -> (PathBuf, u64) {
    let output = entrypoint(&["build", package, "--release"]);
    let said = stdout(&output);
    let (path, _) = said.trim().rsplit_once(" (").expect("a path and a size");
    let length = std::fs::metadata(path).expect("a blob").len();
    (PathBuf::from(path), length)
}

/// A number in the report's form.
fn grouped(number: u64) -> String {
    cargo_entrypoint::text::grouped(number)
}

/// A blob of three traps, with this export of any bytes.
fn small_blob(export: &[u8]) -> Vec<u8> {
    blob_of(1, export, &[0, 0, 0])
}

/// A blob with this many times 64 KiB of stack (not 0), 8 bytes of bss, an export and code.
fn blob_of(stack: u8, export: &[u8], code: &[u8]) -> Vec<u8> {
    let mut exports = vec![1, 0, export.len() as u8];
    exports.extend(export);
    let mut blob = b"PVM\0\x02\0\0\0\0\0\0\0\0".to_vec();
    // The length of the stack takes three bytes, with the highest first.
    blob.extend([1, 5, 0, 8, 0xc0 | stack, 0, 0]);
    blob.extend([5, exports.len() as u8]);
    blob.extend(exports);
    blob.extend([6, 2 + code.len() as u8, 0, 0]);
    blob.extend(code);
    blob.push(0);
    blob[5] = blob.len() as u8;
    blob
}

fn write(folder: &Path, name: &str, bytes: &[u8]) -> String {
    let file = folder.join(name);
    std::fs::write(&file, bytes).expect("a file");
    file.display().to_string()
}

#[test]
fn package_report_has_release_size_and_names() {
    let (path, length) = built("hello");
    let text = report(&["inspect", "hello"]);
    for part in [
        "hello\n\n",
        &format!(
            "size        {} bytes from `cargo entrypoint build --release`",
            grouped(length)
        ),
        "target      64 bits, instruction set revive_v1\n",
        &format!(
            "rent        {} kelvins on the Rialo runtime\n",
            grouped((128 + length) * 6_960)
        ),
        "deployment  possible on the Rialo runtime\n",
        "loader      accepts the blob\n",
        "  heap         32,768  or more; the program reports how much it uses\n",
        "  stack        65,536  of at most 1,048,576\n",
        "debug strings",
        "left out by `cargo entrypoint build --release`\n",
        "  read-only data    0x0001_0000",
        "  stack             0xfffd_0000        65,536  downwards from 0xfffe_0000\n",
        "  entrypoint  ",
        "  rlo_log_  ",
        "(message: *const u8, length: u64)\n",
        "exported as `entrypoint`, examples/hello/src/lib.rs:",
        ", core/src/fmt/mod.rs:",
    ] {
        assert!(text.contains(part), "{part:?} is not in:\n{text}");
    }
    assert!(text.lines().all(|line| line == line.trim_end()), "{text}");

    // A release blob has neither the names nor the sections.
    let text = report(&["inspect", &path.display().to_string()]);
    for part in [
        format!("{}\n\n", path.display()),
        format!("size        {} bytes\n", grouped(length)),
        "without debug information".to_owned(),
        "  exported as `entrypoint`\n".to_owned(),
    ] {
        assert!(text.contains(&part), "{part:?} is not in:\n{text}");
    }
    assert!(!text.contains("left out by"), "{text}");
}

#[test]
fn the_tables_add_up() {
    let value = json(&entrypoint(&["inspect", "counter", "--json"]));
    let blob = &value["inspection"];
    let sum = |rows: &Value, field: &str| -> u64 {
        let rows = rows.as_array().expect("rows").iter();
        rows.map(|row| row[field].as_u64().expect("a number")).sum()
    };
    assert_eq!(sum(&blob["sections"], "length"), blob["file_length"]);
    let instructions = &blob["code"]["instructions"];
    assert_eq!(sum(&blob["code"]["mnemonics"], "count"), *instructions);
    let functions = &blob["functions"]["list"];
    assert_eq!(sum(functions, "instructions"), *instructions);
    assert_eq!(sum(functions, "bytes"), blob["code"]["length"]);
    assert!(functions.as_array().expect("rows").len() > 8);
    assert_eq!(blob["stripped_length"], built("counter").1);

    // The report shows the first entries of both lists, and the sum of the others.
    let text = report(&["inspect"]);
    assert!(text.starts_with("counter\n"), "{text}");
    for (heading, column, all) in [
        ("\ninstructions  ", 0, instructions),
        ("\nfunctions  ", 2, instructions),
        ("\nfunctions  ", 0, &blob["code"]["length"]),
    ] {
        let (_, table) = text.split_once(heading).expect("a table");
        let rows: Vec<u64> = table
            .lines()
            .skip(if heading.contains("functions") { 2 } else { 1 })
            .take_while(|line| !line.is_empty())
            .map(|line| {
                let numbers = line.replace(',', "");
                let mut numbers = numbers
                    .split_whitespace()
                    .filter(|word| word.parse::<f64>().is_ok())
                    // The number of the others is not a part of the sum.
                    .skip(usize::from(
                        heading.contains("instr") && line.contains("others"),
                    ));
                numbers
                    .nth(column)
                    .expect("a number")
                    .parse()
                    .expect("a whole number")
            })
            .collect();
        assert_eq!(rows.len(), 11, "{table}");
        assert_eq!(rows.iter().sum::<u64>(), *all, "{table}");
    }
}

#[test]
fn json_has_the_documented_form() {
    let output = entrypoint(&["inspect", "counter", "--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let value = json(&output);
    let keys = |value: &Value| -> Vec<String> {
        value
            .as_object()
            .expect("an object")
            .keys()
            .cloned()
            .collect()
    };
    assert_eq!(keys(&value), ["error", "inspection", "program"]);
    assert_eq!(value["error"], Value::Null);
    assert_eq!(value["program"], "counter");
    let blob = &value["inspection"];
    let mut documented = [
        "file_length",
        "stripped_length",
        "instruction_set",
        "is_64_bit",
        "sections",
        "data",
        "memory",
        "exports",
        "imports",
        "code",
        "contract",
        "functions",
        "requirements",
        "deployment",
        "refusals",
    ];
    documented.sort_unstable();
    assert_eq!(keys(blob), documented);
    assert_eq!(
        blob["sections"][0],
        json!({ "kind": "header", "number": null, "offset": 0, "length": 13, "content": 13 })
    );
    assert_eq!(blob["memory"]["regions"][4]["kind"], "stack");
    assert_eq!(blob["memory"]["regions"][4]["address"], 0xfffd_0000_u32);
    assert_eq!(
        blob["memory"]["regions"][3]["address"],
        blob["memory"]["heap_base"]
    );
    assert_eq!(blob["functions"]["source"], "debug_information");
    let rent = (128 + blob["stripped_length"].as_u64().expect("a number")) * 6_960;
    assert_eq!(blob["deployment"], json!({ "rent": rent, "refusal": null }));
    assert_eq!(blob["requirements"]["least_heap"], 32_768);
    assert_eq!(blob["requirements"]["has_heap_header"], true);
    assert_eq!(
        blob["requirements"]["limits"][2],
        json!({ "what": "stack", "size": 65_536, "limit": 1_048_576 })
    );
    assert_eq!(blob["refusals"], json!([]));
}

#[test]
fn rejected_blob_is_shown_with_the_reason() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = write(folder.path(), "main.polkavm", &small_blob(b"main"));
    let output = entrypoint(&["inspect", &file]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let text = stdout(&output);
    for part in [
        "loader      rejects the blob: the program does not export `entrypoint`; it exports `main`\n",
        "the program does not report how much it uses",
        "imports     none\n",
        "  trap                                       3   100.0           3\n",
    ] {
        assert!(text.contains(part), "{part:?} is not in:\n{text}");
    }

    let output = entrypoint(&["inspect", &file, "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let value = json(&output);
    assert_eq!(value["error"], Value::Null);
    let refusals = &value["inspection"]["refusals"];
    assert_eq!(refusals[0]["kind"], "MissingEntrypoint");
    assert_eq!(
        refusals[0]["description"],
        "the program does not export `entrypoint`; it exports `main`"
    );
}

#[test]
fn near_and_exceeded_limits_are_marked() {
    let folder = tempfile::tempdir().expect("a folder");
    for (stack, said) in [
        (8, "       524,288  of at most 1,048,576\n"),
        (
            12,
            "       786,432  of at most 1,048,576 (near the limit)\n",
        ),
        (
            17,
            "     1,114,112  of at most 1,048,576 (over the limit)\n",
        ),
    ] {
        let file = write(
            folder.path(),
            "stack.polkavm",
            &blob_of(stack, b"entrypoint", &[0]),
        );
        let text = stdout(&entrypoint(&["inspect", &file]));
        assert!(text.contains(said), "{said:?} is not in:\n{text}");
        let bss = "  read-write data   0x0002_0000             8  0 in the file, then zeroes\n";
        assert!(text.contains(bss), "{text}");
    }
}

#[test]
fn a_blob_cannot_forge_the_report() {
    let folder = tempfile::tempdir().expect("a folder");
    let blob = small_blob(b"x\n\nloader      accepts the blob\x1b[2J\x07");
    let file = write(folder.path(), "forged.polkavm", &blob);
    let text = stdout(&entrypoint(&["inspect", &file]));
    assert!(
        text.contains(r"x\n\nloader      accepts the blob\u{1b}[2J\u{7}"),
        "{text}"
    );
    assert!(!text.contains("\nloader      accepts"), "{text}");
    assert!(
        !text.contains('\u{1b}') && !text.contains('\u{7}'),
        "{text}"
    );

    // A very long name does not fill the screen.
    let blob = small_blob(&[b'a'; 120]);
    let file = write(folder.path(), "long.polkavm", &blob);
    let text = stdout(&entrypoint(&["inspect", &file]));
    assert!(text.contains(&format!("  {}… ", "a".repeat(100))), "{text}");
}

#[test]
fn invalid_files_are_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let empty = write(folder.path(), "empty.polkavm", b"");
    refused(
        &["inspect", &empty],
        &[
            "cannot inspect",
            "empty.polkavm, which is empty",
            "invalid PolkaVM blob",
        ],
    );
    let elf = write(folder.path(), "program.elf", b"\x7fELF\x02\x01\x01");
    refused(
        &["inspect", &elf],
        &[
            "program.elf, which is an ELF file",
            "`cargo entrypoint build`",
        ],
    );
    refused(
        &["inspect", "README.md"],
        &["cannot inspect README.md: invalid PolkaVM blob"],
    );
    refused(
        &["inspect", "no-such.polkavm"],
        &["there is no file no-such.polkavm"],
    );
    refused(
        &["inspect", "no-such"],
        &["there is no program `no-such`", "`counter`"],
    );
    refused(
        &["inspect", "program-loader"],
        &["`program-loader` is not a program"],
    );
    refused(&["inspect", "hello", "--jsno"], &["--jsno", "--json"]);
    refused(&["inspect", "hello", "counter"], &["counter"]);
    refused(&["inspetc"], &["inspetc", "inspect"]);
    let mut cut = small_blob(b"entrypoint");
    cut.pop();
    let cut = write(folder.path(), "cut.polkavm", &cut);
    refused(
        &["inspect", &cut],
        &["cut.polkavm", "blob size doesn't match"],
    );
}

#[test]
fn errors_are_json_with_the_option() {
    let error = |words: &[&str]| {
        let output = entrypoint(words);
        assert_eq!(output.status.code(), Some(2), "{words:?}");
        let value = json(&output);
        assert_eq!(value["program"], Value::Null);
        assert_eq!(value["inspection"], Value::Null);
        assert_eq!(value.as_object().map(|value| value.len()), Some(3));
        value["error"].clone()
    };
    let invalid = error(&["inspect", "README.md", "--json"]);
    assert_eq!(invalid["kind"], "InvalidBlob");
    assert!(
        invalid["description"]
            .as_str()
            .expect("a text")
            .contains("README.md")
    );
    assert_eq!(
        error(&["inspect", "no-such", "--json"])["kind"],
        "NotInspected"
    );
    let usage = error(&["inspect", "hello", "--json", "--jsno"]);
    assert_eq!(usage["kind"], "Usage");
    assert!(
        usage["description"]
            .as_str()
            .expect("a text")
            .contains("--jsno")
    );
}

#[test]
fn help_lists_arguments_and_exit_codes() {
    let help = stdout(&entrypoint(&["inspect", "--help"]));
    for part in [
        "[PROGRAM]",
        "--json",
        "A blob, a folder",
        "Exit codes:",
        "rejects the blob",
    ] {
        assert!(help.contains(part), "{part:?} is not in:\n{help}");
    }
    assert!(stdout(&entrypoint(&["--help"])).contains("  inspect  "));
}

#[test]
fn program_is_found_as_by_run() {
    let output = entrypoint_in(
        &project().join("examples/hello/src"),
        &["inspect", "--json"],
    );
    assert_eq!(json(&output)["program"], "hello");
    let folder = tempfile::tempdir().expect("a folder");
    let program = new_program(folder.path(), "empty_handed");
    std::fs::remove_file(program.join("src/lib.rs")).expect("a file");
    refused(
        &["inspect", &program.display().to_string()],
        &["empty_handed"],
    );
}
