//! The static of a heap has no initial value.

entrypoint::custom_heap_default!(static HEAP: entrypoint::BumpAllocator = BumpAllocator);

fn main() {}
