//! The function has three parameters.

use entrypoint::{AccountInfo, ProgramResult};

entrypoint::entrypoint!(process_instruction);

fn process_instruction(_accounts: &[AccountInfo], _instruction_data: &[u8]) -> ProgramResult {
    Ok(())
}

fn main() {}
