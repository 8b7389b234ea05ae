//! A program that depends on `entrypoint` under another name.
#![no_std]

use ep::input::LazyAccounts;
use ep::{ProgramError, ProgramResult, Pubkey};

ep::entrypoint_lazy!(process_instruction);

/// Returns `Custom` with the number of accounts and of bytes.
///
/// # Errors
///
/// Always.
pub fn process_instruction(_: &Pubkey, accounts: LazyAccounts, data: &[u8]) -> ProgramResult {
    let numbers = u32::try_from(accounts.count() * 100 + data.len());
    Err(ProgramError::Custom(
        numbers.map_err(|_| ProgramError::InvalidArgument)?,
    ))
}
