//! A code without a number is one more than the last, and a u32 too.

use entrypoint::ProgramError;

#[derive(ProgramError)]
#[repr(u64)]
enum VaultError {
    Last = 0xFFFF_FFFF,
    Next,
}

fn main() {}
