//! Which options, variables and configuration files of cargo's count for a program, and which do
//! not.

use std::env;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::support::{entrypoint_outside, json, new_program, project, says, stderr, stdout};
use serde_json::json;

const TARGETS: [&str; 3] = ["riscv64", "wasm32", "native"];

/// The files that a program is built to, one for each target.
fn files(program: &Path) -> Vec<Vec<u8>> {
    let built = TARGETS.map(|target| {
        let output = entrypoint_outside(program, &["build", "--target", target]);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        let line = stdout(&output);
        let (path, _) = line.trim().rsplit_once(" (").expect("a path and a size");
        fs::read(path).expect("a file")
    });
    built.into()
}

fn configure(folder: &Path, text: &str) {
    let folder = folder.join(".cargo");
    fs::create_dir_all(&folder).expect("a folder");
    fs::write(folder.join("config.toml"), text).expect("a configuration");
}

/// The tests had only set variables, and cargo's configuration files are another way to the same
/// settings.
#[test]
fn configuration_files_change_no_program() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = new_program(folder.path(), "configured");
    let expected = files(&program);

    let wrapper = folder.path().join("wrapper");
    // It works for everything but the build of a guest, so that no cache hides that it is called.
    let script = "#!/bin/sh\n[ -z \"$RUSTC_BOOTSTRAP\" ] || exit 1\nexec \"$@\"\n";
    fs::write(&wrapper, script).expect("a script");
    fs::set_permissions(&wrapper, fs::Permissions::from_mode(0o755)).expect("a mode");
    let wrapper = wrapper.display();
    // One is beside the program, the other in a folder above.
    configure(
        &program,
        &format!(
            "[build]\nrustflags = [\"-Ctarget-cpu=native\", \"-Copt-level=0\"]\n\
             rustc-wrapper = \"{wrapper}\"\nrustc-workspace-wrapper = \"{wrapper}\"\n\
             incremental = true\ntarget = \"wasm32-unknown-unknown\"\n\
             [unstable]\nbuild-std = [\"std\"]\nbuild-std-features = [\"optimize_for_size\"]\n\
             panic-immediate-abort = true\n"
        ),
    );
    configure(
        folder.path(),
        "[profile.release]\nopt-level = \"s\"\noverflow-checks = true\ndebug-assertions = true\n\
         lto = false\ncodegen-units = 16\nstrip = true\npanic = \"unwind\"\n\
         [target.'cfg(all())']\nrustflags = [\"-Copt-level=0\"]\n\
         [target.wasm32-unknown-unknown]\nrustflags = [\"-Copt-level=0\"]\nlinker = \"false\"\n",
    );
    for (target, (found, expected)) in TARGETS.iter().zip(files(&program).iter().zip(&expected)) {
        assert!(found == expected, "{target}");
    }

    // No argument of cargo's overrules this one.
    let package = "[profile.release.package.program-abi]\nopt-level = 0\n";
    configure(folder.path(), package);
    let output = entrypoint_outside(&program, &["build"]);
    assert_rejected(&output);

    // The same in cargo's home, which has the registry of the real one. Cargo takes an empty
    // variable as one that is not set.
    configure(folder.path(), "");
    let user = env::home_dir().expect("a home");
    let path = |variable: &str, usual: &str| {
        env::var_os(variable).map_or_else(|| user.join(usual), PathBuf::from)
    };
    let (real, home) = (path("CARGO_HOME", ".cargo"), folder.path().join("home"));
    let own = fs::read_to_string(real.join("config.toml")).unwrap_or_default();
    configure(&home, &format!("{own}\n{package}"));
    symlink(real.join("registry"), home.join(".cargo/registry")).expect("a link");
    let output = Command::new(env!("CARGO_BIN_EXE_cargo-entrypoint"))
        .arg("build")
        .env("HOME", &home)
        .env("CARGO_HOME", "")
        .env("RUSTUP_HOME", path("RUSTUP_HOME", ".rustup"))
        .env("CARGO_TARGET_DIR", project().join("target"))
        .current_dir(&program)
        .output()
        .expect("run the command");
    assert_rejected(&output);
}

fn assert_rejected(output: &Output) {
    assert_eq!(output.status.code(), Some(2));
    says(
        &stderr(output),
        &[
            "`profile.release.package`",
            "move it to the program's Cargo.toml",
        ],
    );
}

/// Cargo's own default for release builds is that a sum wraps.
#[test]
fn program_checks_its_arithmetic_unless_the_manifest_says_otherwise() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = new_program(folder.path(), "careless");
    let source = program.join("src/lib.rs");
    let text = fs::read_to_string(&source).expect("a source");
    let careless = text.replace(
        "*count = count.checked_add(1).ok_or(ProgramError::ArithmeticOverflow)?;",
        "*count += 1;",
    );
    assert_ne!(careless, text);
    fs::write(&source, careless).expect("a source");
    let run = |target: &str| {
        let words = ["run", "--json", "--fixture", "overflow", "--target", target];
        json(&entrypoint_outside(&program, &words))
    };
    for target in TARGETS {
        let outcome = run(target);
        assert_eq!(outcome["error"]["kind"], "Panicked", "{target}: {outcome}");
        assert_eq!(outcome["error"]["message"], "attempt to add with overflow");
    }
    let manifest = program.join("Cargo.toml");
    let text = fs::read_to_string(&manifest).expect("a manifest");
    let text = format!("{text}\n[profile.release]\noverflow-checks = false\n");
    fs::write(&manifest, text).expect("a manifest");
    for target in TARGETS {
        let outcome = run(target);
        assert_eq!(outcome["status"], 0, "{target}: {outcome}");
        assert_eq!(outcome["logs"], json!(["greeting number 0"]));
    }
}

#[test]
fn variables_change_no_program() {
    let gas = |variable: &str, value: &str| {
        let output = with_variable(&project(), &["run", "--json"], variable, value);
        json(&output)["gas_used"].clone()
    };
    let expected = gas("UNRELATED", "1");
    for (variable, value) in [
        ("CARGO_INCREMENTAL", "1"),
        ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0"),
        ("CARGO_PROFILE_RELEASE_OVERFLOW_CHECKS", "true"),
        ("CARGO_BUILD_RUSTFLAGS", "-Copt-level=0"),
        ("RUSTFLAGS", "-Copt-level=0"),
        (
            "CARGO_TARGET_RISCV64EMAC_UNKNOWN_NONE_POLKAVM_RUSTFLAGS",
            "-Copt-level=0",
        ),
    ] {
        assert_eq!(gas(variable, value), expected, "{variable}={value}");
    }
}

fn with_variable(folder: &Path, words: &[&str], variable: &str, value: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_cargo-entrypoint"))
        .args(words)
        .env(variable, value)
        .current_dir(folder)
        .output()
        .expect("the command runs")
}

/// Every test had built with as many compilers as the computer has processors.
#[test]
fn options_and_variables_of_cargo_reach_the_build() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = new_program(folder.path(), "optional");
    let failed = |output: &Output, parts: &[&str]| {
        assert_eq!(output.status.code(), Some(2), "{}", stdout(output));
        says(&stderr(output), parts);
    };
    for target in TARGETS {
        let words = ["build", "--target", target];
        // Cargo rejects this number of jobs, if it gets to know of it.
        let output = entrypoint_outside(&program, &[&words[..], &["-j", "0"]].concat());
        failed(&output, &["jobs may not be 0"]);
        let output = with_variable(&project(), &words, "CARGO_BUILD_JOBS", "0");
        failed(&output, &["jobs may not be 0"]);
    }
    for command in ["run", "profile", "inspect", "bench"] {
        let output = entrypoint_outside(&program, &[command, "--jobs", "0"]);
        failed(&output, &["jobs may not be 0"]);
    }

    let manifest = program.join("Cargo.toml");
    let text = fs::read_to_string(&manifest).expect("a manifest");
    let text = text.replace("\n[features]\n", "\n[features]\nloud = []\nquiet = []\n");
    fs::write(&manifest, text).expect("a manifest");
    let source = program.join("src/lib.rs");
    let text = fs::read_to_string(&source).expect("a source");
    let text = text.replace(
        "    msg!(",
        "    if cfg!(feature = \"loud\") {\n        msg!(\"loud\");\n    }\n    msg!(",
    );
    fs::write(&source, text).expect("a source");
    let output = entrypoint_outside(&program, &["run", "--json", "-F", "loud,quiet", "--quiet"]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert_eq!(json(&output)["logs"], json!(["loud", "greeting number 1"]));
    // What is printed is the result, which is not that of the fixture.
    says(&stderr(&output), &["not as the fixture expects"]);
    assert_eq!(stderr(&output).lines().count(), 1, "{}", stderr(&output));
    let output = entrypoint_outside(&program, &["run", "--json", "--verbose"]);
    assert_eq!(json(&output)["logs"], json!(["greeting number 1"]));
    says(&stderr(&output), &["Fresh program-abi"]);

    // The lock file beside the program is this project's, without the program.
    for option in ["--locked", "--frozen"] {
        let output = entrypoint_outside(&program, &["build", option]);
        let message = format!("because {option} was passed");
        failed(&output, &["Cargo.lock", &message]);
    }
    let text = fs::read_to_string(&manifest).expect("a manifest");
    let missing = text.replace(
        "\n[dependencies]\n",
        "\n[dependencies]\nno-such-package-of-anybodys = \"1\"\n",
    );
    fs::write(&manifest, missing).expect("a manifest");
    let output = entrypoint_outside(&program, &["build", "--offline"]);
    failed(&output, &["no-such-package-of-anybodys", "offline"]);
}

#[test]
fn a_file_has_no_features() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("program.polkavm");
    fs::write(&file, "PVM").expect("a file");
    let file = file.display().to_string();
    for option in [&["--features", "loud"][..], &["--no-default-features"]] {
        crate::support::refused(
            &[&["run", &file], option].concat(),
            &[&file, "has no features"],
        );
    }
}
