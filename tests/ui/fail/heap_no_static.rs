//! `custom_heap_default!` takes nothing or a static.

entrypoint::custom_heap_default!(64 * 1024);

fn main() {}
