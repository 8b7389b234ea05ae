//! The longest possible heap: its 32-bit figures do not wrap.
#![cfg(all(target_pointer_width = "64", not(miri)))]

use core::alloc::{GlobalAlloc, Layout};

use allocator::{BumpAllocator, HeapSource};

const GIB: usize = 1 << 30;
const LENGTH: usize = u32::MAX as usize;
const HEADER: usize = 8;

/// Address space from the system, which backs only touched pages: in this test, that of the header.
struct Vast {
    base: *mut u8,
}

impl Vast {
    fn layout() -> Layout {
        Layout::from_size_align(LENGTH, 1).expect("a valid layout")
    }

    fn new() -> Self {
        // SAFETY: the layout has a size.
        let base = unsafe { std::alloc::alloc_zeroed(Self::layout()) };
        assert!(!base.is_null(), "no address space");
        Self { base }
    }
}

impl Drop for Vast {
    fn drop(&mut self) {
        // SAFETY: `new` allocated it with this layout, and the allocator over it is dropped.
        unsafe { std::alloc::dealloc(self.base, Self::layout()) };
    }
}

// SAFETY: the source is one zeroed allocation of `u32::MAX` bytes, which no other code uses until
// the source is dropped. The header is before its bytes.
unsafe impl HeapSource for Vast {
    fn start(&self) -> *mut u8 {
        self.base.wrapping_add(HEADER)
    }

    fn end(&self) -> *mut u8 {
        self.base.wrapping_add(LENGTH)
    }

    fn limit(&self) -> usize {
        LENGTH
    }
}

fn layout(size: usize) -> Layout {
    Layout::from_size_align(size, 1).expect("a valid layout")
}

#[test]
fn figures_do_not_wrap_at_four_gibibytes() {
    // SAFETY: the source is made for this allocator, and one thread uses it.
    let heap: BumpAllocator<(), _> = unsafe { BumpAllocator::with_source(Vast::new()) };
    let alloc = |size: usize| {
        // SAFETY: every layout here has a size.
        unsafe { heap.alloc(layout(size)) }
    };
    assert_eq!(heap.limit(), LENGTH);
    for size in [
        LENGTH - HEADER + 1,
        LENGTH,
        LENGTH + 1,
        LENGTH + 2,
        4 * GIB + 100,
        8 * GIB + 16,
    ] {
        assert!(alloc(size).is_null(), "{size:#x}");
        assert_eq!((heap.used(), heap.peak()), (0, 0));
    }

    let low = alloc(3 * GIB);
    assert!(!low.is_null());
    // As 32-bit numbers, 3 GiB and 1.5 GiB would have a small sum.
    assert!(alloc(GIB + GIB / 2).is_null());
    // SAFETY: the block came from this heap with this layout.
    let grown = unsafe { heap.realloc(low, layout(3 * GIB), 4 * GIB + 16) };
    assert!(grown.is_null());
    assert_eq!(heap.used(), 3 * GIB);

    // The system's allocations are aligned to 16, so the header ends at a multiple of 8.
    let most = (LENGTH - HEADER) / 8 * 8;
    // SAFETY: as above; the refusal left the block as it was.
    let grown = unsafe { heap.realloc(low, layout(3 * GIB), most) };
    assert_eq!(grown, low);
    assert_eq!((heap.used(), heap.peak()), (most, most));
    assert!(alloc(1).is_null());
    // SAFETY: the block came from this heap and has this layout.
    unsafe { heap.dealloc(grown, layout(most)) };
    assert_eq!((heap.used(), heap.peak()), (0, most));
    assert!(!alloc(1).is_null());
}
