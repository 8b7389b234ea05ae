//! Access to memory that may not be mapped.
//!
//! The program passes any addresses, and a direct access to an unmapped one would end the process.
//! So the kernel copies between the memory and an anonymous file, and reports whether the memory is
//! mapped.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;

use rustix::fs::{MemfdFlags, memfd_create};

/// Copies memory of this process.
#[derive(Debug)]
pub struct Memory {
    file: File,
}

impl Memory {
    /// Makes the file.
    ///
    /// # Errors
    ///
    /// If the system cannot create it.
    pub fn new() -> io::Result<Self> {
        let file = memfd_create("native-runner", MemfdFlags::CLOEXEC)?;
        Ok(Self { file: file.into() })
    }

    /// Copies what is at the address, and returns whether all of it can be read.
    ///
    /// # Errors
    ///
    /// If the file cannot be used.
    pub fn load(&self, address: u64, buffer: &mut [u8]) -> io::Result<bool> {
        // SAFETY: `pwrite64` requires an open file descriptor, which `file` owns. The kernel reads
        // `buffer.len()` bytes at `address`, checks each of them, and returns `EFAULT` for unmapped
        // memory. It writes no memory of this process.
        let copied = unsafe {
            libc::syscall(
                libc::SYS_pwrite64,
                self.file.as_raw_fd(),
                address,
                buffer.len(),
                0_u64,
            )
        };
        if !is_all(copied, buffer.len())? {
            return Ok(false);
        }
        self.file.read_exact_at(buffer, 0)?;
        Ok(true)
    }

    /// Copies bytes to the address, and returns whether it wrote all of them. If not, it may have
    /// written some.
    ///
    /// # Errors
    ///
    /// If the file cannot be used.
    ///
    /// # Safety
    ///
    /// No code of this crate may rely on the contents of the range: the range is not borrowed, and
    /// it is not memory of this crate.
    pub unsafe fn store(&self, address: u64, bytes: &[u8]) -> io::Result<bool> {
        self.file.write_all_at(bytes, 0)?;
        // SAFETY: `pread64` requires an open file descriptor, which `file` owns. The kernel writes
        // up to `bytes.len()` bytes at `address`, and returns `EFAULT` for unmapped memory. The
        // caller promises that no code of this crate relies on these bytes.
        let copied = unsafe {
            libc::syscall(
                libc::SYS_pread64,
                self.file.as_raw_fd(),
                address,
                bytes.len(),
                0_u64,
            )
        };
        is_all(copied, bytes.len())
    }
}

/// Whether a call has copied everything; `false` if that ended at memory that is not there.
fn is_all(copied: libc::c_long, length: usize) -> io::Result<bool> {
    match usize::try_from(copied) {
        Ok(copied) => Ok(copied == length),
        Err(_) => {
            let error = io::Error::last_os_error();
            if error.raw_os_error() == Some(libc::EFAULT) {
                Ok(false)
            } else {
                Err(error)
            }
        }
    }
}
