//! A library, as a file that the process of an invocation can open.

use std::fs::{self, File};
use std::io;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

/// A library in a file.
pub(crate) struct Library {
    path: PathBuf,
    /// The file that `path` leads to, if it has no other name. It is gone when this is closed.
    _file: Option<File>,
}

impl Library {
    /// A library in a file without a name. Nothing of it can be left behind, and it does not depend
    /// on a folder where files are writable and executable.
    ///
    /// # Errors
    ///
    /// If the system does not create it.
    pub fn anonymous(bytes: &[u8]) -> Result<Self, String> {
        let file = create(bytes)
            .map_err(|error| format!("cannot copy the library to an anonymous file: {error}"))?;
        Ok(Self {
            path: format!("/proc/{}/fd/{}", std::process::id(), file.as_raw_fd()).into(),
            _file: Some(file),
        })
    }

    /// The library in this file, which has these bytes.
    ///
    /// # Errors
    ///
    /// If it cannot be read, or has other bytes.
    pub fn named(path: &Path, bytes: &[u8]) -> Result<Self, String> {
        let found = fs::read(path);
        let found = found.map_err(|error| format!("cannot read {}: {error}", path.display()))?;
        if found != bytes {
            return Err(format!("{} has changed", path.display()));
        }
        Ok(Self {
            path: path.to_owned(),
            _file: None,
        })
    }

    /// The path at which a process finds it.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// An anonymous file with these bytes, which no process can change: a program could open it too.
#[cfg(target_os = "linux")]
fn create(bytes: &[u8]) -> io::Result<File> {
    use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
    use std::io::Write;

    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let mut file = File::from(memfd_create("program.so", flags)?);
    file.write_all(bytes)?;
    let seals = SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE | SealFlags::SEAL;
    fcntl_add_seals(&file, seals)?;
    Ok(file)
}

/// Programs run natively on Linux only, and the loader compiles elsewhere too.
#[cfg(not(target_os = "linux"))]
fn create(_bytes: &[u8]) -> io::Result<File> {
    Err(io::ErrorKind::Unsupported.into())
}
