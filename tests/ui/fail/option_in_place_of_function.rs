//! The function comes before the options.

entrypoint::entrypoint!(heap = custom);

fn main() {}
