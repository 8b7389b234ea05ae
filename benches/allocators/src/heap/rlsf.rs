//! `rlsf`, by its core type, as its documentation has it for a pool of one's own.

use core::alloc::{GlobalAlloc, Layout};
use core::ptr::{self, NonNull};

use entrypoint::{ProgramError, ProgramResult};
use rlsf::Tlsf;

use super::single_thread::{SingleThread, loader_heap};

/// Two levels of 14 and 16 lists: blocks of up to 32 bytes << 14, the whole heap. Bitmaps of whole words are the
/// cheapest on this machine.
type Pool = Tlsf<'static, usize, usize, 14, 16>;

pub struct Heap(SingleThread<Pool>);

/// # Safety
///
/// The global allocator of a program with one thread, and its only one.
pub const unsafe fn new() -> Heap {
    // SAFETY: the program has one thread.
    Heap(unsafe { SingleThread::new(Pool::new()) })
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
    // SAFETY: the region is the pool's alone, as long as the program runs.
    match unsafe { heap.insert_free_block_ptr(region) } {
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
        heap.allocate(layout)
            .map_or(ptr::null_mut(), NonNull::as_ptr)
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: as in `alloc`.
        let heap = unsafe { self.0.get() };
        // SAFETY: a block is not null.
        let block = unsafe { NonNull::new_unchecked(block) };
        // SAFETY: the caller gives up a block of this alignment.
        unsafe { heap.deallocate(block, layout.align()) };
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: as in `alloc`.
        let heap = unsafe { self.0.get() };
        // SAFETY: the caller promises that the size rounded up to the alignment does not pass `isize::MAX`.
        let layout = unsafe { Layout::from_size_align_unchecked(new_size, layout.align()) };
        // SAFETY: a block is not null.
        let block = unsafe { NonNull::new_unchecked(block) };
        // SAFETY: the block is a live one of the same alignment.
        unsafe { heap.reallocate(block, layout) }.map_or(ptr::null_mut(), NonNull::as_ptr)
    }
}
