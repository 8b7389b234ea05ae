//! A panic level is a word.

entrypoint::custom_panic_default!("location");

fn main() {}
