//! The default heap is a `BumpAllocator`.

use std::alloc::System;

entrypoint::custom_heap_default!(static HEAP: System);

fn main() {}
