//! The heap that a loader announces: no allocation before the announcement, blocks after it.
//!
//! The announcement is global, so this is one test in a process of its own.

mod support;

use core::alloc::{GlobalAlloc, Layout};
use core::cell::Cell;

use allocator::{BumpAllocator, set_heap_base, set_heap_limit};

use support::panic_message;

// SAFETY: this is the only allocator over the announced heap, in the only test of this process.
static HEAP: BumpAllocator<Cell<u64>> = unsafe { BumpAllocator::new() };

const LENGTH: usize = 4096;

fn alloc(size: usize, align: usize) -> *mut u8 {
    let layout = Layout::from_size_align(size, align).expect("a valid layout");
    // SAFETY: the layout has a size.
    unsafe { HEAP.alloc(layout) }
}

fn alloc_zeroed(size: usize, align: usize) -> *mut u8 {
    let layout = Layout::from_size_align(size, align).expect("a valid layout");
    // SAFETY: the layout has a size.
    unsafe { HEAP.alloc_zeroed(layout) }
}

fn allocates_nothing() {
    assert_eq!(HEAP.limit(), 0);
    assert_eq!((HEAP.used(), HEAP.peak()), (0, 0));
    assert!(alloc(1, 1).is_null());
    assert!(alloc_zeroed(1, 1).is_null());
    assert!(alloc(isize::MAX as usize, 1).is_null());
    let message = panic_message(|| HEAP.global().get());
    assert!(message.contains("announced"), "{message}");
    assert!(message.contains("set_heap_base"), "{message}");
}

#[test]
fn heap_works_only_after_its_announcement() {
    allocates_nothing();

    // As with a loader: zeroed, and eight bytes after the start of a page.
    let memory = Box::leak(vec![0_u8; 2 * 4096 + LENGTH].into_boxed_slice());
    let whole = memory.as_mut_ptr().expose_provenance();
    let base = whole.next_multiple_of(4096) + 8;
    // SAFETY: no block exists yet. The region is inside one leaked, zeroed, exposed buffer that no
    // other code uses.
    unsafe { set_heap_base(base) };
    allocates_nothing();
    // SAFETY: no block exists yet. 4096 bytes of the buffer follow the base, which is eight bytes
    // into a page.
    unsafe { set_heap_limit(LENGTH) };

    assert_eq!(HEAP.limit(), LENGTH);
    assert_eq!(HEAP.global().get(), 0);
    HEAP.global().set(u64::MAX);
    let first = base + 16;
    assert_eq!(core::ptr::from_ref(HEAP.global()).addr(), base + 8);

    let block = alloc(100, 64);
    assert_eq!(block.addr(), (first + 4).next_multiple_of(64));
    let used = block.addr() + 104 - first;
    assert_eq!((HEAP.used(), HEAP.peak()), (used, used));
    // SAFETY: the block has a hundred bytes.
    unsafe { block.write_bytes(0x33, 100) };
    assert!(alloc(LENGTH, 1).is_null());
    assert_eq!(HEAP.used(), used);

    let layout = Layout::from_size_align(100, 64).expect("a valid layout");
    // SAFETY: the block came from this heap with this layout, and the new size is valid.
    let grown = unsafe { HEAP.realloc(block, layout, 200) };
    assert_eq!(grown, block);
    let layout = Layout::from_size_align(200, 64).expect("a valid layout");
    // SAFETY: the block came from this heap with this layout, and is not used any more.
    unsafe { HEAP.dealloc(grown, layout) };
    assert_eq!((HEAP.used(), HEAP.peak()), (0, used + 96));

    let again = alloc_zeroed(100, 64);
    assert_eq!(again, block);
    // SAFETY: the block has a hundred initialized bytes that no code writes to.
    let bytes = unsafe { core::slice::from_raw_parts(again, 100) };
    assert_eq!(bytes, [0; 100]);

    let rest = alloc(base + LENGTH - (again.addr() + 104), 1);
    assert_eq!(rest.addr(), again.addr() + 104, "exactly full");
    assert!(alloc(1, 1).is_null());
    assert_eq!(HEAP.global().get(), u64::MAX);
}
