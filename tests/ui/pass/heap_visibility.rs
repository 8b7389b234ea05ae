//! A heap that other modules see, with documentation.

#![deny(warnings, missing_docs)]

mod heap {
    use core::cell::Cell;

    use entrypoint::BumpAllocator;

    entrypoint::custom_heap_default! {
        /// The heap.
        pub(crate) static HEAP: BumpAllocator<Cell<u64>>;
    }
}

fn main() {
    let _heap = &heap::HEAP;
}
