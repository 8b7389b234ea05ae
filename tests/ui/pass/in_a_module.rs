//! An entrypoint in a module.

use entrypoint::{AccountInfo, ProgramResult, Pubkey};

mod program {
    entrypoint::entrypoint!(super::process_instruction, duplicates = reject);
}

fn process_instruction(
    _program_id: &Pubkey,
    _accounts: &[AccountInfo],
    _instruction_data: &[u8],
) -> ProgramResult {
    Ok(())
}

fn main() {}
