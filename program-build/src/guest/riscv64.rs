//! A blob: compile, link, link again.
//!
//! The crate is compiled as a static library, because that needs no linker driver of a compiler.
//! The LLVM linker makes a position-independent ELF file of it that keeps its relocations, and
//! PolkaVM's linker makes the blob of that.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use loader::inspect::Inspection;
use loader::{Engine, Limits, LoadError, Loader};
use polkavm_linker::TargetInstructionSet;

use super::compile::Compilation;
use super::{DebugInfo, Target, inlined, read_only};
use crate::records;
use crate::toolchain::Linker;

/// Name of the guest target, and of the file that describes it to the compiler.
pub(super) const TARGET: &str = "riscv64emac-unknown-none-polkavm";

/// What the file says about the target.
pub(super) const DESCRIPTION: &str = polkavm_linker::TARGET_JSON_64_BIT_NEW;

/// The instruction set of a blob: the oldest set, which every loader knows and which is final. It
/// has no hints, which would cost gas and have no effect here (docs/decisions/0012).
const INSTRUCTION_SET: TargetInstructionSet = TargetInstructionSet::ReviveV1;

/// Builds the blob, and leaves the ELF file that it is made of.
pub(super) fn build(
    compilation: &Compilation<'_>,
    elf: &Path,
    debug_info: DebugInfo,
) -> Result<Vec<u8>> {
    let library = compile(compilation, &LIMITED, &[])?;
    link(&compilation.toolchain.linker, &library, elf, &[])?;
    let blob = make_blob(elf, compilation.package.stack, debug_info)?;
    let library =
        fs::read(&library).with_context(|| format!("cannot read {}", library.display()))?;
    records::attach(blob, &library, debug_info)
}

/// Settings of the profile for the functions and the lines, without variables.
const LIMITED: [&str; 1] = ["debug=\"limited\""];

/// The compiler's flags for every blob.
///
/// PolkaVM's linker miscompiles jumps through a table (docs/decisions/0019). Of the ranges of an
/// inlined function, that linker reads all in DWARF 5, and only the first in the default, 4.
const FLAGS: [&str; 2] = ["-Cjump-tables=no", "-Cdwarf-version=5"];

/// Compiles the crate with some settings of the profile and further flags of the compiler, and
/// returns the static library.
pub(super) fn compile(
    compilation: &Compilation<'_>,
    profile: &[&str],
    further: &[&str],
) -> Result<PathBuf> {
    let target = compilation.folder.join(format!("{TARGET}.json"));
    write_if_changed(&target, DESCRIPTION)?;
    compilation.announce_core(Target::Riscv64, TARGET);
    let mut command = compilation.command("staticlib", target)?;
    // The variable also affects `core`, and replaces the flags in cargo's configuration files.
    let flags = [&FLAGS, further].concat().join("\x1f");
    command.env("CARGO_ENCODED_RUSTFLAGS", flags);
    command
        .args(["-Zbuild-std=core,alloc", "-Zjson-target-spec"])
        .args(
            profile
                .iter()
                .map(|setting| format!("--config=profile.release.{setting}")),
        )
        // Paths of this computer would change the program: their length moves the data behind them.
        .arg("-Ztrim-paths")
        .args(["--config", "profile.release.trim-paths=\"all\""]);
    compilation.run(command, Target::Riscv64, "a")
}

/// Links the library to an ELF file as PolkaVM's linker wants it, with further arguments.
pub(super) fn link(linker: &Linker, library: &Path, elf: &Path, further: &[&str]) -> Result<()> {
    let mut command = Command::new(&linker.path);
    if linker.wants_flavor {
        command.args(["-flavor", "gnu"]);
    }
    let output = command
        .args(["--emit-relocs", "--unique", "--apply-dynamic-relocs"])
        .args([
            "--no-allow-shlib-undefined",
            "-Bsymbolic",
            "-pie",
            "--no-dynamic-linker",
        ])
        // Relaxing would leave the debug sections without the relocations by which lines are found.
        .args([
            "--gc-sections",
            "--no-relax",
            "-z",
            "relro",
            "--whole-archive",
        ])
        .args(further)
        .arg(library)
        .arg("-o")
        .arg(elf)
        .output()
        .with_context(|| format!("cannot run {}", linker.path.display()))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("the program does not link:\n{}", said.trim_end());
    }
    Ok(())
}

/// Makes the blob of an ELF file, and checks that PolkaVM's linker has not miscompiled it.
fn make_blob(elf: &Path, stack: u32, debug_info: DebugInfo) -> Result<Vec<u8>> {
    let bytes = fs::read(elf).with_context(|| format!("cannot read {}", elf.display()))?;
    let bytes = inlined::flatten(&bytes).unwrap_or_else(|error| {
        eprintln!("warning: failures will name fewer functions: {error:#}");
        bytes
    });
    blob_of_elf(&bytes, stack, debug_info)
}

/// Makes the blob of the bytes of an ELF file, with the checks of [`make_blob`].
pub(super) fn blob_of_elf(bytes: &[u8], stack: u32, debug_info: DebugInfo) -> Result<Vec<u8>> {
    if let Some(place) = read_only::find_relocated(bytes)? {
        bail!(
            "the program has relocated read-only data: {place}. PolkaVM's linker may miscompile loads \
             from it. The compiler makes none, so this comes from assembly or another language: put \
             the table into a section `.data.rel.ro` with the flags \"aw\", or compile that code \
             without jump tables (`-fno-jump-tables`)"
        );
    }
    let blob = link_blob(bytes, stack, debug_info)?;
    let inspection = inspect(&blob)?;
    if inspection.exports.is_empty() {
        bail!(
            "the crate is not a program: it exports nothing. A program invokes \
             `entrypoint!(process_instruction)`"
        );
    }
    if invalid_jump(inspection).is_some() {
        // Debug information names the function and the line.
        let blob = link_blob(bytes, stack, DebugInfo::Keep)?;
        if let Some(error) = invalid_jump(inspect(&blob)?) {
            bail!("PolkaVM's linker has miscompiled the program: {error}");
        }
    }
    Ok(blob)
}

pub(super) fn link_blob(elf: &[u8], stack: u32, debug_info: DebugInfo) -> Result<Vec<u8>> {
    let mut config = polkavm_linker::Config::default();
    config.set_min_stack_size(stack);
    config.set_strip(debug_info == DebugInfo::Strip);
    // These put hints for another cost model into the code. With one unit for every instruction,
    // the hints only cost gas.
    config.set_enable_gas_cost_model_aware_optimizations(false);
    polkavm_linker::program_from_elf(config, INSTRUCTION_SET, elf)
        .map_err(|error| anyhow::anyhow!("PolkaVM's linker rejects the program: {error}"))
}

/// Returns what the loader sees in the blob.
fn inspect(blob: &[u8]) -> Result<Inspection> {
    // The loader that loads the blob checks its length, with its own limits.
    let limits = Limits::default().blob(usize::MAX);
    Ok(Loader::new(Engine::Interpreter)?
        .limits(limits)
        .inspect(blob)?)
}

/// Returns the loader's error for a jump to where no code starts, if the blob has one.
fn invalid_jump(inspection: Inspection) -> Option<LoadError> {
    let mut refusals = inspection.refusals.into_iter();
    refusals.find(|refusal| matches!(refusal, LoadError::InvalidJump { .. }))
}

/// Leaves the file's time alone where nothing changes, so that cargo sees nothing new.
fn write_if_changed(path: &Path, text: &str) -> Result<()> {
    if fs::read_to_string(path).is_ok_and(|known| known == text) {
        return Ok(());
    }
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}
