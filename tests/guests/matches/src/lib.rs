//! A generated family of matches and tables. The program calls arms, and writes their results into
//! its account; the test compares them with those of the same functions on the host.
#![no_std]
#![forbid(unsafe_code)]

use core::hint::black_box;

use entrypoint::{AccountInfo, ProgramError, ProgramResult, Pubkey, SUCCESS, msg, set_return_data};
use errors::Error;

/// A function that dispatches, and the keys to call it with.
pub struct Member {
    /// The shape and the number of arms, such as `nested_16`.
    pub name: &'static str,
    /// The key of every arm, and two keys without an arm.
    pub keys: &'static [u64],
    /// The function: a key, and a value to work on.
    pub call: fn(u64, u64) -> u64,
}

mod family {
    #![allow(
        clippy::all,
        dead_code,
        unused_parens,
        reason = "a build script writes it"
    )]
    use super::Member;
    include!(concat!(env!("OUT_DIR"), "/family.rs"));
}

pub use family::FAMILY;

/// The value that every function works on.
pub const INPUT: u64 = 0x0123_4567_89ab_cdef;

/// Calls every arm of the family, in order.
pub fn results() -> impl Iterator<Item = u64> {
    FAMILY.iter().flat_map(|member| {
        member
            .keys
            .iter()
            .map(|key| (member.call)(black_box(*key), black_box(INPUT)))
    })
}

#[cfg(not(feature = "no-entrypoint"))]
entrypoint::entrypoint!(process_instruction);

/// The program's work, by the first byte of its instruction data.
pub mod command {
    /// Calls every arm of the family, and writes the results into the account's data.
    pub const FAMILY: u8 = 0;
    /// Returns the built-in error whose index is the second byte.
    pub const BUILTIN: u8 = 1;
    /// Returns the custom error whose code is the next four bytes.
    pub const CUSTOM: u8 = 2;
    /// Calls [`known_status`](crate::known_status) with the bytes that follow, and returns the
    /// status as return data.
    pub const KNOWN: u8 = 3;
}

/// Runs the command in the instruction data.
///
/// # Errors
///
/// The requested error.
pub fn process_instruction(
    _program_id: &Pubkey,
    accounts: &[AccountInfo],
    data: &[u8],
) -> ProgramResult {
    match data {
        [command::FAMILY] => {
            let [account] = accounts else {
                return Err(ProgramError::NotEnoughAccountKeys);
            };
            let mut data = account.try_borrow_mut_data()?;
            let (chunks, _) = data.as_chunks_mut::<8>();
            for (chunk, result) in chunks.iter_mut().zip(results()) {
                *chunk = result.to_le_bytes();
            }
            Ok(())
        }
        [command::BUILTIN, index] => match ProgramError::BUILTIN.get(usize::from(*index)) {
            Some(error) => Err(*error),
            None => Ok(()),
        },
        [command::CUSTOM, code @ ..] => match code.first_chunk() {
            Some(code) => Err(ProgramError::Custom(u32::from_le_bytes(*code))),
            None => Err(ProgramError::InvalidInstructionData),
        },
        [command::KNOWN, data @ ..] => {
            let status = known_status(accounts, data);
            set_return_data(&status.to_le_bytes());
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Returns the status of what a program does: arms that succeed, that fail with an error that the
/// compiler knows, and that fail with others. With jump tables this function is miscompiled.
#[inline(never)]
pub fn known_status(accounts: &[AccountInfo], data: &[u8]) -> u64 {
    match known(accounts, data) {
        Ok(()) => SUCCESS,
        Err(error) => error.status(),
    }
}

fn known(accounts: &[AccountInfo], data: &[u8]) -> Result<(), Error> {
    let number = *data.get(1).unwrap_or(&0);
    match data.first().copied().unwrap_or(0) {
        12 => msg!("12"),
        13 => {
            let account = &accounts[0];
            let before = account.data_len();
            errors::resize(account, before + 10_240)?;
            errors::resize(account, before)?;
        }
        14 => msg!("14"),
        17 => return Err(Error::Custom(7)),
        18 => return Err(Error::Custom(0)),
        19 => msg!("19"),
        21 => msg!("21"),
        22 => msg!("22"),
        23 => msg!("{number} 23"),
        24 => msg!("24"),
        26 => msg!("26"),
        31 => msg!("31"),
        32 => msg!("32"),
        33 => msg!("33"),
        34 => msg!("34"),
        _ => return Err(Error::InvalidInstructionData),
    }
    Ok(())
}
