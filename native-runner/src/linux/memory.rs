//! Access to memory that may not be mapped.
//!
//! The program passes any addresses, and a direct access to an unmapped one would end the process.
//! So the kernel copies between the memory and an anonymous file, and reports whether the memory is
//! mapped.

use std::fs::File;
use std::io;
use std::mem;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::ptr;

use rustix::fs::{MemfdFlags, memfd_create};

/// Copies memory of this process.
#[derive(Debug, Default)]
pub struct Memory {
    /// Created by the first copy, because most processes of a fork server copy nothing.
    file: Option<File>,
}

impl Memory {
    fn file(&mut self) -> io::Result<&File> {
        let file = match self.file.take() {
            Some(file) => file,
            None => memfd_create("native-runner", MemfdFlags::CLOEXEC)?.into(),
        };
        Ok(self.file.insert(file))
    }

    /// Copies what is at the address, and returns whether all of it can be read.
    ///
    /// # Errors
    ///
    /// If the system cannot create the file, or the file cannot be used.
    pub fn load(&mut self, address: u64, buffer: &mut [u8]) -> io::Result<bool> {
        let file = self.file()?;
        // SAFETY: `pwrite64` requires an open file descriptor, which `file` owns. The kernel reads
        // `buffer.len()` bytes at `address`, checks each of them, and returns `EFAULT` for unmapped
        // memory. It writes no memory of this process.
        let copied = unsafe {
            libc::syscall(
                libc::SYS_pwrite64,
                file.as_raw_fd(),
                address,
                buffer.len(),
                0_u64,
            )
        };
        if !is_all(copied, buffer.len())? {
            return Ok(false);
        }
        file.read_exact_at(buffer, 0)?;
        Ok(true)
    }

    /// Copies bytes to the address, and returns whether it wrote all of them. If not, it may have
    /// written some.
    ///
    /// # Errors
    ///
    /// If the system cannot create the file, or the file cannot be used.
    ///
    /// # Safety
    ///
    /// No code of this crate may rely on the contents of the range: the range is not borrowed, and
    /// it is not memory of this crate.
    pub unsafe fn store(&mut self, address: u64, bytes: &[u8]) -> io::Result<bool> {
        let file = self.file()?;
        file.write_all_at(bytes, 0)?;
        // SAFETY: `pread64` requires an open file descriptor, which `file` owns. The kernel writes
        // up to `bytes.len()` bytes at `address`, and returns `EFAULT` for unmapped memory. The
        // caller promises that no code of this crate relies on these bytes.
        let copied = unsafe {
            libc::syscall(
                libc::SYS_pread64,
                file.as_raw_fd(),
                address,
                bytes.len(),
                0_u64,
            )
        };
        is_all(copied, bytes.len())
    }
}

/// Sends bytes of this crate's over a socket, and the bytes of two ranges, each an address and a
/// length, behind them. Returns whether it has: not if some of those cannot be read. They must be
/// so few that the kernel sends all of them together.
///
/// # Errors
///
/// If the socket is closed, or the kernel has sent a part.
pub fn send_with(socket: &OwnedFd, before: &[u8], ranges: [(u64, usize); 2]) -> io::Result<bool> {
    let part = |start, length| libc::iovec {
        iov_base: start,
        iov_len: length,
    };
    let [first, second] =
        ranges.map(|(address, length)| part(ptr::without_provenance_mut(address as usize), length));
    let mut parts = [
        part(before.as_ptr().cast_mut().cast(), before.len()),
        first,
        second,
    ];
    let length: usize = parts.iter().map(|part| part.iov_len).sum();
    // SAFETY: every field of a `msghdr` is an integer or a raw pointer, and so may be zero.
    let mut message: libc::msghdr = unsafe { mem::zeroed() };
    message.msg_iov = parts.as_mut_ptr();
    // A literal, because its type depends on the C library.
    message.msg_iovlen = 3;
    loop {
        // SAFETY: `sendmsg` requires an open file descriptor, which `socket` owns, and a `msghdr`
        // whose parts stay valid during the call: `parts` and `before` are borrowed until then. The
        // kernel reads the bytes of both ranges, checks each of them, and returns `EFAULT` for
        // unmapped memory. It writes no memory of this process. A sanitizer's `sendmsg` would check
        // the program's bytes too.
        let sent = unsafe {
            libc::syscall(
                libc::SYS_sendmsg,
                socket.as_raw_fd(),
                &raw const message,
                libc::MSG_NOSIGNAL,
            )
        };
        match is_all(sent, length) {
            Ok(true) => return Ok(true),
            Ok(false) if sent < 0 => return Ok(false),
            Ok(false) => return Err(io::ErrorKind::WriteZero.into()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
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
