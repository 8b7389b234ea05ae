//! `InvocationArena`, which frees only everything at once: here never.

use core::alloc::{GlobalAlloc, Layout};
use core::ptr::{self, NonNull};

use allocator::InvocationArena;
use entrypoint::ProgramResult;

/// Length of the buffer in bytes: more than any workload allocates.
const LENGTH: usize = 256 * 1024;

/// The alignment of every region in bytes.
const ALIGN: usize = 8;

pub struct Heap(InvocationArena<LENGTH>);

/// # Safety
///
/// The global allocator of a program with one thread, and its only one.
pub const unsafe fn new() -> Heap {
    // SAFETY: `new` requires one thread, and that no slice of the arena's bytes is in use while
    // they are written. The program has one thread, and this module never makes such a slice.
    // Without one, no code reads the bytes but the owner of their block.
    Heap(unsafe { InvocationArena::new() })
}

/// # Safety
///
/// Called once, before the first allocation.
#[inline(always)]
pub unsafe fn start(_heap: &Heap) -> ProgramResult {
    Ok(())
}

// SAFETY: `GlobalAlloc` requires that blocks are live until they are freed, disjoint, and as long
// and aligned as their layouts. Regions are disjoint and live until a reset, which never comes. A
// larger alignment than theirs is refused.
unsafe impl GlobalAlloc for Heap {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if layout.align() > ALIGN {
            return ptr::null_mut();
        }
        let region = self.0.alloc(layout.size());
        region.map_or(ptr::null_mut(), NonNull::as_ptr)
    }

    /// Frees nothing: only a reset does.
    #[inline]
    unsafe fn dealloc(&self, _block: *mut u8, _layout: Layout) {}
}
