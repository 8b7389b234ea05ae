//! The standard collections on a heap with size classes as a program has it: the global allocator,
//! over what a loader has announced.
//!
//! The announcement is global, so this is one test in a process of its own.

#[path = "support/switch.rs"]
mod switch;

use allocator::{SegregatedBumpAllocator, TracingAllocator, set_heap_base, set_heap_limit};
use switch::{Switch, collections_agree};

#[global_allocator]
static HEAP: Switch<TracingAllocator<SegregatedBumpAllocator>> = {
    // SAFETY: the only allocator over the announced heap, used by the only test in this process.
    Switch::new(TracingAllocator::new(unsafe {
        SegregatedBumpAllocator::new()
    }))
};

const LENGTH: usize = 256 * 1024;

#[test]
fn segregated_collections_match_the_system() {
    let memory = Box::leak(vec![0_u8; LENGTH + 1].into_boxed_slice());
    // As awkward as can be.
    let base = (memory.as_mut_ptr().expose_provenance()) | 1;
    // SAFETY: nothing was handed out yet. The region is inside one leaked, zeroed, exposed buffer
    // that nobody else uses.
    unsafe { set_heap_base(base) };
    // SAFETY: as above, and from one byte in, so many bytes are left.
    unsafe { set_heap_limit(LENGTH) };

    let extent = collections_agree(&HEAP, 8);
    assert!(base + 8 <= extent.start && extent.end <= base + LENGTH);

    // SAFETY: the thread is the one that has run the workload.
    let traced = unsafe { HEAP.inner() };
    let counts = traced.counts();
    assert!(counts.allocations > 1200 && counts.reallocations > 300);
    assert_eq!(counts.allocations, counts.deallocations);
    assert_eq!((counts.failed, counts.live), (0, 0));
    let heap = traced.inner();
    assert!(heap.listed() > 0);
    assert_eq!(traced.leaked(), heap.used() - heap.listed());
    // Short blocks serve again and again: without the lists it is twice as much.
    assert!(heap.peak() < 100_000, "{} bytes", heap.peak());
}
