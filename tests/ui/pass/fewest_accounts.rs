//! `max_accounts` is at least 1, in any notation.

use entrypoint::{AccountInfo, ProgramResult, Pubkey};

entrypoint::entrypoint_no_alloc!(process_instruction, max_accounts = 0x01);

fn process_instruction(
    _program_id: &Pubkey,
    _accounts: &[AccountInfo],
    _instruction_data: &[u8],
) -> ProgramResult {
    Ok(())
}

fn main() {}
