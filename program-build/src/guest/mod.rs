//! Builds program crates: to a blob, a WebAssembly module, or a native library.
//!
//! A process builds a blob or a module once: a later build with the same package, features and
//! debug information returns the same bytes, even if the sources have changed since.

use std::fs::{self, TryLockError};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::dependencies::Dependencies;
use crate::files;
use crate::memo::Memo;
use crate::options::CargoOptions;
use crate::package::{Program, ProgramPackage};
use crate::toolchain;
use compile::Compilation;

mod addresses;
mod compile;
mod debugger;
mod inlined;
mod native;
mod read_only;
mod riscv64;
mod runner;
mod trial;
mod wasm32;

pub use addresses::Addresses;
pub use debugger::{DebugBuild, IMAGE_BASE, OptLevel, build_for_debugger};
pub use loader::Target;
pub use native::{RUNS_NATIVELY, Sanitizer, build_native, library_path};
pub use runner::{
    MISSING_RUNNER, NativeRunner, check_native_runner, find_native_runner, native_runner,
};
pub use trial::try_tools;

/// Whether a build keeps the debug information, with which failures name functions and lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DebugInfo {
    /// Keep it: lines and functions in a blob, the functions' names in a WebAssembly module, and
    /// everything for a debugger in a library.
    Keep,
    /// Leave it out, for the blob that is deployed.
    Strip,
}

/// Builds a program's blob. The compiler's messages and progress go to the standard error.
///
/// # Errors
///
/// If there is no toolchain for guests, or the crate does not compile or link.
pub fn build(package: &ProgramPackage, debug_info: DebugInfo) -> Result<Vec<u8>> {
    build_with_features(package, &[], debug_info)
}

/// Builds a program's blob with some of its cargo features, besides its default ones.
///
/// # Errors
///
/// As for [`build`].
pub fn build_with_features(
    package: &ProgramPackage,
    features: &[&str],
    debug_info: DebugInfo,
) -> Result<Vec<u8>> {
    build_for(package, Target::Riscv64, features, debug_info)
}

/// Builds a program for a target, with some of its cargo features besides its default ones.
///
/// A library stays at [`file_path`], with the information for debuggers.
///
/// # Errors
///
/// As for [`build`], or if the target is native and this computer cannot run native programs.
pub fn build_for(
    package: &ProgramPackage,
    target: Target,
    features: &[&str],
    debug_info: DebugInfo,
) -> Result<Vec<u8>> {
    type Key = (ProgramPackage, Target, Vec<String>, DebugInfo);
    // Cargo takes longer to find out that nothing has changed than most tests take.
    static FILES: Memo<Key, Vec<u8>> = Memo::new();

    let once = |build: fn(&Compilation<'_>, DebugInfo) -> Result<Vec<u8>>| {
        let owned = features.iter().copied().map(str::to_owned).collect();
        FILES.get((package.clone(), target, owned, debug_info), || {
            locked(package, &target.to_string(), features, |compilation| {
                build(compilation, debug_info)
            })
        })
    };
    match target {
        Target::Riscv64 => once(|compilation, debug_info| {
            let elf = named(compilation.package, compilation.features, "elf");
            riscv64::build(compilation, &elf, debug_info)
        }),
        Target::Wasm32 => once(wasm32::build),
        Target::Native => {
            let library = build_native(package, features, debug_info, None)?;
            fs::read(&library).with_context(|| format!("cannot read {}", library.display()))
        }
    }
}

/// A blob as it is deployed, and where its instructions come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MappedBuild {
    /// The blob: the one that [`build`] makes with [`DebugInfo::Keep`].
    pub blob: Vec<u8>,
    /// The ELF file that the blob is made of, with the lines of its debug information.
    pub elf: Vec<u8>,
    /// The addresses of the blob's instructions in the ELF file.
    pub addresses: Addresses,
}

/// Builds a program's blob, and finds out where in the ELF file each of its instructions is.
///
/// # Errors
///
/// As for [`build`].
pub fn build_mapped(package: &ProgramPackage) -> Result<MappedBuild> {
    locked(package, &Target::Riscv64.to_string(), &[], |compilation| {
        let path = elf_path(package, &[]);
        let blob = riscv64::build(compilation, &path, DebugInfo::Keep)?;
        let elf = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let addresses = Addresses::of(&elf, package.stack, &blob)?;
        Ok(MappedBuild {
            blob,
            elf,
            addresses,
        })
    })
}

/// The blob of a program, and the program's name for people. It builds a package with debug
/// information.
///
/// # Errors
///
/// As for [`build`], or if the file cannot be read.
pub fn blob_of(program: &Program) -> Result<(String, Vec<u8>)> {
    match program {
        Program::Package(package) => Ok((package.name.clone(), build(package, DebugInfo::Keep)?)),
        Program::Blob(path) => {
            let blob = files::read_program(path)?;
            Ok((path.display().to_string(), blob))
        }
    }
}

/// The path of the file that `cargo entrypoint build` writes for a target.
#[must_use]
pub fn file_path(package: &ProgramPackage, target: Target) -> PathBuf {
    named(package, &[], target.extension())
}

/// The path of the ELF file that the blob of a program is made of, if it is built with these
/// features besides those of its options.
#[must_use]
pub fn elf_path(package: &ProgramPackage, features: &[&str]) -> PathBuf {
    named(package, &all_features(package, features), "elf")
}

/// These features, and those of the package's options.
fn all_features<'a>(package: &'a ProgramPackage, features: &[&'a str]) -> Vec<&'a str> {
    let mut all = features.to_vec();
    all.extend(package.options.features.iter().map(String::as_str));
    all
}

/// The file of a program that was built with these features.
fn named(package: &ProgramPackage, features: &[&str], extension: &str) -> PathBuf {
    let name = [&[package.name.as_str()], features].concat().join("+");
    // A dependency's feature is `dependency/feature`.
    let name = name.replace(['/', ',', ' '], "-");
    package.guest_folder().join(format!("{name}.{extension}"))
}

/// Runs `build` while holding the lock of a target, or of a sanitizer, by its name: two builds of
/// one program would write the same files. Each target and each sanitizer also has a folder of its
/// own for cargo, which has a lock of its own. So builds for different targets run at once.
fn locked<T>(
    package: &ProgramPackage,
    name: &str,
    features: &[&str],
    build: impl FnOnce(&Compilation<'_>) -> Result<T>,
) -> Result<T> {
    let toolchain = toolchain::find_or_provide(&package.folder)?;
    let folder = package.guest_folder().join(name);
    let _lock = lock(&folder, &package.options)?;
    let dependencies = Dependencies::fetch(package, &toolchain)?;
    let features = all_features(package, features);
    build(&Compilation {
        package,
        features: &features,
        toolchain: &toolchain,
        dependencies: &dependencies,
        folder: &folder,
    })
}

/// Creates the folder, and waits for its lock. Dropping the file releases the lock.
fn lock(folder: &Path, options: &CargoOptions) -> Result<fs::File> {
    fs::create_dir_all(folder)
        .with_context(|| format!("cannot create the folder {}", folder.display()))?;
    let path = folder.join("build.lock");
    fs::File::create(&path)
        .and_then(|file| {
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    options.progress("waiting for another build to finish");
                    file.lock()?;
                }
                Err(TryLockError::Error(error)) => return Err(error),
            }
            Ok(file)
        })
        .with_context(|| format!("cannot lock {}", path.display()))
}
