//! The heap that a loader announces.

use core::cell::Cell;
use core::ptr;

use super::{HEADER_LENGTH, HeapSource, empty_start, length};

/// The announced region. Start and end, rather than base and limit, because every allocation needs those, and an
/// announcement is made once.
struct Announced {
    start: Cell<*mut u8>,
    end: Cell<*mut u8>,
}

// SAFETY: it is written by `set_heap_base` and `set_heap_limit` only, whose callers promise that no other thread
// uses it from then on. Until then it is only read.
unsafe impl Sync for Announced {}

static ANNOUNCED: Announced = Announced {
    start: Cell::new(empty_start()),
    end: Cell::new(empty_start()),
};

/// Records where the loader has put the heap: the address of its first byte, of any alignment.
///
/// # Safety
///
/// - It is called once, before any allocator over [`LoaderHeap`] is used. There is one such allocator in the program at
///   most, those that macros have declared included.
/// - From here on one thread alone calls functions of this crate that have to do with [`LoaderHeap`], this one and
///   [`heap_limit`] among them.
/// - From here on the eight bytes from `base` on are valid for reads, and zero as long as nobody has allocated.
/// - Once [`set_heap_limit`] has been called, the region of that many bytes from `base` on is one
///   allocation whose provenance is exposed, zeroed, valid for reads and writes, used by nobody else,
///   and stays so while an allocator over [`LoaderHeap`] is in use.
#[inline(always)]
pub unsafe fn set_heap_base(base: usize) {
    let start = ptr::with_exposed_provenance_mut::<u8>(base).wrapping_add(HEADER_LENGTH);
    ANNOUNCED.start.set(start);
    ANNOUNCED.end.set(start);
}

/// Records the length in bytes of the heap that the loader has provided. From here on there is a heap.
///
/// # Safety
///
/// As for [`set_heap_base`], which has been called before. `limit` is at least 8, and at most `u32::MAX` and
/// `isize::MAX`; on a 64-bit machine the region ends below address 2^63.
#[inline(always)]
pub unsafe fn set_heap_limit(limit: usize) {
    let base = ANNOUNCED.start.get().wrapping_sub(HEADER_LENGTH);
    ANNOUNCED.end.set(base.wrapping_add(limit));
}

/// The length in bytes of the heap that the loader has announced; 0 if it has not, or if there is nothing in the
/// heap but its header.
#[inline(always)]
#[must_use]
pub fn heap_limit() -> usize {
    length(ANNOUNCED.start.get(), ANNOUNCED.end.get())
}

/// The region that the loader announced through [`set_heap_base`] and [`set_heap_limit`].
///
/// Until [`set_heap_limit`] is called, the second of the two, it has no room, so that an allocator over it
/// refuses everything.
#[derive(Debug)]
pub struct LoaderHeap {
    _made_here: (),
}

impl LoaderHeap {
    /// The announced region, as a source.
    ///
    /// # Safety
    ///
    /// Only one allocator is ever built over the announced region.
    #[must_use]
    pub const unsafe fn new() -> Self {
        Self { _made_here: () }
    }
}

// SAFETY: the contract of `set_heap_base` and `set_heap_limit` says of the region what the trait asks
// for, and that the base is recorded first; `new` promises that there is one allocator over it; before
// `set_heap_limit` start and end are the same, and the header is the empty one, or that of the region, which is readable
// from `set_heap_base` on.
unsafe impl HeapSource for LoaderHeap {
    #[inline(always)]
    fn start(&self) -> *mut u8 {
        ANNOUNCED.start.get()
    }

    #[inline(always)]
    fn end(&self) -> *mut u8 {
        ANNOUNCED.end.get()
    }

    #[inline(always)]
    fn limit(&self) -> usize {
        heap_limit()
    }
}
