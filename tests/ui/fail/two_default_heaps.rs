//! `entrypoint!` declares a heap unless it has `heap = custom`.

use entrypoint::{AccountInfo, BumpAllocator, ProgramResult, Pubkey};

entrypoint::entrypoint!(process_instruction);
entrypoint::custom_heap_default!(static HEAP: BumpAllocator);

fn process_instruction(
    _program_id: &Pubkey,
    _accounts: &[AccountInfo],
    _instruction_data: &[u8],
) -> ProgramResult {
    Ok(())
}

fn main() {}
