//! The standard collections on the `bump` heap: logs the results of several rounds. The first byte
//! of the instruction data is the number of rounds.
#![no_std]

#[path = "../../../support/collections.rs"]
mod collections;

use entrypoint::{AccountInfo, ProgramError, ProgramResult, Pubkey, entrypoint, log};

entrypoint!(process_instruction, heap = bump);

/// Logs the lines of the rounds; the first byte of the instruction data is their number.
pub fn process_instruction(
    _program_id: &Pubkey,
    _accounts: &[AccountInfo],
    instruction_data: &[u8],
) -> ProgramResult {
    let rounds = instruction_data
        .first()
        .ok_or(ProgramError::InvalidInstructionData)?;
    for line in collections::work((*rounds).into()).lines() {
        log(line);
    }
    Ok(())
}
