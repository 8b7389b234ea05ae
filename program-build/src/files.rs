//! Files that are written whole or not at all.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// Writes a file atomically: a concurrent reader finds the old bytes or the new ones.
///
/// # Errors
///
/// If it cannot be written; it is then as it was.
pub fn write_whole(path: &Path, bytes: impl AsRef<[u8]>) -> Result<()> {
    let unfinished = unfinished(path);
    fs::write(&unfinished, bytes)
        .and_then(|()| fs::rename(&unfinished, path))
        .inspect_err(|_| {
            // The file may not exist.
            let _ = fs::remove_file(&unfinished);
        })
        .with_context(|| format!("cannot write {}", path.display()))
}

/// Checks whether [`write_whole`] can write this file, before long work.
///
/// # Errors
///
/// If it would not.
pub fn check_writable(path: &Path) -> Result<()> {
    if path.is_dir() {
        bail!("cannot write {}: it is a folder", path.display());
    }
    let unfinished = unfinished(path);
    fs::write(&unfinished, [])
        .and_then(|()| fs::remove_file(&unfinished))
        .with_context(|| format!("cannot write {}", path.display()))
}

fn unfinished(path: &Path) -> PathBuf {
    path.with_extension(format!("{}.unfinished", std::process::id()))
}
