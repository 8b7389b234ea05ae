//! The other instructions of a transaction: those that were processed before, and the instructions
//! sysvar.
//!
//! # Processed siblings
//!
//! A program reads an instruction that was processed before its own, at the same depth, with
//! [`rlo_get_processed_sibling_instruction`](crate::imports::Import::GetProcessedSiblingInstruction):
//!
//! ```text
//! rlo_get_processed_sibling_instruction(
//!     index,                     0 is the newest one before the program's own
//!     lengths,                   address of a SiblingLengths
//!     program_id,                address of 32 bytes
//!     data,                      address of as many bytes as the lengths say
//!     accounts,                  address of as many AccountMeta as the lengths say
//! ) -> u64                       1, or 0 if the instruction does not exist
//! ```
//!
//! If the lengths are those of the instruction, the host writes program id, data and accounts.
//! Otherwise it writes the lengths only. So a program that does not know them calls twice.
//!
//! Siblings of an instruction of the transaction are the transaction's instructions before it.
//! Siblings of a program that another one called are the calls that this one made before, those
//! that have ended. In a transaction of `A` and `B`, where `B` calls `C`, `D` and `E`, and `C`
//! calls `F`, the siblings of `B` are `[A]`, and those of `E` are `[D, C]`. `F` has none.
//!
//! # The instructions sysvar
//!
//! The account [`ids::INSTRUCTIONS`](crate::ids::INSTRUCTIONS) has all instructions of the
//! transaction, processed or not, as data that only the host writes. [`write()`] and
//! [`set_current_index`] write it, and [`Instructions`] reads it:
//!
//! | offset | bytes | |
//! |---|---|---|
//! | 0 | 2 | the number of instructions, N |
//! | 2 | 2 N | the offset of each instruction |
//! | … | … | the instructions |
//! | last 2 | 2 | the index of the current instruction |
//!
//! | offset in an instruction | bytes | |
//! |---|---|---|
//! | 0 | 2 | the number of accounts, M |
//! | 2 | 33 M | for each account a [`StoredAccount`] |
//! | … | 32 | the program's id |
//! | … | 2 | the length of the instruction data, L |
//! | … | L | the instruction data |
//!
//! The layouts are those of the Rialo runtime (crates `rialo-s-instruction` and
//! `rialo-s-instructions-sysvar`, 0.23.0-alpha.0). That runtime publishes the signature of the
//! syscall and what its crates do with it. That the lengths decide what the host writes is the rule
//! of the Solana family.
//!
//! ```
//! use abi::Pubkey;
//! use abi::call::AccountMeta;
//! use abi::instructions::{Instruction, Instructions, length, write};
//!
//! let [program_id, account] = [Pubkey::new([1; 32]), Pubkey::new([2; 32])];
//! let accounts = [AccountMeta::writable(&account)];
//! let instruction = Instruction { program_id: &program_id, accounts: &accounts, data: b"pay" };
//!
//! let mut data = vec![0; length(&[instruction])?];
//! write(&[instruction], 0, &mut data)?;
//!
//! let found = Instructions::new(&data).get(0)?;
//! assert_eq!(found.program_id, &program_id);
//! assert_eq!(found.data, b"pay");
//! assert!(found.accounts[0].is_writable() && !found.accounts[0].is_signer());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use core::fmt;

use bytemuck::{Pod, Zeroable};

use crate::call::AccountMeta;
use crate::{ProgramError, Pubkey};

/// The lengths of a processed sibling instruction.
///
/// | offset | bytes | field |
/// |---|---|---|
/// | 0 | 8 | bytes of instruction data |
/// | 8 | 8 | number of accounts |
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct SiblingLengths {
    /// The number of bytes of the instruction data.
    pub data_length: u64,
    /// The number of accounts, repeats included: each has an [`AccountMeta`] of 34 bytes.
    pub account_count: u64,
}

/// An account of an instruction in the instructions sysvar.
///
/// | offset | bytes | field |
/// |---|---|---|
/// | 0 | 1 | flags: bit 0 if it signs, bit 1 if the program may change it |
/// | 1 | 32 | key |
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct StoredAccount {
    flags: u8,
    key: Pubkey,
}

const IS_SIGNER: u8 = 1;
const IS_WRITABLE: u8 = 2;

impl StoredAccount {
    /// Returns the account's address.
    #[inline]
    #[must_use]
    pub const fn key(&self) -> &Pubkey {
        &self.key
    }

    /// Returns whether the account signs.
    #[inline]
    #[must_use]
    pub const fn is_signer(&self) -> bool {
        self.flags & IS_SIGNER != 0
    }

    /// Returns whether the program may change the account.
    #[inline]
    #[must_use]
    pub const fn is_writable(&self) -> bool {
        self.flags & IS_WRITABLE != 0
    }
}

impl From<&AccountMeta> for StoredAccount {
    fn from(meta: &AccountMeta) -> Self {
        let mut flags = 0;
        if meta.is_signer != 0 {
            flags |= IS_SIGNER;
        }
        if meta.is_writable != 0 {
            flags |= IS_WRITABLE;
        }
        Self {
            flags,
            key: meta.key,
        }
    }
}

/// An instruction of a transaction, for the writer of the instructions sysvar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instruction<'a> {
    /// The program that it calls.
    pub program_id: &'a Pubkey,
    /// The accounts that the program gets, repeats included.
    pub accounts: &'a [AccountMeta],
    /// The instruction data.
    pub data: &'a [u8],
}

/// An instruction in the instructions sysvar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredInstruction<'a> {
    /// The program that it calls.
    pub program_id: &'a Pubkey,
    /// The accounts that the program gets, repeats included.
    pub accounts: &'a [StoredAccount],
    /// The instruction data.
    pub data: &'a [u8],
}

/// Why the instructions of a transaction cannot be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WriteError {
    /// A number or an offset does not fit in the 16 bits that the layout has for it.
    TooLong {
        /// The length of the data in bytes, as far as it was counted.
        length: usize,
    },
    /// The buffer does not have the length of the data.
    WrongLength {
        /// The length of the buffer.
        found: usize,
        /// The length of the data.
        expected: usize,
    },
}

impl fmt::Display for WriteError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { length } => write!(
                formatter,
                "the instructions sysvar would have {length} bytes or more: counts, lengths and \
                 offsets in it are at most {}; pass fewer or shorter instructions",
                u16::MAX
            ),
            Self::WrongLength { found, expected } => write!(
                formatter,
                "the buffer has {found} bytes, and the instructions sysvar {expected}; allocate \
                 as many as `length` returns"
            ),
        }
    }
}

impl core::error::Error for WriteError {}

/// Returns the length in bytes of the instructions sysvar with these instructions.
///
/// # Errors
///
/// [`WriteError::TooLong`] if a count, a length or an offset does not fit in 16 bits. (The Rialo
/// runtime drops the higher bits, so that a program reads other instructions.)
pub fn length(instructions: &[Instruction<'_>]) -> Result<usize, WriteError> {
    let mut length = 2 + 2 * instructions.len();
    let fits = |number: usize| number <= usize::from(u16::MAX);
    let mut is_short = fits(instructions.len());
    for instruction in instructions {
        let (accounts, data) = (instruction.accounts.len(), instruction.data.len());
        // The offset of the instruction.
        is_short &= fits(length) && fits(accounts) && fits(data);
        if !is_short {
            return Err(WriteError::TooLong { length });
        }
        length += 2 + accounts * size_of::<StoredAccount>() + size_of::<Pubkey>() + 2 + data;
    }
    if is_short {
        Ok(length + 2)
    } else {
        Err(WriteError::TooLong { length })
    }
}

/// Writes the data of the instructions sysvar while the instruction `current` is processed.
///
/// `buffer` must have exactly the [`length`] of the data: readers find the index at its end.
///
/// # Errors
///
/// [`WriteError`] if the instructions are too long, or if the buffer has another length.
pub fn write(
    instructions: &[Instruction<'_>],
    current: u16,
    buffer: &mut [u8],
) -> Result<(), WriteError> {
    let expected = length(instructions)?;
    let found = buffer.len();
    if found != expected {
        return Err(WriteError::WrongLength { found, expected });
    }
    // Nothing is cut off: `length` has found that these numbers fit.
    let short = |number: usize| (number as u16).to_le_bytes();
    let mut at = 0;
    let mut put = |bytes: &[u8], at: &mut usize| {
        buffer[*at..*at + bytes.len()].copy_from_slice(bytes);
        *at += bytes.len();
    };
    put(&short(instructions.len()), &mut at);
    let mut offset_at = at;
    at += 2 * instructions.len();
    for instruction in instructions {
        put(&short(at), &mut offset_at);
        put(&short(instruction.accounts.len()), &mut at);
        for account in instruction.accounts {
            put(bytemuck::bytes_of(&StoredAccount::from(account)), &mut at);
        }
        put(instruction.program_id.as_bytes(), &mut at);
        put(&short(instruction.data.len()), &mut at);
        put(instruction.data, &mut at);
    }
    put(&current.to_le_bytes(), &mut at);
    Ok(())
}

/// Sets which instruction is the current one, in the data that [`write()`] wrote.
///
/// Data of less than two bytes stays as it is.
pub fn set_current_index(data: &mut [u8], current: u16) {
    if let Some(last) = data.last_chunk_mut() {
        *last = current.to_le_bytes();
    }
}

/// The data of the instructions sysvar, to read instructions from.
///
/// It may be any bytes: every method checks what it reads. The host alone writes the account
/// [`ids::INSTRUCTIONS`](crate::ids::INSTRUCTIONS), so check that address before you trust the
/// data.
#[derive(Clone, Copy, Debug)]
pub struct Instructions<'a> {
    data: &'a [u8],
}

impl<'a> Instructions<'a> {
    /// Reads from the account's data.
    #[inline]
    #[must_use]
    pub const fn new(data: &'a [u8]) -> Self {
        Self { data }
    }

    /// Returns the number of instructions.
    ///
    /// # Errors
    ///
    /// [`ProgramError::InvalidAccountData`] if the data is too short.
    #[inline]
    pub fn count(&self) -> Result<u16, ProgramError> {
        Reader { data: self.data }.short()
    }

    /// Returns the index of the current instruction.
    ///
    /// # Errors
    ///
    /// [`ProgramError::InvalidAccountData`] if the data is too short.
    #[inline]
    pub fn current_index(&self) -> Result<u16, ProgramError> {
        let last = self.data.last_chunk();
        let last = last.ok_or(ProgramError::InvalidAccountData)?;
        Ok(u16::from_le_bytes(*last))
    }

    /// Returns the instruction at this index.
    ///
    /// # Errors
    ///
    /// - [`ProgramError::InvalidArgument`] if there are fewer instructions.
    /// - [`ProgramError::InvalidAccountData`] if the data is malformed.
    pub fn get(&self, index: u16) -> Result<StoredInstruction<'a>, ProgramError> {
        let malformed = ProgramError::InvalidAccountData;
        let mut reader = Reader { data: self.data };
        if index >= reader.short()? {
            return Err(ProgramError::InvalidArgument);
        }
        reader.bytes(2 * usize::from(index))?;
        let start = reader.short()?;
        let data = self.data.get(usize::from(start)..).ok_or(malformed)?;
        let mut reader = Reader { data };
        let count = usize::from(reader.short()?);
        let accounts = reader.bytes(count * size_of::<StoredAccount>())?;
        let program_id = reader.bytes(size_of::<Pubkey>())?;
        let length = reader.short()?;
        let data = reader.bytes(usize::from(length))?;
        Ok(StoredInstruction {
            program_id: bytemuck::try_from_bytes(program_id).map_err(|_| malformed)?,
            accounts: bytemuck::try_cast_slice(accounts).map_err(|_| malformed)?,
            data,
        })
    }

    /// Returns the instruction at this distance from the current one: -1 is the one before it.
    ///
    /// # Errors
    ///
    /// As for [`get`](Self::get); [`ProgramError::InvalidArgument`] also if the index would be less
    /// than 0.
    #[inline]
    pub fn relative(&self, distance: i64) -> Result<StoredInstruction<'a>, ProgramError> {
        let index = i64::from(self.current_index()?).saturating_add(distance);
        let index = u16::try_from(index).map_err(|_| ProgramError::InvalidArgument)?;
        self.get(index)
    }
}

/// Reads bytes from the start on.
struct Reader<'a> {
    data: &'a [u8],
}

impl<'a> Reader<'a> {
    #[inline]
    fn bytes(&mut self, length: usize) -> Result<&'a [u8], ProgramError> {
        let split = self.data.split_at_checked(length);
        let (bytes, rest) = split.ok_or(ProgramError::InvalidAccountData)?;
        self.data = rest;
        Ok(bytes)
    }

    #[inline]
    fn short(&mut self) -> Result<u16, ProgramError> {
        let split = self.data.split_first_chunk();
        let (bytes, rest) = split.ok_or(ProgramError::InvalidAccountData)?;
        self.data = rest;
        Ok(u16::from_le_bytes(*bytes))
    }
}

const _: () = assert!(size_of::<SiblingLengths>() == 16);
const _: () = assert!(size_of::<StoredAccount>() == 33 && align_of::<StoredAccount>() == 1);

#[cfg(test)]
mod tests {
    use std::vec;
    use std::vec::Vec;

    use proptest::prelude::*;

    use super::*;

    const PROGRAM: Pubkey = Pubkey::new([1; 32]);

    fn data(instructions: &[Instruction<'_>], current: u16) -> Vec<u8> {
        let mut data = vec![7; length(instructions).unwrap()];
        write(instructions, current, &mut data).unwrap();
        data
    }

    #[test]
    fn the_bytes_are_those_of_the_runtime() {
        let keys = [2, 3].map(|byte| Pubkey::new([byte; 32]));
        let accounts = [
            AccountMeta::readonly_signer(&keys[0]),
            AccountMeta::writable(&keys[1]),
        ];
        let first = Instruction {
            program_id: &PROGRAM,
            accounts: &accounts,
            data: b"ab",
        };
        let second = Instruction {
            program_id: &keys[0],
            accounts: &[],
            data: &[],
        };
        let expected: Vec<u8> = [
            // Two instructions, at 6 and at 6 + 2 + 2 * 33 + 32 + 2 + 2.
            &[2, 0, 6, 0, 110, 0][..],
            &[2, 0],
            &[1],
            &[2; 32],
            &[2],
            &[3; 32],
            &[1; 32],
            &[2, 0, b'a', b'b'],
            &[0, 0],
            &[2; 32],
            &[0, 0],
            &[1, 0],
        ]
        .concat();
        let mut found = data(&[first, second], 1);
        assert_eq!(found, expected);
        assert_eq!(Instructions::new(&found).count(), Ok(2));
        let sysvar = Instructions::new(&found);
        assert_eq!(sysvar.relative(0), sysvar.get(1));
        assert_eq!(sysvar.relative(-1), sysvar.get(0));
        let invalid = Err(ProgramError::InvalidArgument);
        for distance in [1, -2, i64::MAX, i64::MIN] {
            assert_eq!(sysvar.relative(distance), invalid, "{distance}");
        }
        for index in [2, u16::MAX] {
            assert_eq!(sysvar.get(index), invalid, "{index}");
        }
        set_current_index(&mut found, 0x0102);
        assert_eq!(Instructions::new(&found).current_index(), Ok(0x0102));
        assert_eq!(found[..found.len() - 2], expected[..expected.len() - 2]);
        set_current_index(&mut [9], 1);
    }

    #[test]
    fn what_does_not_fit_is_an_error() {
        let long = vec![0; 1 << 16];
        let instruction = |data| Instruction {
            program_id: &PROGRAM,
            accounts: &[],
            data,
        };
        let too_long = |instructions: &[Instruction<'_>]| {
            matches!(length(instructions), Err(WriteError::TooLong { .. }))
        };
        assert!(too_long(&[instruction(&long)]));
        // The second one would begin beyond 65,535.
        let most = &long[..usize::from(u16::MAX) - 6 - 36];
        assert!(!too_long(&[instruction(most), instruction(&[])]));
        let most = &long[..usize::from(u16::MAX) - 6 - 36 + 1];
        assert!(too_long(&[instruction(most), instruction(&[])]));
        assert!(!too_long(&[instruction(most)]));
        assert!(too_long(&vec![instruction(&[]); 1 << 16]));
        let accounts = vec![AccountMeta::readonly(&PROGRAM); 1 << 16];
        let instruction = Instruction {
            accounts: &accounts,
            ..instruction(&[])
        };
        assert!(too_long(&[instruction]));
        let found = write(&[], 0, &mut [0; 5]);
        let expected = WriteError::WrongLength {
            found: 5,
            expected: 4,
        };
        assert_eq!(found, Err(expected));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(data: Vec<u8>, index: u16, distance: i64) {
            let sysvar = Instructions::new(&data);
            let _ = (sysvar.count(), sysvar.current_index());
            let _ = (sysvar.get(index % 8), sysvar.relative(distance));
        }

        #[test]
        fn what_is_written_is_read(
            parts in prop::collection::vec(
                (any::<[u8; 32]>(), prop::collection::vec(any::<([u8; 32], bool, bool)>(), 0..5),
                    prop::collection::vec(any::<u8>(), 0..40)),
                0..6,
            ),
            current: u16,
        ) {
            let parts: Vec<_> = parts.into_iter().map(|(id, accounts, data)| {
                let accounts: Vec<_> = accounts.into_iter().map(|(key, signs, writes)| {
                    AccountMeta::new(&Pubkey::new(key), signs, writes)
                }).collect();
                (Pubkey::new(id), accounts, data)
            }).collect();
            let instructions: Vec<_> = parts.iter().map(|(program_id, accounts, data)| {
                Instruction { program_id, accounts, data }
            }).collect();
            let bytes = data(&instructions, current);
            let sysvar = Instructions::new(&bytes);
            prop_assert_eq!(sysvar.current_index(), Ok(current));
            prop_assert_eq!(usize::from(sysvar.count().unwrap()), parts.len());
            for (index, (id, accounts, data)) in parts.iter().enumerate() {
                let found = sysvar.get(index as u16).unwrap();
                prop_assert_eq!(found.program_id, id);
                prop_assert_eq!(found.data, data);
                let accounts: Vec<_> = accounts.iter().map(StoredAccount::from).collect();
                prop_assert_eq!(found.accounts, accounts);
            }
        }
    }
}
