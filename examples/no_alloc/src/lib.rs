//! Sums the balances of its accounts, and allocates nothing on the way.
//!
//! The return data is the sum, 8 bytes, little endian.
#![no_std]

use entrypoint::{
    AccountInfo, ProgramError, ProgramResult, Pubkey, entrypoint_no_alloc, set_return_data,
};

entrypoint_no_alloc!(
    process_instruction,
    max_accounts = 4,
    duplicates = reject,
    panic = location
);

/// Sums the balances.
pub fn process_instruction(
    _program_id: &Pubkey,
    accounts: &[AccountInfo],
    _instruction_data: &[u8],
) -> ProgramResult {
    let mut sum = 0_u64;
    for account in accounts {
        sum = sum
            .checked_add(account.kelvins())
            .ok_or(ProgramError::ArithmeticOverflow)?;
    }
    set_return_data(&sum.to_le_bytes());
    Ok(())
}
