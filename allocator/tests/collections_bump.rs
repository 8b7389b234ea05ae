//! The standard collections on a bump heap as in a program: the global allocator, over an announced
//! heap.
//!
//! The announcement is global, so this is one test in a process of its own.

#[path = "support/switch.rs"]
mod switch;

use core::cell::Cell;

use allocator::{BumpAllocator, TracingAllocator, set_heap_base, set_heap_limit};
use switch::{Switch, collections_agree};

#[global_allocator]
static HEAP: Switch<TracingAllocator<BumpAllocator<Cell<u64>>>> = {
    // SAFETY: this is the only allocator over the announced heap, in the only test of this process.
    Switch::new(TracingAllocator::new(unsafe { BumpAllocator::new() }))
};

const LENGTH: usize = 256 * 1024;

#[test]
fn bump_collections_match_the_system() {
    let memory = Box::leak(vec![0_u8; LENGTH + 1].into_boxed_slice());
    // The most awkward address.
    let base = (memory.as_mut_ptr().expose_provenance()) | 1;
    // SAFETY: no block exists yet. The region is inside one leaked, zeroed, exposed buffer that no
    // other code uses.
    unsafe { set_heap_base(base) };
    // SAFETY: no block exists yet, and this many bytes of the buffer follow the base.
    unsafe { set_heap_limit(LENGTH) };

    let extent = collections_agree(&HEAP, 2);
    assert!(base + 8 <= extent.start && extent.end <= base + LENGTH);

    // SAFETY: this thread has run the workload.
    let traced = unsafe { HEAP.inner() };
    let counts = traced.counts();
    assert!(counts.allocations > 300 && counts.reallocations > 80);
    assert_eq!(counts.allocations, counts.deallocations);
    assert_eq!((counts.failed, counts.live), (0, 0));
    assert_eq!(counts.extent, extent.len());
    let bump = traced.inner();
    assert!(counts.peak <= bump.peak());
    assert_eq!(traced.leaked(), bump.used());
    assert_eq!(bump.global().get(), 0, "the state is unchanged");
}
