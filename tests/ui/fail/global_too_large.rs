//! The state in the heap must fit into the smallest heap.

use core::cell::Cell;

use entrypoint::BumpAllocator;

entrypoint::custom_heap_default!(static HEAP: BumpAllocator<[Cell<u64>; 4096]>);

fn main() {}
