//! `rlsf`, by its core type, as its documentation shows it for a pool of the program's own.

use core::alloc::{GlobalAlloc, Layout};
use core::ptr::{self, NonNull};

use entrypoint::{ProgramError, ProgramResult};
use rlsf::Tlsf;

use super::single_thread::{SingleThread, loader_heap};

/// Two levels of 14 and 16 lists: blocks of up to 32 bytes << 14, the whole heap. Bitmaps of whole
/// words are the cheapest on this target.
type Pool = Tlsf<'static, usize, usize, 14, 16>;

pub struct Heap(SingleThread<Pool>);

/// # Safety
///
/// The global allocator of a program with one thread, and its only one.
pub const unsafe fn new() -> Heap {
    // SAFETY: `new` requires that one thread uses the value. The program has one thread.
    Heap(unsafe { SingleThread::new(Pool::new()) })
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
    // SAFETY: `insert_free_block_ptr` requires a region that only the pool uses, as long as the
    // program runs. `loader_heap` returns one.
    match unsafe { heap.insert_free_block_ptr(region) } {
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
        heap.allocate(layout)
            .map_or(ptr::null_mut(), NonNull::as_ptr)
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: `get` requires that the reference is the only one. No code here allocates.
        let heap = unsafe { self.0.get() };
        // SAFETY: `new_unchecked` requires a pointer that is not null. A live block is not null.
        let block = unsafe { NonNull::new_unchecked(block) };
        // SAFETY: `deallocate` requires a live block of this pool, and its alignment. The caller
        // passes both.
        unsafe { heap.deallocate(block, layout.align()) };
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: `get` requires that the reference is the only one. No code here allocates.
        let heap = unsafe { self.0.get() };
        // SAFETY: `Layout::from_size_align_unchecked` requires that the size, rounded up to the
        // alignment, is at most `isize::MAX`. The caller promises that.
        let layout = unsafe { Layout::from_size_align_unchecked(new_size, layout.align()) };
        // SAFETY: `new_unchecked` requires a pointer that is not null. A live block is not null.
        let block = unsafe { NonNull::new_unchecked(block) };
        // SAFETY: `reallocate` requires a live block of this pool with the same alignment. The
        // caller passes one.
        unsafe { heap.reallocate(block, layout) }.map_or(ptr::null_mut(), NonNull::as_ptr)
    }
}
