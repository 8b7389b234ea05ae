//! Programs as native libraries.

use std::path::Path;
use std::process::Command;

use program_build::package::ProgramPackage;

/// Builds the crate in a folder as a native library, with the compiler that is active there.
#[must_use]
pub fn build(folder: &Path) -> Vec<u8> {
    let package = ProgramPackage::in_folder(folder).unwrap_or_else(|error| panic!("{error:?}"));
    let target_folder = package.target_folder.join("native");
    let status = Command::new("cargo")
        .env("RUSTC_BOOTSTRAP", "1")
        .env_remove("RUSTFLAGS")
        .current_dir(folder)
        .args(["rustc", "--lib", "--crate-type", "cdylib", "--release"])
        .args(["--features", "entrypoint/native", "--target", TARGET])
        .args(["--config", "profile.release.panic=\"abort\""])
        .args(["--config", "profile.release.lto=true"])
        .args(["--config", "profile.release.codegen-units=1"])
        .arg("--target-dir")
        .arg(&target_folder)
        .status()
        .expect("cargo runs");
    assert!(status.success(), "the build of the library failed");
    let file = format!("{TARGET}/release/lib{}.so", package.name);
    std::fs::read(target_folder.join(file)).expect("the library of the build")
}

/// The build names its target, because otherwise its settings would apply to build scripts too.
#[cfg(target_arch = "x86_64")]
const TARGET: &str = "x86_64-unknown-linux-gnu";
#[cfg(target_arch = "aarch64")]
const TARGET: &str = "aarch64-unknown-linux-gnu";
