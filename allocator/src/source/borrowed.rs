//! A heap in a borrowed buffer.

use core::marker::PhantomData;
use core::mem::MaybeUninit;
use core::ptr::NonNull;

use super::{HEADER_LENGTH, HeapSource, empty_start};

/// A borrowed buffer as a source.
#[derive(Debug)]
pub struct BorrowedHeap<'buffer> {
    base: NonNull<u8>,
    length: usize,
    _buffer: PhantomData<&'buffer mut [MaybeUninit<u8>]>,
}

impl<'buffer> BorrowedHeap<'buffer> {
    /// Borrows `buffer` and zeroes it. Bytes beyond the first `u32::MAX` are not used.
    pub fn new(buffer: &'buffer mut [MaybeUninit<u8>]) -> Self {
        let mut length = buffer.len().min(u32::MAX as usize);
        // The addresses of a system that tags them may be above the bound of a source. Such a heap
        // has no space.
        if usize::BITS == 64 && buffer.as_ptr().addr() as u64 >= (1 << 62) - u64::from(u32::MAX) {
            length = 0;
        }
        let buffer = &mut buffer[..length];
        buffer.fill(MaybeUninit::new(0));
        Self {
            length,
            base: NonNull::from(buffer).cast(),
            _buffer: PhantomData,
        }
    }
}

// SAFETY: the source holds the exclusive borrow as long as it lives, so nothing else touches the
// bytes. A slice is one allocation of at most `isize::MAX` bytes. `new` uses at most `u32::MAX` of
// them, and zeroed them. On a 64-bit target it uses none that ends above 2^62. The pointer comes
// from the slice and never changes. If the buffer is too short for the header, the space is empty,
// and the header is the empty one. The source does not grow, and no method unwinds or calls an
// allocator.
unsafe impl HeapSource for BorrowedHeap<'_> {
    #[inline(always)]
    fn start(&self) -> *mut u8 {
        if self.length < HEADER_LENGTH {
            return empty_start();
        }
        self.base.as_ptr().wrapping_add(HEADER_LENGTH)
    }

    #[inline(always)]
    fn end(&self) -> *mut u8 {
        if self.length < HEADER_LENGTH {
            return empty_start();
        }
        self.base.as_ptr().wrapping_add(self.length)
    }

    #[inline]
    fn limit(&self) -> usize {
        self.length
    }
}
