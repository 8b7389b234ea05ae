//! The function of `entrypoint_lazy!` takes `LazyAccounts`.

use entrypoint::{AccountInfo, ProgramResult, Pubkey};

entrypoint::entrypoint_lazy!(process_instruction);

fn process_instruction(
    _program_id: &Pubkey,
    _accounts: &[AccountInfo],
    _instruction_data: &[u8],
) -> ProgramResult {
    Ok(())
}

fn main() {}
