//! A memory that grows by pages: when the heap adds pages, how many, and up to which limit.

mod support;

use core::alloc::{GlobalAlloc, Layout};
use core::cell::Cell;

use allocator::{BumpAllocator, HeapSource, PAGE_SIZE, PageMemory, WasmMemory};

use support::{Aligned, BASES, Bump, HEADER, Hundred, Memory, Pages, Segregated, check_all, room};

#[test]
fn no_page_before_the_first_block() {
    let mut pages = Pages::new(8, 2, 8);
    let heap = pages.start::<Segregated>();
    assert_eq!((heap.used(), heap.peak(), heap.limit()), (0, 0, 0));
    assert!(heap.alloc(8 * PAGE_SIZE, 1).is_none());
    assert_eq!((heap.used(), heap.peak(), heap.limit()), (0, 0, 0));
    assert_eq!(heap.ground().count(), 2);
    assert!(heap.alloc(1, 1).is_some());
    assert_eq!(heap.ground().count(), 3);
    assert_eq!(heap.limit(), PAGE_SIZE);
}

#[test]
fn the_state_opens_the_heap_and_is_zero() {
    for remainder in BASES {
        let mut pages = Pages::new(remainder, 1, 3);
        let heap = pages.start::<Bump<Hundred>>();
        let global = heap.global();
        assert!(global.iter().flatten().all(|byte| byte.get() == 0));
        let place = core::ptr::from_ref(global).addr();
        assert_eq!(place, heap.ground().address(1) + HEADER);
        assert_eq!((heap.ground().count(), heap.limit()), (2, PAGE_SIZE));
        // The first block follows the state, and needs no more pages.
        let block = heap.alloc(1, 1).expect("room");
        assert_eq!(block.address(), (place + 100).next_multiple_of(8));
        assert_eq!(heap.ground().count(), 2);
    }
}

/// The first growth makes space for the state and for the block, with any gap between header and
/// state.
#[test]
fn first_page_filling_block_follows_the_state() {
    for remainder in BASES {
        for lacking in [0, 1, 50, 99, 100, 106, 107, 108, 120] {
            let mut pages = Pages::new(remainder, 1, 3);
            let heap = pages.start::<Bump<Hundred>>();
            let size = PAGE_SIZE - HEADER - lacking;
            let mut block = heap.alloc(size, 1).expect("two pages, or one");
            // Where the page will be is not known, so the longest gap is set aside.
            let most = HEADER + 100 + 7 + room(size);
            assert_eq!(heap.ground().count(), if most > PAGE_SIZE { 3 } else { 2 });
            block.fill();
            assert!(heap.global().iter().flatten().all(|byte| byte.get() == 0));
        }
    }
    // Gaps of every length: the heap cannot know the gap before it has the page.
    for remainder in [57, 8, 0] {
        for lacking in 0..=2 * 64 {
            let mut pages = Pages::new(remainder, 1, 3);
            let heap = pages.start::<Bump<Aligned>>();
            let block = heap.alloc(PAGE_SIZE - HEADER - lacking, 1);
            block.expect("two pages, or one").fill();
            heap.global();
        }
    }
}

#[test]
fn state_without_a_page_panics_clearly() {
    let mut pages = Pages::new(0, 2, 2);
    let heap = pages.start::<Bump<Hundred>>();
    let message = support::panic_message(|| heap.global()[0][0].get());
    assert!(
        message.contains("a memory that grows may be full"),
        "{message}"
    );
}

#[test]
fn adjacent_pages_hold_only_the_rest() {
    for remainder in BASES {
        let mut pages = Pages::new(remainder, 1, 9);
        let heap = pages.start::<Bump>();
        let low = heap.alloc(PAGE_SIZE - 64, 1).expect("a page");
        assert_eq!(heap.ground().count(), 2);
        // Some bytes are there, and so a page and as many are one more page, and one byte more are
        // two.
        let end = heap.ground().address(2);
        let rest = (end - (low.address() + low.size())) / 8 * 8;
        let mut newest = heap.alloc(rest, 1).expect("the rest");
        assert!(heap.realloc(&mut newest, rest + PAGE_SIZE));
        assert_eq!(heap.ground().count(), 3);
        assert_eq!(newest.address(), low.address() + low.size());
        assert!(heap.realloc(&mut newest, rest + 1 + PAGE_SIZE));
        assert_eq!(heap.ground().count(), 4);
        newest.fill();
        // All but eight bytes of a page are left, and there the next block goes.
        let high = heap.alloc(PAGE_SIZE - 8 + PAGE_SIZE, 1).expect("room");
        assert_eq!(heap.ground().count(), 5);
        assert_eq!(high.address(), newest.address() + room(newest.size()));
        assert_eq!(heap.limit(), 4 * PAGE_SIZE);
        check_all([&low, &newest, &high]);
        // Up to the last page, and not beyond.
        assert!(heap.alloc(4 * PAGE_SIZE + 1, 1).is_none());
        assert_eq!(heap.ground().count(), 5);
        assert!(heap.alloc(4 * PAGE_SIZE, 1).is_some());
        assert!(heap.alloc(1, 1).is_none());
    }
}

#[test]
fn nonadjacent_pages_hold_the_whole_block() {
    for remainder in BASES {
        let mut pages = Pages::new(remainder, 0, 9);
        let heap = pages.start::<Bump>();
        let mut low = heap.alloc(100, 1).expect("a page");
        heap.ground().others_take(2);
        let high = heap.alloc(PAGE_SIZE - 8, 1).expect("another page");
        assert_eq!(heap.ground().count(), 4);
        let page = heap.ground().address(3);
        assert_eq!(high.address(), page.next_multiple_of(8));
        // The pages between count as used.
        let end = high.address() + high.size();
        assert_eq!(heap.used(), end - (heap.ground().address(0) + HEADER));
        assert_eq!(heap.limit(), 4 * PAGE_SIZE);
        // A block before the gap grows by a copy after it, and its old bytes stay unused.
        assert!(heap.realloc(&mut low, 200));
        low.check_first(100);
        assert_eq!(low.address(), end);
        low.fill();
        check_all([&low, &high]);
    }
}

#[test]
fn moved_class_block_frees_its_old_place() {
    let mut pages = Pages::new(8, 0, 4);
    let heap = pages.start::<Segregated>();
    // Whole classes up to the last 24 bytes.
    let first = heap.alloc(16, 1).expect("a page");
    let low = [57_344, 7_168, 896, 64, 16].map(|size| heap.alloc(size, 1).expect("room"));
    let mut newest = heap.alloc(16, 1).expect("the rest of it");
    let old = newest.address();
    heap.ground().others_take(1);
    assert!(heap.realloc(&mut newest, 100));
    newest.check_first(16);
    newest.fill();
    let page = heap.ground().address(2);
    assert_eq!(newest.address(), page);
    assert_eq!(heap.listed(), 16);
    assert_eq!(heap.alloc(16, 1).expect("from the list").address(), old);
    check_all(low.iter().chain([&first, &newest]));
}

/// Address space for more pages than a heap can have, of which a test touches only the first ones.
/// A test sets the number of pages.
#[cfg(all(target_pointer_width = "64", not(miri)))]
struct Vast {
    base: *mut u8,
    count: Cell<usize>,
    requests: Cell<usize>,
}

#[cfg(all(target_pointer_width = "64", not(miri)))]
impl Vast {
    /// Some more pages than a heap can have.
    const PAGES: usize = 65_536 + 10;

    fn layout() -> Layout {
        Layout::from_size_align(Self::PAGES * PAGE_SIZE, 1).expect("a valid layout")
    }

    fn new() -> Self {
        // SAFETY: the layout has a size.
        let base = unsafe { std::alloc::alloc_zeroed(Self::layout()) };
        assert!(!base.is_null(), "no address space");
        Self {
            base,
            count: Cell::new(0),
            requests: Cell::new(0),
        }
    }
}

#[cfg(all(target_pointer_width = "64", not(miri)))]
impl Drop for Vast {
    fn drop(&mut self) {
        // SAFETY: `new` allocated it with this layout.
        unsafe { std::alloc::dealloc(self.base, Self::layout()) };
    }
}

// SAFETY: tests never lower the count, so each page of the one zeroed allocation is given once, and
// none after its end.
#[cfg(all(target_pointer_width = "64", not(miri)))]
unsafe impl PageMemory for &Vast {
    fn pages(&self) -> usize {
        self.count.get()
    }

    fn grow(&self, pages: usize) -> Option<usize> {
        self.requests.set(self.requests.get() + 1);
        let before = self.count.get();
        let after = before.checked_add(pages)?;
        (after <= Vast::PAGES).then(|| {
            self.count.set(after);
            before
        })
    }

    fn page(&self, number: usize) -> *mut u8 {
        self.base.wrapping_add(number * PAGE_SIZE)
    }
}

#[cfg(all(target_pointer_width = "64", not(miri)))]
mod at_four_gibibytes {
    use super::*;

    /// The most pages whose bytes a 32-bit header can count.
    const MOST: usize = 65_535;

    fn heap(memory: &Vast) -> BumpAllocator<(), WasmMemory<&Vast>> {
        // SAFETY: this is the only allocator over these pages, in one thread.
        unsafe { BumpAllocator::with_source(WasmMemory::new(memory)) }
    }

    fn alloc(heap: &impl GlobalAlloc, size: usize) -> *mut u8 {
        // SAFETY: callers pass a size other than 0.
        unsafe { heap.alloc(Layout::from_size_align(size, 1).expect("a valid layout")) }
    }

    #[test]
    fn heap_opens_up_to_the_maximum_length() {
        let memory = Vast::new();
        let opened = heap(&memory);
        assert!(alloc(&opened, MOST * PAGE_SIZE - HEADER + 1).is_null());
        assert_eq!((memory.requests.get(), opened.limit()), (0, 0));
        assert!(!alloc(&opened, MOST * PAGE_SIZE - HEADER - 8).is_null());
        assert_eq!(opened.limit(), MOST * PAGE_SIZE);
        assert_eq!(opened.used(), MOST * PAGE_SIZE - HEADER - 8);
        assert!(!alloc(&opened, 1).is_null());
        assert!(alloc(&opened, 1).is_null());
        assert_eq!(memory.count.get(), MOST);
    }

    #[test]
    fn heap_grows_up_to_the_maximum_length() {
        let memory = Vast::new();
        let grown = heap(&memory);
        assert!(!alloc(&grown, PAGE_SIZE - HEADER - 8).is_null());
        assert!(alloc(&grown, (MOST - 1) * PAGE_SIZE + 9).is_null());
        assert_eq!((memory.requests.get(), memory.count.get()), (1, 1));
        assert!(!alloc(&grown, (MOST - 1) * PAGE_SIZE + 8).is_null());
        assert_eq!(grown.limit(), MOST * PAGE_SIZE);
        assert!(alloc(&grown, 1).is_null());
        assert_eq!((memory.requests.get(), memory.count.get()), (2, MOST));
    }

    #[test]
    fn pages_too_far_from_the_first_are_rejected() {
        let memory = Vast::new();
        memory.count.set(7);
        let heap = heap(&memory);
        assert!(!alloc(&heap, 1).is_null());
        // Others have taken all pages but the last two that the heap, which starts at page 7, can
        // count.
        memory.count.set(7 + MOST - 2);
        assert!(alloc(&heap, 2 * PAGE_SIZE + 1).is_null());
        assert_eq!(memory.requests.get(), 1);
        assert!(!alloc(&heap, 2 * PAGE_SIZE - 8).is_null());
        assert_eq!(heap.limit(), MOST * PAGE_SIZE);
        assert_eq!(heap.used(), MOST * PAGE_SIZE - HEADER - 8);
    }

    #[test]
    fn page_beyond_the_address_space_not_requested() {
        let memory = Vast::new();
        for count in [
            usize::MAX / PAGE_SIZE,
            usize::MAX / PAGE_SIZE - 1,
            usize::MAX,
        ] {
            memory.count.set(count);
            let heap = heap(&memory);
            assert!(alloc(&heap, PAGE_SIZE).is_null());
            assert_eq!(memory.requests.get(), 0);
        }
        // With one page less, the heap requests one, and the memory has none.
        memory.count.set(usize::MAX / PAGE_SIZE - 2);
        assert!(alloc(&heap(&memory), PAGE_SIZE).is_null());
        assert_eq!(memory.requests.get(), 1);
    }

    #[test]
    fn open_heap_requests_no_page_beyond_it_either() {
        let memory = Vast::new();
        let heap = heap(&memory);
        assert!(!alloc(&heap, 1).is_null());
        memory.count.set(usize::MAX / PAGE_SIZE);
        assert!(alloc(&heap, PAGE_SIZE).is_null());
        assert_eq!(memory.requests.get(), 1);
    }
}

#[test]
fn source_reports_the_added_pages() {
    for remainder in BASES.into_iter().chain([PAGE_SIZE - 1, PAGE_SIZE - HEADER]) {
        check_added_pages(&Pages::new(remainder, 1, 9));
    }
}

fn check_added_pages(pages: &Pages) {
    let source = WasmMemory::new(pages);
    assert_eq!((source.limit(), source.start()), (0, source.end()));
    // The header takes bytes in addition to the requested ones.
    assert_eq!(source.grow(1, PAGE_SIZE - HEADER), Some(0));
    assert_eq!(source.limit(), PAGE_SIZE);
    assert_eq!(source.start().addr(), pages.address(1) + HEADER);
    assert_eq!(source.grow(1, 100 * PAGE_SIZE), Some(PAGE_SIZE - HEADER));
    assert_eq!(source.limit(), 2 * PAGE_SIZE);
    assert_eq!(source.end().addr(), pages.address(3));
    pages.others_take(2);
    assert_eq!(source.grow(1, PAGE_SIZE + 1), Some(4 * PAGE_SIZE - HEADER));
    assert_eq!(source.limit(), 6 * PAGE_SIZE);
    assert_eq!(source.end().addr(), pages.address(7));
    assert_eq!(source.grow(3 * PAGE_SIZE, 3 * PAGE_SIZE), None);
    assert_eq!(source.limit(), 6 * PAGE_SIZE);
    assert_eq!(source.grow(usize::MAX, usize::MAX), None);
    assert_eq!(WasmMemory::new(pages).grow(usize::MAX, usize::MAX), None);
    assert_eq!(pages.count(), 7);
}

#[test]
fn long_block_at_a_page_start_is_aligned() {
    for remainder in BASES {
        let mut pages = Pages::new(remainder, 1, 9);
        let heap = pages.start::<Segregated>();
        let low = heap.alloc(20, 1).expect("a page");
        for bits in 0..=14 {
            heap.ground()
                .others_take(usize::from(bits == 5 || bits == 9));
            let block = heap.alloc(PAGE_SIZE / 4, 1 << bits);
            if let Some(block) = block {
                assert_eq!(block.address() % (1 << bits), 0);
            }
        }
        check_all([&low]);
    }
}
