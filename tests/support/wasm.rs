//! Programs as WebAssembly modules.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use cargo_entrypoint::package::ProgramPackage;
use cargo_entrypoint::toolchain::{self, Linker};

use crate::project;

/// Compiles the crate in a folder to a module, with `core` of its own as every guest, and as much stack.
#[must_use]
pub fn build(folder: &Path, features: &[&str]) -> Vec<u8> {
    // Builds with other features have the same file.
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _lock = ONE_AT_A_TIME
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);

    let toolchain = toolchain::find_or_provide(folder).unwrap_or_else(|error| panic!("{error:?}"));
    // Any program of the workspace knows where guests are built.
    let package = ProgramPackage::in_folder(&project().join("examples/hello"))
        .unwrap_or_else(|error| panic!("{error:?}"));
    let target_folder = package.target_folder.join("guest");
    let linker = wasm_linker(&toolchain.linker).display().to_string();
    let status = toolchain
        .cargo()
        .current_dir(folder)
        .args(["rustc", "--lib", "--crate-type", "cdylib", "--release"])
        .args(["-Zbuild-std=core,alloc", "--target", TARGET])
        .args(["--config", "profile.release.panic=\"abort\""])
        .args(["--config", "profile.release.lto=true"])
        .args(["--config", "profile.release.codegen-units=1"])
        .arg("--config")
        .arg(format!("target.{TARGET}.linker={linker:?}"))
        .args(features.iter().flat_map(|feature| ["--features", feature]))
        .arg("--target-dir")
        .arg(&target_folder)
        .args(["--", "-Clink-arg=-zstack-size=65536"])
        .status()
        .expect("cargo runs");
    assert!(status.success(), "the module does not compile");
    let name = folder.file_name().expect("a folder with a name");
    let file = target_folder
        .join(TARGET)
        .join("release")
        .join(name)
        .with_extension("wasm");
    std::fs::read(file).expect("cargo has written the module")
}

const TARGET: &str = "wasm32-unknown-unknown";

/// `rust-lld` links everything; the others have a name for each format.
fn wasm_linker(linker: &Linker) -> PathBuf {
    let name = linker.path.file_name().and_then(|name| name.to_str());
    match name {
        Some(name) if !linker.wants_flavor => linker
            .path
            .with_file_name(name.replace("ld.lld", "wasm-ld")),
        _ => linker.path.clone(),
    }
}
