//! Errors are variants of an enum.

#[derive(entrypoint::ProgramError)]
struct VaultError {
    code: u32,
}

fn main() {}
