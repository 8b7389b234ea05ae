//! A driver that compares an arena with a reference model.
//!
//! Its operations are plain values, for property tests and for a fuzz target.

mod contents;
mod model;
mod shadow;

use core::ops::Range;
use core::ptr::NonNull;

use allocator::Arena;

use super::Buffer;
use shadow::Shadow;

/// One call of the arena. A block or a mark is its index modulo the number of live ones; `top`
/// selects the end. An alignment is two to the power of `align_bits`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ArenaOperation {
    /// `allocate`.
    Allocate {
        top: bool,
        size: usize,
        align_bits: u8,
    },
    /// `allocate_zeroed`.
    AllocateZeroed {
        top: bool,
        size: usize,
        align_bits: u8,
    },
    /// `alloc_bottom_bytes` or `alloc_top_bytes`.
    Bytes { top: bool, size: usize },
    /// `deallocate`.
    Deallocate { block: usize },
    /// `grow` by `more` bytes.
    Grow {
        block: usize,
        more: usize,
        align_bits: u8,
    },
    /// `grow_zeroed` by `more` bytes.
    GrowZeroed {
        block: usize,
        more: usize,
        align_bits: u8,
    },
    /// `shrink` by `less` bytes, modulo the size plus one.
    Shrink {
        block: usize,
        less: usize,
        align_bits: u8,
    },
    /// A value behind an `ArenaHandle`; `kind` selects its type, and `number` its contents or
    /// length.
    Keep { top: bool, kind: u8, number: u8 },
    /// `bottom_mark` or `top_mark`.
    Mark { top: bool },
    /// `rewind_bottom` or `rewind_top`.
    Rewind { mark: usize },
    /// `reset_bottom` or `reset_top`.
    ResetEnd { top: bool },
    /// `reset_top_unchecked`.
    ResetTopUnchecked,
    /// `reset`.
    Reset,
    /// `reset_unchecked`.
    ResetUnchecked,
    /// `clear_peaks`.
    ClearPeaks,
}

/// Runs `test` on an arena of `length` bytes at an address that is `remainder` modulo
/// [`MODULUS`](super::MODULUS), and then checks that no byte outside was written. `test` may drop
/// the arena, but not move it elsewhere.
pub fn with_arena<R>(
    remainder: usize,
    length: usize,
    test: impl FnOnce(&mut Arena, Range<usize>) -> R,
) -> R {
    let mut buffer = Buffer::new(remainder, length);
    let region = buffer.region();
    let base = NonNull::from(buffer.lend()).cast();
    // SAFETY: the slice is one allocation of `length` bytes, which no other code touches before the
    // arena is dropped. Tests do not move the arena elsewhere, and do not use its blocks after they
    // drop it.
    let mut arena = unsafe { Arena::from_buffer_unchecked(base, length) };
    let result = test(&mut arena, region);
    drop(arena);
    buffer.check_sentinels();
    result
}

/// Runs the operations on an arena of `length` bytes at an address that is `remainder` modulo
/// [`MODULUS`](super::MODULUS), and compares each step with the model.
pub fn run(remainder: usize, length: usize, operations: &[ArenaOperation]) {
    with_arena(remainder, length, |arena, region| {
        let mut shadow = Shadow::new(region);
        for operation in operations {
            shadow.step(arena, operation);
            shadow.check(arena, operation);
        }
    });
}
