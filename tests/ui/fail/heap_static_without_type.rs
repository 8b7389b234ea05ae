//! The static of a heap has a type.

entrypoint::custom_heap_default!(static HEAP);

fn main() {}
