//! Runs the script in its instruction data: it changes accounts, and calls other programs with
//! scripts of their own.
#![no_std]

extern crate alloc;

use alloc::vec::Vec;

use entrypoint::{
    AccountInfo, AccountMeta, Instruction, ProgramError, ProgramResult, Pubkey, Seed, Signer,
    invoke_signed, msg,
};

mod script;

use script::Reader;
pub use script::{Call, Listed, Script};

#[cfg(not(feature = "no-entrypoint"))]
entrypoint::entrypoint!(process_instruction);

/// The kinds of steps of a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Step {
    /// Calls a program.
    Call,
    /// Sets the kelvins of an account.
    SetKelvins,
    /// Sets a byte of an account's data.
    SetData,
    /// Resizes an account's data.
    Resize,
    /// Gives an account another owner.
    Assign,
    /// Logs a text.
    Log,
    /// Sets the return data.
    SetReturnData,
    /// Logs the return data and the program that set them.
    LogReturnData,
    /// Logs the depth of the call.
    LogDepth,
    /// Ends the script with a status.
    Return,
    /// Panics.
    Panic,
    /// Logs all fields of an account.
    LogAccount,
    /// Loops so many times.
    Burn,
    /// Allocates so many bytes and keeps them.
    Allocate,
    /// Writes a byte over one of an account's entry, from its key on.
    Overwrite,
    /// Logs up to three slices of bytes as one event.
    LogData,
}

impl Step {
    const ALL: [Self; 16] = [
        Self::Call,
        Self::SetKelvins,
        Self::SetData,
        Self::Resize,
        Self::Assign,
        Self::Log,
        Self::SetReturnData,
        Self::LogReturnData,
        Self::LogDepth,
        Self::Return,
        Self::Panic,
        Self::LogAccount,
        Self::Burn,
        Self::Allocate,
        Self::Overwrite,
        Self::LogData,
    ];
}

/// Runs the script.
pub fn process_instruction(
    _program_id: &Pubkey,
    accounts: &[AccountInfo],
    script: &[u8],
) -> ProgramResult {
    let mut reader = Reader::new(script);
    while let Some(number) = reader.next() {
        let step = Step::ALL.get(usize::from(number));
        let step = step.ok_or(ProgramError::InvalidInstructionData)?;
        if *step == Step::Return {
            return ProgramError::from_status(reader.number()?).map_or(Ok(()), Err);
        }
        run(*step, accounts, &mut reader)?;
    }
    Ok(())
}

fn run(step: Step, accounts: &[AccountInfo], reader: &mut Reader<'_>) -> ProgramResult {
    match step {
        Step::Call => return call(accounts, reader),
        Step::SetKelvins => reader.account(accounts)?.set_kelvins(reader.number()?),
        Step::SetData => {
            let account = reader.account(accounts)?;
            let (offset, byte) = (reader.number()?, reader.number()?);
            let mut data = account.try_borrow_mut_data()?;
            let byte_at = data.get_mut(offset as usize);
            *byte_at.ok_or(ProgramError::AccountDataTooSmall)? = byte as u8;
        }
        Step::Resize => reader
            .account(accounts)?
            .resize(reader.number()? as usize)?,
        Step::Assign => reader.account(accounts)?.assign(reader.key()?),
        Step::Log => entrypoint::log(core::str::from_utf8(reader.bytes()?).unwrap_or("?")),
        Step::SetReturnData => entrypoint::set_return_data(reader.bytes()?),
        Step::LogReturnData => {
            let mut buffer = [0; 64];
            match entrypoint::get_return_data(&mut buffer) {
                Some((length, program)) => {
                    msg!("{:?} of {program}", &buffer[..length.min(64)]);
                }
                None => msg!("no return data"),
            }
        }
        Step::LogData => match reader.number()? {
            0 => entrypoint::log_data(&[]),
            1 => entrypoint::log_data(&[reader.bytes()?]),
            2 => entrypoint::log_data(&[reader.bytes()?, reader.bytes()?]),
            _ => entrypoint::log_data(&[reader.bytes()?, reader.bytes()?, reader.bytes()?]),
        },
        Step::LogDepth => msg!("depth {}", script::depth()),
        Step::Return => {}
        Step::Panic => panic!("as the script says"),
        Step::LogAccount => {
            let account = reader.account(accounts)?;
            let data = account.try_borrow_data()?;
            let sum: u64 = data.iter().map(|byte| u64::from(*byte)).sum();
            msg!(
                "kelvins {}, {} bytes, sum {sum}, owner {}{}{}",
                account.kelvins(),
                data.len(),
                account.owner().as_bytes()[0],
                if account.is_signer() { ", signer" } else { "" },
                if account.is_writable() {
                    ", writable"
                } else {
                    ""
                },
            );
        }
        Step::Burn => {
            for turn in 0..reader.number()? {
                core::hint::black_box(turn);
            }
        }
        Step::Allocate => {
            let block = Vec::<u8>::with_capacity(reader.number()? as usize);
            core::hint::black_box(block).leak();
        }
        Step::Overwrite => {
            let account = reader.account(accounts)?;
            let (offset, byte) = (reader.number()?, reader.number()?);
            script::overwrite(account, offset as usize, byte as u8);
        }
    }
    Ok(())
}

fn call(accounts: &[AccountInfo], reader: &mut Reader<'_>) -> ProgramResult {
    let program_id = reader.key()?;
    let mut metas = Vec::new();
    for _ in 0..reader.number()? {
        let position = reader.number()?;
        let key = match accounts.get(position as usize) {
            Some(account) => account.key(),
            None => reader.key()?,
        };
        let mut meta = AccountMeta::readonly(key);
        (meta.is_signer, meta.is_writable) = (reader.number()? as u8, reader.number()? as u8);
        metas.push(meta);
    }
    let mut passed = Vec::new();
    for _ in 0..reader.number()? {
        passed.push(reader.account(accounts)?);
    }
    let mut signers: Vec<Vec<Seed<'_>>> = Vec::new();
    for _ in 0..reader.number()? {
        let count = reader.number()?;
        let seeds = (0..count).map(|_| reader.bytes().map(Seed::new));
        signers.push(seeds.collect::<Result<_, _>>()?);
    }
    let signers: Vec<Signer<'_>> = signers.iter().map(|seeds| Signer::new(seeds)).collect();
    let instruction = Instruction {
        program_id,
        accounts: &metas,
        data: reader.bytes()?,
    };
    invoke_signed(&instruction, &passed, &signers)
}
