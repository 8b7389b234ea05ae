//! The process in which a library runs.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::compile;
use super::native::{Sanitizer, check_machine};
use crate::toolchain;

/// Builds the crate `native-runner` of this project with the cargo that is active in its folder, below the target folder `guest/native-runner`, and
/// returns the executable.
///
/// # Errors
///
/// If programs do not run natively on this machine, the crate is no longer where it was when this was built, or it does not compile:
/// with a sanitizer, perhaps because the compiler comes without it.
pub fn native_runner(target_folder: &Path, sanitizer: Option<Sanitizer>) -> Result<PathBuf> {
    check_machine()?;
    let folder = source_folder()?;
    let mut target_folder = target_folder.join("guest/native-runner");
    let mut command = Command::new("cargo");
    toolchain::remove_variables(&mut command);
    command
        .current_dir(&folder)
        .args(["rustc", "--bin", "native-runner", "--release", "--quiet"])
        .args(["--message-format", "json-render-diagnostics"]);
    if let Some(sanitizer) = sanitizer {
        target_folder.push(sanitizer.name());
        let rustc = Path::new("rustc");
        let host = toolchain::host(rustc, &folder)?;
        if !toolchain::has_runtime(rustc, &folder, &host, sanitizer.runtime()) {
            bail!(
                "the Rust compiler that is active comes without the sanitizer `{}`; type `rustup default stable` for one that \
                 has it",
                sanitizer.name()
            );
        }
        sanitizer.set(&mut command);
        // Where a target is named, build scripts and macros are compiled without the sanitizer.
        command
            .env("RUSTC_BOOTSTRAP", "1")
            .args(["--target", &host]);
    }
    if !target_folder.exists() {
        eprintln!("compiling `native-runner`, in which programs run natively; this happens once");
    }
    command.arg("--target-dir").arg(&target_folder);
    if let Some(sanitizer) = sanitizer {
        // The program's library takes the sanitizer's functions from the executable.
        let functions = format!("__{}_*", sanitizer.runtime());
        command.arg("--").arg(format!(
            "-Clink-arg=-Wl,--export-dynamic-symbol={functions}"
        ));
    }
    let failed =
        || "the crate `native-runner` does not compile; the compiler has said why".to_owned();
    let executable = compile::run(command, &folder, failed, |artifact| {
        Some(artifact.executable.as_ref()?.as_std_path().to_owned())
    })?;
    executable.context("cargo has built no executable of `native-runner`")
}

fn source_folder() -> Result<PathBuf> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    let project = own
        .parent()
        .context("the command's crate stands in the project's folder")?;
    let folder = project.join("native-runner");
    if !folder.join("Cargo.toml").is_file() {
        bail!(
            "the process in which programs run natively is built from {}, which is no longer there; run `cargo install --path cargo-entrypoint` \
             where the project's crates are now",
            folder.display()
        );
    }
    folder
        .canonicalize()
        .context("cannot find the project's folder")
}
