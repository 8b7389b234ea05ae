//! The first argument is a path.

entrypoint::entrypoint!(, heap = custom);

fn main() {}
