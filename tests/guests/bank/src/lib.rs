//! A bank with a mistake, which the tests of random transactions find.
//!
//! The data of an account of the bank is its balance, as a u64.
//!
//! | instruction data | accounts | |
//! |---|---|---|
//! | `00`, amount | vault, account | pays an amount out of the vault |
//! | `01`, amount | from, to | moves an amount |
//!
//! The mistake is in the second one: the balances are read before either is written, so an account
//! that pays itself becomes richer.
#![no_std]

use entrypoint::{AccountInfo, ProgramError, ProgramResult, Pubkey, entrypoint, split_accounts};

entrypoint!(process_instruction);

/// Runs an instruction.
pub fn process_instruction(
    _program_id: &Pubkey,
    accounts: &[AccountInfo],
    instruction_data: &[u8],
) -> ProgramResult {
    let ([from, to], _) = split_accounts(accounts)?;
    let Some((kind, amount)) = instruction_data.split_first() else {
        return Err(ProgramError::InvalidInstructionData);
    };
    let amount = amount
        .try_into()
        .map_err(|_| ProgramError::InvalidInstructionData)?;
    let amount = u64::from_le_bytes(amount);
    if *kind == 0 && from.key() == to.key() {
        return Err(ProgramError::InvalidArgument);
    }
    let [paid, received] = [*from.try_borrow_as::<u64>()?, *to.try_borrow_as::<u64>()?];
    let paid = paid
        .checked_sub(amount)
        .ok_or(ProgramError::InsufficientFunds)?;
    let received = received
        .checked_add(amount)
        .ok_or(ProgramError::InvalidArgument)?;
    *from.try_borrow_mut_as::<u64>()? = paid;
    *to.try_borrow_mut_as::<u64>()? = received;
    Ok(())
}
