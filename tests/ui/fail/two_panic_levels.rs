//! A program has one panic level.

entrypoint::custom_panic_default!(location, abort);

fn main() {}
