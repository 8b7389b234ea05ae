//! A crate has one default heap.

use entrypoint::BumpAllocator;

entrypoint::custom_heap_default!(static FIRST: BumpAllocator);
entrypoint::custom_heap_default!(static SECOND: BumpAllocator);

fn main() {}
