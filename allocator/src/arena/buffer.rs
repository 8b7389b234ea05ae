//! Memory for an arena in a `static`.

use core::cell::UnsafeCell;
use core::fmt;
use core::mem::MaybeUninit;
use core::sync::atomic::{AtomicBool, Ordering};

/// `N` bytes for a `static`, lent once.
///
/// A program that uses it needs no `static mut`, and cannot build two arenas over one buffer.
///
/// ```
/// use allocator::{Arena, StaticBuffer};
///
/// static BUFFER: StaticBuffer<1024> = StaticBuffer::new();
///
/// let arena = BUFFER.take().map(Arena::from_static_buffer);
/// assert_eq!(arena.map(|arena| arena.capacity()), Some(1024));
/// assert!(BUFFER.take().is_none());
/// ```
// Aligned for most layouts, so that they need no gap. Nothing depends on it.
#[repr(C, align(16))]
pub struct StaticBuffer<const N: usize> {
    // Zeroes instead of uninitialized bytes, so that the whole static is zero and needs no space in
    // a binary.
    bytes: UnsafeCell<[MaybeUninit<u8>; N]>,
    taken: AtomicBool,
}

impl<const N: usize> StaticBuffer<N> {
    /// Returns a buffer that is not taken.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            bytes: UnsafeCell::new([MaybeUninit::new(0); N]),
            taken: AtomicBool::new(false),
        }
    }

    /// Lends the bytes forever, to the first caller. Returns `None` to every other caller.
    #[must_use]
    #[expect(clippy::mut_from_ref, reason = "the flag makes it the only one")]
    pub fn take(&'static self) -> Option<&'static mut [MaybeUninit<u8>]> {
        // Relaxed: of all calls, on all threads, one sees `false`. Nothing was written to the bytes
        // before, so there is nothing to synchronize.
        if self.taken.swap(true, Ordering::Relaxed) {
            return None;
        }
        let bytes = self.bytes.get();
        // SAFETY: the bytes live as long as the program, at this address, because `self` is
        // borrowed forever. The flag is false for only this one call, and no other code accesses
        // the cell, so this is the only reference to them.
        let bytes = unsafe { &mut *bytes };
        Some(bytes)
    }
}

impl<const N: usize> Default for StaticBuffer<N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const N: usize> fmt::Debug for StaticBuffer<N> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("StaticBuffer")
            .field("length", &N)
            .field("taken", &self.taken.load(Ordering::Relaxed))
            .finish()
    }
}

// SAFETY: a shared reference gives access only to the flag, an atomic, and to `take`. `take` gives
// the bytes to one caller on one thread, and bytes are `Send`.
unsafe impl<const N: usize> Sync for StaticBuffer<N> {}
