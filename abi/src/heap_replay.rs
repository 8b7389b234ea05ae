//! A trace of a program's allocator, as a guest replays it.
//!
//! `cargo entrypoint allocators` builds a program with the feature `heap-replay` of
//! `program-entrypoint`. Such a program does not call its function. It reads its instruction data
//! as a [`ReplayHeader`] and [`ReplayOperation`]s, makes the same calls of its allocator, and
//! returns [`ReplayFigures`]. Its gas is that of the calls and of the loop around them, which is
//! the same for every allocator.
//!
//! Sizes and alignments are multiples of eight bytes: our heaps round them, so that costs nothing,
//! and a block has one layout, whichever call knows it when it is compiled.

use bytemuck::{Pod, Zeroable};

/// The unit of sizes, and the least alignment, in bytes.
pub const GRAIN: u32 = 8;

/// The number of sizes that the guest knows when it is compiled: 8, 16, 24, … bytes.
pub const CONSTANT_SIZES: u32 = 32;

/// The number of alignments that the guest knows: 8, 16, 32, … bytes, up to a page of 4,096.
pub const ALIGNMENTS: u32 = 10;

/// What comes before the operations.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct ReplayHeader {
    /// 0 to only make the calls, for their gas; 1 to measure memory too, which costs gas.
    pub measures: u32,
    /// How many blocks are live at once, at most.
    pub slots: u32,
}

/// One call of the allocator.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct ReplayOperation {
    /// The method, as [`HeapCall`](crate::heap::HeapCall) numbers them.
    pub method: u8,
    /// The layout, as [`ReplayOperation::layout`] numbers it.
    pub layout: u8,
    /// Always 0.
    pub reserved: u16,
    /// The number of the block, below [`ReplayHeader::slots`]. A freed block's number is used
    /// again.
    pub slot: u32,
    /// The size in bytes, or the new one: a multiple of [`GRAIN`], and not 0. Ignored by a call
    /// that frees.
    pub size: u32,
}

impl ReplayOperation {
    /// The number of a layout: that of a constant size with an alignment of 8 bytes, or else that
    /// of an alignment with any size. `None` if the alignment is not one that the guest knows.
    ///
    /// ```
    /// use abi::heap_replay::{CONSTANT_SIZES, ReplayOperation};
    ///
    /// assert_eq!(ReplayOperation::layout(24, 8, true), Some(2));
    /// assert_eq!(ReplayOperation::layout(24, 8, false), Some(CONSTANT_SIZES as u8));
    /// assert_eq!(ReplayOperation::layout(24, 64, true), Some(CONSTANT_SIZES as u8 + 3));
    /// assert_eq!(ReplayOperation::layout(24, 3, false), None);
    /// ```
    #[must_use]
    pub const fn layout(size: u32, align: u32, is_constant: bool) -> Option<u8> {
        if !align.is_power_of_two() || align < GRAIN || align >= GRAIN << ALIGNMENTS {
            return None;
        }
        let is_known = size > 0 && size.is_multiple_of(GRAIN) && size <= GRAIN * CONSTANT_SIZES;
        if is_constant && align == GRAIN && is_known {
            return Some((size / GRAIN - 1) as u8);
        }
        Some((CONSTANT_SIZES + align.ilog2() - GRAIN.ilog2()) as u8)
    }
}

/// What the guest returns.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct ReplayFigures {
    /// The number of the call that the allocator refused, from 1, because the heap was full. The
    /// replay ends there. 0 if it refused none.
    pub refused: u64,
    /// If memory was measured: bytes from the start of the lowest block to the end of the highest.
    pub extent: u64,
    /// If memory was measured: bytes that the allocator could still allocate after the last call.
    pub available: u64,
}

const _: () = assert!(size_of::<ReplayHeader>() == 8);
const _: () = assert!(size_of::<ReplayOperation>() == 12);
const _: () = assert!(size_of::<ReplayFigures>() == 24);
