//! Programs as libraries of this machine.

use std::path::Path;
use std::process::Command;

use program_build::package::ProgramPackage;

/// Compiles the crate in a folder to a library of this machine, by the compiler that is active
/// there.
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
    assert!(status.success(), "the library does not compile");
    let file = format!("{TARGET}/release/lib{}.so", package.name);
    std::fs::read(target_folder.join(file)).expect("cargo has written the library")
}

/// The target must be named, or what the build of a program asks for goes to the build's own tools
/// too.
#[cfg(target_arch = "x86_64")]
const TARGET: &str = "x86_64-unknown-linux-gnu";
#[cfg(target_arch = "aarch64")]
const TARGET: &str = "aarch64-unknown-linux-gnu";
