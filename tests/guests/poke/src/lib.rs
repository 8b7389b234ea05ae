//! Overwrites its own input, and ends in a way of choice, as its instruction data requests: a
//! program that breaks every rule.
//!
//! The first byte is an [`Ending`]. Pokes follow: the offset in the input as a u32, the number of
//! bytes as a u16, and the bytes. Tests write them with [`script`].
#![no_std]

extern crate alloc;

use alloc::vec::Vec;
use core::hint::black_box;

use abi::report::{AbortKind, AbortReport};
use entrypoint::{AccountInfo, ProgramError, ProgramResult, Pubkey, entrypoint, msg};

mod raw;

entrypoint!(process_instruction);

/// Declares the endings, and decodes them.
macro_rules! endings {
    ($($(#[doc = $doc:literal])* $name:ident = $number:literal,)*) => {
        /// How the program ends after it has overwritten its input.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Ending {
            $($(#[doc = $doc])* $name = $number,)*
        }

        impl Ending {
            /// All endings.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            fn from_byte(byte: u8) -> Option<Self> {
                match byte {
                    $($number => Some(Self::$name),)*
                    _ => None,
                }
            }
        }
    };
}

endings! {
    /// Returns success.
    Success = 0,
    /// Returns an error.
    Error = 1,
    /// Loops for ever.
    Loop = 2,
    /// Allocates for ever.
    AllocateForEver = 3,
    /// Reports that its heap was not announced.
    HeapNotAnnounced = 4,
    /// Panics.
    Panic = 5,
    /// Reports too many accounts.
    TooManyAccounts = 6,
    /// Reports a repeated account.
    DuplicateAccount = 7,
    /// Aborts without a reason.
    Abort = 8,
    /// Reads unmapped memory.
    Trap = 9,
    /// Recurses for ever.
    Recurse = 10,
    /// Logs unmapped memory.
    WildLog = 11,
    /// Logs for ever.
    LogForEver = 12,
    /// Returns more data than any loader accepts.
    ReturnForEver = 13,
}

/// The length of a poke's offset and length.
pub const POKE_HEADER_LENGTH: usize = 6;

/// Writes a script: offsets from the start of the input, and the bytes to write there, in this
/// order.
///
/// # Panics
///
/// If a poke has more than 65,535 bytes.
#[must_use]
pub fn script(ending: Ending, pokes: &[(u32, Vec<u8>)]) -> Vec<u8> {
    let mut script = alloc::vec![ending as u8];
    for (offset, bytes) in pokes {
        let length = u16::try_from(bytes.len()).expect("a short poke");
        script.extend(offset.to_le_bytes());
        script.extend(length.to_le_bytes());
        script.extend(bytes);
    }
    script
}

/// Runs the script in the instruction data.
pub fn process_instruction(
    _program_id: &Pubkey,
    _accounts: &[AccountInfo],
    instruction_data: &[u8],
) -> ProgramResult {
    // The input begins with the length of the instruction data.
    let input = instruction_data.as_ptr().addr() as u64 - 8;
    // A copy, because the script is a part of what it overwrites.
    let script = instruction_data.to_vec();
    let (ending, mut pokes) = script
        .split_first()
        .ok_or(ProgramError::InvalidInstructionData)?;
    let ending = Ending::from_byte(*ending).ok_or(ProgramError::InvalidInstructionData)?;
    while let Some((offset, bytes, rest)) = next_poke(pokes) {
        for (index, byte) in bytes.iter().enumerate() {
            raw::poke(input + u64::from(offset) + index as u64, *byte);
        }
        pokes = rest;
    }
    end(ending)
}

/// The next poke of a script: its offset, its bytes, and the rest of the script.
fn next_poke(script: &[u8]) -> Option<(u32, &[u8], &[u8])> {
    let (offset, rest) = script.split_first_chunk::<4>()?;
    let (length, rest) = rest.split_first_chunk::<2>()?;
    let (bytes, rest) = rest.split_at_checked(u16::from_le_bytes(*length).into())?;
    Some((u32::from_le_bytes(*offset), bytes, rest))
}

fn end(ending: Ending) -> ProgramResult {
    let report = |kind, values| raw::abort(&AbortReport::new(kind, values));
    match ending {
        Ending::Success => {}
        Ending::Error => return Err(ProgramError::Custom(7)),
        Ending::Loop => loop {
            black_box(());
        },
        Ending::AllocateForEver => loop {
            black_box(Vec::<u8>::with_capacity(64)).leak();
        },
        Ending::HeapNotAnnounced => report(AbortKind::HeapNotAnnounced, [16, 8, 0, 0]),
        Ending::Panic => panic!("the script panics"),
        Ending::TooManyAccounts => report(AbortKind::TooManyAccounts, [5, 4, 0, 0]),
        Ending::DuplicateAccount => report(AbortKind::DuplicateAccount, [2, 1, 0, 0]),
        Ending::Abort => raw::abort_without_report(),
        Ending::Trap => {
            black_box(raw::peek(black_box(0)));
        }
        Ending::Recurse => {
            black_box(recurse(0));
        }
        Ending::WildLog => raw::log(0, 1),
        Ending::LogForEver => loop {
            msg!("again");
        },
        Ending::ReturnForEver => raw::set_return_data(0x1_0000, 0xffff_ffff),
    }
    Ok(())
}

#[expect(unconditional_recursion, reason = "the ending recurses for ever")]
fn recurse(depth: u64) -> u64 {
    let frame = black_box([depth; 64]);
    recurse(depth + 1) + frame[0]
}
