//! A crate without a prelude.

#![no_implicit_prelude]

use ::entrypoint::{AccountInfo, ProgramResult, Pubkey};

::entrypoint::entrypoint!(process_instruction);

fn process_instruction(
    _program_id: &Pubkey,
    _accounts: &[AccountInfo],
    _instruction_data: &[u8],
) -> ProgramResult {
    ::core::result::Result::Ok(())
}

fn main() {}
