//! The chores of this project itself. No program and no user of the libraries needs them.
#![forbid(unsafe_code)]

pub mod bench;
pub mod replay;
pub mod scale;
pub mod svm;

use std::path::Path;

/// The folder of the project.
#[must_use]
pub fn project() -> &'static Path {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    folder.parent().unwrap_or(folder)
}
