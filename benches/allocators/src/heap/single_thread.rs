//! A replacement for a lock in a program with one thread, which costs nothing.

use core::cell::UnsafeCell;
use core::ptr::NonNull;

use allocator::{HeapSource, LoaderHeap};

/// A value that is shared without a lock.
pub struct SingleThread<T>(UnsafeCell<T>);

// SAFETY: `Sync` requires that threads can share the value. The caller of `new` promises that one
// thread uses it.
unsafe impl<T> Sync for SingleThread<T> {}

impl<T> SingleThread<T> {
    /// # Safety
    ///
    /// The value is used from one thread.
    pub const unsafe fn new(value: T) -> Self {
        Self(UnsafeCell::new(value))
    }

    /// The value's address.
    #[inline(always)]
    pub const fn pointer(&self) -> *mut T {
        self.0.get()
    }

    /// # Safety
    ///
    /// No other reference to the value is in use as long as this one is.
    #[expect(
        clippy::mut_from_ref,
        reason = "the caller promises that it is the only one"
    )]
    #[inline(always)]
    pub unsafe fn get(&self) -> &mut T {
        // SAFETY: a mutable reference requires a live value and no other reference. The pointer is
        // to a live value, and the caller promises that there is no other.
        unsafe { &mut *self.pointer() }
    }
}

/// The heap that the loader announced, without the header that allocators of this project have.
///
/// # Safety
///
/// The value must not be in use.
pub unsafe fn loader_heap() -> NonNull<[u8]> {
    // SAFETY: `LoaderHeap::new` requires that no other code uses the region. The caller promises
    // that.
    let source = unsafe { LoaderHeap::new() };
    let start = source.start();
    let length = source.end().addr() - start.addr();
    // SAFETY: `NonNull::new_unchecked` requires a pointer that is not null. A heap's start is never
    // null; without a heap it is that of a static.
    let start = unsafe { NonNull::new_unchecked(start) };
    NonNull::slice_from_raw_parts(start, length)
}
