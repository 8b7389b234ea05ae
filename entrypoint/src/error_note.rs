//! The names of custom errors in a native library.

use abi::error_names::{NOTE_OWNER, NOTE_TYPE};

/// An ELF note with a record of [`abi::error_names`]. Linkers keep notes, although no code reads
/// them.
#[repr(C, align(4))]
#[derive(Debug)]
pub struct ErrorNote<R> {
    owner_length: u32,
    record_length: u32,
    type_: u32,
    owner: [u8; 12],
    /// Its length is a multiple of 4, like that of the owner with its padding.
    record: R,
}

impl<const N: usize> ErrorNote<[u8; N]> {
    /// Returns the note for a record.
    #[must_use]
    pub const fn new(record: [u8; N]) -> Self {
        let mut owner = [0; 12];
        let (name, _) = owner.split_at_mut(NOTE_OWNER.len());
        name.copy_from_slice(NOTE_OWNER);
        Self {
            owner_length: NOTE_OWNER.len() as u32,
            record_length: N as u32,
            type_: NOTE_TYPE,
            owner,
            record,
        }
    }
}
