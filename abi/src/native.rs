//! A program as a library of the machine that it is written on.
//!
//! The library exports [`entrypoint`](crate::entry::ENTRYPOINT_EXPORT), `unsafe extern "C" fn(input: *mut u8) -> u64`, and
//! [`NATIVE_HOST_EXPORT`], `unsafe extern "C" fn(host: *const NativeHost)`, by which it is told before the entry what on the
//! other machines the registers and the imports say.
//!
//! It runs in a process of its own, which does as the loader says. The two speak over a stream socket: see [`Message`].

use bytemuck::{Pod, Zeroable};

use crate::imports::MAX_ARGUMENTS;

/// Name of the exported function that takes a [`NativeHost`]. It is called before each call of the entry, and what it is given
/// stays where it is until that has returned.
pub const NATIVE_HOST_EXPORT: &str = "entrypoint_native_host";

/// Where everything is, and how the program calls its loader.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct NativeHost {
    /// Address of the heap: [`NATIVE_HEAP_BASE`](crate::entry::NATIVE_HEAP_BASE), unless something else is there.
    pub heap_base: u64,
    /// Length of the heap in bytes.
    pub heap_size: u64,
    /// Length of the input in bytes.
    pub input_length: u64,
    /// Calls the import that is at this place of [`Import::ALL`](crate::imports::Import::ALL), with [`MAX_ARGUMENTS`]
    /// arguments, of which it takes as many as it has.
    pub call: unsafe extern "C" fn(import: u32, arguments: *const [u64; MAX_ARGUMENTS]) -> u64,
}

/// What the loader and the process of a program say to each other: 48 bytes, and behind some kinds as many more as the message says.
///
/// The loader asks, and the process answers each request with one message, but for [`ANSWER`](Self::ANSWER) and
/// [`ENTER`](Self::ENTER): then the program runs, until it calls an import or returns. While an import is called the loader may ask
/// for memory.
///
/// | the loader | values | the process answers |
/// |---|---|---|
/// | [`PLACE`](Self::PLACE) | heap size, input length | [`PLACED`](Self::PLACED): heap base, input address, whether the heap keeps the header of [`crate::heap`] |
/// | [`READ`](Self::READ) | address, length | [`BYTES`](Self::BYTES): length, and so many bytes; or [`INACCESSIBLE`](Self::INACCESSIBLE) |
/// | [`WRITE`](Self::WRITE) | address, length, and so many bytes | [`DONE`](Self::DONE) or [`INACCESSIBLE`](Self::INACCESSIBLE) |
/// | [`ENTER`](Self::ENTER) | the size that the program is told of its heap | [`CALLED`](Self::CALLED): the arguments, and `import`; or [`RETURNED`](Self::RETURNED): the status |
/// | [`ANSWER`](Self::ANSWER) | what the import answers | as for [`ENTER`](Self::ENTER) |
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct Message {
    /// One of the constants.
    pub kind: u32,
    /// The place of an import in [`Import::ALL`](crate::imports::Import::ALL), and otherwise 0.
    pub import: u32,
    /// What the kind says.
    pub values: [u64; MAX_ARGUMENTS],
}

const _: () = assert!(size_of::<Message>() == 48);

impl Message {
    /// Map heap and input, zeroed.
    pub const PLACE: u32 = 1;
    /// Read memory.
    pub const READ: u32 = 2;
    /// Write memory.
    pub const WRITE: u32 = 3;
    /// Call the entry.
    pub const ENTER: u32 = 4;
    /// Return from the import that was called.
    pub const ANSWER: u32 = 5;
    /// Heap and input are there.
    pub const PLACED: u32 = 6;
    /// Bytes of the memory.
    pub const BYTES: u32 = 7;
    /// The memory is not there, or cannot be written.
    pub const INACCESSIBLE: u32 = 8;
    /// It was written.
    pub const DONE: u32 = 9;
    /// The program has called an import.
    pub const CALLED: u32 = 10;
    /// The program has returned.
    pub const RETURNED: u32 = 11;

    /// A message of a kind, with the first of its values.
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
