//! A heap at a fixed address.

use core::ptr;

use super::{HEADER_LENGTH, HeapSource, empty_start};

/// A region at an address that is known at compile time.
#[derive(Debug)]
pub struct FixedHeap<const BASE: usize, const LIMIT: usize> {
    _made_here: (),
}

impl<const BASE: usize, const LIMIT: usize> FixedHeap<BASE, LIMIT> {
    /// Returns the region of `LIMIT` bytes at address `BASE` as a source.
    ///
    /// A `LIMIT` above `u32::MAX` or `isize::MAX` does not compile. On a 64-bit target, a region
    /// that ends above address 2^62 does not compile either.
    ///
    /// # Safety
    ///
    /// - The region is one allocation whose provenance is exposed, zeroed, valid for reads and
    ///   writes, and used by nothing else.
    /// - Only one allocator is ever built over it, used from one thread.
    #[must_use]
    pub const unsafe fn new() -> Self {
        const {
            assert!(
                LIMIT <= isize::MAX as usize && LIMIT as u128 <= u32::MAX as u128,
                "a heap is at most u32::MAX and at most isize::MAX bytes long"
            );
            assert!(
                usize::BITS != 64 || BASE as u128 + LIMIT as u128 <= 1 << 62,
                "a heap on a 64-bit machine ends below address 2^62"
            );
        };
        Self { _made_here: () }
    }
}

// SAFETY: the contract of `new` states what the trait requires of the region, and `new` checks its
// length and its end. If the region is too short for the header, the space is empty, and the header
// is the empty one. Start and end are constants. The source does not grow, and no method unwinds or
// calls an allocator.
unsafe impl<const BASE: usize, const LIMIT: usize> HeapSource for FixedHeap<BASE, LIMIT> {
    #[inline(always)]
    fn start(&self) -> *mut u8 {
        if LIMIT < HEADER_LENGTH {
            return empty_start();
        }
        ptr::with_exposed_provenance_mut::<u8>(BASE).wrapping_add(HEADER_LENGTH)
    }

    #[inline(always)]
    fn end(&self) -> *mut u8 {
        if LIMIT < HEADER_LENGTH {
            return empty_start();
        }
        ptr::with_exposed_provenance_mut::<u8>(BASE).wrapping_add(LIMIT)
    }

    #[inline]
    fn limit(&self) -> usize {
        LIMIT
    }
}
