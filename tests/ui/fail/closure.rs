//! The function is named by a path, so it is no closure.

entrypoint::entrypoint!(|_, _, _| Ok(()));

fn main() {}
