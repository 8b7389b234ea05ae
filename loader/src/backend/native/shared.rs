//! Heap and input of a process that a fork server has forked: a file that the process maps, and the
//! loader reads and writes without the process.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::FileExt;

use crate::backend::Inaccessible;

/// The memory. The program can write to it at any time, and can make the file shorter.
pub(super) struct SharedMemory {
    file: File,
    /// Its address in the process.
    base: u64,
    /// Length in bytes; 0 before the process has mapped it.
    length: u64,
}

impl SharedMemory {
    /// Memory of no length.
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            file: create()?,
            base: 0,
            length: 0,
        })
    }

    /// Sets the range that the process will map, and so the length of the file.
    pub fn set_range(&mut self, base: u64, length: u64) -> io::Result<()> {
        self.file.set_len(length)?;
        (self.base, self.length) = (base, length);
        Ok(())
    }

    /// Whether a range is in the memory.
    pub fn has(&self, address: u64, length: u64) -> bool {
        let end = self.length.checked_sub(length);
        let offset = address.checked_sub(self.base);
        matches!((offset, end), (Some(offset), Some(end)) if offset <= end)
    }

    /// Reads a range that is in the memory.
    pub fn read(&self, address: u64, buffer: &mut [u8]) -> Result<(), Inaccessible> {
        self.file
            .read_exact_at(buffer, address.wrapping_sub(self.base))
            .map_err(|_| Inaccessible)
    }

    /// Writes to a range that is in the memory.
    pub fn write(&self, address: u64, bytes: &[u8]) -> Result<(), Inaccessible> {
        self.file
            .write_all_at(bytes, address.wrapping_sub(self.base))
            .map_err(|_| Inaccessible)
    }
}

impl AsFd for SharedMemory {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

#[cfg(target_os = "linux")]
fn create() -> io::Result<File> {
    use rustix::fs::{MemfdFlags, memfd_create};

    Ok(memfd_create("heap and input", MemfdFlags::CLOEXEC)?.into())
}

/// Programs run natively on Linux only, and the loader compiles elsewhere too.
#[cfg(not(target_os = "linux"))]
fn create() -> io::Result<File> {
    Err(io::ErrorKind::Unsupported.into())
}
