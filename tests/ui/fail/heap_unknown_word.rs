//! The named heaps are `bump` and `segregated`.

entrypoint::custom_heap_default!(segregate);

fn main() {}
