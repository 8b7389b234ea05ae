//! Programs as WebAssembly modules.

use std::path::Path;

use program_build::guest::{DebugInfo, Target, build_for};
use program_build::package::ProgramPackage;

use crate::project;

/// Builds the crate in a folder as a WebAssembly module, even if it is not a program.
#[must_use]
pub fn build(folder: &Path, features: &[&str]) -> Vec<u8> {
    let name = folder.file_name().and_then(|name| name.to_str());
    // The target folder is the same for all programs of the workspace.
    let package = ProgramPackage::in_folder(&project().join("examples/hello"));
    let package = ProgramPackage {
        name: name.expect("a folder with a name").to_owned(),
        folder: folder.to_owned(),
        ..package.unwrap_or_else(|error| panic!("{error:?}"))
    };
    build_for(&package, Target::Wasm32, features, DebugInfo::Keep)
        .unwrap_or_else(|error| panic!("{error:?}"))
}
