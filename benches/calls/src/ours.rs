//! This project's [`invoke`](entrypoint::invoke).

use core::hint::black_box;

use entrypoint::__private::invoke_through;
use entrypoint::{AccountInfo, AccountMeta, Instruction, ProgramError, ProgramResult, Pubkey};

use crate::{ACCOUNTS, DATA};

entrypoint::entrypoint!(process_instruction);

fn process_instruction(
    program_id: &Pubkey,
    accounts: &[AccountInfo],
    instruction_data: &[u8],
) -> ProgramResult {
    entry_bench::take(program_id, accounts, instruction_data);
    let Some(passed) = accounts.first_chunk::<16>() else {
        return Err(ProgramError::NotEnoughAccountKeys);
    };
    if ACCOUNTS == 0 {
        return Ok(());
    }
    let Some(passed) = passed.first_chunk::<ACCOUNTS>() else {
        return Err(ProgramError::NotEnoughAccountKeys);
    };
    let metas: [AccountMeta<'_>; ACCOUNTS] = core::array::from_fn(|index| {
        let key = passed[index].key();
        if index % 2 == 0 {
            AccountMeta::writable(key)
        } else {
            AccountMeta::readonly(key)
        }
    });
    let instruction = Instruction {
        program_id,
        accounts: &metas,
        data: &DATA,
    };
    #[cfg(feature = "slice")]
    let passed = black_box(&passed[..]);
    invoke_through(&instruction, passed, |instruction, accounts| {
        black_box((instruction, accounts));
        0
    })
}
