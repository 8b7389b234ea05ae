//! A handler has a `Call` as its only parameter.

entrypoint::handler!(handle, other);

fn handle(_bytes: &[u8]) {}

fn other(_call: entrypoint::handler::Call<'_>, _more: u32) {}

fn main() {}
