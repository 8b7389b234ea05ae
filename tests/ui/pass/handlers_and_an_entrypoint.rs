//! A program with handlers.

use entrypoint::handler::Call;
use entrypoint::{AccountInfo, ProgramResult, Pubkey};

entrypoint::entrypoint!(process_instruction);
entrypoint::export_handler!(handle);

fn handle(_call: Call<'_>) -> Vec<u8> {
    Vec::new()
}

fn process_instruction(
    _program_id: &Pubkey,
    _accounts: &[AccountInfo],
    _instruction_data: &[u8],
) -> ProgramResult {
    Ok(())
}

fn main() {}
