//! A panic level is one of those that there are.

entrypoint::custom_panic_default!(verbose);

fn main() {}
