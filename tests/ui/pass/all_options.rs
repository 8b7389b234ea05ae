//! All options, with a comma at the end.

use entrypoint::{AccountInfo, ProgramResult, Pubkey};

entrypoint::entrypoint_no_alloc!(
    process_instruction,
    heap = segregated,
    panic = location,
    duplicates = reject,
    max_accounts = 16,
);

fn process_instruction(
    _program_id: &Pubkey,
    _accounts: &[AccountInfo],
    _instruction_data: &[u8],
) -> ProgramResult {
    Ok(())
}

fn main() {}
