//! An enum without variants is not an error.

#[derive(entrypoint::ProgramError)]
enum VaultError {}

fn main() {}
