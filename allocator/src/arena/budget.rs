//! Planned use of an arena.

/// The planned use of an arena in bytes, rounding and alignment gaps included.
///
/// A block takes a multiple of 8 bytes. One with a larger alignment than 8 takes up to the size of
/// a pointer and its alignment more.
///
/// ```
/// use allocator::{Arena, Budget, StaticBuffer};
///
/// static BUFFER: StaticBuffer<4096> = StaticBuffer::new();
/// const BUDGET: Budget = Budget::new(1024, 3072);
/// // If the capacity is a constant, the check can be one too.
/// const { assert!(BUDGET.total() <= 4096) };
///
/// let arena = Arena::from_static_buffer(BUFFER.take().ok_or("taken before")?);
/// assert!(arena.fits_budget(&BUDGET));
/// assert!(!arena.fits_budget(&Budget::new(1025, 3072)));
/// # Ok::<(), &str>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Budget {
    /// Bytes at the bottom end.
    pub bottom: usize,
    /// Bytes at the top end.
    pub top: usize,
}

impl Budget {
    /// Returns a budget of `bottom_bytes` at the bottom end and `top_bytes` at the top end.
    #[must_use]
    pub const fn new(bottom_bytes: usize, top_bytes: usize) -> Self {
        Self {
            bottom: bottom_bytes,
            top: top_bytes,
        }
    }

    /// Returns the bytes at both ends together.
    ///
    /// If the sum does not fit, returns `usize::MAX`, which exceeds the capacity of every arena.
    #[must_use]
    pub const fn total(&self) -> usize {
        self.bottom.saturating_add(self.top)
    }
}
