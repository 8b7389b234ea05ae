//! An instance of a generic function.

use entrypoint::{AccountInfo, ProgramResult, Pubkey};

entrypoint::entrypoint!(process_instruction::<3>);

fn process_instruction<const ACCOUNTS: usize>(
    _program_id: &Pubkey,
    accounts: &[AccountInfo],
    _instruction_data: &[u8],
) -> ProgramResult {
    assert_eq!(accounts.len(), ACCOUNTS);
    Ok(())
}

fn main() {}
