//! A driver that holds an arena to a reference model.
//!
//! It takes plain values, so that a property test and a fuzz target can feed it alike.

mod contents;
mod model;
mod shadow;

use core::ops::Range;
use core::ptr::NonNull;

use allocator::Arena;

use super::Buffer;
use shadow::Shadow;

/// One call to the arena. Blocks and marks are named by their index among those there are, modulo
/// their number; `top` is the end. An align is two to the power of `align_bits`.
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
    /// `shrink` by `less` bytes, modulo one more than there are.
    Shrink {
        block: usize,
        less: usize,
        align_bits: u8,
    },
    /// A value behind an `ArenaHandle`; `kind` says of which type, and `number` what or how long it
    /// is.
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
/// [`MODULUS`](super::MODULUS), and then looks whether anything was written outside. `test` must
/// not move that arena elsewhere, but may drop it.
pub fn with_arena<R>(
    remainder: usize,
    length: usize,
    test: impl FnOnce(&mut Arena, Range<usize>) -> R,
) -> R {
    let mut buffer = Buffer::new(remainder, length);
    let region = buffer.region();
    let base = NonNull::from(buffer.lend()).cast();
    // SAFETY: the slice is one allocation of `length` bytes, and the buffer is not touched before
    // the arena is dropped. Tests leave the arena where it is or drop it, and use nothing in it
    // afterwards.
    let mut arena = unsafe { Arena::from_buffer_unchecked(base, length) };
    let result = test(&mut arena, region);
    drop(arena);
    buffer.check_sentinels();
    result
}

/// Carries the operations out on an arena of `length` bytes at an address that is `remainder`
/// modulo [`MODULUS`](super::MODULUS), and compares every step with the model.
pub fn run(remainder: usize, length: usize, operations: &[ArenaOperation]) {
    with_arena(remainder, length, |arena, region| {
        let mut shadow = Shadow::new(region);
        for operation in operations {
            shadow.step(arena, operation);
            shadow.check(arena, operation);
        }
    });
}
