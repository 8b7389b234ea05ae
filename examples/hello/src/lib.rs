//! Logs a greeting: the smallest program there is.
#![no_std]

use entrypoint::{AccountInfo, ProgramResult, Pubkey, entrypoint, msg};

entrypoint!(process_instruction);

/// Greets the name in the instruction data, or the world.
pub fn process_instruction(
    _program_id: &Pubkey,
    _accounts: &[AccountInfo],
    instruction_data: &[u8],
) -> ProgramResult {
    match core::str::from_utf8(instruction_data) {
        Ok("") => msg!("Hello, world!"),
        Ok(name) => msg!("Hello, {name}!"),
        Err(_) => msg!("Hello, whoever you are!"),
    }
    Ok(())
}
