//! The function must exist.

entrypoint::entrypoint!(process_instruction);

fn main() {}
