//! The macro names the option that was meant.

use entrypoint::{AccountInfo, ProgramResult, Pubkey};

entrypoint::entrypoint!(process_instruction, heep = custom);

fn process_instruction(
    _program_id: &Pubkey,
    _accounts: &[AccountInfo],
    _instruction_data: &[u8],
) -> ProgramResult {
    Ok(())
}

fn main() {}
