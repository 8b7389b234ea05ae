//! The linear memory of WebAssembly, which grows by pages.

use core::cell::Cell;

use super::{HEADER_LENGTH, HeapSource, empty_start};

/// Bytes of a page of WebAssembly's memory.
pub const PAGE_SIZE: usize = 64 * 1024;

/// The longest heap: what a 32-bit header can say, and what one pointer can reach.
const MAX_LENGTH: usize = if (isize::MAX as usize) < u32::MAX as usize {
    isize::MAX as usize
} else {
    u32::MAX as usize
};

/// A memory that grows by pages of [`PAGE_SIZE`] bytes at its end.
///
/// [`LinearMemory`] is the one that counts. A memory of another kind puts a [`WasmMemory`] to the test where
/// there is no WebAssembly.
///
/// # Safety
///
/// - Pages are numbered from 0 and stay where they are, valid, as long as the memory, or whatever a heap over it has
///   handed out, is in use.
/// - `grow`, if it succeeds, adds that many pages behind all there are, zeroed and valid for reads and writes
///   through the pointer that `page` returns for any page of the memory, and returns the number of the first; nobody
///   uses them but the caller.
/// - `page` returns, for any number up to that of `pages()`, a pointer to the first byte of that page, or to the end of
///   the memory, at an address that is `number * PAGE_SIZE` after that of page 0.
/// - No method unwinds, nor calls a method of an allocator over this memory.
pub unsafe trait PageMemory {
    /// The number of pages that there are.
    fn pages(&self) -> usize;

    /// Adds pages, and returns how many there were before; `None` if there is no more memory.
    fn grow(&self, pages: usize) -> Option<usize>;

    /// The first byte of a page.
    fn page(&self, number: usize) -> *mut u8;
}

/// The linear memory of the module that the code is compiled into: memory 0, by `memory.size` and
/// `memory.grow`. It is a [`PageMemory`] on `wasm32` only.
#[derive(Clone, Copy, Debug, Default)]
pub struct LinearMemory;

// SAFETY: the specification of `memory.grow` says that pages are added at the end and are zero. Whoever else
// grows the memory gets pages of their own. All of the linear memory is one object, addressed from 0.
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
/// Nothing is taken before the first allocation. Others may grow the same memory in between, a second
/// allocator or the host for instance: their pages are skipped and never touched. Pages are not given back,
/// because the memory cannot shrink. A heap reaches no further than `isize::MAX` bytes from its first page, 2 GiB on
/// `wasm32`, others' pages included. Where the pages do not follow what there was, the rest of that is left,
/// and an allocator's figures of use count the pages between.
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
    /// A heap without pages so far, as a source.
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
        // Somebody else may have grown the memory between the two calls.
        if !ends_in_address_space(first, pages) {
            return None;
        }
        let base = self.memory.page(first);
        if base.is_null() {
            // Page 0 of a memory that had none. It is left alone, because no pointer to its first byte can be used.
            return None;
        }
        self.start.set(base.wrapping_add(HEADER_LENGTH));
        self.end.set(base.wrapping_add(pages * PAGE_SIZE));
        Some(0)
    }
}

/// The pages that so many bytes take, if that is no more than a heap can have.
pub(crate) fn pages(bytes: usize) -> Option<usize> {
    let pages = bytes.div_ceil(PAGE_SIZE);
    (pages <= MAX_LENGTH / PAGE_SIZE).then_some(pages)
}

/// Whether the byte behind the last of `wanted` more pages has an address. The very last page of a 32-bit address
/// space has none, and is left alone.
pub(crate) fn ends_in_address_space(before: usize, wanted: usize) -> bool {
    before
        .checked_add(wanted)
        .is_some_and(|pages| pages <= usize::MAX / PAGE_SIZE)
}

// SAFETY: before the first pages there is no room, and the header is the empty one; `start` moves when they
// come, and never again. What is added starts at the offset that is returned and ends at the new end; it is
// zeroed and the caller's alone, as `PageMemory` promises, and the end is never raised over pages that are not
// followed by such. The whole stays within `MAX_LENGTH`.
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
            // Somebody else has grown the memory between the two calls. What came may be too little now, or end
            // too far away; it is lost.
            return None;
        }
        let base = start.wrapping_sub(HEADER_LENGTH);
        self.end
            .set(base.wrapping_add((before + wanted - first) * PAGE_SIZE));
        Some((before - first) * PAGE_SIZE - HEADER_LENGTH)
    }
}
