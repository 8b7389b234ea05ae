//! The function accepts accounts that live only as long as the invocation.

use entrypoint::{AccountInfo, ProgramResult, Pubkey};

entrypoint::entrypoint!(process_instruction);

fn process_instruction(
    _program_id: &Pubkey,
    _accounts: &'static [AccountInfo<'static>],
    _instruction_data: &[u8],
) -> ProgramResult {
    Ok(())
}

fn main() {}
