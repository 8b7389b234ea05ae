//! The program has a function.

entrypoint::entrypoint!();

fn main() {}
