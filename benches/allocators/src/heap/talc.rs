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
    // SAFETY: `new` requires that one thread uses the value. The program has one thread.
    Heap(unsafe { SingleThread::new(TalcCell::new(Manual)) })
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
    // SAFETY: `claim` requires a region that only the allocator uses, as long as the program runs.
    // `loader_heap` returns one.
    match unsafe { heap.claim(region.cast().as_ptr(), region.len()) } {
        Some(_) => Ok(()),
        None => Err(ProgramError::InvalidArgument),
    }
}

// SAFETY: `GlobalAlloc` requires that blocks are live until they are freed, disjoint, and as long
// and aligned as their layouts. The inner allocator guarantees that.
unsafe impl GlobalAlloc for Heap {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: `get` requires that the reference is the only one. No code here allocates.
        let heap = unsafe { self.0.get() };
        // SAFETY: `alloc` requires a layout with a size. The caller passes one.
        unsafe { heap.alloc(layout) }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: `get` requires that the reference is the only one. No code here allocates.
        let heap = unsafe { self.0.get() };
        // SAFETY: `alloc_zeroed` requires a layout with a size. The caller passes one.
        unsafe { heap.alloc_zeroed(layout) }
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: `get` requires that the reference is the only one. No code here allocates.
        let heap = unsafe { self.0.get() };
        // SAFETY: `dealloc` requires a live block of this allocator, and its layout. The caller
        // passes both.
        unsafe { heap.dealloc(block, layout) };
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: `get` requires that the reference is the only one. No code here allocates.
        let heap = unsafe { self.0.get() };
        // SAFETY: `realloc` requires a live block of this allocator, its layout, and a valid size
        // other than 0. The caller passes them.
        unsafe { heap.realloc(block, layout, new_size) }
    }
}
