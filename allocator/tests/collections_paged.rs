//! The standard collections on a heap with size classes as a WebAssembly module has it: the global
//! allocator, over a memory that grows by pages, and that somebody else grows in between.

#[path = "support/switch.rs"]
mod switch;

use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicUsize, Ordering};

use allocator::{PAGE_SIZE, PageMemory, SegregatedBumpAllocator, WasmMemory};
use switch::{Switch, collections_agree};

const PAGES: usize = 64;
const FOREIGN: u8 = 0xF0;

/// A module's memory. After each growth somebody else takes one page more, and writes all over it.
struct Module {
    memory: UnsafeCell<[u8; PAGES * PAGE_SIZE]>,
    count: AtomicUsize,
    growths: AtomicUsize,
}

// SAFETY: the array is reached through pointers to pages only, each of which has one user.
unsafe impl Sync for Module {}

static MODULE: Module = Module {
    memory: UnsafeCell::new([0; PAGES * PAGE_SIZE]),
    count: AtomicUsize::new(0),
    growths: AtomicUsize::new(0),
};

impl Module {
    fn add(&self, pages: usize) -> Option<usize> {
        let before = self.count.load(Ordering::Relaxed);
        (pages <= PAGES - before).then(|| {
            self.count.store(before + pages, Ordering::Relaxed);
            before
        })
    }
}

// SAFETY: `add` counts pages of one zeroed array up to its end, each given once.
unsafe impl PageMemory for &'static Module {
    fn pages(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    fn grow(&self, pages: usize) -> Option<usize> {
        let first = self.add(pages)?;
        self.growths.fetch_add(1, Ordering::Relaxed);
        if let Some(foreign) = self.add(1) {
            // SAFETY: the page is in the array, and was just taken.
            unsafe { self.page(foreign).write_bytes(FOREIGN, PAGE_SIZE) };
        }
        Some(first)
    }

    fn page(&self, number: usize) -> *mut u8 {
        let start: *mut u8 = self.memory.get().cast();
        start.wrapping_add(number * PAGE_SIZE)
    }
}

#[global_allocator]
static HEAP: Switch<SegregatedBumpAllocator<WasmMemory<&Module>>> = {
    // SAFETY: the only allocator over these pages, used by the only test in this process.
    Switch::new(unsafe { SegregatedBumpAllocator::with_source(WasmMemory::new(&MODULE)) })
};

#[test]
fn collections_in_pages_match_the_system() {
    let extent = collections_agree(&HEAP, 160);
    let start = (&MODULE).page(0).addr();
    assert!(start + 8 <= extent.start && extent.end <= start + PAGES * PAGE_SIZE);
    let growths = MODULE.growths.load(Ordering::Relaxed);
    assert!(growths > 1, "one growth is no test of the next");

    // Every second page or so is the other's, and whole.
    let foreign = (0..PAGES).filter(|number| {
        // SAFETY: the page is in the array, and nobody writes to it now.
        let page = unsafe { core::slice::from_raw_parts((&MODULE).page(*number), PAGE_SIZE) };
        page == [FOREIGN; PAGE_SIZE]
    });
    assert_eq!(foreign.count(), growths);
}
