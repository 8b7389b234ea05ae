//! A program as a native library, and the protocol of the process that runs it.
//!
//! The library exports [`entrypoint`](crate::entry::ENTRYPOINT_EXPORT),
//! `unsafe extern "C" fn(input: *mut u8) -> u64`, and [`NATIVE_HOST_EXPORT`],
//! `unsafe extern "C" fn(host: *const NativeHost)`. The host calls the second before the entry. Its
//! argument replaces the registers and the imported symbols of the other targets.
//!
//! The library runs in a process of its own, on behalf of the loader. Loader and process exchange a
//! [`Message`] at a time over a stream socket.

use bytemuck::{Pod, Zeroable};

use crate::imports::{Import, MAX_ARGUMENTS};

/// Name of the export that takes a [`NativeHost`].
///
/// The host calls it before each call of the entry. The `NativeHost` must stay in place until the
/// entry has returned.
pub const NATIVE_HOST_EXPORT: &str = "entrypoint_native_host";

/// The number of a syscall that is not one of the contract, but an embedder's.
///
/// The first three arguments are the address and the length of its name, at most
/// [`MAX_OWN_SYSCALL_NAME`], and the address of its [`MAX_ARGUMENTS`] arguments, each a u64.
pub const OWN_SYSCALL: u32 = u32::MAX;

/// The most bytes of the name of an embedder's syscall, on this target.
pub const MAX_OWN_SYSCALL_NAME: usize = 255;

/// The most bytes of memory that a process sends with a syscall: see [`Message::CALLED_WITH`].
pub const MAX_SENT_WITH_CALL: u64 = 4_096;

/// Returns the address and the length of the memory that a syscall with this number and these
/// arguments reads first, if the process sends it with the call.
///
/// ```
/// use abi::imports::Import;
/// use abi::native::sent_with_call;
///
/// let log = Import::Log as u32;
/// assert_eq!(sent_with_call(log, &[4_096, 5, 0, 0, 0]), Some((4_096, 5)));
/// // An empty text needs no bytes, and the loader requests those of a long one.
/// assert_eq!(sent_with_call(log, &[4_096, 0, 0, 0, 0]), None);
/// assert_eq!(sent_with_call(log, &[4_096, 5_000, 0, 0, 0]), None);
/// ```
#[must_use]
pub fn sent_with_call(import: u32, arguments: &[u64; MAX_ARGUMENTS]) -> Option<(u64, u64)> {
    let [address, length, ..] = *arguments;
    let length = match Import::ALL.get(import as usize)? {
        Import::Log | Import::SetReturnData => length,
        Import::LogPubkey => 32,
        _ => return None,
    };
    (1..=MAX_SENT_WITH_CALL)
        .contains(&length)
        .then_some((address, length))
}

/// The place of heap and input, and the function for syscalls.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct NativeHost {
    /// Address of the heap: [`NATIVE_HEAP_BASE`](crate::entry::NATIVE_HEAP_BASE), unless that range
    /// is taken.
    pub heap_base: u64,
    /// Length of the heap in bytes.
    pub heap_size: u64,
    /// Length of the input in bytes.
    pub input_length: u64,
    /// Makes the syscall with this index in [`Import::ALL`](crate::imports::Import::ALL), or
    /// [`OWN_SYSCALL`].
    ///
    /// It takes [`MAX_ARGUMENTS`] arguments, and the syscall uses as many as it has.
    pub call: unsafe extern "C" fn(import: u32, arguments: *const [u64; MAX_ARGUMENTS]) -> u64,
}

/// A message between the loader and the process of a program.
///
/// It has 48 bytes. Some kinds have a payload, whose length is in the message. The loader sends a
/// request, and the process replies with one message. After [`ENTER`](Self::ENTER) and
/// [`ANSWER`](Self::ANSWER) the program runs, and the process replies when it makes a syscall or
/// returns. During a syscall the loader may request memory.
///
/// | request | values | reply |
/// |---|---|---|
/// | [`PLACE`](Self::PLACE) | heap size, input length | [`PLACED`](Self::PLACED): heap base, input address, whether the heap has the header of [`crate::heap`] |
/// | [`READ`](Self::READ) | address, length | [`BYTES`](Self::BYTES): length, and that many bytes; or [`INACCESSIBLE`](Self::INACCESSIBLE) |
/// | [`WRITE`](Self::WRITE) | address, length, and that many bytes | [`DONE`](Self::DONE) or [`INACCESSIBLE`](Self::INACCESSIBLE) |
/// | [`ENTER`](Self::ENTER) | the heap size to announce to the program | [`CALLED`](Self::CALLED): the arguments, and `import`; or [`RETURNED`](Self::RETURNED): the status |
/// | [`ANSWER`](Self::ANSWER) | the return value of the syscall | as for [`ENTER`](Self::ENTER) |
/// | [`START`](Self::START) | heap size, input length, the heap size to announce to the program | as for [`ENTER`](Self::ENTER) |
///
/// If [`sent_with_call`] names memory for a syscall, and the process can read it, the process sends
/// [`CALLED_WITH`](Self::CALLED_WITH) and these bytes in place of [`CALLED`](Self::CALLED). The
/// loader then need not request them. A process that a fork server has forked sends
/// [`POSTED`](Self::POSTED), and the program does not wait for the loader: such a syscall returns
/// nothing and writes no memory.
///
/// A fork server opens the library once, and forks a process for each invocation. It sends
/// [`READY`](Self::READY) once, on a socket of its own, and handles these requests:
///
/// | request | values | reply |
/// |---|---|---|
/// | [`FORK`](Self::FORK) | none; with two descriptors: the socket of the process, and a file for heap and input | [`FORKED`](Self::FORKED): the number of the process |
/// | [`END`](Self::END) | the number of a process or 0, and whether a reply is wanted | if it is: [`ENDED`](Self::ENDED) |
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct Message {
    /// One of the constants of this type.
    pub kind: u32,
    /// Index of the syscall in [`Import::ALL`](crate::imports::Import::ALL), [`OWN_SYSCALL`], or 0.
    pub import: u32,
    /// Values, by kind.
    pub values: [u64; MAX_ARGUMENTS],
}

const _: () = assert!(size_of::<Message>() == 48);

impl Message {
    /// Request: map heap and input, zeroed.
    pub const PLACE: u32 = 1;
    /// Request: read memory.
    pub const READ: u32 = 2;
    /// Request: write memory.
    pub const WRITE: u32 = 3;
    /// Request: call the entry.
    pub const ENTER: u32 = 4;
    /// Request: return from the current syscall.
    pub const ANSWER: u32 = 5;
    /// Reply: heap and input are mapped.
    pub const PLACED: u32 = 6;
    /// Reply: bytes of memory.
    pub const BYTES: u32 = 7;
    /// Reply: the memory is not mapped, or cannot be written.
    pub const INACCESSIBLE: u32 = 8;
    /// Reply: the bytes are written.
    pub const DONE: u32 = 9;
    /// Reply: the program made a syscall.
    pub const CALLED: u32 = 10;
    /// Reply: the program returned.
    pub const RETURNED: u32 = 11;
    /// From a fork server, once: the library is open. The first value is 1 if the server forks, and
    /// 0 if it serves one invocation itself, on the same socket: the constructors of the library
    /// left something that processes would share. The second one is whether the heap has the header
    /// of [`crate::heap`].
    pub const READY: u32 = 12;
    /// Request to a fork server: fork a process.
    pub const FORK: u32 = 13;
    /// Reply of a fork server: the number of the process; 0 if the system does not fork.
    pub const FORKED: u32 = 14;
    /// Request to a fork server: kill a process and its group, and wait until it has ended.
    pub const END: u32 = 15;
    /// Reply of a fork server: 1 and the status of `wait`; 0 if the process is unknown.
    pub const ENDED: u32 = 16;
    /// Request to a process that a fork server has forked: map heap and input in the file, the heap
    /// at [`NATIVE_HEAP_BASE`](crate::entry::NATIVE_HEAP_BASE), and call the entry.
    pub const START: u32 = 17;
    /// Reply: the program made a syscall, as in [`CALLED`](Self::CALLED). The bytes of
    /// [`sent_with_call`] follow. A process sends it only if it can read all of them.
    pub const CALLED_WITH: u32 = 18;
    /// Reply: the program made a syscall, as in [`CALLED_WITH`](Self::CALLED_WITH), and runs on.
    /// After the bytes of [`sent_with_call`] follow those of the heap header, as they were at the
    /// syscall. The loader sends no [`ANSWER`](Self::ANSWER), and receives the next message. A
    /// process sends it only after [`START`](Self::START), and only if it can read all bytes.
    pub const POSTED: u32 = 19;

    /// A message of this kind, with the first three values.
    #[must_use]
    pub const fn new(kind: u32, values: [u64; 3]) -> Self {
        let [first, second, third] = values;
        Self {
            kind,
            import: 0,
            values: [first, second, third, 0, 0],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A program does not wait for such a syscall: see [`Message::POSTED`].
    #[test]
    fn syscalls_whose_memory_is_sent_return_nothing() {
        let is_sent =
            |import: &&Import| sent_with_call(**import as u32, &[8; MAX_ARGUMENTS]).is_some();
        let mut sent = Import::ALL.iter().filter(is_sent);
        assert!(sent.clone().count() > 0);
        assert!(sent.all(|import| import.return_type() == "()"));
    }
}
