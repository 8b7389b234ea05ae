//! The list of accounts without an account table, where the loader announces a heap.

use core::alloc::Layout;

use allocator::take_end_of_heap;

/// Allocates a list of accounts at the end of the heap. It is never freed. Returns null if it does
/// not fit.
///
/// # Safety
///
/// The layout has an alignment of at most 8. The entry has announced the heap, and nothing has been
/// allocated.
#[inline(always)]
pub(crate) unsafe fn alloc_account_list(layout: Layout) -> *mut u8 {
    // SAFETY: by the contract, the heap was announced, and nothing has been allocated.
    unsafe { take_end_of_heap(layout.size()) }
}
