//! A heap at an address that is known at compile time.
//!
//! The test maps memory at that address, where the system supports it.

mod support;

use core::alloc::{GlobalAlloc, Layout};

use allocator::{BumpAllocator, FixedHeap};

/// A base as in a guest: eight bytes after the start of a page, right after the program's data.
const BASE: usize = 0x30008;
const LENGTH: usize = 0x2ff8;

fn layout(size: usize, align: usize) -> Layout {
    Layout::from_size_align(size, align).expect("a valid layout")
}

#[test]
fn empty_fixed_heap_allocates_nothing() {
    // SAFETY: an empty region has no other user.
    let source = unsafe { FixedHeap::<BASE, 0>::new() };
    // SAFETY: this is the only allocator over it, in one thread.
    let heap: BumpAllocator<(), _> = unsafe { BumpAllocator::with_source(source) };
    // SAFETY: the layout has a size.
    let block = unsafe { heap.alloc(layout(1, 1)) };
    assert!(block.is_null());
    assert_eq!((heap.limit(), heap.used(), heap.peak()), (0, 0, 0));
}

#[cfg(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64"),
    not(miri)
))]
mod mapped {
    use super::*;
    use crate::support::map;

    static HEAP: BumpAllocator<(), FixedHeap<BASE, LENGTH>> = {
        // SAFETY: the test maps the region, zeroed and only for this heap, before it uses the heap.
        let source = unsafe { FixedHeap::new() };
        // SAFETY: this is the only allocator over the region, in one test and one thread.
        unsafe { BumpAllocator::with_source(source) }
    };

    #[test]
    fn fixed_heap_is_usable_to_the_last_byte() {
        // The pages around the heap.
        map::pages(0x30000..0x33000);
        assert_eq!(HEAP.limit(), LENGTH);
        // SAFETY: the layout has a size.
        let aligned = unsafe { HEAP.alloc(layout(100, 4096)) };
        assert_eq!(aligned.addr(), 0x31000);
        let rest = BASE + LENGTH - (0x31000 + 104);
        // SAFETY: the layout has a size.
        let refused = unsafe { HEAP.alloc(layout(rest + 1, 1)) };
        assert!(refused.is_null());
        // SAFETY: the layout has a size.
        let block = unsafe { HEAP.alloc(layout(rest, 1)) };
        assert_eq!(block.addr(), 0x31000 + 104);
        // SAFETY: the block has that many bytes.
        unsafe { block.write_bytes(0x11, rest) };
        // SAFETY: the block came from this heap with this layout, and is not used again.
        unsafe { HEAP.dealloc(block, layout(rest, 1)) };
        assert_eq!(HEAP.used(), 0x31000 + 104 - (BASE + 8));
        assert_eq!(HEAP.peak(), LENGTH - 8);
        // SAFETY: the layout has a size.
        let zeroed = unsafe { HEAP.alloc_zeroed(layout(rest, 1)) };
        // SAFETY: a block with this many initialized bytes, which no code writes to.
        let bytes = unsafe { core::slice::from_raw_parts(zeroed, rest) };
        assert!(bytes.iter().all(|byte| *byte == 0));
    }
}
