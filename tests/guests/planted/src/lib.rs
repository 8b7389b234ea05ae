//! Crashes on one input in many, for the tests of fuzzing.
//!
//! The instruction data begins with a tag of four bytes. One of them leads to a fault, if the
//! account has signed and its data begins with the right bytes.
#![no_std]

use entrypoint::{AccountInfo, ProgramError, ProgramResult, Pubkey, entrypoint};

entrypoint!(process_instruction);

/// The tag of the instruction with the fault.
pub const TAG: [u8; 4] = *b"pick";

/// The start of the account's data that leads to the fault.
pub const KEY: u32 = 0x5eed_1e55;

/// Adds a byte of the account's data to the first one.
pub fn process_instruction(
    _program_id: &Pubkey,
    accounts: &[AccountInfo],
    instruction_data: &[u8],
) -> ProgramResult {
    let [account, ..] = accounts else {
        return Err(ProgramError::NotEnoughAccountKeys);
    };
    let Some((tag, [index, ..])) = instruction_data.split_first_chunk::<4>() else {
        return Err(ProgramError::InvalidInstructionData);
    };
    let mut data = account.try_borrow_mut_data()?;
    let Some((key, rest)) = data.split_first_chunk_mut::<4>() else {
        return Err(ProgramError::AccountDataTooSmall);
    };
    let index = usize::from(*index);
    if *tag == TAG && account.is_signer() && u32::from_le_bytes(*key) == KEY {
        // The fault: it is not checked that there is such a byte.
        rest[0] = rest[0].wrapping_add(rest[index]);
        return Ok(());
    }
    match rest.get(index) {
        Some(_) => Ok(()),
        None => Err(ProgramError::InvalidInstructionData),
    }
}
