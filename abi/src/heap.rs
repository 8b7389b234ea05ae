//! The heap, as far as the loader knows it.
//!
//! The loader chooses base and size, and provides zeroed memory. The program may use it in any way,
//! with one convention. The default heap and the segregated heap keep a [`HeapHeader`] in the first
//! eight bytes of the heap, whatever the alignment of the base. A program with such a heap exports
//! [`BUMP_HEAP_EXPORT`], and the loader then reports use and peak. Without that export the loader
//! reports neither, because the bytes could mean anything.

use bytemuck::{Pod, Zeroable};

/// The least heap, in bytes, that a loader gives to a program: 32 KiB.
pub const MIN_HEAP_LENGTH: u32 = 32 * 1024;

/// Name of the export that declares that the heap has a [`HeapHeader`].
///
/// Only its presence matters: the loader never calls it.
pub const BUMP_HEAP_EXPORT: &str = "entrypoint_heap_bump";

/// The heap header: the first 8 bytes of the heap, all zero before first use.
///
/// It may be unaligned, so read it byte by byte.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct HeapHeader {
    /// Bytes between the program's global state and the bump pointer.
    ///
    /// They include rounding, alignment gaps, and freed blocks that the bump pointer has not gone
    /// back over.
    pub used: u32,
    /// The greatest `used` that was lowered since. Peak use is the greater of the two.
    pub peak: u32,
}

impl HeapHeader {
    /// The most bytes that were in use at the same time.
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

/// Name of the export that returns the address of the program's [`HeapTrace`].
///
/// It takes no arguments. Only a program that was built for profiling has it.
pub const HEAP_TRACE_EXPORT: &str = "entrypoint_heap_trace";

/// The figures of a heap that counts its live bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct HeapTrace {
    /// Finished calls of the allocator. During a call, the other figures are not consistent.
    pub calls: u64,
    /// Bytes in allocated blocks that were not freed, by their requested sizes.
    pub live: u64,
    /// Bytes in use that are in no live block and that the heap cannot reuse.
    ///
    /// These are freed blocks that the heap did not take back, rounding of sizes, and gaps. Bytes
    /// in use that are neither live nor leaked wait for reuse.
    pub leaked: u64,
    /// The address of the block that the last call allocated, or moved another one to; 0 if it
    /// allocated none, or the heap refused.
    pub allocated: u64,
    /// The requested size of that block in bytes.
    pub size: u64,
    /// The address of the block that the last call freed, or moved or resized; 0 if it freed none.
    pub freed: u64,
    /// The alignment that the last call requested, in bytes.
    pub align: u64,
    /// The method that was called last, as [`HeapCall`] numbers them.
    pub method: u64,
}

/// A method of a program's allocator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum HeapCall {
    /// `alloc`.
    Alloc = 0,
    /// `alloc_zeroed`.
    AllocZeroed = 1,
    /// `dealloc`.
    Dealloc = 2,
    /// `realloc`.
    Realloc = 3,
}

impl HeapCall {
    /// The method with this number; `None` for another number.
    ///
    /// ```
    /// use abi::heap::HeapCall;
    ///
    /// assert_eq!(HeapCall::new(3), Some(HeapCall::Realloc));
    /// assert_eq!(HeapCall::new(4), None);
    /// ```
    #[must_use]
    pub const fn new(number: u64) -> Option<Self> {
        match number {
            0 => Some(Self::Alloc),
            1 => Some(Self::AllocZeroed),
            2 => Some(Self::Dealloc),
            3 => Some(Self::Realloc),
            _ => None,
        }
    }
}

const _: () = assert!(size_of::<HeapTrace>() == 64);
const _: () = assert!(size_of::<HeapHeader>() == 8);
const _: () = assert!(core::mem::offset_of!(HeapHeader, used) == 0);
const _: () = assert!(core::mem::offset_of!(HeapHeader, peak) == 4);
