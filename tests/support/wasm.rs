//! Programs as WebAssembly modules.

use std::path::Path;

use program_build::guest::{DebugInfo, Target, build_for};
use program_build::package::ProgramPackage;

use crate::project;

/// Compiles the crate in a folder to a module, as programs are, also if it is none.
#[must_use]
pub fn build(folder: &Path, features: &[&str]) -> Vec<u8> {
    let name = folder.file_name().and_then(|name| name.to_str());
    // Any program of the workspace knows where guests are built.
    let package = ProgramPackage::in_folder(&project().join("examples/hello"));
    let package = ProgramPackage {
        name: name.expect("a folder with a name").to_owned(),
        folder: folder.to_owned(),
        ..package.unwrap_or_else(|error| panic!("{error:?}"))
    };
    build_for(&package, Target::Wasm32, features, DebugInfo::Keep)
        .unwrap_or_else(|error| panic!("{error:?}"))
}
