//! The function exists.

entrypoint::entrypoint!(process_instruction);

fn main() {}
