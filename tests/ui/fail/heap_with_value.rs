//! The static of a heap has no value of its own.

entrypoint::custom_heap_default!(static HEAP: entrypoint::BumpAllocator = BumpAllocator);

fn main() {}
