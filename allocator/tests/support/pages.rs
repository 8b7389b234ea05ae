//! A memory that grows by pages, and that others grow too.

use core::alloc::Layout;
use core::cell::{Cell, RefCell};
use core::ops::Range;
use std::alloc::{alloc_zeroed, dealloc};

use allocator::{PAGE_SIZE, PageMemory, WasmMemory};

use super::{Ground, HEADER, Memory, SENTINEL};

/// What others write all over their pages.
static FOREIGN: [u8; PAGE_SIZE] = [0xF0; PAGE_SIZE];
const MARGIN: usize = 64;

/// A memory that grows by pages up to a limit, and that others grow too: as WebAssembly's, with
/// page 0 at an address of the test's choosing.
pub struct Pages {
    whole: *mut u8,
    layout: Layout,
    page_zero: *mut u8,
    limit: usize,
    count: Cell<usize>,
    /// Pages that others take between a question for the number of pages and the next growth.
    race: Cell<usize>,
    /// The addresses that the heap was given, in order, what adjoins in one piece.
    given: RefCell<Vec<Range<usize>>>,
    /// The numbers of others' pages.
    foreign: RefCell<Vec<usize>>,
}

impl Pages {
    /// A memory with `before` pages of others' to start with and never more than `limit`. Page 0 is
    /// at an address that is `remainder` modulo the size of a page.
    pub fn new(remainder: usize, before: usize, limit: usize) -> Self {
        let length = MARGIN + PAGE_SIZE + limit * PAGE_SIZE + MARGIN;
        let layout = Layout::from_size_align(length, 1).expect("a valid layout");
        // SAFETY: the layout has a size.
        let whole = unsafe { alloc_zeroed(layout) };
        assert!(!whole.is_null(), "the system has no memory to give");
        let earliest = whole.addr() + MARGIN;
        let gap = remainder.wrapping_sub(earliest) % PAGE_SIZE;
        let memory = Self {
            whole,
            layout,
            page_zero: whole.wrapping_add(MARGIN + gap),
            limit,
            count: Cell::new(0),
            race: Cell::new(0),
            given: RefCell::default(),
            foreign: RefCell::default(),
        };
        for margin in memory.margins() {
            // SAFETY: the margin is inside the allocation.
            unsafe { margin.write_bytes(SENTINEL, MARGIN) };
        }
        memory.others_take(before.min(limit));
        memory
    }

    /// How many pages there are.
    pub fn count(&self) -> usize {
        self.count.get()
    }

    /// The addresses that the heap was given, in order, what adjoins in one piece.
    pub fn given(&self) -> Vec<Range<usize>> {
        self.given.borrow().clone()
    }

    /// The address of a page.
    pub fn address(&self, number: usize) -> usize {
        self.page_zero.addr() + number * PAGE_SIZE
    }

    fn margins(&self) -> [*mut u8; 2] {
        let end = self.page_zero.wrapping_add(self.limit * PAGE_SIZE);
        [self.page_zero.wrapping_sub(MARGIN), end]
    }

    fn add(&self, pages: usize) -> Option<usize> {
        let before = self.count.get();
        if pages > self.limit - before {
            return None;
        }
        self.count.set(before + pages);
        Some(before)
    }

    /// The bytes of a page, or of a margin.
    fn bytes(&self, start: *mut u8, length: usize) -> &[u8] {
        // SAFETY: pages and margins are inside the allocation, which was zeroed; callers ask for
        // what no block lies in, and nobody writes while they look.
        unsafe { core::slice::from_raw_parts(start, length) }
    }
}

impl Ground for &Pages {
    fn base(&self) -> Option<usize> {
        self.given.borrow().first().map(|piece| piece.start)
    }

    fn gave(&self, bytes: Range<usize>) -> bool {
        let given = self.given.borrow();
        given
            .iter()
            .any(|piece| piece.start <= bytes.start && bytes.end <= piece.end)
    }

    fn outlook(&self) -> Outlook {
        Outlook::Pages {
            page_zero: self.page_zero.addr() as u128,
            count: self.count.get() as u128,
            limit: self.limit as u128,
            race: self.race.get() as u128,
        }
    }

    fn others_take(&self, pages: usize) {
        (*self).others_take(pages);
    }

    fn others_race(&self) {
        self.race.set(1);
    }

    fn check(&self) {
        for number in self.foreign.borrow().iter() {
            let page = self.bytes(PageMemory::page(self, *number), PAGE_SIZE);
            assert!(page == FOREIGN, "written to somebody else's page {number}");
        }
    }
}

impl Pages {
    /// Somebody else takes pages, if there are so many left.
    pub fn others_take(&self, pages: usize) {
        let Some(first) = self.add(pages) else {
            return;
        };
        for number in first..first + pages {
            // SAFETY: the page is inside the allocation, and new.
            unsafe { PageMemory::page(&self, number).copy_from(FOREIGN.as_ptr(), PAGE_SIZE) };
            self.foreign.borrow_mut().push(number);
        }
    }
}

// SAFETY: `add` counts pages that were not given to anybody, of one zeroed allocation, up to its
// limit; page 0 has an address, and the others follow it.
unsafe impl PageMemory for &Pages {
    fn pages(&self) -> usize {
        let count = self.count.get();
        (*self).others_take(self.race.take());
        count
    }

    fn grow(&self, pages: usize) -> Option<usize> {
        let first = self.add(pages)?;
        let added = self.address(first)..self.address(first + pages);
        let mut given = self.given.borrow_mut();
        match given.last_mut() {
            Some(last) if last.end == added.start => last.end = added.end,
            _ => given.push(added),
        }
        Some(first)
    }

    fn page(&self, number: usize) -> *mut u8 {
        self.page_zero.wrapping_add(number * PAGE_SIZE)
    }
}

// SAFETY: no other source has these pages, unless `open` was called before; it fails then.
unsafe impl Memory for Pages {
    type Source<'memory> = WasmMemory<&'memory Pages>;
    type Ground<'memory> = &'memory Pages;

    fn open(&mut self) -> (Self::Source<'_>, Self::Ground<'_>) {
        assert!(self.given.borrow().is_empty(), "opened before");
        let memory = &*self;
        (WasmMemory::new(memory), memory)
    }

    fn check_rest(&self) {
        Ground::check(&self);
        for margin in self.margins() {
            assert_eq!(self.bytes(margin, MARGIN), [SENTINEL; MARGIN]);
        }
        for number in self.count.get()..self.limit {
            let page = self.bytes(PageMemory::page(&self, number), PAGE_SIZE);
            assert!(page == [0; PAGE_SIZE], "written behind the last page");
        }
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        // SAFETY: `new` got it with this layout.
        unsafe { dealloc(self.whole, self.layout) };
    }
}

/// What becomes of a memory when the heap asks for more, in numbers too wide to wrap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outlook {
    /// It stays as it is.
    Fixed,
    /// It grows by pages.
    Pages {
        /// The address of page 0.
        page_zero: u128,
        /// How many pages there are.
        count: u128,
        /// How many there can be.
        limit: u128,
        /// How many others take in the middle of the next request.
        race: u128,
    },
}

impl Outlook {
    /// What [`WasmMemory`] adds to a heap that has the bytes from its base to its end, or has none
    /// yet: `adjoining` bytes if they follow those, and `apart` bytes elsewhere.
    pub fn grow(
        &mut self,
        heap: Option<Range<u128>>,
        adjoining: u128,
        apart: u128,
    ) -> Option<Range<u128>> {
        let Self::Pages {
            page_zero,
            count,
            limit,
            race,
        } = self
        else {
            return None;
        };
        let page = PAGE_SIZE as u128;
        let seen = *page_zero + *count * page;
        let bytes = match &heap {
            None => HEADER as u128 + apart,
            Some(heap) if heap.end == seen => adjoining,
            Some(_) => apart,
        };
        let pages = bytes.div_ceil(page);
        // A heap that is there looks at the memory before anything else; one that is not, after its
        // first doubts.
        let longest = u128::from(u32::MAX) / page;
        if heap.is_none() && pages > longest {
            return None;
        }
        *count += core::mem::take(race).min(*limit - *count);
        let start = *page_zero + *count * page;
        let base = heap.as_ref().map_or(start, |heap| heap.start);
        if pages > longest || (seen - base.min(seen)) / page + pages > longest {
            return None;
        }
        if pages > *limit - *count {
            return None;
        }
        *count += pages;
        // What comes from behind others that were quicker is lost to a heap that did not expect
        // them.
        (heap.is_none() || start == seen).then(|| start..*page_zero + *count * page)
    }
}
