//! The function is named by a path, so it is no literal.

entrypoint::entrypoint!("process_instruction");

fn main() {}
