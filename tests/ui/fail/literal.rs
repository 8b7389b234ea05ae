//! The argument is a path to a function, not a literal.

entrypoint::entrypoint!("process_instruction");

fn main() {}
