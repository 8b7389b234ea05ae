//! The static of a heap is not `mut`.

entrypoint::custom_heap_default!(static mut HEAP: entrypoint::BumpAllocator);

fn main() {}
