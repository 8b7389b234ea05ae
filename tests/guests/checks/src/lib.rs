//! Checks accounts and their data, with the helpers and by hand, and returns the gas of that.
//!
//! The first byte of the instruction data is a [`Command`]. Each runs between two readings of the
//! remaining gas. The return data is the difference as 8 bytes, which for [`Command::Nothing`] is
//! the price of the reading.
#![no_std]

use bytemuck::{Pod, Zeroable};
use entrypoint::{
    AccountInfo, ProgramError, ProgramResult, Pubkey, entrypoint, remaining_compute_units,
    set_return_data, split_accounts, split_data_mut,
};

entrypoint!(process_instruction);

/// The data of the first account.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub struct Counter {
    /// Who may count.
    pub authority: [u8; 32],
    /// The count.
    pub count: u64,
}

/// Errors with names and texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ProgramError)]
#[repr(u32)]
pub enum CheckError {
    /// The command is not a [`Command`].
    ///
    /// This paragraph is not part of the text.
    UnknownCommand,
    /// The attribute replaces this text.
    #[error("the \u{1f} \"count\" ended")]
    CountEnded = 7,
    /// A long explanation that
    /// goes on in a second line
    Explained,
    #[allow(missing_docs, reason = "the text may be missing")]
    Silent = u32::MAX,
}

/// Declares the commands.
macro_rules! commands {
    ($($(#[doc = $doc:literal])* $name:ident = $function:path,)*) => {
        /// What the program does.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Command {
            $($(#[doc = $doc])* $name,)*
        }

        fn run(
            command: u8,
            accounts: &[AccountInfo],
            program_id: &Pubkey,
        ) -> Result<u64, ProgramError> {
            $(if command == Command::$name as u8 {
                return $function(accounts, program_id);
            })*
            Err(match command {
                0xFD => CheckError::CountEnded,
                0xFE => CheckError::Explained,
                0xFF => CheckError::Silent,
                _ => CheckError::UnknownCommand,
            }
            .into())
        }
    };
}

commands! {
    /// Nothing: the price of a measurement.
    Nothing = nothing,
    /// Counts, with typed data.
    CountTyped = count_typed,
    /// Counts in a value at the start of the data.
    CountSplit = count_split,
    /// Counts, with `bytemuck` by hand.
    CountCast = count_cast,
    /// Counts in bytes, by hand.
    CountBytes = count_bytes,
    /// Reads the count, with typed data.
    ReadTyped = read_typed,
    /// Reads the count in bytes, by hand.
    ReadBytes = read_bytes,
    /// Checks two accounts with the helpers.
    Require = require,
    /// Checks two named accounts with the helpers.
    RequireNamed = require_named,
    /// Checks two accounts by hand.
    RequireByHand = require_by_hand,
    /// Counts, with typed data of a named account.
    CountNamed = count_named,
}

/// Runs a command, and returns its gas.
pub fn process_instruction(
    program_id: &Pubkey,
    accounts: &[AccountInfo],
    instruction_data: &[u8],
) -> ProgramResult {
    let [command, ..] = instruction_data else {
        return Err(ProgramError::InvalidInstructionData);
    };
    let gas = run(*command, accounts, program_id)?;
    set_return_data(&gas.to_le_bytes());
    Ok(())
}

/// Returns the gas of some work.
#[inline(always)]
fn measure(work: impl FnOnce() -> ProgramResult) -> Result<u64, ProgramError> {
    let before = remaining_compute_units();
    work()?;
    Ok(before - remaining_compute_units())
}

#[inline(never)]
fn nothing(_accounts: &[AccountInfo], _program_id: &Pubkey) -> Result<u64, ProgramError> {
    measure(|| Ok(()))
}

#[inline(never)]
fn count_typed(accounts: &[AccountInfo], _program_id: &Pubkey) -> Result<u64, ProgramError> {
    let ([account], _) = split_accounts(accounts)?;
    measure(|| {
        let mut counter = account.try_borrow_mut_as::<Counter>()?;
        counter.count = counter.count.wrapping_add(1);
        Ok(())
    })
}

#[inline(never)]
fn count_named(accounts: &[AccountInfo], _program_id: &Pubkey) -> Result<u64, ProgramError> {
    let ([account], _) = split_accounts(accounts)?;
    measure(|| {
        let mut counter = account.named("authority").try_borrow_mut_as::<Counter>()?;
        counter.count = counter.count.wrapping_add(1);
        Ok(())
    })
}

#[inline(never)]
fn count_split(accounts: &[AccountInfo], _program_id: &Pubkey) -> Result<u64, ProgramError> {
    let ([account], _) = split_accounts(accounts)?;
    measure(|| {
        let mut data = account.try_borrow_mut_data()?;
        let (counter, _) = split_data_mut::<Counter>(&mut data)?;
        counter.count = counter.count.wrapping_add(1);
        Ok(())
    })
}

#[inline(never)]
fn count_cast(accounts: &[AccountInfo], _program_id: &Pubkey) -> Result<u64, ProgramError> {
    let ([account], _) = split_accounts(accounts)?;
    measure(|| {
        let mut data = account.try_borrow_mut_data()?;
        let counter = bytemuck::try_from_bytes_mut::<Counter>(&mut data)
            .map_err(|_| ProgramError::InvalidAccountData)?;
        counter.count = counter.count.wrapping_add(1);
        Ok(())
    })
}

#[inline(never)]
fn count_bytes(accounts: &[AccountInfo], _program_id: &Pubkey) -> Result<u64, ProgramError> {
    let ([account], _) = split_accounts(accounts)?;
    measure(|| {
        let mut data = account.try_borrow_mut_data()?;
        if data.len() != 40 {
            return Err(ProgramError::InvalidAccountData);
        }
        let count = data[32..]
            .first_chunk_mut::<8>()
            .ok_or(ProgramError::InvalidAccountData)?;
        *count = u64::from_le_bytes(*count).wrapping_add(1).to_le_bytes();
        Ok(())
    })
}

#[inline(never)]
fn read_typed(accounts: &[AccountInfo], _program_id: &Pubkey) -> Result<u64, ProgramError> {
    let ([account], _) = split_accounts(accounts)?;
    measure(|| {
        if account.try_borrow_as::<Counter>()?.count == u64::MAX {
            return Err(CheckError::CountEnded.into());
        }
        Ok(())
    })
}

#[inline(never)]
fn read_bytes(accounts: &[AccountInfo], _program_id: &Pubkey) -> Result<u64, ProgramError> {
    let ([account], _) = split_accounts(accounts)?;
    measure(|| {
        let data = account.try_borrow_data()?;
        if data.len() != 40 {
            return Err(ProgramError::InvalidAccountData);
        }
        let count = data[32..]
            .first_chunk::<8>()
            .ok_or(ProgramError::InvalidAccountData)?;
        if u64::from_le_bytes(*count) == u64::MAX {
            return Err(CheckError::CountEnded.into());
        }
        Ok(())
    })
}

#[inline(never)]
fn require(accounts: &[AccountInfo], program_id: &Pubkey) -> Result<u64, ProgramError> {
    measure(|| {
        let ([authority, counter], _) = split_accounts(accounts)?;
        authority.require_signer()?.require_key(program_id)?;
        counter.require_writable()?.require_owner(program_id)?;
        Ok(())
    })
}

#[inline(never)]
fn require_named(accounts: &[AccountInfo], program_id: &Pubkey) -> Result<u64, ProgramError> {
    measure(|| {
        let ([authority, counter], _) = split_accounts(accounts)?;
        let authority = authority.named("authority");
        authority.require_signer()?.require_key(program_id)?;
        let counter = counter.named("counter");
        counter.require_writable()?.require_owner(program_id)?;
        Ok(())
    })
}

#[inline(never)]
fn require_by_hand(accounts: &[AccountInfo], program_id: &Pubkey) -> Result<u64, ProgramError> {
    measure(|| {
        let [authority, counter, ..] = accounts else {
            return Err(ProgramError::NotEnoughAccountKeys);
        };
        if !authority.is_signer() {
            return Err(ProgramError::MissingRequiredSignature);
        }
        if authority.key() != program_id {
            return Err(ProgramError::InvalidArgument);
        }
        if !counter.is_writable() {
            return Err(ProgramError::Immutable);
        }
        if !counter.is_owned_by(program_id) {
            return Err(ProgramError::InvalidAccountOwner);
        }
        Ok(())
    })
}
