//! The records in a native library that no code reads.

use abi::contract;
use abi::error_names::{self, NOTE_OWNER};

/// An ELF note with a record of [`abi::error_names`] or [`abi::contract`]. Linkers keep notes,
/// although no code reads them.
#[repr(C, align(4))]
#[derive(Debug)]
pub struct Note<R> {
    owner_length: u32,
    record_length: u32,
    type_: u32,
    owner: [u8; 12],
    /// Its length is a multiple of 4, like that of the owner with its padding.
    record: R,
}

impl<const N: usize> Note<[u8; N]> {
    /// Returns the note for the record of an error.
    #[must_use]
    pub const fn of_error(record: [u8; N]) -> Self {
        Self::new(error_names::NOTE_TYPE, record)
    }

    const fn new(type_: u32, record: [u8; N]) -> Self {
        let mut owner = [0; 12];
        let (name, _) = owner.split_at_mut(NOTE_OWNER.len());
        name.copy_from_slice(NOTE_OWNER);
        Self {
            owner_length: NOTE_OWNER.len() as u32,
            record_length: N as u32,
            type_,
            owner,
            record,
        }
    }
}

impl Note<[u8; contract::LENGTH]> {
    /// Returns the note for the record of the program's contract.
    #[must_use]
    pub const fn of_contract(record: [u8; contract::LENGTH]) -> Self {
        Self::new(contract::NOTE_TYPE, record)
    }
}
