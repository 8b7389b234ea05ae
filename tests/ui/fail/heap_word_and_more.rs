//! A heap that has a word takes no options.

entrypoint::custom_heap_default!(segregated, 4096);

fn main() {}
