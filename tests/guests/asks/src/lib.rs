//! Runs the command in its instruction data, each of which asks the host for something.
#![no_std]

use entrypoint::{
    AccountInfo, AccountMeta, Instruction, ProgramError, ProgramResult, Pubkey, Seed, Signer,
    entrypoint, invoke, invoke_signed,
};

entrypoint!(process_instruction);

fn process_instruction(
    _program_id: &Pubkey,
    accounts: &[AccountInfo],
    data: &[u8],
) -> ProgramResult {
    let [from, to, program, ..] = accounts else {
        return Err(ProgramError::NotEnoughAccountKeys);
    };
    let instruction = Instruction {
        program_id: program.key(),
        accounts: &[
            AccountMeta::writable_signer(from.key()),
            AccountMeta::writable(to.key()),
        ],
        data,
    };
    invoke(&instruction, &[from, to])?;
    invoke_signed(
        &instruction,
        accounts,
        &[Signer::new(&[Seed::from(b"vault"), Seed::from(&[254])])],
    )
}
