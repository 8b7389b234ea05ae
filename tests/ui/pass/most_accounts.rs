//! `max_accounts` is at most 255.

use entrypoint::{AccountInfo, ProgramResult, Pubkey};

entrypoint::entrypoint_no_alloc!(process_instruction, max_accounts = 255);

fn process_instruction(
    _program_id: &Pubkey,
    _accounts: &[AccountInfo],
    _instruction_data: &[u8],
) -> ProgramResult {
    Ok(())
}

fn main() {}
