//! The argument is a path to a function, not a closure.

entrypoint::entrypoint!(|_, _, _| Ok(()));

fn main() {}
