//! The standard collections on a heap with size classes as in a WebAssembly module: the global
//! allocator, over memory that grows by pages and that another user also grows.

#[path = "support/switch.rs"]
mod switch;

use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicUsize, Ordering};

use allocator::{PAGE_SIZE, PageMemory, SegregatedBumpAllocator, WasmMemory};
use switch::{Switch, collections_agree};

const PAGES: usize = 64;
const FOREIGN: u8 = 0xF0;

/// A module's memory. After each growth, another user adds a page and overwrites it.
struct Module {
    memory: UnsafeCell<[u8; PAGES * PAGE_SIZE]>,
    count: AtomicUsize,
    growths: AtomicUsize,
}

// SAFETY: only pointers to pages access the array, and each page has one user.
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

// SAFETY: `add` counts pages of one zeroed array up to its end, and returns each page once.
unsafe impl PageMemory for &'static Module {
    fn pages(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    fn grow(&self, pages: usize) -> Option<usize> {
        let first = self.add(pages)?;
        self.growths.fetch_add(1, Ordering::Relaxed);
        if let Some(foreign) = self.add(1) {
            // SAFETY: the page is inside the array and new.
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
    // SAFETY: this is the only allocator over these pages, in the only test of this process.
    Switch::new(unsafe { SegregatedBumpAllocator::with_source(WasmMemory::new(&MODULE)) })
};

#[test]
fn collections_in_pages_match_the_system() {
    let extent = collections_agree(&HEAP, 160);
    let start = (&MODULE).page(0).addr();
    assert!(start + 8 <= extent.start && extent.end <= start + PAGES * PAGE_SIZE);
    let growths = MODULE.growths.load(Ordering::Relaxed);
    assert!(growths > 1, "the heap must grow several times");

    // Almost every second page is the other user's, and unchanged.
    let foreign = (0..PAGES).filter(|number| {
        // SAFETY: the page is inside the array, and no code writes to it now.
        let page = unsafe { core::slice::from_raw_parts((&MODULE).page(*number), PAGE_SIZE) };
        page == [FOREIGN; PAGE_SIZE]
    });
    assert_eq!(foreign.count(), growths);
}
