//! Passes its first two accounts and its instruction data on to the program of the third account.
#![no_std]

use entrypoint::{
    AccountInfo, AccountMeta, Instruction, ProgramError, ProgramResult, Pubkey, entrypoint, invoke,
};

entrypoint!(process_instruction);

fn process_instruction(_: &Pubkey, accounts: &[AccountInfo], data: &[u8]) -> ProgramResult {
    let [from, to, program] = accounts else {
        return Err(ProgramError::NotEnoughAccountKeys);
    };
    let instruction = Instruction {
        program_id: program.key(),
        accounts: &[
            AccountMeta::writable(from.key()),
            AccountMeta::writable(to.key()),
        ],
        data,
    };
    invoke(&instruction, &[from, to])
}
