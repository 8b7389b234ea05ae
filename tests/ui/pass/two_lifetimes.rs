//! A function whose slice and accounts have different lifetimes.

use entrypoint::{AccountInfo, ProgramResult, Pubkey};

entrypoint::entrypoint!(process_instruction);

fn process_instruction<'list, 'input>(
    _program_id: &'input Pubkey,
    accounts: &'list [AccountInfo<'input>],
    _instruction_data: &'input [u8],
) -> ProgramResult {
    let _keys: Vec<&'input Pubkey> = accounts.iter().map(AccountInfo::key).collect();
    Ok(())
}

fn main() {}
