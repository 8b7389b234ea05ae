//! Lists files, and writes them whole or not at all.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// The files and folders in a folder, in any order, without the hidden ones, which are not the
/// author's: an editor's locks, or what a file system keeps beside a file.
pub(crate) fn list(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let is_hidden = |name: &OsStr| name.as_encoded_bytes().starts_with(b".");
    let entries = fs::read_dir(folder)?.collect::<io::Result<Vec<_>>>()?;
    let entries = entries
        .into_iter()
        .filter(|entry| !is_hidden(&entry.file_name()));
    Ok(entries.map(|entry| entry.path()).collect())
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_files_are_not_listed() {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["one.toml", ".one.toml", ".#one.toml"] {
            fs::write(folder.path().join(name), "").expect("a file");
        }
        let listed = list(folder.path()).expect("a folder");
        assert_eq!(listed, [folder.path().join("one.toml")]);
    }
}
