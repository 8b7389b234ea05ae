//! The macros that `entrypoint!` combines.

use entrypoint::{AccountInfo, ProgramResult, Pubkey};

entrypoint::entrypoint!(process_instruction, heap = custom, panic = custom);
entrypoint::custom_heap_default!();
entrypoint::custom_panic_default!();

fn process_instruction(
    _program_id: &Pubkey,
    _accounts: &[AccountInfo],
    _instruction_data: &[u8],
) -> ProgramResult {
    Ok(())
}

fn main() {}
