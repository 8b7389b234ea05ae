//! Lists files, and writes them whole or not at all.

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, bail};
use loader::Limits;
use tempfile::{Builder, NamedTempFile};

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

/// The time of a file that was just written may be behind the system's clock by this much.
pub(crate) const CLOCK_STEP: Duration = Duration::from_millis(10);

/// Whether a file was last changed before a time.
pub(crate) fn is_older(path: &Path, time: SystemTime) -> bool {
    let changed = fs::metadata(path).and_then(|file| file.modified());
    changed.is_ok_and(|changed| changed + CLOCK_STEP < time)
}

/// Reads a program's file, of at most the length that a loader accepts by default: the path may
/// lead to anything, a device without an end too.
///
/// # Errors
///
/// If it cannot be read, or if it is longer.
pub fn read_program(path: &Path) -> Result<Vec<u8>> {
    read_at_most(path, Limits::default().blob)
}

fn read_at_most(path: &Path, limit: usize) -> Result<Vec<u8>> {
    let read = || {
        let mut bytes = Vec::new();
        File::open(path)?
            .take(limit as u64 + 1)
            .read_to_end(&mut bytes)?;
        io::Result::Ok(bytes)
    };
    let bytes = read().with_context(|| format!("cannot read {}", path.display()))?;
    if bytes.len() > limit {
        bail!(
            "{} has more than {limit} bytes, and a program's file has at most that; pass the file \
             of a program",
            path.display()
        );
    }
    Ok(bytes)
}

/// Writes a file atomically: a concurrent reader finds the old bytes or the new ones.
///
/// It follows symbolic links, and keeps the mode and the owner of a file that exists.
///
/// # Errors
///
/// If it cannot be written; it is then as it was.
pub fn write_whole(path: &Path, bytes: impl AsRef<[u8]>) -> Result<()> {
    let write = || {
        let (mut unfinished, path) = prepare(path)?;
        unfinished.write_all(bytes.as_ref())?;
        unfinished.persist(path)?;
        Ok(())
    };
    write().map_err(|error: io::Error| cannot_write(path, error))
}

/// Checks whether [`write_whole`] can write this file, before long work.
///
/// # Errors
///
/// If it would not.
pub fn check_writable(path: &Path) -> Result<()> {
    prepare(path)
        .map(drop)
        .map_err(|error| cannot_write(path, error))
}

fn cannot_write(path: &Path, error: io::Error) -> anyhow::Error {
    anyhow::Error::new(error).context(format!("cannot write {}", path.display()))
}

/// An empty file that can replace the one that a path leads to, and that file's own path.
fn prepare(path: &Path) -> io::Result<(NamedTempFile, PathBuf)> {
    let path = follow_links(path)?;
    let known = match fs::metadata(&path) {
        Ok(known) if known.is_dir() => return Err(io::Error::other("it is a folder")),
        // A device or a pipe is not one that can be replaced.
        Ok(known) if !known.is_file() => return Err(io::Error::other("it is not a regular file")),
        Ok(known) => Some(known),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    let folder = match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    let unfinished = Builder::new()
        .prefix(".")
        .suffix(".unfinished")
        // Those of any new file: the system subtracts the user's mask.
        .permissions(Permissions::from_mode(0o666))
        .tempfile_in(folder)?;
    if let Some(known) = known {
        // Only the folder's mode decides about replacing a file. This asks the file's own.
        OpenOptions::new().write(true).open(&path)?;
        // Only root can give a file away, and for others it is theirs in any case.
        let _ = fchown(unfinished.as_file(), Some(known.uid()), Some(known.gid()));
        unfinished.as_file().set_permissions(known.permissions())?;
    }
    Ok((unfinished, path))
}

/// The path that symbolic links lead to. There need not be a file.
fn follow_links(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..MAX_LINKS {
        // Any other error shows again when the file is used.
        let Ok(link) = fs::read_link(&path) else {
            return Ok(path);
        };
        path = path.parent().unwrap_or(&path).join(link);
    }
    Err(io::Error::other("too many symbolic links"))
}

/// As many links as Linux follows.
const MAX_LINKS: usize = 40;

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    /// The path of a new folder, with links resolved.
    fn folder() -> tempfile::TempDir {
        tempfile::tempdir().expect("a folder")
    }

    #[test]
    fn a_program_is_read_to_the_limit() {
        let folder = folder();
        let path = folder.path().join("program");
        for (length, is_read) in [(0, true), (10, true), (11, false), (1_000, false)] {
            fs::write(&path, vec![7; length]).expect("a file");
            let read = read_at_most(&path, 10);
            assert_eq!(read.ok(), is_read.then(|| vec![7; length]));
        }
        let error = read_at_most(Path::new("/dev/zero"), 10).expect_err("no end");
        assert!(error.to_string().contains("more than 10 bytes"), "{error}");
    }

    #[test]
    fn only_regular_files_are_replaced() {
        let folder = folder();
        let circle = folder.path().join("circle");
        symlink(&circle, &circle).expect("a link");
        for (path, reason) in [
            (folder.path(), "it is a folder"),
            (Path::new("/dev/null"), "it is not a regular file"),
            (&circle, "too many symbolic links"),
        ] {
            for error in [check_writable(path), write_whole(path, "text")] {
                let error = format!("{:#}", error.expect_err("not a file"));
                assert_eq!(error, format!("cannot write {}: {reason}", path.display()));
            }
        }
        assert_eq!(fs::read_dir(&folder).expect("a folder").count(), 1);
    }

    #[test]
    fn hidden_files_are_not_listed() {
        let folder = folder();
        for name in ["one.toml", ".one.toml", ".#one.toml"] {
            fs::write(folder.path().join(name), "").expect("a file");
        }
        let listed = list(folder.path()).expect("a folder");
        assert_eq!(listed, [folder.path().join("one.toml")]);
    }
}
