//! A heap in somebody's buffer.

use core::marker::PhantomData;
use core::mem::MaybeUninit;
use core::ptr::NonNull;

use super::{HEADER_LENGTH, HeapSource, empty_start};

/// A buffer that somebody lent.
#[derive(Debug)]
pub struct BorrowedHeap<'buffer> {
    base: NonNull<u8>,
    length: usize,
    _buffer: PhantomData<&'buffer mut [MaybeUninit<u8>]>,
}

impl<'buffer> BorrowedHeap<'buffer> {
    /// Borrows `buffer` and zeroes it. What lies beyond `u32::MAX` bytes is not used.
    pub fn new(buffer: &'buffer mut [MaybeUninit<u8>]) -> Self {
        let length = buffer.len().min(u32::MAX as usize);
        let buffer = &mut buffer[..length];
        buffer.fill(MaybeUninit::new(0));
        Self {
            length,
            base: NonNull::from(buffer).cast(),
            _buffer: PhantomData,
        }
    }
}

// SAFETY: the exclusive borrow is held for as long as the source lives, so nobody else touches the
// bytes; a slice is one allocation of at most `isize::MAX` bytes, of which `new` has borrowed no more than
// `u32::MAX`, and zeroed them; on 64-bit machines such memory is mapped below 2^63; the pointer comes from that slice and never changes. A buffer too short for the
// header has no room, and its header is the empty one.
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
