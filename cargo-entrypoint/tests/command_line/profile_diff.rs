//! `cargo entrypoint profile --diff`, with a file and with a commit.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::profile::{picture_text, profile};
use crate::support::{entrypoint, new_program, project, refused, stderr, stdout};

#[test]
fn two_blobs_are_compared() {
    let build = |program: &str| {
        let output = entrypoint(&["build", program]);
        let (path, _) = stdout(&output)
            .trim()
            .rsplit_once(" (")
            .map(|(path, size)| (path.to_owned(), size.to_owned()))
            .expect("a path");
        path
    };
    let vault = build("vault");
    let (code, report, files) = profile(&["vault", "--diff", &vault]);
    assert_eq!(code, Some(0), "{report}");
    assert!(
        report.contains("gas       0\n\nevery function uses the same gas\n"),
        "{report}"
    );
    assert_eq!(files.len(), 1);
    // It has the accounts of another program, and fails.
    let token = build("token");
    let (code, report, files) = profile(&["vault", "--diff", &token]);
    assert_eq!(code, Some(0), "{report}");
    for part in [
        "vault · fixture default · profile against ",
        "before    ",
        "after     0 (success), ",
        "  vault::withdraw\n",
        "diff      FOLDER/vault-default.diff.svg",
    ] {
        assert!(report.contains(part), "{part:?} is not in:\n{report}");
    }
    let picture = picture_text(&files[0].1);
    assert!(
        picture.contains("red: more gas of its own than before"),
        "{picture}"
    );

    // What the fixture expects is compared with the outcome of the new program.
    let (code, report, _) = profile(&["vault", "--fixture", "too_much", "--diff", &token]);
    assert_eq!(code, Some(0), "{report}");
    assert!(
        report.ends_with("\nall as the fixture expects\n"),
        "{report}"
    );
    let fixture = "examples/vault/fixtures/too_much.toml";
    let (code, report, _) = profile(&[&token, "--fixture", fixture, "--diff", &vault]);
    assert_eq!(code, Some(1), "{report}");
    assert!(!report.contains("all as the fixture expects"), "{report}");

    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().to_str().expect("a UTF-8 path");
    let words = ["profile", &vault, "--diff", "no-such", "--output", path];
    refused(&words, &["no-such is not a file", "a crate only"]);
    let words = ["profile", "vault", "--diff", "no-such", "--output", path];
    refused(&words, &["no-such is neither a file nor a commit of "]);
}

/// Lets the program of a commit be built without compiling `core` and macros again: their artifacts
/// are copied.
fn copy_core(target: &Path) {
    let names = [
        "core-",
        "alloc-",
        "compiler_builtins-",
        "syn-",
        "quote-",
        "proc",
        "unicode",
        "polkavm",
        "picosimd",
        "bytemuck",
    ];
    for folder in ["riscv64emac-unknown-none-polkavm/release", "release"] {
        for folder in [".fingerprint", "build", "deps"].map(|inner| Path::new(folder).join(inner)) {
            let to = target.join("diff/target/guest/riscv64").join(&folder);
            fs::create_dir_all(&to).expect("a folder");
            let from = target.join("guest/riscv64").join(&folder);
            let entries = fs::read_dir(from).expect("a build").flatten();
            let known = entries.filter(|entry| {
                let name = entry.file_name().into_string().expect("a name");
                let name = name.strip_prefix("lib").unwrap_or(&name);
                names.iter().any(|start| name.starts_with(start))
            });
            let mut copy = Command::new("cp");
            copy.arg("-a").args(known.map(|entry| entry.path())).arg(to);
            assert!(copy.status().expect("run cp").success());
        }
    }
}

#[test]
fn commit_is_built_without_touching_the_repository() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = new_program(folder.path(), "committed");
    // The commit is written below the project's target folder, in another workspace.
    let manifest = program.join("Cargo.toml");
    let text = fs::read_to_string(&manifest).expect("a manifest");
    fs::write(&manifest, format!("{text}\n[workspace]\n")).expect("a manifest");
    let git = |words: &[&str]| {
        let mut command = Command::new("git");
        command
            .current_dir(&program)
            .args(["-c", "user.name=a", "-c", "user.email=a@b"]);
        let output = command.args(words).output().expect("run git");
        assert!(output.status.success(), "{}", stderr(&output));
        stdout(&output)
    };
    git(&["init", "--quiet"]);
    git(&["add", "--all"]);
    git(&["commit", "--quiet", "--message", "Before"]);
    // With the project's lock file, all dependencies are already compiled.
    fs::copy(project().join("Cargo.lock"), program.join("Cargo.lock")).expect("copy the lock file");
    let source = program.join("src/lib.rs");
    let text = fs::read_to_string(&source).expect("the source");
    let text = text.replacen("    Ok(())", "    msg!(\"a new line\");\n    Ok(())", 1);
    fs::write(&source, text).expect("a file");
    let state = || {
        (
            git(&["status", "--porcelain"]),
            git(&["worktree", "list"]),
            git(&["stash", "list"]),
        )
    };
    let before = state();

    let target =
        env::var_os("CARGO_TARGET_DIR").map_or_else(|| project().join("target"), PathBuf::from);
    if !target.join("diff/target").exists() {
        entrypoint(&["build", "hello"]);
        copy_core(&target);
    }
    let output = Command::new(env!("CARGO_BIN_EXE_cargo-entrypoint"))
        .args(["entrypoint", "profile", "--diff", "HEAD"])
        .env("CARGO_TARGET_DIR", target)
        .current_dir(&program)
        .output()
        .expect("run the command");
    // The new line is not in the logs that the fixture expects.
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let report = stdout(&output);
    for part in [
        "profile against HEAD (",
        " Before)\n",
        "gas       +",
        "  entrypoint::log::log",
    ] {
        assert!(report.contains(part), "{part:?} is not in:\n{report}");
    }
    assert_eq!(state(), before);
}
