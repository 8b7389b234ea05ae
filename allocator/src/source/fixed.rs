//! A heap at an address known beforehand.

use core::ptr;

use super::{HEADER_LENGTH, HeapSource, empty_start};

/// A region at an address known when the program is compiled.
#[derive(Debug)]
pub struct FixedHeap<const BASE: usize, const LIMIT: usize> {
    _made_here: (),
}

impl<const BASE: usize, const LIMIT: usize> FixedHeap<BASE, LIMIT> {
    /// The region of `LIMIT` bytes at address `BASE`, as a source.
    ///
    /// A `LIMIT` above `u32::MAX` or `isize::MAX` does not compile, nor, on a 64-bit machine, a region that ends above
    /// address 2^63.
    ///
    /// # Safety
    ///
    /// - The region is one allocation whose provenance is exposed, zeroed, valid for reads and writes,
    ///   and used by nobody else.
    /// - Only one allocator is ever built over it, used from one thread.
    #[must_use]
    pub const unsafe fn new() -> Self {
        const {
            assert!(
                LIMIT <= isize::MAX as usize && LIMIT as u128 <= u32::MAX as u128,
                "a heap is at most u32::MAX and at most isize::MAX bytes long"
            );
            assert!(
                usize::BITS != 64 || BASE as u128 + LIMIT as u128 <= 1 << 63,
                "a heap on a 64-bit machine ends below address 2^63"
            );
        };
        Self { _made_here: () }
    }
}

// SAFETY: the contract of `new` says of the region what the trait asks for, and its length is checked there. Where
// it is too short for the header there is no room, and the header is the empty one.
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
