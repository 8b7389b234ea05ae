//! The socket: messages, and the loader's access to memory.

use std::fs;
use std::io;
use std::os::fd::{FromRawFd, OwnedFd, RawFd};
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::UnixStream;

use abi::entry::NATIVE_HEAP_BASE;
use abi::heap::HeapHeader;
use abi::native::{MAX_SENT_WITH_CALL, Message};
use bytemuck::Zeroable;
use rustix::io::{FdFlags, fcntl_setfd, retry_on_intr};
use rustix::net::{RecvFlags, SendFlags, recv, send};

use super::End;
use super::memory::{self, Memory};

/// The length of the pieces in which memory is copied. It bounds the buffer, whatever length a
/// message has.
const PIECE: usize = 64 * 1024;

/// The loader, from this side.
#[derive(Debug)]
pub struct Connection {
    socket: OwnedFd,
    memory: Memory,
    /// What was copied last. At first it has no bytes: most processes of a fork server copy none.
    piece: Vec<u8>,
}

/// The socket of a descriptor that this process has inherited.
///
/// # Errors
///
/// If the descriptor is not a socket.
///
/// # Safety
///
/// Nothing else in this process owns the descriptor, or uses it later.
pub unsafe fn inherited(socket: RawFd) -> Result<UnixStream, End> {
    let no_socket = || {
        End::misused(format!(
            "the file descriptor {socket} is not a socket to a loader"
        ))
    };
    let file = fs::metadata(format!("/proc/self/fd/{socket}")).map_err(|_| no_socket())?;
    if !file.file_type().is_socket() {
        return Err(no_socket());
    }
    // SAFETY: `from_raw_fd` requires an open descriptor that nothing else owns, and that needs
    // no other cleanup than `close`. It has just been seen to be open, the caller promises that
    // nothing else owns it, and a socket needs no other cleanup.
    let socket = unsafe { OwnedFd::from_raw_fd(socket) };
    // A program that starts another one does not pass the socket on.
    fcntl_setfd(&socket, FdFlags::CLOEXEC).map_err(|_| no_socket())?;
    Ok(socket.into())
}

impl Connection {
    /// The connection over a socket to the loader.
    pub fn new(socket: UnixStream) -> Self {
        Self {
            socket: socket.into(),
            memory: Memory::default(),
            piece: Vec::new(),
        }
    }

    /// Sends a message.
    ///
    /// # Errors
    ///
    /// If the loader has closed the socket.
    pub fn send(&mut self, message: &Message) -> Result<(), End> {
        send_all(&self.socket, bytemuck::bytes_of(message))
    }

    /// Sends a message with the bytes at an address behind it, and returns whether it has: not if
    /// some of them cannot be read. There are at most [`MAX_SENT_WITH_CALL`] of them, because the
    /// kernel sends so few together or not at all.
    ///
    /// # Errors
    ///
    /// If the loader has closed the socket.
    pub fn send_with(&self, message: &Message, address: u64, length: u64) -> Result<bool, End> {
        debug_assert!(length <= MAX_SENT_WITH_CALL, "{length}");
        self.send_ranges(message, [(address, length as usize), (0, 0)])
    }

    /// As [`send_with`](Self::send_with), and with the heap header, of a heap at
    /// [`NATIVE_HEAP_BASE`].
    ///
    /// # Errors
    ///
    /// If the loader has closed the socket.
    pub fn post(&self, message: &Message, address: u64, length: u64) -> Result<bool, End> {
        debug_assert!(length <= MAX_SENT_WITH_CALL, "{length}");
        let header = (NATIVE_HEAP_BASE, size_of::<HeapHeader>());
        self.send_ranges(message, [(address, length as usize), header])
    }

    fn send_ranges(&self, message: &Message, ranges: [(u64, usize); 2]) -> Result<bool, End> {
        let sent = memory::send_with(&self.socket, bytemuck::bytes_of(message), ranges);
        sent.map_err(|_| End::Closed)
    }

    /// The next message that is not about memory. It handles those that are.
    ///
    /// # Errors
    ///
    /// If the loader has closed the socket.
    pub fn next(&mut self) -> Result<Message, End> {
        loop {
            let mut message = Message::zeroed();
            receive_all(&self.socket, bytemuck::bytes_of_mut(&mut message))?;
            let [address, length, ..] = message.values;
            match message.kind {
                Message::READ => self.read(address, length)?,
                Message::WRITE => self.write(address, length)?,
                _ => return Ok(message),
            }
        }
    }

    /// Sends memory to the loader: all of it, or a message that it is inaccessible.
    fn read(&mut self, address: u64, length: u64) -> Result<(), End> {
        if (1..=MAX_SENT_WITH_CALL).contains(&length) {
            let bytes = Message::new(Message::BYTES, [length, 0, 0]);
            return match self.send_with(&bytes, address, length)? {
                true => Ok(()),
                false => self.send(&Message::new(Message::INACCESSIBLE, [0; 3])),
            };
        }
        // In one piece, it is read only once.
        if (1..=PIECE as u64).contains(&length) {
            let length = length as usize;
            if !self.load(address, length)? {
                return self.send(&Message::new(Message::INACCESSIBLE, [0; 3]));
            }
            self.send(&Message::new(Message::BYTES, [length as u64, 0, 0]))?;
            return self.send_piece();
        }
        // It reads all pieces before it sends the first, because it cannot take back the length
        // that it announces.
        for (address, length) in pieces(address, length) {
            if !self.load(address, length)? {
                return self.send(&Message::new(Message::INACCESSIBLE, [0; 3]));
            }
        }
        self.send(&Message::new(Message::BYTES, [length, 0, 0]))?;
        for (address, length) in pieces(address, length) {
            if !self.load(address, length)? {
                return Err(End::refused(
                    "the program unmapped memory while the loader read it",
                ));
            }
            self.send_piece()?;
        }
        Ok(())
    }

    fn send_piece(&mut self) -> Result<(), End> {
        send_all(&self.socket, &self.piece)
    }

    fn load(&mut self, address: u64, length: usize) -> Result<bool, End> {
        self.piece.resize(length, 0);
        self.memory
            .load(address, &mut self.piece)
            .map_err(|error| memory_failed(&error))
    }

    /// Writes bytes that the loader sends. It reads all of them from the socket, even if it cannot
    /// write them.
    fn write(&mut self, address: u64, length: u64) -> Result<(), End> {
        let mut is_written = true;
        for (address, length) in pieces(address, length) {
            self.piece.resize(length, 0);
            receive_all(&self.socket, &mut self.piece)?;
            if !is_written {
                continue;
            }
            // SAFETY: `store` requires that this crate does not rely on the bytes in the range. The
            // loader writes only to the heap and the input, to which this crate has no reference,
            // and to ranges that the program passed to a syscall. The program is untrusted, and
            // could write to those ranges itself.
            let stored = unsafe { self.memory.store(address, &self.piece) };
            is_written = stored.map_err(|error| memory_failed(&error))?;
        }
        let kind = if is_written {
            Message::DONE
        } else {
            Message::INACCESSIBLE
        };
        self.send(&Message::new(kind, [0; 3]))
    }
}

/// Sends bytes. As [`receive_all`], it calls nothing of the C library or the standard library,
/// because a process that was just forked has none of their pages mapped.
fn send_all(socket: &OwnedFd, mut bytes: &[u8]) -> Result<(), End> {
    while !bytes.is_empty() {
        let sent = retry_on_intr(|| send(socket, bytes, SendFlags::NOSIGNAL));
        bytes = &bytes[sent.map_err(|_| End::Closed)?..];
    }
    Ok(())
}

fn receive_all(socket: &OwnedFd, mut buffer: &mut [u8]) -> Result<(), End> {
    while !buffer.is_empty() {
        let received = retry_on_intr(|| recv(socket, &mut *buffer, RecvFlags::empty()));
        match received {
            Ok((received, _)) if received > 0 => buffer = &mut buffer[received..],
            Ok(_) | Err(_) => return Err(End::Closed),
        }
    }
    Ok(())
}

/// The pieces of a range of memory, with their lengths in bytes. Addresses wrap around; such a
/// range includes addresses that are never mapped.
fn pieces(address: u64, length: u64) -> impl Iterator<Item = (u64, usize)> {
    (0..length).step_by(PIECE).map(move |offset| {
        let piece = (length - offset).min(PIECE as u64);
        (address.wrapping_add(offset), piece as usize)
    })
}

fn memory_failed(error: &io::Error) -> End {
    End::refused(format!("cannot copy memory: {error}"))
}
