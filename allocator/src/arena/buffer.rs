//! Memory for an arena that stands in a `static`.

use core::cell::UnsafeCell;
use core::fmt;
use core::mem::MaybeUninit;
use core::sync::atomic::{AtomicBool, Ordering};

/// `N` bytes for a `static`, which it lends once.
///
/// There is no `static mut` in a program that uses it, and no two arenas over one buffer.
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
// Aligned for what most layouts ask for, so that they cost no gap; nothing depends on it.
#[repr(C, align(16))]
pub struct StaticBuffer<const N: usize> {
    // Zeroes rather than uninitialized, so that the whole static is zero and takes no room in a binary.
    bytes: UnsafeCell<[MaybeUninit<u8>; N]>,
    taken: AtomicBool,
}

impl<const N: usize> StaticBuffer<N> {
    /// A buffer that nobody has taken.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            bytes: UnsafeCell::new([MaybeUninit::new(0); N]),
            taken: AtomicBool::new(false),
        }
    }

    /// Lends the bytes for good: to the first who asks. `None` to everyone else.
    #[must_use]
    #[expect(clippy::mut_from_ref, reason = "the flag makes it the only one")]
    pub fn take(&'static self) -> Option<&'static mut [MaybeUninit<u8>]> {
        // Relaxed: of all calls, on all threads, one sees `false`, and there is nothing that was written
        // to the bytes before and that it would have to see.
        if self.taken.swap(true, Ordering::Relaxed) {
            return None;
        }
        let bytes = self.bytes.get();
        // SAFETY: the bytes live as long as the program, at this address, because `self` is borrowed
        // for good. The flag has been false only for this one call, and nobody else reaches into the
        // cell, so this is the only reference to them there will ever be.
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

// SAFETY: through a shared reference only the flag, an atomic, and `take` can be reached; `take` hands
// the bytes to one caller of one thread, and bytes may be sent there.
unsafe impl<const N: usize> Sync for StaticBuffer<N> {}
