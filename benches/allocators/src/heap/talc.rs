//! `talc`, by its cell for one thread, with its default bins and the heap claimed by hand.

use core::alloc::{GlobalAlloc, Layout};

use entrypoint::{ProgramError, ProgramResult};
use talc::TalcCell;
use talc::source::Manual;

use super::single_thread::{SingleThread, loader_heap};

pub struct Heap(SingleThread<TalcCell<Manual>>);

/// # Safety
///
/// The global allocator of a program with one thread, and its only one.
pub const unsafe fn new() -> Heap {
    // SAFETY: the program has one thread.
    Heap(unsafe { SingleThread::new(TalcCell::new(Manual)) })
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
    // SAFETY: the region is the allocator's alone, as long as the program runs.
    match unsafe { heap.claim(region.cast().as_ptr(), region.len()) } {
        Some(_) => Ok(()),
        None => Err(ProgramError::InvalidArgument),
    }
}

// SAFETY: every method does what the inner allocator does.
unsafe impl GlobalAlloc for Heap {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: nothing in here allocates, so this is the only reference.
        let heap = unsafe { self.0.get() };
        // SAFETY: the contract is the same.
        unsafe { heap.alloc(layout) }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as in `alloc`.
        let heap = unsafe { self.0.get() };
        // SAFETY: the contract is the same.
        unsafe { heap.alloc_zeroed(layout) }
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: as in `alloc`.
        let heap = unsafe { self.0.get() };
        // SAFETY: the contract is the same.
        unsafe { heap.dealloc(block, layout) };
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: as in `alloc`.
        let heap = unsafe { self.0.get() };
        // SAFETY: the contract is the same.
        unsafe { heap.realloc(block, layout, new_size) }
    }
}
