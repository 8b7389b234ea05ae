//! Reports how it reads the values that the host passes.
//!
//! Most exports return an [`Answer`] as one u64; `echo` and `greet` return ranges of bytes.
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

/// Bytes of the program that are not in the arena.
pub static GREETING: &[u8] = b"hello, host";

macro_rules! answers {
    ($($(#[doc = $doc:literal])* $name:ident = $number:literal,)*) => {
        /// The result of a read. A number is in the low half of the u64.
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
    /// The value is `Nothing`.
    Nothing = 1,
    /// A slice of this length.
    Bytes = 2,
    /// The value is `NO_ROOM`.
    NoRoom = 3,
    /// This length without an address.
    Malformed = 4,
    /// A slice of this length outside the arena.
    OutsideArena = 5,
    /// Not UTF-8 from this position on.
    NotUtf8 = 6,
    /// Valid hexadecimal text, for bytes with this sum.
    Decoded = 7,
    /// Not a hexadecimal digit at this position.
    BadDigit = 8,
    /// This odd number of digits.
    OddLength = 9,
    /// Hexadecimal text for this many bytes, which are too many.
    TooLong = 10,
    /// This many bytes of the arena are used.
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

/// The result of `decode_hex` of the text, into eight bytes; `Nothing` is an empty text.
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

/// The number of used bytes in the arena.
#[must_use]
pub fn used() -> u64 {
    SCRATCH.with(|arena| Answer::Used.with(arena.used()))
}

/// Returns the host's own bytes; `Nothing` for `Nothing`, and `NO_ROOM` for an invalid value.
#[must_use]
pub fn echo(packed: u64) -> u64 {
    let echoed = SCRATCH.with(|arena| match arena.bytes(PackedSlice::from_u64(packed)) {
        Ok(None) => PackedSlice::NOTHING,
        Ok(Some(bytes)) => lend(bytes).unwrap_or(PackedSlice::NO_ROOM),
        Err(_) => PackedSlice::NO_ROOM,
    });
    echoed.to_u64()
}

/// Returns the first bytes of the greeting.
#[must_use]
pub fn greet(length: u64) -> u64 {
    let greeting = &GREETING[..length as usize];
    lend(greeting).unwrap_or(PackedSlice::NO_ROOM).to_u64()
}

/// Allocates as many bytes as there are data, and logs whether the address is valid, and the
/// address modulo 8.
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
