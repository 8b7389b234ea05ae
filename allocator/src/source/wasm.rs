//! A heap in the linear memory of WebAssembly, which grows by pages.

use core::cell::Cell;

use super::{HEADER_LENGTH, HeapSource, empty_start};

/// Length in bytes of a page of WebAssembly's memory.
pub const PAGE_SIZE: usize = 64 * 1024;

/// The longest heap: a 32-bit header can record its use, and one pointer can reach all of it.
const MAX_LENGTH: usize = if (isize::MAX as usize) < u32::MAX as usize {
    isize::MAX as usize
} else {
    u32::MAX as usize
};

/// A memory that grows by pages of [`PAGE_SIZE`] bytes at its end.
///
/// [`LinearMemory`] is the real one. Other implementations test a [`WasmMemory`] without
/// WebAssembly.
///
/// # Safety
///
/// - Pages are numbered from 0. They stay in place, and valid, as long as the memory, or a block of
///   a heap over it, is in use.
/// - If `grow` succeeds, it adds that many pages after all others, and returns the number of the
///   first. The pages are zeroed, and valid for reads and writes through the pointer that `page`
///   returns for any page of the memory. Only the caller uses them.
/// - For any number up to `pages()`, `page` returns a pointer to the first byte of that page, or to
///   the end of the memory. Its address is `number * PAGE_SIZE` after that of page 0.
/// - No method unwinds, and no method calls a method of an allocator over this memory.
pub unsafe trait PageMemory {
    /// Returns the number of pages.
    fn pages(&self) -> usize;

    /// Adds pages, and returns the number of pages before, or `None` if there is no more memory.
    fn grow(&self, pages: usize) -> Option<usize>;

    /// Returns the first byte of a page.
    fn page(&self, number: usize) -> *mut u8;
}

/// The linear memory of the module: memory 0, through `memory.size` and `memory.grow`.
///
/// It is a [`PageMemory`] only on `wasm32`.
#[derive(Clone, Copy, Debug, Default)]
pub struct LinearMemory;

// SAFETY: by the specification of `memory.grow`, it adds zeroed pages at the end, and other code
// that grows the memory gets other pages. Pages are never removed or moved. The linear memory is
// one object, addressed from 0. The methods are single instructions, which do not unwind and call
// nothing.
#[cfg(target_arch = "wasm32")]
unsafe impl PageMemory for LinearMemory {
    fn pages(&self) -> usize {
        core::arch::wasm32::memory_size(0)
    }

    fn grow(&self, pages: usize) -> Option<usize> {
        match core::arch::wasm32::memory_grow(0, pages) {
            usize::MAX => None,
            before => Some(before),
        }
    }

    fn page(&self, number: usize) -> *mut u8 {
        core::ptr::with_exposed_provenance_mut(number * PAGE_SIZE)
    }
}

/// A heap that takes pages from the end of WebAssembly's memory as it needs them.
///
/// It takes no page before the first allocation. Other code, such as a second allocator or the
/// host, may grow the same memory in between; the heap skips those pages and never touches them. It
/// does not return pages, because the memory cannot shrink.
///
/// A heap reaches at most `isize::MAX` bytes from its first page, 2 GiB on `wasm32`, skipped pages
/// included. If new pages do not follow the old ones, the heap leaves the rest of the old ones
/// unused, and an allocator's figures of use include the skipped pages.
///
/// ```
/// # #[cfg(target_arch = "wasm32")] {
/// use allocator::{LinearMemory, SegregatedBumpAllocator, WasmMemory};
///
/// // SAFETY: the module has one thread, and this is its global allocator.
/// #[global_allocator]
/// static HEAP: SegregatedBumpAllocator<WasmMemory> = unsafe {
///     SegregatedBumpAllocator::with_source(WasmMemory::new(LinearMemory))
/// };
/// # }
/// ```
#[derive(Debug)]
pub struct WasmMemory<M = LinearMemory> {
    memory: M,
    start: Cell<*mut u8>,
    end: Cell<*mut u8>,
}

impl<M> WasmMemory<M> {
    /// Returns a heap without pages as a source.
    #[must_use]
    pub const fn new(memory: M) -> Self {
        Self {
            memory,
            start: Cell::new(empty_start()),
            end: Cell::new(empty_start()),
        }
    }
}

impl<M: PageMemory> WasmMemory<M> {
    /// Takes the first pages.
    fn open(&self, bytes: usize) -> Option<usize> {
        let pages = pages(HEADER_LENGTH.checked_add(bytes)?)?;
        if !ends_in_address_space(self.memory.pages(), pages) {
            return None;
        }
        let first = self.memory.grow(pages)?;
        // Other code may have grown the memory between the two calls.
        if !ends_in_address_space(first, pages) {
            return None;
        }
        let base = self.memory.page(first);
        if base.is_null() {
            // Page 0 of a memory without pages. It stays unused, because its address is null.
            return None;
        }
        self.start.set(base.wrapping_add(HEADER_LENGTH));
        self.end.set(base.wrapping_add(pages * PAGE_SIZE));
        Some(0)
    }
}

/// Returns the number of pages for these bytes, if a heap can have that many.
pub(crate) fn pages(bytes: usize) -> Option<usize> {
    let pages = bytes.div_ceil(PAGE_SIZE);
    (pages <= MAX_LENGTH / PAGE_SIZE).then_some(pages)
}

/// Returns whether the end of `wanted` more pages has an address.
///
/// The end of the last page of a 32-bit address space has none, so that page stays unused.
pub(crate) fn ends_in_address_space(before: usize, wanted: usize) -> bool {
    before
        .checked_add(wanted)
        .is_some_and(|pages| pages <= usize::MAX / PAGE_SIZE)
}

// SAFETY: before the first pages the space is empty, and the header is the empty one. `start`
// changes when the first pages are added, and never again; `end` only rises. The added bytes start
// at the returned offset and end at the new end, and there are at least as many as requested.
// `PageMemory` promises that they are zeroed, valid through a pointer to any page, and used only by
// the caller. The end never rises to a page of other code. The whole stays within `MAX_LENGTH`. By
// the contract of `PageMemory`, no method unwinds or calls an allocator.
unsafe impl<M: PageMemory> HeapSource for WasmMemory<M> {
    #[inline(always)]
    fn start(&self) -> *mut u8 {
        self.start.get()
    }

    #[inline(always)]
    fn end(&self) -> *mut u8 {
        self.end.get()
    }

    #[cold]
    #[inline(never)]
    fn grow(&self, adjoining: usize, apart: usize) -> Option<usize> {
        let (start, end) = (self.start.get(), self.end.get());
        if start == end {
            return self.open(apart);
        }
        let page_zero = self.memory.page(0).addr();
        let page_of = |pointer: *mut u8| (pointer.addr() - page_zero) / PAGE_SIZE;
        let (first, behind) = (page_of(start), page_of(end));

        let before = self.memory.pages();
        let wanted = pages(if before == behind { adjoining } else { apart })?;
        if !ends_in_address_space(before, wanted)
            || before - first + wanted > MAX_LENGTH / PAGE_SIZE
        {
            return None;
        }
        if self.memory.grow(wanted)? != before {
            // Other code grew the memory between the two calls. The new pages may now be too few,
            // or end too far away, so they are lost.
            return None;
        }
        let base = start.wrapping_sub(HEADER_LENGTH);
        self.end
            .set(base.wrapping_add((before + wanted - first) * PAGE_SIZE));
        Some((before - first) * PAGE_SIZE - HEADER_LENGTH)
    }
}
