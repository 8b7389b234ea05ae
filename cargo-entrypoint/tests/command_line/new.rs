//! `cargo entrypoint new`, as users call it.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::json;

use crate::support::{
    entrypoint, entrypoint_in, json, new_program, project, refused, says, stderr, stdout,
};

/// Goes behind the last table of a new manifest, `profile.dev.package`, so that most dependencies
/// are already compiled: the profile of this workspace, and features that its tests select. Of
/// these features, the published crates use only `race` of `once_cell`. So the test still fails if
/// a crate uses another feature that its own manifest does not select.
const SHARED: &str = r#"rustc-demangle = { opt-level = 3 }
"*" = { debug = false }

[profile.dev]
debug = "line-tables-only"

[target.'cfg(unix)'.dev-dependencies]
ahash = "0.8"
digest = { version = "0.10", default-features = false, features = ["std"] }
either = { version = "1", default-features = false, features = ["use_std"] }
memchr = "2"
num-traits = "0.2"
once_cell = "1"
rand = { version = "0.10", default-features = false, features = ["std", "sys_rng"] }
serde = { version = "1", features = ["alloc"] }
zerocopy = { version = "0.8", features = ["derive"] }
zeroize = { version = "1", default-features = false, features = ["alloc"] }
"#;

#[test]
fn new_program_runs_and_passes_its_test() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = new_program(folder.path(), "greeter");

    fs::copy(project().join("Cargo.lock"), program.join("Cargo.lock")).expect("a lock file");
    let manifest = program.join("Cargo.toml");
    let text = fs::read_to_string(&manifest).expect("a manifest");
    fs::write(&manifest, text + SHARED).expect("a manifest");
    let in_shared_target = |command: &mut Command| {
        let output = command
            .env("CARGO_TARGET_DIR", project().join("target"))
            .current_dir(&program)
            .output()
            .expect("run the command");
        assert!(
            output.status.success(),
            "{}\n{}",
            stdout(&output),
            stderr(&output)
        );
        output
    };
    let output = in_shared_target(Command::new(env!("CARGO_BIN_EXE_cargo-entrypoint")).args([
        "entrypoint",
        "run",
        "--json",
    ]));
    assert_eq!(json(&output)["logs"], json!(["greeting number 1"]));
    let output = in_shared_target(
        Command::new(env!("CARGO_BIN_EXE_cargo-entrypoint")).args(["entrypoint", "bench"]),
    );
    assert!(
        stdout(&output).contains("| greeter | overflow | 0x1800000000 (ArithmeticOverflow) |"),
        "{}",
        stdout(&output)
    );
    let output = in_shared_target(Command::new("cargo").arg("test"));
    assert!(stdout(&output).contains("4 passed"), "{}", stdout(&output));
}

/// Cargo's first resolver, which a workspace has that names none, would have the features of the
/// tests reach the program. Every workspace here names a resolver, so no test saw it.
#[test]
fn new_program_compiles_in_a_workspace_without_a_resolver() {
    let folder = tempfile::tempdir().expect("a folder");
    let manifest = folder.path().join("Cargo.toml");
    let workspace = "[workspace]\nmembers = [\"greeter\"]\n";
    std::fs::write(&manifest, workspace).expect("a manifest");
    let program = new_program(folder.path(), "greeter");
    let lock = folder.path().join("Cargo.lock");
    std::fs::copy(project().join("Cargo.lock"), lock).expect("a lock file");
    let build = || {
        Command::new(env!("CARGO_BIN_EXE_cargo-entrypoint"))
            .args(["entrypoint", "build"])
            .env("CARGO_TARGET_DIR", project().join("target"))
            .current_dir(&program)
            .output()
            .expect("the command runs")
    };
    let output = build();
    assert!(output.status.success(), "{}", stderr(&output));

    // The dependencies of a build script cannot be kept out, so the error says what to do.
    let own = program.join("Cargo.toml");
    let before = std::fs::read_to_string(&own).expect("a manifest");
    let needs_std = format!("{before}\n[build-dependencies]\nhex = \"0.4\"\n");
    std::fs::write(&own, needs_std).expect("a manifest");
    std::fs::write(program.join("build.rs"), "fn main() {}\n").expect("a script");
    let output = build();
    assert!(!output.status.success());
    says(&stderr(&output), &["add `resolver = \"2\"` to "]);
    std::fs::write(&manifest, format!("{workspace}resolver = \"2\"\n")).expect("a manifest");
    let output = build();
    assert!(output.status.success(), "{}", stderr(&output));
}

#[test]
fn new_has_the_requested_dependency() {
    let folder = tempfile::tempdir().expect("a folder");
    let made = |name: &str, words: &[&str]| {
        let program = folder.path().join(name);
        let output = entrypoint(&[&["new", &program.display().to_string()], words].concat());
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        std::fs::read_to_string(program.join("Cargo.toml")).expect("a manifest")
    };
    let manifest = made("published", &["--registry"]);
    says(
        &manifest,
        &[
            "program-entrypoint = \"0.1.0\"\n",
            "program-test = \"0.1.0\"\n",
        ],
    );
    let checkout = project().display().to_string();
    let manifest = made("local", &["--path", &checkout]);
    let path = project().join("entrypoint").display().to_string();
    says(
        &manifest,
        &[&format!("program-entrypoint = {{ path = {path:?} }}\n")],
    );

    let nowhere = folder.path().display().to_string();
    let name = folder.path().join("lost").display().to_string();
    refused(
        &["new", &name, "--path", &nowhere],
        &[&nowhere, "is not a checkout", "entrypoint/Cargo.toml"],
    );
    refused(
        &["new", &name, "--path", &checkout, "--registry"],
        &["--registry", "cannot be used with"],
    );
    assert!(!folder.path().join("lost").exists());
}

#[test]
fn new_keeps_files_and_checks_the_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let taken = folder.path().join("taken");
    std::fs::create_dir(&taken).expect("a folder");
    refused(&["new", &taken.display().to_string()], &["exists already"]);
    for name in ["1st", "with space", "ünicode", "core", "abi", "loader"] {
        let path = folder.path().join(name).display().to_string();
        refused(&["new", &path], &[name]);
        assert!(!folder.path().join(name).exists());
    }
}

/// A workspace with a member, in a folder.
fn workspace(folder: &Path, members: &str) {
    let manifest = format!("[workspace]\nresolver = \"3\"\nmembers = {members}\n");
    fs::write(folder.join("Cargo.toml"), manifest).expect("a manifest");
    let other = folder.join("other");
    fs::create_dir_all(other.join("src")).expect("a folder");
    let manifest = "[package]\nname = \"other\"\nversion = \"0.1.0\"\nedition = \"2024\"\n";
    fs::write(other.join("Cargo.toml"), manifest).expect("a manifest");
    fs::write(other.join("src/lib.rs"), "").expect("a source");
}

/// The settings of single packages in the profile `dev` of a manifest.
fn profile(manifest: &str) -> toml::Table {
    let manifest: toml::Table = toml::from_str(manifest).expect("a manifest");
    let packages = &manifest["profile"]["dev"]["package"];
    packages.as_table().expect("packages").clone()
}

/// This project's own tests have the profile of this project's workspace.
#[test]
fn new_program_is_tested_on_optimized_machines() {
    let own = fs::read_to_string(project().join("Cargo.toml")).expect("a manifest");
    let mut expected = profile(&own);
    expected.remove("*");
    // For this project's tests of damaged files, and of profiles: the tests of programs have none.
    expected.remove("redb");
    expected.remove("rustc-demangle");
    let folder = tempfile::tempdir().expect("a folder");
    let program = new_program(folder.path(), "swift");
    let manifest = fs::read_to_string(program.join("Cargo.toml")).expect("a manifest");
    assert_eq!(profile(&manifest), expected);
    let page = fs::read_to_string(project().join("docs/testing.md")).expect("a page");
    let sections = page.split("```toml\n").skip(1);
    let section = sections
        .filter_map(|rest| rest.split("```").next())
        .find(|section| section.contains("[profile"));
    assert_eq!(profile(section.expect("a section")), expected);

    // In a workspace, the manifest of that decides.
    workspace(folder.path(), "[\"other\", \"member*\"]");
    // The first member is what makes the list match something.
    let said = |name: &str| {
        let output = entrypoint_in(folder.path(), &["new", name]);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        let manifest = folder.path().join(name).join("Cargo.toml");
        let manifest = fs::read_to_string(manifest).expect("a manifest");
        assert!(!manifest.contains("profile"), "{manifest}");
        stdout(&output)
    };
    let first = said("member1");
    let root = folder.path().join("Cargo.toml");
    let (_, advice) = first
        .split_once(&format!("add this to {}:\n", root.display()))
        .expect("advice");
    assert_eq!(profile(advice), expected);
    let text = fs::read_to_string(&root).expect("a manifest");
    fs::write(&root, text + advice).expect("a manifest");
    let second = said("member2");
    assert!(!second.contains("profile"), "{second}");
}

fn is_workspace(program: &Path) -> bool {
    let manifest = fs::read_to_string(program.join("Cargo.toml")).expect("a manifest");
    manifest.contains("[workspace]")
}

/// Cargo's errors were taken for one error, that the workspace does not list the crate, and every
/// test had a workspace without errors.
#[test]
fn new_reports_errors_of_the_workspace_and_leaves_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let here = folder.path();
    workspace(here, "[\"other\", \"more/*\"]");
    let rejected = |name: &str, parts: &[&str]| {
        let output = entrypoint_in(here, &["new", name]);
        assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
        says(&stderr(&output), parts);
        let first = Path::new(name).components().next().expect("a name");
        assert!(!here.join(first).exists(), "{name}");
    };
    // The list names folders that do not exist yet: an error for `two`, and none for `more/one`.
    rejected("two", &["no program was created", "more/*"]);
    new_program(here, "more/one");
    assert!(!is_workspace(&here.join("more/one")));
    // The workspace does not list it.
    new_program(here, "two");
    assert!(is_workspace(&here.join("two")));

    let manifest = here.join("other/Cargo.toml");
    let text = fs::read_to_string(&manifest).expect("a manifest");
    fs::write(&manifest, text + "nmae = \n").expect("a manifest");
    rejected("deep/down/three", &["no program was created", "nmae = "]);
    let output = entrypoint_in(here, &["new", "more/three"]);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert!(here.join("more/one").exists() && !here.join("more/three").exists());
}

#[test]
fn new_leaves_nothing_without_cargo() {
    let folder = tempfile::tempdir().expect("a folder");
    for _ in 0..2 {
        let output = Command::new(env!("CARGO_BIN_EXE_cargo-entrypoint"))
            .args(["new", "deep/greeter"])
            .env("PATH", folder.path())
            .env_remove("CARGO")
            .current_dir(folder.path())
            .output()
            .expect("the command runs");
        assert_eq!(output.status.code(), Some(2));
        says(
            &stderr(&output),
            &["no program was created: cannot run cargo"],
        );
        assert!(!folder.path().join("deep").exists());
    }
}
