//! `max_accounts` is at least 1.

use entrypoint::{AccountInfo, ProgramResult, Pubkey};

entrypoint::entrypoint_no_alloc!(process_instruction, max_accounts = 0);

fn process_instruction(
    _program_id: &Pubkey,
    _accounts: &[AccountInfo],
    _instruction_data: &[u8],
) -> ProgramResult {
    Ok(())
}

fn main() {}
