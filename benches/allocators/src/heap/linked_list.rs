//! `linked_list_allocator`, without its spinlock.

use core::alloc::{GlobalAlloc, Layout};
use core::ptr::{self, NonNull};

use entrypoint::ProgramResult;

use super::single_thread::{SingleThread, loader_heap};

pub struct Heap(SingleThread<linked_list_allocator::Heap>);

/// # Safety
///
/// The global allocator of a program with one thread, and its only one.
pub const unsafe fn new() -> Heap {
    // SAFETY: `new` requires that one thread uses the value. The program has one thread.
    Heap(unsafe { SingleThread::new(linked_list_allocator::Heap::empty()) })
}

/// # Safety
///
/// Called once, before the first allocation.
#[inline(always)]
pub unsafe fn start(heap: &Heap) -> ProgramResult {
    // SAFETY: `loader_heap` requires that only the caller uses the region. This allocator does.
    let region = unsafe { loader_heap() };
    // SAFETY: `get` requires that the reference is the only one. No code in this function
    // allocates.
    let heap = unsafe { heap.0.get() };
    // SAFETY: `init` requires an empty heap, one call, and a region that stays valid. The heap is
    // empty, `start` is called once, and the loader's region is valid as long as the program runs.
    unsafe { heap.init(region.cast().as_ptr(), region.len()) };
    Ok(())
}

// SAFETY: `GlobalAlloc` requires that blocks are live until they are freed, disjoint, and as long
// and aligned as their layouts. The inner allocator guarantees that.
unsafe impl GlobalAlloc for Heap {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: `get` requires that the reference is the only one. No code here allocates.
        let heap = unsafe { self.0.get() };
        heap.allocate_first_fit(layout)
            .map_or(ptr::null_mut(), NonNull::as_ptr)
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: `get` requires that the reference is the only one. No code here allocates.
        let heap = unsafe { self.0.get() };
        // SAFETY: `new_unchecked` requires a pointer that is not null. A live block is not null.
        let block = unsafe { NonNull::new_unchecked(block) };
        // SAFETY: `deallocate` requires a live block of this heap, and its layout. The caller
        // passes both.
        unsafe { heap.deallocate(block, layout) };
    }
}
