//! Keeps a count in an account.
//!
//! Account 0, writable, owned by the program: the count, 8 bytes, little endian.
//! Instruction data: nothing, to add one; or 8 bytes, little endian, to add that number.
#![no_std]

use entrypoint::{AccountInfo, ProgramError, ProgramResult, Pubkey, entrypoint, msg};

entrypoint!(process_instruction);

/// Adds to the count.
pub fn process_instruction(
    program_id: &Pubkey,
    accounts: &[AccountInfo],
    instruction_data: &[u8],
) -> ProgramResult {
    let [account, ..] = accounts else {
        return Err(ProgramError::NotEnoughAccountKeys);
    };
    if !account.is_owned_by(program_id) {
        return Err(ProgramError::InvalidAccountOwner);
    }
    let step = match instruction_data {
        [] => 1,
        bytes => u64::from_le_bytes(
            bytes
                .try_into()
                .map_err(|_| ProgramError::InvalidInstructionData)?,
        ),
    };
    let mut data = account.try_borrow_mut_data()?;
    let bytes = data
        .first_chunk_mut::<8>()
        .ok_or(ProgramError::AccountDataTooSmall)?;
    let count = u64::from_le_bytes(*bytes)
        .checked_add(step)
        .ok_or(ProgramError::ArithmeticOverflow)?;
    *bytes = count.to_le_bytes();
    msg!("count: {count}");
    Ok(())
}
