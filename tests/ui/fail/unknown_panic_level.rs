//! The macro rejects an unknown panic level.

entrypoint::custom_panic_default!(verbose);

fn main() {}
