//! Tries the tools of a target on an empty crate, in less than a second: a real build begins with
//! half a minute for `core`.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::{Target, riscv64, wasm32};
use crate::toolchain::{self, Toolchain};

/// A crate that needs nothing, not even `core`.
const EMPTY: &str = "#![feature(no_core)]\n#![no_core]\n";

/// Compiles and links an empty crate with the tools of a target.
///
/// # Errors
///
/// If a tool is missing or fails; the message has what the tool says.
pub fn try_tools(toolchain: &Toolchain, target: Target) -> Result<()> {
    let folder = tempfile::tempdir().context("cannot create a temporary folder")?;
    let folder = folder.path();
    let object = folder.join("empty.o");
    let linked = folder.join("empty");
    match target {
        Target::Riscv64 => {
            let description = folder.join(format!("{}.json", riscv64::TARGET));
            fs::write(&description, riscv64::DESCRIPTION)
                .with_context(|| format!("cannot write {}", description.display()))?;
            compile(toolchain, folder, description.as_os_str(), &object)?;
            riscv64::link(&toolchain.linker, &object, &linked, &[])
        }
        Target::Wasm32 => {
            let linker = toolchain::find_wasm_linker(&toolchain.linker)?;
            compile(toolchain, folder, wasm32::TARGET.as_ref(), &object)?;
            let mut command = Command::new(linker);
            if toolchain.linker.wants_flavor {
                command.args(["-flavor", "wasm"]);
            }
            command.arg("--no-entry").arg(&object);
            run(command.arg("-o").arg(&linked))
        }
        Target::Native => {
            let linker =
                toolchain::find_native_linker().context(toolchain::MISSING_NATIVE_LINKER)?;
            let host = toolchain::host(&toolchain.rustc, folder)?;
            compile(toolchain, folder, host.as_ref(), &object)?;
            let mut command = Command::new(linker);
            run(command.arg("-shared").arg(&object).arg("-o").arg(&linked))
        }
    }
}

fn compile(toolchain: &Toolchain, folder: &Path, target: &OsStr, object: &Path) -> Result<()> {
    let source = folder.join("empty.rs");
    fs::write(&source, EMPTY).with_context(|| format!("cannot write {}", source.display()))?;
    let mut command = Command::new(&toolchain.rustc);
    command
        .env("RUSTC_BOOTSTRAP", "1")
        .args(["--edition=2024", "--crate-type=lib", "--emit=obj"])
        .args(["-Zunstable-options", "-Cpanic=abort", "--target"])
        .arg(target)
        .arg(&source);
    run(command.arg("-o").arg(object))
}

fn run(command: &mut Command) -> Result<()> {
    let program = command.get_program().display().to_string();
    let output = command
        .output()
        .with_context(|| format!("cannot run {program}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("{program} fails: {}", said.trim());
    }
    Ok(())
}
