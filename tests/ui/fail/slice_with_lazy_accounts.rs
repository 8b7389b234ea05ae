//! The function of `entrypoint!` takes a slice.

use entrypoint::input::LazyAccounts;
use entrypoint::{ProgramResult, Pubkey};

entrypoint::entrypoint!(process_instruction);

fn process_instruction(
    _program_id: &Pubkey,
    _accounts: LazyAccounts,
    _instruction_data: &[u8],
) -> ProgramResult {
    Ok(())
}

fn main() {}
