//! A program crate to a blob: compile, link, link again.
//!
//! The crate is compiled as a static library, whatever crate types its manifest lists, because that needs
//! no linker driver of any compiler's. The LLVM linker makes a position-independent ELF file of it that
//! keeps its relocations, and PolkaVM's linker makes the blob of that.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use cargo_metadata::Message;
use polkavm_linker::TargetInstructionSet;

use crate::package::{Program, ProgramPackage};
use crate::toolchain::{self, Toolchain};

/// Name of the guest target, and of the file that describes it to the compiler.
const TARGET: &str = "riscv64emac-unknown-none-polkavm";

/// Stack of a program in bytes. PolkaVM's own default, 8 KiB, is two frames of a formatter deep.
const STACK_SIZE: u32 = 64 * 1024;

/// The instructions of a blob: the oldest set, which every loader knows and nobody changes any more. It has no hints that cost gas
/// and do nothing here (docs/decisions/0012).
const INSTRUCTION_SET: TargetInstructionSet = TargetInstructionSet::ReviveV1;

/// Whether the blob keeps the information by which a failure is told its function and its source line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DebugInfo {
    /// Keep it.
    Keep,
    /// Leave it out, for the blob that is deployed.
    Strip,
}

/// Builds a program. What the compiler says, and its progress, go to the standard error.
///
/// # Errors
///
/// If there is no toolchain for guests, or the crate does not compile or link.
pub fn build(package: &ProgramPackage, debug_info: DebugInfo) -> Result<Vec<u8>> {
    build_with_features(package, &[], debug_info)
}

/// Builds a program with some of its cargo features, besides its default ones.
///
/// # Errors
///
/// As for [`build`].
pub fn build_with_features(
    package: &ProgramPackage,
    features: &[&str],
    debug_info: DebugInfo,
) -> Result<Vec<u8>> {
    let toolchain = toolchain::find_or_provide(&package.folder)?;
    let folder = package.target_folder.join("guest");
    fs::create_dir_all(&folder)
        .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    // Two builds of one program would write the same files.
    let lock = folder.join("build.lock");
    let lock = fs::File::create(&lock)
        .and_then(|file| {
            if file.try_lock().is_err() {
                eprintln!("waiting for another build to finish");
                file.lock()?;
            }
            Ok(file)
        })
        .with_context(|| format!("cannot lock {}", lock.display()))?;
    let library = compile(package, features, &toolchain, &folder)?;
    let elf = elf_path(package, features);
    link(&toolchain, &library, &elf)?;
    let blob = make_blob(&elf, debug_info);
    drop(lock);
    blob
}

/// The blob of a program, and what to call the program for people. A package is built, with debug information.
///
/// # Errors
///
/// As for [`build`], or if the file cannot be read.
pub fn blob_of(program: &Program) -> Result<(String, Vec<u8>)> {
    match program {
        Program::Package(package) => Ok((package.name.clone(), build(package, DebugInfo::Keep)?)),
        Program::Blob(path) => {
            let blob = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
            Ok((path.display().to_string(), blob))
        }
    }
}

/// Where `build` puts a program's blob.
#[must_use]
pub fn blob_path(package: &ProgramPackage) -> PathBuf {
    package
        .target_folder
        .join("guest")
        .join(format!("{}.polkavm", package.name))
}

/// Where the build of a program with these features leaves the ELF file that its blob is made of.
#[must_use]
pub fn elf_path(package: &ProgramPackage, features: &[&str]) -> PathBuf {
    let name = [&[package.name.as_str()], features].concat().join("+");
    // A dependency's feature is `dependency/feature`.
    let name = name.replace('/', "-");
    let folder = package.target_folder.join("guest");
    folder.join(format!("{name}.elf"))
}

/// Compiles the crate and returns the static library.
fn compile(
    package: &ProgramPackage,
    features: &[&str],
    toolchain: &Toolchain,
    folder: &Path,
) -> Result<PathBuf> {
    let target = folder.join(format!("{TARGET}.json"));
    write_if_changed(&target, polkavm_linker::TARGET_JSON_64_BIT_NEW)?;
    let core = folder.join(TARGET).join("release");
    if !core.exists() {
        eprintln!(
            "compiling `core` for the guest; this happens once and takes about half a minute"
        );
    }
    let mut command = toolchain.cargo();
    command
        .current_dir(&package.folder)
        .args(["rustc", "--lib", "--crate-type", "staticlib", "--release"])
        .args(["-Zbuild-std=core,alloc", "-Zjson-target-spec"])
        .args(["--config", "profile.release.panic=\"abort\""])
        .args(["--config", "profile.release.lto=true"])
        .args(["--config", "profile.release.codegen-units=1"])
        .args(["--config", "profile.release.debug=\"limited\""])
        .args(["--config", "profile.release.strip=false"])
        .args(["--config", "profile.release.incremental=false"])
        // Paths of this machine would make the program another one elsewhere: their length moves what stands behind them.
        .args([
            "-Ztrim-paths",
            "--config",
            "profile.release.trim-paths=\"all\"",
        ])
        .args(["--message-format", "json-render-diagnostics"])
        .arg("--target")
        .arg(&target)
        .arg("--target-dir")
        .arg(folder)
        .args(features.iter().flat_map(|feature| ["--features", feature]))
        .stdout(Stdio::piped());
    let mut child = command
        .spawn()
        .with_context(|| format!("cannot run {}", toolchain.cargo.display()))?;
    let stdout = child.stdout.take().context("cargo's output is piped")?;
    let library = built_library(package, stdout)?;
    if !child.wait()?.success() {
        bail!(
            "`{}` does not compile for the guest; the compiler has said why",
            package.name
        );
    }
    library.with_context(|| format!("cargo has built no static library of `{}`", package.name))
}

/// Reads cargo's messages to the end and picks out the package's static library.
fn built_library(
    package: &ProgramPackage,
    messages: impl std::io::Read,
) -> Result<Option<PathBuf>> {
    let mut library = None;
    for message in Message::parse_stream(std::io::BufReader::new(messages)) {
        let Message::CompilerArtifact(artifact) =
            message.context("cannot read cargo's messages")?
        else {
            continue;
        };
        let is_ours = artifact
            .manifest_path
            .parent()
            .is_some_and(|folder| folder.as_std_path() == package.folder);
        if is_ours
            && let Some(file) = artifact
                .filenames
                .iter()
                .find(|file| file.extension() == Some("a"))
        {
            library = Some(file.as_std_path().to_owned());
        }
    }
    Ok(library)
}

/// Links the library to an ELF file as PolkaVM's linker wants it.
fn link(toolchain: &Toolchain, library: &Path, elf: &Path) -> Result<()> {
    let mut command = Command::new(&toolchain.linker.path);
    if toolchain.linker.wants_flavor {
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
        .arg(library)
        .arg("-o")
        .arg(elf)
        .output()
        .with_context(|| format!("cannot run {}", toolchain.linker.path.display()))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("the program does not link:\n{}", said.trim_end());
    }
    Ok(())
}

fn make_blob(elf: &Path, debug_info: DebugInfo) -> Result<Vec<u8>> {
    let bytes = fs::read(elf).with_context(|| format!("cannot read {}", elf.display()))?;
    let mut config = polkavm_linker::Config::default();
    config.set_min_stack_size(STACK_SIZE);
    config.set_strip(debug_info == DebugInfo::Strip);
    // These put hints for another cost model into the code; where every instruction costs one, they only cost.
    config.set_enable_gas_cost_model_aware_optimizations(false);
    polkavm_linker::program_from_elf(config, INSTRUCTION_SET, &bytes)
        .map_err(|error| anyhow::anyhow!("PolkaVM's linker refuses the program: {error}"))
}

/// Leaves the file's time alone where nothing changes, so that cargo sees nothing new.
fn write_if_changed(path: &Path, text: &str) -> Result<()> {
    if fs::read_to_string(path).is_ok_and(|known| known == text) {
        return Ok(());
    }
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}
