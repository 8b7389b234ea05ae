//! A crate that denies warnings and declares none of the conventional features.

#![deny(
    warnings,
    missing_docs,
    unused,
    unreachable_pub,
    unused_qualifications,
    rust_2018_idioms,
    elided_lifetimes_in_paths
)]

use entrypoint::{AccountInfo, ProgramResult, Pubkey};

entrypoint::entrypoint!(process_instruction);

fn process_instruction(
    _program_id: &Pubkey,
    _accounts: &[AccountInfo<'_>],
    _instruction_data: &[u8],
) -> ProgramResult {
    Ok(())
}

fn main() {}
