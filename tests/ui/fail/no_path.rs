//! What stands first is a path.

entrypoint::entrypoint!(, heap = custom);

fn main() {}
