//! `PagedInvocationArena`, with the loader's heap as a memory that grows. It frees only everything
//! at once: here never.

use core::alloc::{GlobalAlloc, Layout};
use core::cell::Cell;
use core::ptr::{self, NonNull};

use allocator::{PAGE_SIZE, PageMemory, PagedInvocationArena};
use entrypoint::ProgramResult;

use super::single_thread::loader_heap;

/// The alignment of every region in bytes.
const ALIGN: usize = 8;

/// The loader's heap, of which the first pages were handed out.
pub struct Pages {
    start: Cell<*mut u8>,
    /// The number of pages that the heap has room for.
    all: Cell<usize>,
    /// The number of pages that were handed out.
    present: Cell<usize>,
}

// SAFETY: the pages are numbered from the start of the loader's heap, which stays in place. `grow`
// hands out each page once, and only while the heap has bytes for it. The heap is zeroed, and only
// this memory uses it. No method unwinds or allocates.
unsafe impl PageMemory for Pages {
    fn pages(&self) -> usize {
        self.present.get()
    }

    fn grow(&self, pages: usize) -> Option<usize> {
        let before = self.present.get();
        let after = before.checked_add(pages)?;
        if after > self.all.get() {
            return None;
        }
        self.present.set(after);
        Some(before)
    }

    fn page(&self, number: usize) -> *mut u8 {
        self.start.get().wrapping_add(number * PAGE_SIZE)
    }
}

// SAFETY: `Sync` requires that threads can share the value. The caller of `new` promises that one
// thread uses it.
unsafe impl Sync for Pages {}

/// The memory is a static of its own, because `start` fills it.
static PAGES: Pages = Pages {
    start: Cell::new(ptr::null_mut()),
    all: Cell::new(0),
    present: Cell::new(0),
};

/// The memory behind a reference.
pub struct Shared;

// SAFETY: every method is that of `PAGES`, which is a `PageMemory`.
unsafe impl PageMemory for Shared {
    fn pages(&self) -> usize {
        PAGES.pages()
    }

    fn grow(&self, pages: usize) -> Option<usize> {
        PAGES.grow(pages)
    }

    fn page(&self, number: usize) -> *mut u8 {
        PAGES.page(number)
    }
}

pub struct Heap(PagedInvocationArena<Shared>);

/// # Safety
///
/// The global allocator of a program with one thread, and its only one.
pub const unsafe fn new() -> Heap {
    // SAFETY: `over` requires one thread, and that no slice of the arena's bytes is in use while
    // they are written. The program has one thread, and this module never makes such a slice.
    // Without one, no code reads the bytes but the owner of their block.
    Heap(unsafe { PagedInvocationArena::over(Shared) })
}

/// # Safety
///
/// Called once, before the first allocation.
#[inline(always)]
pub unsafe fn start(_heap: &Heap) -> ProgramResult {
    // SAFETY: `loader_heap` requires that only the caller uses the region. This memory does.
    let region = unsafe { loader_heap() };
    PAGES.start.set(region.cast().as_ptr());
    PAGES.all.set(region.len() / PAGE_SIZE);
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
