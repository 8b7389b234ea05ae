//! A named heap has no options.

entrypoint::custom_heap_default!(segregated, 4096);

fn main() {}
