//! `custom_heap_default!` has no argument, or a static.

entrypoint::custom_heap_default!(64 * 1024);

fn main() {}
