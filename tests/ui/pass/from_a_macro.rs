//! An entrypoint that a macro of the program declares.

use entrypoint::{AccountInfo, ProgramResult, Pubkey};

macro_rules! program {
    ($function:path, $max:literal, $heap:ident, $duplicates:expr) => {
        entrypoint::entrypoint_no_alloc!(
            $function,
            max_accounts = $max,
            heap = $heap,
            duplicates = $duplicates
        );
    };
}

program!(crate::process_instruction, 8, bump, reject);

fn process_instruction(
    _program_id: &Pubkey,
    _accounts: &[AccountInfo],
    _instruction_data: &[u8],
) -> ProgramResult {
    Ok(())
}

fn main() {}
