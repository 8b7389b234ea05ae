//! A WebAssembly module: compile, with the LLVM linker for its format, and name its exports.

use std::fs;

use abi::contract;
use anyhow::{Context, Result};

use super::compile::Compilation;
use super::{DebugInfo, Target};
use crate::toolchain::find_wasm_linker;

mod exports;

/// The target's name.
pub(super) const TARGET: &str = "wasm32-unknown-unknown";

/// The argument for the linker by which a stripped module keeps a section.
fn keep(section: &str) -> String {
    format!("-Clink-arg=--keep-section={section}")
}

/// Builds the module.
pub(super) fn build(compilation: &Compilation<'_>, debug_info: DebugInfo) -> Result<Vec<u8>> {
    // Compiling takes longer than finding out that this is missing.
    let linker = find_wasm_linker(&compilation.toolchain.linker)?;
    compilation.announce_core(Target::Wasm32, TARGET);
    let mut command = compilation.command("cdylib", TARGET)?;
    command
        .arg("-Zbuild-std=core,alloc")
        // No engine for modules reads lines, and the functions' names do not come from here.
        .args(["--config", "profile.release.debug=false"])
        .arg("-Ztrim-paths")
        .args(["--config", "profile.release.trim-paths=\"all\""])
        .arg("--config")
        .arg(format!(
            "target.{TARGET}.linker={:?}",
            linker.display().to_string()
        ))
        .arg("--")
        .arg(format!(
            "-Clink-arg=-zstack-size={}",
            compilation.package.stack
        ));
    if debug_info == DebugInfo::Strip {
        command
            // Another profile would have `core` compiled once more.
            .arg("-Clink-arg=--strip-all")
            .args([exports::SECTION, contract::SECTION].map(keep));
    }
    let path = compilation.run(command, Target::Wasm32, "wasm")?;
    let module = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    exports::publish(&module, debug_info).with_context(|| format!("cannot use {}", path.display()))
}
