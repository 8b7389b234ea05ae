//! A function with named lifetimes, which a program needs to keep accounts in a struct.

use entrypoint::{AccountInfo, ProgramError, ProgramResult, Pubkey};

entrypoint::entrypoint!(process_instruction);

struct Transfer<'a> {
    from: &'a AccountInfo<'a>,
    to: AccountInfo<'a>,
}

fn process_instruction<'a>(
    _program_id: &Pubkey,
    accounts: &'a [AccountInfo<'a>],
    _instruction_data: &[u8],
) -> ProgramResult {
    let [from, to] = accounts else {
        return Err(ProgramError::NotEnoughAccountKeys);
    };
    let transfer = Transfer { from, to: *to };
    transfer.from.debit(1)?;
    transfer.to.credit(1)
}

fn main() {}
