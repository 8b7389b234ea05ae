//! The unit in which the top of a heap moves.

/// The alignment of every block. A block takes a multiple of it.
///
/// The top is a multiple of it too, so a usual alignment leaves no gap that freeing would lose. The
/// size of most blocks is a constant, which the compiler rounds.
pub(crate) const GRAIN: usize = 8;

/// Returns the bytes that a block of this size takes in a heap.
///
/// It does not wrap, because the size of a layout is at most `isize::MAX`.
#[inline(always)]
pub(crate) const fn rounded(size: usize) -> usize {
    (size + (GRAIN - 1)) & !(GRAIN - 1)
}
