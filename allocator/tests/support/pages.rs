//! A memory that grows by pages, and that other users grow too.

use core::alloc::Layout;
use core::cell::{Cell, RefCell};
use core::ops::Range;
use std::alloc::{alloc_zeroed, dealloc};

use allocator::{PAGE_SIZE, PageMemory, WasmMemory};

use super::{Ground, HEADER, Memory, SENTINEL};

/// The contents of other users' pages.
static FOREIGN: [u8; PAGE_SIZE] = [0xF0; PAGE_SIZE];
const MARGIN: usize = 64;

/// A memory that grows by pages up to a limit, and that other users grow too, like WebAssembly's.
/// The test chooses the address of page 0.
pub struct Pages {
    whole: *mut u8,
    layout: Layout,
    page_zero: *mut u8,
    limit: usize,
    count: Cell<usize>,
    /// Pages that others take between the heap's call of `pages` and its next growth.
    race: Cell<usize>,
    /// The heap's addresses, in order, with adjoining pages in one piece.
    given: RefCell<Vec<Range<usize>>>,
    /// The numbers of other users' pages.
    foreign: RefCell<Vec<usize>>,
}

impl Pages {
    /// A memory with `before` pages of other users, and at most `limit` pages. The address of page
    /// 0 is `remainder` modulo the page size.
    pub fn new(remainder: usize, before: usize, limit: usize) -> Self {
        let length = MARGIN + PAGE_SIZE + limit * PAGE_SIZE + MARGIN;
        let layout = Layout::from_size_align(length, 1).expect("a valid layout");
        // SAFETY: the layout has a size.
        let whole = unsafe { alloc_zeroed(layout) };
        assert!(!whole.is_null(), "no memory");
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

    /// The number of pages.
    pub fn count(&self) -> usize {
        self.count.get()
    }

    /// The heap's addresses, in order, with adjoining pages in one piece.
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
        // SAFETY: pages and margins are inside the allocation, which was zeroed. Callers pass
        // ranges without blocks, and no code writes to them during the borrow.
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
            assert!(page == FOREIGN, "written to another user's page {number}");
        }
    }
}

impl Pages {
    /// Other users take pages, if there are enough.
    pub fn others_take(&self, pages: usize) {
        let Some(first) = self.add(pages) else {
            return;
        };
        for number in first..first + pages {
            // SAFETY: the page is inside the allocation and new.
            unsafe { PageMemory::page(&self, number).copy_from(FOREIGN.as_ptr(), PAGE_SIZE) };
            self.foreign.borrow_mut().push(number);
        }
    }
}

// SAFETY: `add` counts new pages of one zeroed allocation up to its limit. The pages follow page 0
// in order.
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

// SAFETY: no other source has these pages, because `open` fails if it was called before.
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
            assert!(page == [0; PAGE_SIZE], "written after the last page");
        }
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        // SAFETY: `new` allocated it with this layout.
        unsafe { dealloc(self.whole, self.layout) };
    }
}

/// How a memory changes when the heap requests more, in numbers that cannot overflow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outlook {
    /// It does not change.
    Fixed,
    /// It grows by pages.
    Pages {
        /// The address of page 0.
        page_zero: u128,
        /// The number of pages.
        count: u128,
        /// The maximum number of pages.
        limit: u128,
        /// The number of pages that others take during the next request.
        race: u128,
    },
}

impl Outlook {
    /// The addresses that [`WasmMemory`] adds to a heap with these addresses, or to a new heap:
    /// `adjoining` bytes if the new pages follow the heap, and `apart` bytes otherwise.
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
        // An existing heap reads the number of pages first. A new one first checks the length.
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
        // If others have taken pages meanwhile, the heap cannot use pages that it expected to
        // adjoin.
        (heap.is_none() || start == seen).then(|| start..*page_zero + *count * page)
    }
}
