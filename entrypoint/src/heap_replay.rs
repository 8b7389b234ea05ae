//! Makes the calls of a program's allocator once more, as [`abi::heap_replay`] describes.

use alloc::alloc::{alloc, alloc_zeroed, dealloc, realloc};
use core::alloc::Layout;
use core::hint::black_box;
use core::mem::size_of;

use abi::heap::HeapCall;
use abi::heap_replay::{
    ALIGNMENTS, CONSTANT_SIZES, GRAIN, ReplayFigures, ReplayHeader, ReplayOperation,
};
use allocator::take_end_of_heap;

use crate::{ProgramError, ProgramResult, set_return_data};

/// A block that the trace knows by the number of its slot.
#[repr(C)]
#[derive(Clone, Copy)]
struct Slot {
    /// Null if the slot has no block.
    block: *mut u8,
    size: usize,
}

type Alloc = unsafe fn(usize) -> *mut u8;
type Dealloc = unsafe fn(*mut u8, usize);
type Realloc = unsafe fn(*mut u8, usize, usize) -> *mut u8;

/// The longest block, so that no layout overflows.
const MAX_SIZE: usize = 1 << 30;

const FIRST_ALIGNMENT: usize = CONSTANT_SIZES as usize;
const LAYOUTS: usize = (CONSTANT_SIZES + ALIGNMENTS) as usize;

/// # Safety
///
/// `ALIGN` is a power of two, and `size` is at most [`MAX_SIZE`].
#[inline(always)]
unsafe fn layout<const ALIGN: usize>(size: usize) -> Layout {
    // SAFETY: by the contract, the alignment is a power of two, and the size does not overflow.
    unsafe { Layout::from_size_align_unchecked(size, ALIGN) }
}

/// # Safety
///
/// As for [`layout`], and `size` is not 0.
unsafe fn alloc_sized<const ALIGN: usize>(size: usize) -> *mut u8 {
    // SAFETY: the contract is that of `layout`.
    let layout = unsafe { layout::<ALIGN>(size) };
    // SAFETY: by the contract, the layout has a size.
    unsafe { alloc(layout) }
}

/// # Safety
///
/// As for [`alloc_sized`].
unsafe fn zeroed_sized<const ALIGN: usize>(size: usize) -> *mut u8 {
    // SAFETY: the contract is that of `layout`.
    let layout = unsafe { layout::<ALIGN>(size) };
    // SAFETY: by the contract, the layout has a size.
    unsafe { alloc_zeroed(layout) }
}

/// # Safety
///
/// The block is live, and has this size and alignment. The caller no longer uses it.
unsafe fn dealloc_sized<const ALIGN: usize>(block: *mut u8, size: usize) {
    // SAFETY: the size and the alignment are those of a block.
    let layout = unsafe { layout::<ALIGN>(size) };
    // SAFETY: by the contract, the block is live, and has this layout.
    unsafe { dealloc(block, layout) };
}

/// # Safety
///
/// The block is live, and has this size and alignment. `size` is from 1 to [`MAX_SIZE`].
unsafe fn realloc_sized<const ALIGN: usize>(block: *mut u8, old: usize, size: usize) -> *mut u8 {
    // SAFETY: the size and the alignment are those of a block.
    let layout = unsafe { layout::<ALIGN>(old) };
    // SAFETY: by the contract, the block is live and has this layout, and the new size is not 0 and
    // does not overflow.
    unsafe { realloc(block, layout, size) }
}

/// Ignores the argument: the size is known when the function is compiled, as in most calls.
///
/// # Safety
///
/// None.
unsafe fn alloc_constant<const SIZE: usize>(_: usize) -> *mut u8 {
    // SAFETY: the sizes of the table are short and not 0, and the alignment is a power of two.
    unsafe { alloc_sized::<{ GRAIN as usize }>(SIZE) }
}

/// As [`alloc_constant`].
///
/// # Safety
///
/// None.
unsafe fn zeroed_constant<const SIZE: usize>(_: usize) -> *mut u8 {
    // SAFETY: the sizes of the table are short and not 0, and the alignment is a power of two.
    unsafe { zeroed_sized::<{ GRAIN as usize }>(SIZE) }
}

/// As [`alloc_constant`].
///
/// # Safety
///
/// The block is live, has `SIZE` bytes and the least alignment. The caller no longer uses it.
unsafe fn dealloc_constant<const SIZE: usize>(block: *mut u8, _: usize) {
    // SAFETY: by the contract, the block is live, with this size and alignment.
    unsafe { dealloc_sized::<{ GRAIN as usize }>(block, SIZE) };
}

/// A table of functions: one for each constant size, and one for each alignment.
macro_rules! table {
    ($constant:ident, $sized:ident) => {
        table!(@sizes $constant, $sized, 8 16 24 32 40 48 56 64 72 80 88 96 104 112 120 128 136 144
            152 160 168 176 184 192 200 208 216 224 232 240 248 256)
    };
    (@sizes $constant:ident, $sized:ident, $($size:literal)*) => {
        [
            $($constant::<$size>,)*
            $sized::<8>, $sized::<16>, $sized::<32>, $sized::<64>, $sized::<128>, $sized::<256>,
            $sized::<512>, $sized::<1024>, $sized::<2048>, $sized::<4096>,
        ]
    };
}

static ALLOC: [Alloc; LAYOUTS] = table!(alloc_constant, alloc_sized);
static ZEROED: [Alloc; LAYOUTS] = table!(zeroed_constant, zeroed_sized);
static DEALLOC: [Dealloc; LAYOUTS] = table!(dealloc_constant, dealloc_sized);
static REALLOC: [Realloc; ALIGNMENTS as usize] = [
    realloc_sized::<8>,
    realloc_sized::<16>,
    realloc_sized::<32>,
    realloc_sized::<64>,
    realloc_sized::<128>,
    realloc_sized::<256>,
    realloc_sized::<512>,
    realloc_sized::<1024>,
    realloc_sized::<2048>,
    realloc_sized::<4096>,
];

const INVALID: ProgramError = ProgramError::InvalidInstructionData;

/// Makes the calls that the instruction data lists, and returns the figures as return data.
///
/// # Errors
///
/// [`ProgramError::InvalidInstructionData`] if the data is not as [`abi::heap_replay`] describes.
/// [`ProgramError::InvalidArgument`] if the heap is too short for the table of blocks.
///
/// # Safety
///
/// - The program has announced its heap, has one allocator over it, and one thread. Nothing has
///   been allocated, and the allocator has not read the end of its heap.
/// - The data comes from a trace: each call that frees or resizes a slot has the layout that the
///   slot got last.
pub unsafe fn replay(data: &[u8], start: impl FnOnce() -> ProgramResult) -> ProgramResult {
    let (header, operations) = data
        .split_at_checked(size_of::<ReplayHeader>())
        .ok_or(INVALID)?;
    let header: &ReplayHeader = bytemuck::try_from_bytes(header).map_err(|_| INVALID)?;
    let operations: &[ReplayOperation] =
        bytemuck::try_cast_slice(operations).map_err(|_| INVALID)?;
    let slots = header.slots as usize;
    // SAFETY: by the contract, the heap was announced, and nothing has been allocated.
    let table = unsafe { take_end_of_heap(slots * size_of::<Slot>()) }.cast::<Slot>();
    if table.is_null() {
        return Err(ProgramError::InvalidArgument);
    }
    // SAFETY: these bytes at the end of the heap are no longer the allocator's. They are aligned to
    // eight and zeroed, and zeroes are slots without blocks. No other code uses them.
    let slots = unsafe { core::slice::from_raw_parts_mut(table, slots) };
    start()?;
    let figures = if header.measures == 0 {
        // SAFETY: by the contract, the data comes from a trace.
        unsafe { run::<false>(operations, slots) }?
    } else {
        // SAFETY: by the contract, the data comes from a trace.
        let mut figures = unsafe { run::<true>(operations, slots) }?;
        figures.available = available();
        figures
    };
    set_return_data(bytemuck::bytes_of(&figures));
    Ok(())
}

/// # Safety
///
/// Each call that frees or resizes a slot has the layout that the slot got last.
#[inline(never)]
unsafe fn run<const MEASURES: bool>(
    operations: &[ReplayOperation],
    slots: &mut [Slot],
) -> Result<ReplayFigures, ProgramError> {
    let mut figures = ReplayFigures::default();
    let (mut lowest, mut highest) = (usize::MAX, 0);
    for (number, operation) in (1..).zip(operations) {
        let slot = slots.get_mut(operation.slot as usize).ok_or(INVALID)?;
        let layout = usize::from(operation.layout);
        let size = operation.size as usize;
        if size > MAX_SIZE || layout >= LAYOUTS {
            return Err(INVALID);
        }
        if operation.method == HeapCall::Dealloc as u8 {
            if slot.block.is_null() {
                return Err(INVALID);
            }
            // SAFETY: the slot has a live block. By the contract, this is its layout.
            unsafe { DEALLOC[layout](slot.block, slot.size) };
            slot.block = core::ptr::null_mut();
            continue;
        }
        if size == 0 {
            return Err(INVALID);
        }
        let block = if operation.method == HeapCall::Realloc as u8 {
            let function = REALLOC.get(layout.wrapping_sub(FIRST_ALIGNMENT));
            let function = function.ok_or(INVALID)?;
            if slot.block.is_null() {
                return Err(INVALID);
            }
            // SAFETY: the slot has a live block of this size. By the contract, this is its
            // alignment. The new size is from 1 to `MAX_SIZE`.
            unsafe { function(slot.block, slot.size, size) }
        } else if operation.method == HeapCall::AllocZeroed as u8 {
            // SAFETY: the size is from 1 to `MAX_SIZE`.
            unsafe { ZEROED[layout](size) }
        } else {
            // SAFETY: the size is from 1 to `MAX_SIZE`.
            unsafe { ALLOC[layout](size) }
        };
        if block.is_null() {
            figures.refused = number;
            break;
        }
        *slot = Slot { block, size };
        if MEASURES {
            lowest = lowest.min(block.addr());
            highest = highest.max(block.addr() + size);
        }
    }
    figures.extent = highest.saturating_sub(lowest) as u64;
    Ok(figures)
}

/// Allocates all that is left, the longest blocks first, and returns how many bytes that is.
///
/// The sizes are those of the segregated heap's classes, so that its lists are emptied too.
#[inline(never)]
fn available() -> u64 {
    let mut bytes = 0;
    let mut take = |size: usize| {
        loop {
            // SAFETY: the size is not 0, and at most 7 << 20.
            let block = unsafe { alloc_sized::<{ GRAIN as usize }>(size) };
            // The compiler would leave out a block that it sees unused, and take it for granted.
            if black_box(block).is_null() {
                return;
            }
            bytes += size as u64;
        }
    };
    for shift in (5..=20).rev() {
        for steps in [7, 6, 5, 4] {
            take(steps << shift);
        }
    }
    for size in [64, 32, 16, 8] {
        take(size);
    }
    bytes
}
