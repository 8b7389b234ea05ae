//! A crate has one entrypoint.

use entrypoint::{AccountInfo, ProgramResult, Pubkey};

entrypoint::entrypoint!(process_instruction);
entrypoint::entrypoint_no_alloc!(process_instruction);

fn process_instruction(
    _program_id: &Pubkey,
    _accounts: &[AccountInfo],
    _instruction_data: &[u8],
) -> ProgramResult {
    Ok(())
}

fn main() {}
