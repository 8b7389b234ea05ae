//! The first argument, the function, is required.

entrypoint::entrypoint!();

fn main() {}
