//! Reports how it reads the values that the host passes.
//!
//! Most exports return an [`Answer`] as one u64; `echo` and `greet` lend bytes.
#![no_std]

use entrypoint::host_return::{HexError, HostReturnError, PackedSlice, decode_hex, lend};
use entrypoint::{AccountInfo, ProgramResult, Pubkey};

entrypoint::entrypoint!(process_instruction);
entrypoint::host_return!(
    /// The values that the host passes.
    pub static SCRATCH: HostArena<CAPACITY>
);

/// Bytes of the arena.
pub const CAPACITY: usize = 1_000;

/// Bytes of the program's that are not in the arena.
pub static GREETING: &[u8] = b"hello, host";

macro_rules! answers {
    ($($(#[doc = $doc:literal])* $name:ident = $number:literal,)*) => {
        /// The result of a read. Its number is in the low half of the u64.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u32)]
        pub enum Answer {
            $($(#[doc = $doc])* $name = $number,)*
        }

        impl Answer {
            /// The result and its number, if the value has one.
            #[must_use]
            pub fn from_u64(value: u64) -> Option<(Self, u32)> {
                let answer = match value >> 32 {
                    $($number => Self::$name,)*
                    _ => return None,
                };
                Some((answer, value as u32))
            }
        }
    };
}

answers! {
    /// There is nothing.
    Nothing = 1,
    /// There are as many bytes.
    Bytes = 2,
    /// The allocation failed.
    NoRoom = 3,
    /// As many bytes without an address.
    Malformed = 4,
    /// As many bytes that are not the arena's.
    OutsideArena = 5,
    /// No text from that byte on.
    NotUtf8 = 6,
    /// Hexadecimal text for bytes with that sum.
    Decoded = 7,
    /// No digit at that position.
    BadDigit = 8,
    /// As many digits, an odd number.
    OddLength = 9,
    /// Text for as many bytes, too many.
    TooLong = 10,
    /// As many bytes of the arena are in use.
    Used = 11,
}

impl Answer {
    fn with(self, number: usize) -> u64 {
        (self as u64) << 32 | u64::from(number as u32)
    }
}

fn failed(error: HostReturnError) -> u64 {
    match error {
        HostReturnError::NoRoom => Answer::NoRoom.with(0),
        HostReturnError::Malformed { length } => Answer::Malformed.with(length as usize),
        HostReturnError::OutsideArena { length, .. } => Answer::OutsideArena.with(length as usize),
        HostReturnError::NotUtf8 { valid_up_to } => Answer::NotUtf8.with(valid_up_to),
        _ => 0,
    }
}

/// The result of `bytes`.
#[must_use]
pub fn see(packed: u64) -> u64 {
    SCRATCH.with(|arena| match arena.bytes(PackedSlice::from_u64(packed)) {
        Ok(None) => Answer::Nothing.with(0),
        Ok(Some(bytes)) => Answer::Bytes.with(bytes.len()),
        Err(error) => failed(error),
    })
}

/// The result of `text`.
#[must_use]
pub fn see_text(packed: u64) -> u64 {
    SCRATCH.with(|arena| match arena.text(PackedSlice::from_u64(packed)) {
        Ok(None) => Answer::Nothing.with(0),
        Ok(Some(text)) => Answer::Bytes.with(text.len()),
        Err(error) => failed(error),
    })
}

/// The result of `decode_hex` of the text, into eight bytes; no text is an empty one.
#[must_use]
pub fn see_hex(packed: u64) -> u64 {
    SCRATCH.with(|arena| {
        let digits = match arena.bytes(PackedSlice::from_u64(packed)) {
            Ok(digits) => digits.unwrap_or_default(),
            Err(error) => return failed(error),
        };
        match decode_hex(digits, &mut [0; 8]) {
            Ok(decoded) => {
                Answer::Decoded.with(decoded.iter().map(|byte| usize::from(*byte)).sum())
            }
            Err(HexError::BadDigit { position, .. }) => Answer::BadDigit.with(position),
            Err(HexError::OddLength { length }) => Answer::OddLength.with(length),
            Err(HexError::TooLong { needed, .. }) => Answer::TooLong.with(needed),
            Err(_) => 0,
        }
    })
}

/// How much of the arena is in use.
#[must_use]
pub fn used() -> u64 {
    SCRATCH.with(|arena| Answer::Used.with(arena.used()))
}

/// Lends the host its own bytes; nothing for nothing, and `NO_ROOM` for anything unreadable.
#[must_use]
pub fn echo(packed: u64) -> u64 {
    let echoed = SCRATCH.with(|arena| match arena.bytes(PackedSlice::from_u64(packed)) {
        Ok(None) => PackedSlice::NOTHING,
        Ok(Some(bytes)) => lend(bytes).unwrap_or(PackedSlice::NO_ROOM),
        Err(_) => PackedSlice::NO_ROOM,
    });
    echoed.to_u64()
}

/// Lends the first bytes of the greeting.
#[must_use]
pub fn greet(length: u64) -> u64 {
    let greeting = &GREETING[..length as usize];
    lend(greeting).unwrap_or(PackedSlice::NO_ROOM).to_u64()
}

/// Allocates as much memory as there is data, and logs whether that succeeded and whether it is
/// aligned.
fn process_instruction(_: &Pubkey, _: &[AccountInfo], data: &[u8]) -> ProgramResult {
    let address = SCRATCH.guest_alloc(data.len());
    entrypoint::msg!("{} {}", u8::from(address != 0), address % 8);
    Ok(())
}

#[cfg(all(target_arch = "riscv64", target_os = "none"))]
mod exports {
    #[polkavm_derive::polkavm_export]
    extern "C" fn see(packed: u64) -> u64 {
        super::see(packed)
    }

    #[polkavm_derive::polkavm_export]
    extern "C" fn see_text(packed: u64) -> u64 {
        super::see_text(packed)
    }

    #[polkavm_derive::polkavm_export]
    extern "C" fn see_hex(packed: u64) -> u64 {
        super::see_hex(packed)
    }

    #[polkavm_derive::polkavm_export]
    extern "C" fn used() -> u64 {
        super::used()
    }

    #[polkavm_derive::polkavm_export]
    extern "C" fn echo(packed: u64) -> u64 {
        super::echo(packed)
    }

    #[polkavm_derive::polkavm_export]
    extern "C" fn greet(length: u64) -> u64 {
        super::greet(length)
    }
}
