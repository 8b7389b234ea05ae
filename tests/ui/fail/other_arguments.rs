//! Each macro shows how its argument is written.

entrypoint::custom_heap!(static HEAP: System);
entrypoint::export_alloc!(4096);

fn main() {}
