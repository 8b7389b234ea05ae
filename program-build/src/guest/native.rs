//! A native library, for debuggers, sanitizers and speed.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::compile::Compilation;
use super::{DebugInfo, Target};
use crate::files;
use crate::package::ProgramPackage;
use crate::toolchain;

/// The feature of `program-entrypoint` with which it is what a program needs on the author's own
/// machine.
const FEATURE: &str = "native";

/// The compiler's flag with which cargo leaves out the crates that only unit tests need.
const LEAN: &str = "--cfg=entrypoint_native";

/// A tool that finds faults while a native program runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sanitizer {
    /// Finds accesses beyond the stack and beyond statics. It does not know the blocks of the
    /// program's own heap.
    Address,
}

impl Sanitizer {
    /// The compiler's name for it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Address => "address",
        }
    }

    /// The name in the files of its runtime.
    pub(super) const fn runtime(self) -> &'static str {
        match self {
            Self::Address => "asan",
        }
    }

    /// Whether a library was built with it: then it calls the functions of its runtime.
    #[must_use]
    pub fn is_in(self, library: &[u8]) -> bool {
        let function = format!("__{}_", self.runtime());
        library
            .windows(function.len())
            .any(|bytes| bytes == function.as_bytes())
    }

    /// The compiler's flag for it.
    pub(super) fn flag(self) -> String {
        format!("-Zsanitizer={}", self.name())
    }
}

/// Builds a program as a native library, with some of its cargo features besides its default ones,
/// and returns its path.
///
/// With a sanitizer, the process that opens the library needs the same sanitizer: see
/// [`native_runner`](super::native_runner).
///
/// # Errors
///
/// As for [`build`](super::build), or if this computer cannot run native programs.
pub fn build_native(
    package: &ProgramPackage,
    features: &[&str],
    debug_info: DebugInfo,
    sanitizer: Option<Sanitizer>,
) -> Result<PathBuf> {
    check_machine()?;
    let path = library_path(package, features, sanitizer);
    let feature = package.entrypoint_feature(FEATURE)?;
    let features = [features, &[feature.as_str()]].concat();
    let name = sanitizer.map_or_else(|| Target::Native.to_string(), |it| it.name().to_owned());
    super::locked(package, &name, &features, |compilation| {
        build(compilation, debug_info, sanitizer, &path)
    })
}

/// The path of the library that [`build_native`] builds.
#[must_use]
pub fn library_path(
    package: &ProgramPackage,
    features: &[&str],
    sanitizer: Option<Sanitizer>,
) -> PathBuf {
    let features = super::all_features(package, features);
    let path = super::named(package, &features, Target::Native.extension());
    match (sanitizer, path.parent(), path.file_name()) {
        (Some(sanitizer), Some(folder), Some(name)) => folder.join(sanitizer.name()).join(name),
        _ => path,
    }
}

fn build(
    compilation: &Compilation<'_>,
    debug_info: DebugInfo,
    sanitizer: Option<Sanitizer>,
    path: &Path,
) -> Result<PathBuf> {
    let host = toolchain::host(&compilation.toolchain.rustc, &compilation.package.folder)?;
    compilation.announce_core(Target::Native, &host);
    let mut command = compilation.command("cdylib", host)?;
    command
        // The compiler has a prebuilt `core` for this computer, but its panics name other files
        // than on the other targets, no sanitizer covers it, and it unwinds, which needs functions
        // of `std`.
        .arg("-Zbuild-std=core,alloc")
        .args(["--config", "profile.release.debug=\"full\""])
        // Panics name the same files as on the other targets, and a debugger finds the real ones.
        .arg("-Ztrim-paths")
        .args(["--config", "profile.release.trim-paths=\"macro\""]);
    let sanitizer = sanitizer.map(Sanitizer::flag);
    let flags: Vec<String> = [LEAN.to_owned()].into_iter().chain(sanitizer).collect();
    command.env("CARGO_ENCODED_RUSTFLAGS", flags.join("\x1f"));
    if debug_info == DebugInfo::Strip {
        command.args(["--", "-Cstrip=symbols"]);
    }
    let library = compilation.run(command, Target::Native, "so")?;
    let bytes = fs::read(&library).with_context(|| format!("cannot read {}", library.display()))?;
    // A process that has opened the last one keeps that.
    files::write_whole(path, bytes)?;
    Ok(path.to_owned())
}

/// Whether this computer can run native programs: only 64-bit Linux can.
pub const RUNS_NATIVELY: bool = cfg!(all(target_os = "linux", target_pointer_width = "64"));

/// Fails unless programs run natively here.
pub(super) fn check_machine() -> Result<()> {
    if !RUNS_NATIVELY {
        bail!("native programs run on 64-bit Linux only; use another target");
    }
    Ok(())
}
