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
    // SAFETY: the program has one thread.
    Heap(unsafe { SingleThread::new(linked_list_allocator::Heap::empty()) })
}

/// # Safety
///
/// Called once, before the first allocation.
#[inline(always)]
pub unsafe fn start(heap: &Heap) -> ProgramResult {
    // SAFETY: this allocator alone uses the region.
    let region = unsafe { loader_heap() };
    // SAFETY: nobody allocates in here.
    let heap = unsafe { heap.0.get() };
    // SAFETY: the heap is empty, this is called once, and the region is valid as long as the program runs.
    unsafe { heap.init(region.cast().as_ptr(), region.len()) };
    Ok(())
}

// SAFETY: every method does what the inner allocator does.
unsafe impl GlobalAlloc for Heap {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: nothing in here allocates, so this is the only reference.
        let heap = unsafe { self.0.get() };
        heap.allocate_first_fit(layout)
            .map_or(ptr::null_mut(), NonNull::as_ptr)
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: as in `alloc`.
        let heap = unsafe { self.0.get() };
        // SAFETY: a block is not null.
        let block = unsafe { NonNull::new_unchecked(block) };
        // SAFETY: the caller gives up a block of this layout.
        unsafe { heap.deallocate(block, layout) };
    }
}
