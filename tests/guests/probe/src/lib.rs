//! Runs the command in its instruction data.
//!
//! The first byte is a command, and numbers follow in little endian. [`Command`] lists them; tests
//! build the bytes with `probe_data` of the test crate's support.
#![no_std]

extern crate alloc;

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::vec::Vec;
use core::hint::black_box;

use entrypoint::{
    AccountInfo, ProgramError, ProgramResult, Pubkey, entrypoint, msg, set_return_data,
};

mod raw;

entrypoint!(process_instruction);

/// Declares the commands, and decodes them.
macro_rules! commands {
    ($($(#[doc = $doc:literal])* $name:ident = $number:literal,)*) => {
        /// The meaning of the first byte.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Command {
            $($(#[doc = $doc])* $name = $number,)*
        }

        impl Command {
            fn from_byte(byte: u8) -> Option<Self> {
                match byte {
                    $($number => Some(Self::$name),)*
                    _ => None,
                }
            }
        }
    };
}

commands! {
    /// Succeeds.
    Succeed = 0,
    /// Returns the error `Custom` with the number.
    Fail = 1,
    /// Panics with a formatted message that names the number.
    Panic = 2,
    /// Indexes an array of three with the number.
    Index = 3,
    /// Allocates this many bytes and keeps them.
    Allocate = 4,
    /// Tries to reserve this many bytes, and logs whether that failed.
    TryReserve = 5,
    /// Boxes this many numbers one by one, and keeps them.
    Boxes = 6,
    /// Loops for ever.
    Loop = 7,
    /// Recurses for ever.
    Recurse = 8,
    /// Allocates for ever.
    AllocateForEver = 9,
    /// Logs for ever.
    LogForEver = 10,
    /// Reads the byte at an address.
    Peek = 11,
    /// Writes a byte at an address: address, byte.
    Poke = 12,
    /// Writes a byte at an offset of an account's entry: account, offset, byte.
    PokeEntry = 13,
    /// Sets a byte of an account's data: account, offset, byte.
    SetData = 14,
    /// Sets an account's kelvins: account, kelvins.
    SetKelvins = 15,
    /// Resizes an account's data: account, length.
    Resize = 16,
    /// Assigns an account to the owner whose bytes are all this: account, byte.
    Assign = 17,
    /// Borrows the data of two accounts mutably: account, account.
    BorrowTwo = 18,
    /// Sets this many bytes of return data.
    ReturnData = 19,
    /// Calls the log import with an address and a length.
    LogAt = 20,
    /// Calls the abort import with two arguments.
    Abort = 21,
    /// Overwrites the heap's header with a byte.
    SpoilHeap = 22,
    /// Uses the standard collections, and returns their results.
    Collections = 23,
    /// Logs a key, five numbers and the gas, and returns the return data that it sets.
    Imports = 24,
    /// Logs the fields of the call.
    Describe = 25,
    /// Copies, sets and compares memory with the syscalls: destination, source, length. The first
    /// two are offsets in the first account's data, or addresses if there is no account.
    Memory = 26,
    /// Leaves an account's data borrowed: account.
    LeakBorrow = 27,
    /// Returns this many bytes of the serialized input.
    ReturnInput = 28,
}

/// The numbers after the command.
struct Arguments<'a>(&'a [u8]);

impl Arguments<'_> {
    fn next(&mut self) -> Result<u64, ProgramError> {
        let (number, rest) = self
            .0
            .split_first_chunk::<8>()
            .ok_or(ProgramError::InvalidInstructionData)?;
        self.0 = rest;
        Ok(u64::from_le_bytes(*number))
    }
}

/// Runs the command in the instruction data.
pub fn process_instruction(
    program_id: &Pubkey,
    accounts: &[AccountInfo],
    instruction_data: &[u8],
) -> ProgramResult {
    let (first, rest) = instruction_data
        .split_first()
        .ok_or(ProgramError::InvalidInstructionData)?;
    let command = Command::from_byte(*first).ok_or(ProgramError::InvalidInstructionData)?;
    let mut arguments = Arguments(rest);
    let mut next = || arguments.next();
    let account = |index: u64| {
        accounts
            .get(index as usize)
            .ok_or(ProgramError::NotEnoughAccountKeys)
    };
    match command {
        Command::Succeed => {}
        Command::Fail => return Err(ProgramError::Custom(next()? as u32)),
        Command::Panic => panic!("probe number {}", next()?),
        Command::Index => {
            let index = next()? as usize;
            black_box([1, 2, 3][black_box(index)]);
        }
        Command::Allocate => {
            black_box(Vec::<u8>::with_capacity(next()? as usize)).leak();
        }
        Command::TryReserve => {
            let mut bytes = Vec::<u8>::new();
            match bytes.try_reserve(next()? as usize) {
                Ok(()) => msg!("reserved"),
                Err(_) => msg!("refused"),
            }
            black_box(bytes);
        }
        Command::Boxes => {
            for number in 0..next()? {
                Box::leak(Box::new(black_box(number)));
            }
        }
        Command::Loop => loop {
            black_box(());
        },
        Command::Recurse => {
            black_box(recurse(0));
        }
        Command::AllocateForEver => loop {
            Box::leak(Box::new(black_box([0_u8; 64])));
        },
        Command::LogForEver => loop {
            msg!("again");
        },
        Command::Peek => {
            let byte = raw::peek(next()?);
            msg!("{byte}");
        }
        Command::Poke => raw::poke(next()?, next()? as u8),
        Command::PokeEntry => {
            let account = account(next()?)?;
            // The key is eight bytes after the start of the entry.
            let entry = account.key().as_bytes().as_ptr().addr() as u64 - 8;
            raw::poke(entry + next()?, next()? as u8);
        }
        Command::SetData => {
            let account = account(next()?)?;
            let offset = next()? as usize;
            let mut data = account.try_borrow_mut_data()?;
            *data
                .get_mut(offset)
                .ok_or(ProgramError::AccountDataTooSmall)? = next()? as u8;
        }
        Command::SetKelvins => account(next()?)?.set_kelvins(next()?),
        Command::Resize => account(next()?)?.resize(next()? as usize)?,
        Command::Assign => account(next()?)?.assign(&Pubkey::new([next()? as u8; 32])),
        Command::BorrowTwo => {
            let _first = account(next()?)?.try_borrow_mut_data()?;
            let _second = account(next()?)?.try_borrow_mut_data()?;
        }
        Command::ReturnData => {
            let length = next()? as usize;
            set_return_data(&Vec::from_iter((0..length).map(|index| index as u8)));
        }
        Command::LogAt => raw::log(next()?, next()?),
        Command::Abort => raw::abort(next()?, next()?),
        Command::SpoilHeap => {
            // The first block starts right after the header.
            let block = Box::leak(Box::new(0_u8));
            let header = core::ptr::from_mut(block).addr() as u64 - 8;
            let byte = next()? as u8;
            for offset in 0..8 {
                raw::poke(header + offset, byte);
            }
        }
        Command::Collections => set_return_data(collections().as_bytes()),
        Command::Imports => imports(program_id)?,
        Command::Describe => describe(program_id, accounts),
        Command::Memory => {
            let base = accounts.first().map_or(0, |account| {
                account.key().as_bytes().as_ptr().addr() as u64 + 80
            });
            raw::memory(base + next()?, base + next()?, next()?);
        }
        Command::LeakBorrow => {
            core::mem::forget(account(next()?)?.try_borrow_mut_data()?);
        }
        Command::ReturnInput => {
            // The input begins with the length of the instruction data.
            let start = instruction_data.as_ptr().addr() as u64 - 8;
            raw::set_return_data(start, next()?);
        }
    }
    Ok(())
}

#[expect(unconditional_recursion, reason = "the command recurses for ever")]
fn recurse(depth: u64) -> u64 {
    let frame = black_box([depth; 64]);
    recurse(depth + 1) + frame[0]
}

fn collections() -> alloc::string::String {
    let mut words = BTreeMap::new();
    for word in "one two three two one two".split(' ') {
        *words.entry(word).or_insert(0) += 1;
    }
    format!("{words:?}")
}

fn imports(program_id: &Pubkey) -> ProgramResult {
    entrypoint::log_pubkey(program_id);
    entrypoint::log_64(1, 2, 3, 4, u64::MAX);
    entrypoint::log_compute_units();
    msg!("{} remain", entrypoint::remaining_compute_units());
    set_return_data(b"0123456789");
    if entrypoint::get_return_data(&mut []) != Some((10, *program_id)) {
        return Err(ProgramError::Custom(2));
    }
    let mut buffer = [0; 4];
    match entrypoint::get_return_data(&mut buffer) {
        Some((10, setter)) if setter == *program_id && buffer == *b"0123" => Ok(()),
        _ => Err(ProgramError::Custom(1)),
    }
}

fn describe(program_id: &Pubkey, accounts: &[AccountInfo]) {
    msg!("program {program_id}");
    for account in accounts {
        msg!(
            "{} {} {} {} {}{}{} {}",
            account.key(),
            account.owner(),
            account.kelvins(),
            account.data_len(),
            u8::from(account.is_signer()),
            u8::from(account.is_writable()),
            u8::from(account.executable()),
            account.rent_epoch()
        );
    }
}
