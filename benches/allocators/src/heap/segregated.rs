//! The heap with size classes.

use allocator::SegregatedBumpAllocator;
use entrypoint::ProgramResult;

pub type Heap = SegregatedBumpAllocator;

/// # Safety
///
/// The global allocator of a program with one thread, and its only one.
pub const unsafe fn new() -> Heap {
    // SAFETY: `new` requires that one thread uses the heap. The program has one thread.
    unsafe { SegregatedBumpAllocator::new() }
}

/// # Safety
///
/// Called once, before the first allocation.
#[inline(always)]
pub unsafe fn start(_heap: &Heap) -> ProgramResult {
    Ok(())
}
