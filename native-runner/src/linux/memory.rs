//! Memory at addresses of which nobody knows whether anything is there.
//!
//! The program hands out addresses as it likes, and to follow a bad one would end the process by the loader's doing. So the system
//! copies: between the memory and a file that has no name, for which it says whether the memory is there.

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
    /// If the system has no room for it.
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
        // SAFETY: the call reads memory only, and answers that it is not there where it is not.
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

    /// Copies bytes to the address, and returns whether all of it can be written. Where it cannot, some of it may have been.
    ///
    /// # Errors
    ///
    /// If the file cannot be used.
    ///
    /// # Safety
    ///
    /// Whatever is at the address and can be written, it is not what code of this crate relies on.
    pub unsafe fn store(&self, address: u64, bytes: &[u8]) -> io::Result<bool> {
        self.file.write_all_at(bytes, 0)?;
        // SAFETY: the call answers that the memory is not there where it is not; what is there may be written, as the caller says.
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
