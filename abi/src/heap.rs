//! The heap, as far as the loader knows it.
//!
//! The loader chooses base and size and hands over zeroed memory. What the program does with it is
//! the program's own affair, with one convention: a program whose heap has a bump pointer of ours, as the
//! default heap and the segregated one have, says so by exporting [`BUMP_HEAP_EXPORT`] and keeps a
//! [`HeapHeader`] in the first eight bytes of the heap, however the base is aligned. The loader then reports how much was used and how high use ever
//! went. Without that export it reports neither, because the bytes there could mean anything.

use bytemuck::{Pod, Zeroable};

/// The least heap, in bytes, that a loader gives to a program: 32 KiB.
pub const MIN_HEAP_LENGTH: u32 = 32 * 1024;

/// Name of the exported function by which a program says that its heap keeps a [`HeapHeader`].
///
/// The function exists for its name; nobody calls it.
pub const BUMP_HEAP_EXPORT: &str = "entrypoint_heap_bump";

/// The first 8 bytes of such a heap, all zero before first use. Not aligned: read it byte-wise.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct HeapHeader {
    /// Bytes that the bump pointer has passed behind the header and the program's global state, alignment gaps
    /// and freed blocks that it has not gone back over included.
    pub used: u32,
    /// The greatest `used` that has since been lowered; peak use is the greater of the two.
    pub peak: u32,
}

impl HeapHeader {
    /// The most bytes that were ever in use at once.
    ///
    /// ```
    /// let header = abi::heap::HeapHeader { used: 40, peak: 4_000 };
    /// assert_eq!(header.peak_use(), 4_000);
    /// ```
    #[must_use]
    pub const fn peak_use(&self) -> u32 {
        if self.peak > self.used {
            self.peak
        } else {
            self.used
        }
    }
}

/// Name of the exported function by which a program says that its heap counts what is live.
///
/// It takes nothing and returns the address of a [`HeapTrace`]. Only a program that was built to be profiled has it.
pub const HEAP_TRACE_EXPORT: &str = "entrypoint_heap_trace";

/// What a heap that counts keeps up to date.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct HeapTrace {
    /// Calls of the allocator that are over. While one is under way the other figures do not fit together.
    pub calls: u64,
    /// Bytes in blocks that were taken and not given back, as long as they were asked for.
    pub live: u64,
    /// Bytes in use that are in no live block and that the heap cannot hand out again: freed blocks that were not taken
    /// back, what rounds sizes up, gaps. What is in use and neither live nor leaked waits to be taken again.
    pub leaked: u64,
}

const _: () = assert!(size_of::<HeapTrace>() == 24);
const _: () = assert!(size_of::<HeapHeader>() == 8);
const _: () = assert!(core::mem::offset_of!(HeapHeader, used) == 0);
const _: () = assert!(core::mem::offset_of!(HeapHeader, peak) == 4);
