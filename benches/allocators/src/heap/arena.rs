//! One end of an `Arena` over the loader's heap, through its handle.
//!
//! A program never uses an arena as its global allocator. Here it is one, so that its figures are
//! those of the same workloads.

use core::alloc::{GlobalAlloc, Layout};
use core::mem::MaybeUninit;
use core::ptr::{self, NonNull};

use allocator::Arena;
use allocator::allocator_api2::alloc::{AllocError, Allocator};
use entrypoint::ProgramResult;

use super::single_thread::{SingleThread, loader_heap};

#[cfg(not(feature = "arena_top"))]
type Handle<'arena> = allocator::BottomHandle<'arena>;
#[cfg(feature = "arena_top")]
type Handle<'arena> = allocator::TopHandle<'arena>;

#[cfg(not(feature = "arena_top"))]
#[inline(always)]
fn handle(arena: &Arena) -> Handle<'_> {
    arena.bottom_handle()
}

#[cfg(feature = "arena_top")]
#[inline(always)]
fn handle(arena: &Arena) -> Handle<'_> {
    arena.top_handle()
}

/// The arena, which is there since `start`.
pub struct Heap(SingleThread<MaybeUninit<Arena>>);

/// # Safety
///
/// The global allocator of a program with one thread, and its only one. `start` is called before
/// the first allocation.
pub const unsafe fn new() -> Heap {
    // SAFETY: `new` requires that one thread uses the value. The program has one thread.
    Heap(unsafe { SingleThread::new(MaybeUninit::uninit()) })
}

/// # Safety
///
/// Called once, before the first allocation.
#[inline(always)]
pub unsafe fn start(heap: &Heap) -> ProgramResult {
    // SAFETY: `loader_heap` requires that only the caller uses the region. This arena does.
    let region = unsafe { loader_heap() };
    // SAFETY: `from_buffer_unchecked` requires one allocation that only the arena uses, as long as
    // the program runs. The loader's region is one, and this is its only user.
    let arena = unsafe { Arena::from_buffer_unchecked(region.cast(), region.len()) };
    // SAFETY: `get` requires that the reference is the only one. No code here allocates.
    unsafe { heap.0.get() }.write(arena);
    Ok(())
}

impl Heap {
    #[inline(always)]
    fn handle(&self) -> Handle<'_> {
        // SAFETY: a reference requires that no other one changes the value. `start` wrote it, and
        // from then on there are only shared references.
        let arena = unsafe { &*self.0.pointer() };
        // SAFETY: the value must be initialised. By the contract of `new`, `start` was called.
        handle(unsafe { arena.assume_init_ref() })
    }
}

#[inline(always)]
fn pointer(block: Result<NonNull<[u8]>, AllocError>) -> *mut u8 {
    block.map_or(ptr::null_mut(), |block| block.cast().as_ptr())
}

// SAFETY: `GlobalAlloc` requires that blocks are live until they are freed, disjoint, and as long
// and aligned as their layouts. The handle is an `Allocator`, which guarantees that.
unsafe impl GlobalAlloc for Heap {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        pointer(self.handle().allocate(layout))
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        pointer(self.handle().allocate_zeroed(layout))
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: `new_unchecked` requires a pointer that is not null. A live block is not null.
        let block = unsafe { NonNull::new_unchecked(block) };
        // SAFETY: `deallocate` requires a live block of this end, and its layout. The caller passes
        // both.
        unsafe { self.handle().deallocate(block, layout) };
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: `from_size_align_unchecked` requires that the size, rounded up to the alignment,
        // is at most `isize::MAX`. The caller promises that.
        let new = unsafe { Layout::from_size_align_unchecked(new_size, layout.align()) };
        // SAFETY: `new_unchecked` requires a pointer that is not null. A live block is not null.
        let block = unsafe { NonNull::new_unchecked(block) };
        if new_size > layout.size() {
            // SAFETY: `grow` requires a live block of this end, its layout, and a layout that is
            // not smaller. The caller passes the block, and the line above compares the sizes.
            pointer(unsafe { self.handle().grow(block, layout, new) })
        } else {
            // SAFETY: `shrink` requires a live block of this end, its layout, and a layout that is
            // not larger. The caller passes the block, and the new size is not larger.
            pointer(unsafe { self.handle().shrink(block, layout, new) })
        }
    }
}
