//! A panic level is an identifier.

entrypoint::custom_panic_default!("location");

fn main() {}
