//! The function returns a `ProgramResult`.

use entrypoint::{AccountInfo, Pubkey};

entrypoint::entrypoint!(process_instruction);

fn process_instruction(
    _program_id: &Pubkey,
    _accounts: &[AccountInfo],
    _instruction_data: &[u8],
) -> Result<(), &'static str> {
    Ok(())
}

fn main() {}
