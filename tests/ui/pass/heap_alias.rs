//! Heaps with aliases of their type: the macro checks the type, not its name.

mod segregated {
    type Heap = entrypoint::SegregatedBumpAllocator;

    entrypoint::custom_heap_default!(pub static HEAP: Heap);
}

mod renamed {
    use entrypoint::SegregatedBumpAllocator as BumpAllocator;

    entrypoint::custom_heap_default!(pub static HEAP: BumpAllocator);
}

mod bump {
    use core::cell::Cell;

    type SegregatedBumpAllocator = entrypoint::BumpAllocator<Cell<u64>>;

    entrypoint::custom_heap_default!(pub static HEAP: SegregatedBumpAllocator);
}

fn main() {
    // No loader has announced a heap here.
    assert_eq!(segregated::HEAP.limit(), 0);
    assert_eq!(renamed::HEAP.listed(), 0);
    assert_eq!(bump::HEAP.used(), 0);
}
