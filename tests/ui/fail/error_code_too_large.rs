//! A code is a u32.

use entrypoint::ProgramError;

const BASE: u64 = 1 << 32;

#[derive(ProgramError)]
#[repr(u64)]
enum VaultError {
    Small = BASE - 1,
    Large = BASE,
}

fn main() {}
