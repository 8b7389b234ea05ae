//! `picoalloc`, without its spinlock, over an address range whose length is known at compile time,
//! as in its own environments.

use core::alloc::{GlobalAlloc, Layout};
use core::ptr::{self, NonNull};

use entrypoint::{ProgramError, ProgramResult};
use picoalloc::{Allocator, Env, Size};

use super::single_thread::{SingleThread, loader_heap};
use crate::HEAP_LENGTH;

/// Alignment of every block in bytes.
const ALIGNMENT: usize = 32;

/// The heap, less the most that its header and its alignment take.
const SPACE: Size = match Size::from_bytes_usize(HEAP_LENGTH - 2 * ALIGNMENT) {
    Some(size) => size,
    None => panic!("the heap is short"),
};

/// The loader's heap, which is all there from the start, and zeroed.
struct LoaderSpace;

impl Env for LoaderSpace {
    #[inline]
    fn total_space(&self) -> Size {
        SPACE
    }

    #[inline]
    unsafe fn allocate_address_space(&mut self) -> *mut u8 {
        // SAFETY: `loader_heap` requires that only the caller uses the region. This allocator does.
        let start = unsafe { loader_heap() }.cast::<u8>().as_ptr();
        start.wrapping_add(start.align_offset(ALIGNMENT))
    }

    #[inline]
    unsafe fn expand_memory_until(&mut self, _base: *mut u8, size: Size) -> bool {
        size <= SPACE
    }

    #[inline]
    unsafe fn free_address_space(&mut self, _base: *mut u8) {}
}

pub struct Heap(SingleThread<Allocator<LoaderSpace>>);

/// # Safety
///
/// The global allocator of a program with one thread, and its only one.
pub const unsafe fn new() -> Heap {
    // SAFETY: `new` requires that one thread uses the value. The program has one thread.
    Heap(unsafe { SingleThread::new(Allocator::new(LoaderSpace)) })
}

/// # Safety
///
/// Called once, before the first allocation.
#[inline(always)]
pub unsafe fn start(heap: &Heap) -> ProgramResult {
    // SAFETY: `get` requires that the reference is the only one. No code in this function
    // allocates.
    let heap = unsafe { heap.0.get() };
    // It reserves its range with its first block.
    let size = Size::from_bytes_usize(1).ok_or(ProgramError::InvalidArgument)?;
    let block = heap
        .alloc(size, size)
        .ok_or(ProgramError::InvalidArgument)?;
    // SAFETY: `free` requires a live block of this heap. The line above allocated it.
    unsafe { heap.free(block) };
    Ok(())
}

// SAFETY: `GlobalAlloc` requires that blocks are live until they are freed, disjoint, and as long
// and aligned as their layouts. The inner allocator guarantees that.
unsafe impl GlobalAlloc for Heap {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: `get` requires that the reference is the only one. No code here allocates.
        let heap = unsafe { self.0.get() };
        let (Some(align), Some(size)) = sizes(layout) else {
            return ptr::null_mut();
        };
        heap.alloc(align, size)
            .map_or(ptr::null_mut(), NonNull::as_ptr)
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: `get` requires that the reference is the only one. No code here allocates.
        let heap = unsafe { self.0.get() };
        let (Some(align), Some(size)) = sizes(layout) else {
            return ptr::null_mut();
        };
        heap.alloc_zeroed(align, size)
            .map_or(ptr::null_mut(), NonNull::as_ptr)
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, _layout: Layout) {
        // SAFETY: `get` requires that the reference is the only one. No code here allocates.
        let heap = unsafe { self.0.get() };
        // SAFETY: `new_unchecked` requires a pointer that is not null. A live block is not null.
        let block = unsafe { NonNull::new_unchecked(block) };
        // SAFETY: `free` requires a live block of this heap. The caller passes one.
        unsafe { heap.free(block) };
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: `get` requires that the reference is the only one. No code here allocates.
        let heap = unsafe { self.0.get() };
        // SAFETY: `Layout::from_size_align_unchecked` requires that the size, rounded up to the
        // alignment, is at most `isize::MAX`. The caller promises that.
        let layout = unsafe { Layout::from_size_align_unchecked(new_size, layout.align()) };
        let (Some(align), Some(size)) = sizes(layout) else {
            return ptr::null_mut();
        };
        // SAFETY: `new_unchecked` requires a pointer that is not null. A live block is not null.
        let block = unsafe { NonNull::new_unchecked(block) };
        // SAFETY: `realloc` requires a live block of this heap. The caller passes one.
        unsafe { heap.realloc(block, align, size) }.map_or(ptr::null_mut(), NonNull::as_ptr)
    }
}

#[inline(always)]
fn sizes(layout: Layout) -> (Option<Size>, Option<Size>) {
    let in_units = Size::from_bytes_usize;
    (in_units(layout.align()), in_units(layout.size()))
}
