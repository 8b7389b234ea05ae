//! `entrypoint_lazy!` has no options that require a check of all accounts.

use entrypoint::input::LazyAccounts;
use entrypoint::{ProgramResult, Pubkey};

entrypoint::entrypoint_lazy!(
    process_instruction,
    max_accounts = 16,
    duplicates = reject,
);

fn process_instruction(
    _program_id: &Pubkey,
    _accounts: LazyAccounts,
    _instruction_data: &[u8],
) -> ProgramResult {
    Ok(())
}

fn main() {}
