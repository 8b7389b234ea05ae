//! The heaps that have a word are `bump` and `segregated`.

entrypoint::custom_heap_default!(segregate);

fn main() {}
