//! `cargo entrypoint build` and `doctor`, as users call them.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use serde_json::json;

use crate::support::{
    entrypoint, entrypoint_in, json, new_program, project, refused, stderr, stdout,
};

#[test]
fn any_kind_of_library_is_a_program() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = new_program(folder.path(), "shared");
    let manifest = program.join("Cargo.toml");
    let text = std::fs::read_to_string(&manifest).expect("a manifest");
    let text = text.replace(
        "\n[dependencies]",
        "\n[lib]\ncrate-type = [\"cdylib\", \"rlib\"]\n\n[dependencies]",
    );
    std::fs::write(&manifest, text).expect("a manifest");
    std::fs::copy(project().join("Cargo.lock"), program.join("Cargo.lock"))
        .expect("copy the lock file");
    let output = Command::new(env!("CARGO_BIN_EXE_cargo-entrypoint"))
        .args(["run", "--json"])
        .env("CARGO_TARGET_DIR", project().join("target"))
        .current_dir(&program)
        .output()
        .expect("run the command");
    assert_eq!(json(&output)["logs"], json!(["greeting number 1"]));
}

/// Debian's cargo cannot clone a git repository. It compiles guests if there is no other compiler.
#[test]
fn authors_cargo_fetches_git_dependencies() {
    let folder = tempfile::tempdir().expect("a folder");
    let library = folder.path().join("library");
    std::fs::create_dir_all(library.join("src")).expect("a folder");
    let manifest = "[package]\nname = \"library\"\nversion = \"0.1.0\"\nedition = \"2024\"\n";
    std::fs::write(library.join("Cargo.toml"), manifest).expect("a manifest");
    let source = "#![no_std]\npub const GREETING: &str = \"from a git repository\";\n";
    std::fs::write(library.join("src/lib.rs"), source).expect("a source");
    for arguments in [
        &["init", "--quiet"][..],
        &["add", "."],
        &[
            "-c",
            "user.name=a",
            "-c",
            "user.email=a@b",
            "commit",
            "--quiet",
            "-m",
            "a",
        ],
    ] {
        let status = Command::new("git")
            .args(arguments)
            .current_dir(&library)
            .status();
        assert!(status.expect("git runs").success(), "git {arguments:?}");
    }

    let program = new_program(folder.path(), "borrower");
    let manifest = program.join("Cargo.toml");
    let text = std::fs::read_to_string(&manifest).expect("a manifest");
    let dependency = format!(
        "\n[dependencies]\nlibrary = {{ git = \"file://{}\" }}\n",
        library.display()
    );
    std::fs::write(&manifest, text.replace("\n[dependencies]\n", &dependency)).expect("a manifest");
    let source = program.join("src/lib.rs");
    let text = std::fs::read_to_string(&source).expect("a source");
    let text = text.replace("\"greeting number", "\"{} number");
    let text = text.replace("{count}\"", "{count}\", library::GREETING");
    std::fs::write(&source, text).expect("a source");
    std::fs::copy(project().join("Cargo.lock"), program.join("Cargo.lock"))
        .expect("copy the lock file");
    let output = Command::new(env!("CARGO_BIN_EXE_cargo-entrypoint"))
        .args(["run", "--json"])
        .env("CARGO_TARGET_DIR", project().join("target"))
        .current_dir(&program)
        .output()
        .expect("run the command");
    assert_eq!(
        json(&output)["logs"],
        json!(["from a git repository number 1"])
    );
}

/// An unneeded `cargo fetch` takes as long as an unchanged build, and so does a list of packages,
/// which shows where their sources are.
///
/// Cargo described the packages of all systems, and failed if one was missing. So nothing was
/// recorded on a machine without packages for Windows. All test machines had them.
#[test]
fn dependencies_are_fetched_again_only_after_a_change() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = new_program(folder.path(), "fetched");
    let cargo = folder.path().join("cargo");
    let calls = folder.path().join("calls");
    let real = std::env::var("CARGO").expect("cargo runs the tests");
    // Without packages for Windows, cargo cannot describe those of all systems.
    let script = format!(
        "#!/bin/sh\necho $* >>{}\ncase \"$*\" in\n\
         *--offline*--filter-platform*) ;;\n\
         metadata*--offline*) exit 101 ;;\n\
         esac\nexec {real} \"$@\"\n",
        calls.display()
    );
    std::fs::write(&cargo, script).expect("a script");
    std::fs::set_permissions(&cargo, Permissions::from_mode(0o755)).expect("a mode");
    let fetches_and_lists = |words: &[&str]| {
        std::fs::write(&calls, "").expect("a file");
        let output = Command::new(env!("CARGO_BIN_EXE_cargo-entrypoint"))
            .args(words)
            .env("CARGO", &cargo)
            .env("CARGO_TARGET_DIR", project().join("target"))
            .current_dir(&program)
            .output()
            .expect("run the command");
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        let calls = std::fs::read_to_string(&calls).expect("a file");
        assert!(calls.contains("metadata"), "{calls}");
        ["fetch ", "--offline"].map(|word| calls.lines().filter(|call| call.contains(word)).count())
    };
    let fetches = |words: &[&str]| fetches_and_lists(&[&["build"], words].concat())[0];
    let change = |path: &str| {
        let path = program.join(path);
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(&path, format!("{text}\n")).expect("a file");
    };
    std::fs::copy(project().join("Cargo.lock"), program.join("Cargo.lock"))
        .expect("copy the lock file");
    // A dependency can inherit from the manifest of its own workspace.
    let library = folder.path().join("others/library");
    std::fs::create_dir_all(library.join("src")).expect("a folder");
    std::fs::write(library.join("src/lib.rs"), "#![no_std]\n").expect("a file");
    let own = "[package]\nname = \"library\"\nversion.workspace = true\n";
    std::fs::write(library.join("Cargo.toml"), own).expect("a file");
    let above = "[workspace]\nmembers = [\"library\"]\n[workspace.package]\nversion = \"1.0.0\"\n";
    std::fs::write(folder.path().join("others/Cargo.toml"), above).expect("a file");
    let manifest = program.join("Cargo.toml");
    let text = std::fs::read_to_string(&manifest).expect("a manifest");
    // Only the guest depends on it, and not its tests on this computer.
    let dependency = "\n[target.'cfg(target_os = \"none\")'.dependencies]\n\
                      library = { path = \"../others/library\" }\n";
    std::fs::write(&manifest, text + dependency).expect("a manifest");

    assert_eq!(fetches_and_lists(&["profile"]), [1, 1]);
    assert_eq!(fetches_and_lists(&["profile"]), [0, 0]);
    assert_eq!(fetches(&["--quiet"]), 0);
    let manifests = ["Cargo.toml", "Cargo.lock", "../others/Cargo.toml"];
    for path in manifests.into_iter().chain([".cargo/config.toml"]) {
        change(path);
        assert_eq!([fetches(&[]), fetches(&[])], [1, 0], "{path}");
    }
    change("src/lib.rs");
    assert_eq!(fetches(&[]), 0);
    // Cargo checks the lock file.
    assert_eq!([fetches(&["--locked"]), fetches(&["--frozen"])], [1, 1]);
}

#[test]
fn build_makes_a_blob_that_runs_from_anywhere() {
    let output = entrypoint(&["build", "hello"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let line = stdout(&output);
    let (path, size) = line.trim().rsplit_once(" (").expect("a path and a size");
    let length = std::fs::metadata(path).expect("the blob").len();
    assert_eq!(size, format!("{length} bytes with debug information)"));

    let elsewhere = tempfile::tempdir().expect("a folder");
    let output = entrypoint_in(
        elsewhere.path(),
        &["run", path, "--data", "6d6f6f6e", "--json"],
    );
    assert_eq!(json(&output)["logs"], json!(["Hello, moon!"]));
}

/// The replacements of syscalls for unit tests need more crates than all the rest of a program.
#[test]
fn native_program_is_compiled_without_crates_for_unit_tests() {
    let output = entrypoint(&["build", "counter", "--target", "native", "--verbose"]);
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    // With this option, cargo also names the crates that it has compiled before.
    assert!(said.contains(" program-entrypoint v"), "{said}");
    for name in ["blake3", "curve25519-dalek", "sha2", "sha3"] {
        assert!(!said.contains(&format!(" {name} v")), "{said}");
    }
}

#[test]
fn a_program_is_built_for_each_target() {
    let targets: [(&[&str], _, &[u8], _); 4] = [
        (&[], "polkavm", b"PVM", " with debug information"),
        (
            &["--target", "riscv64"],
            "polkavm",
            b"PVM",
            " with debug information",
        ),
        (
            &["--target", "wasm32"],
            "wasm",
            b"\0asm",
            " with the names of functions",
        ),
        (
            &["--target", "native"],
            "so",
            b"\x7fELF",
            " with debug information",
        ),
    ];
    for (words, extension, magic, remark) in targets {
        for (release, remark) in [(&["--release"][..], ""), (&[], remark)] {
            let output = entrypoint(&[&["build", "heap_state"], words, release].concat());
            assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
            let said = stdout(&output);
            let (line, rent) = said.split_once('\n').expect("a line");
            let (path, size) = line.rsplit_once(" (").expect("a path and a size");
            let end = format!("guest/heap_state.{extension}");
            assert!(path.ends_with(&end), "{path} is not {end}");
            let built = std::fs::read(path).expect("the built file");
            assert_eq!(size, format!("{} bytes{remark})", built.len()));
            assert!(built.starts_with(magic), "{path}");
            let kelvins = cargo_entrypoint::text::grouped((128 + built.len() as u64) * 6_960);
            let expected = match (extension, release.is_empty()) {
                ("polkavm", false) => format!("rent on the Rialo runtime: {kelvins} kelvins\n"),
                _ => String::new(),
            };
            assert_eq!(rent, expected);
        }
    }
}

#[test]
fn release_blob_has_no_debug_information() {
    // A folder of its own, because other tests build in the workspace's.
    let folder = tempfile::tempdir().expect("a folder");
    let build = |words: &[&str]| {
        let output = entrypoint(&[&["build", "counter"], words].concat());
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        let said = stdout(&output);
        let line = said.lines().next().expect("a line");
        let (path, size) = line.rsplit_once(" (").expect("a path and a size");
        let copy = folder.path().join(format!("counter{}", words.concat()));
        std::fs::copy(path, &copy).expect("the blob");
        (copy, size.to_owned())
    };
    let run_out = |blob: &Path| {
        let fixture = project().join("examples/counter/fixtures/default.toml");
        let words = ["run", &blob.display().to_string(), "--gas", "100"];
        let output =
            entrypoint(&[&words[..], &["--fixture", &fixture.display().to_string()]].concat());
        assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
        let said = stdout(&output);
        let is_place = |line: &&str| line.starts_with("failed ") || line.starts_with("at ");
        said.lines().filter(is_place).collect::<Vec<_>>().join("\n")
    };
    let (debug, size) = build(&[]);
    assert!(size.ends_with(" bytes with debug information)"), "{size}");
    let said = run_out(&debug);
    assert!(
        said.contains("out of gas: the limit is 100; stopped at 0x") && said.contains(" in "),
        "{said}"
    );
    assert!(said.contains(".rs:"), "{said}");

    let (release, size) = build(&["--release"]);
    assert!(size.ends_with(" bytes)"), "{size}");
    let (short, long) = (
        std::fs::metadata(&release).unwrap().len(),
        std::fs::metadata(&debug).unwrap().len(),
    );
    assert!(short < long, "{short} < {long}");
    let said = run_out(&release);
    assert!(said.starts_with("failed "), "{said}");
    assert!(!said.contains(".rs:") && !said.contains(" in "), "{said}");
}

#[test]
fn a_library_without_an_entry_is_not_a_program() {
    // The crate may be a program: another macro's expansion could contain the entry macro.
    refused(
        &["build", "program-abi"],
        &[
            "`program-abi` does not compile for riscv64",
            "it may not be a program, because no source file of it invokes `entrypoint!`",
        ],
    );
    // This crate needs `std`, so it cannot be a program.
    refused(
        &["build", "program-test"],
        &["`program-test` is not a program", "`#![no_std]`"],
    );
}

#[test]
fn doctor_lists_the_tools() {
    let output = entrypoint(&["doctor"]);
    let said = stdout(&output);
    for part in [
        "rustc",
        "\nlinker ",
        "\nwasm32 linker ",
        "\nnative linker ",
        "\nnative runner ",
        "VM interpreter",
        "VM compiler",
    ] {
        assert!(said.contains(part), "{part:?} is not in:\n{said}");
    }
}

#[test]
fn doctor_reports_an_engine_that_cannot_run() {
    // The address space is too small for the processes of PolkaVM's compiler.
    let output = Command::new("sh")
        .args(["-c", "ulimit -v 4000000 && exec \"$0\" doctor"])
        .arg(env!("CARGO_BIN_EXE_cargo-entrypoint"))
        .current_dir(project())
        .output()
        .expect("the command runs");
    let said = stdout(&output);
    for part in [
        "\nVM compiler    unavailable: the compiler engine cannot run on this computer: ",
        "; use the interpreter, whose outcomes are the same\n",
        "\nthe compiler engine is left out: tests print `skipped: ` and go on without it\n",
    ] {
        assert!(said.contains(part), "{part:?} is not in:\n{said}");
    }
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
}

#[test]
fn setup_reports_its_result() {
    // The tools are installed where the tests run, or an earlier test has installed them.
    let output = entrypoint(&["setup"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(
        stdout(&output).starts_with("ready: rustc "),
        "{}",
        stdout(&output)
    );
    let output = Command::new(env!("CARGO_BIN_EXE_cargo-entrypoint"))
        .arg("doctor")
        .env("ENTRYPOINT_SETUP", "maybe")
        .output()
        .expect("run the command");
    assert_eq!(output.status.code(), Some(2));
    let said = stderr(&output);
    assert!(
        said.contains("ENTRYPOINT_SETUP is `maybe`; set it to `always` or `never`"),
        "{said}"
    );
}

#[test]
fn two_entrypoints_in_two_modules_do_not_compile() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = new_program(folder.path(), "doubled");
    let code = "\n/// Another.\npub mod other {\n    \
                entrypoint::entrypoint!(super::process_instruction, heap = custom, panic = custom);\n}\n";
    let file = program.join("src/lib.rs");
    let text = std::fs::read_to_string(&file).expect("a program");
    std::fs::write(&file, text + code).expect("a program");
    std::fs::copy(project().join("Cargo.lock"), program.join("Cargo.lock"))
        .expect("copy the lock file");
    let output = Command::new(env!("CARGO_BIN_EXE_cargo-entrypoint"))
        .args(["build"])
        .env("CARGO_TARGET_DIR", project().join("target"))
        .current_dir(&program)
        .output()
        .expect("run the command");
    assert_eq!(output.status.code(), Some(2));
    let said = stderr(&output);
    assert!(said.contains("__one_entrypoint_per_program"), "{said}");
}
