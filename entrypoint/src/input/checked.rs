//! The reader that believes nothing.

use alloc::vec::Vec;
use core::marker::PhantomData;

use abi::Pubkey;
use abi::input::{
    AccountHeader, FIRST_OCCURRENCE, MAX_PERMITTED_DATA_INCREASE, MAX_PERMITTED_DATA_LENGTH,
    padding,
};

use super::{Entry, Field, InputError};
use crate::account::AccountInfo;

/// An input that has been read whole.
#[derive(Debug)]
#[non_exhaustive]
pub struct Input<'input> {
    /// The id of the program that is called.
    pub program_id: &'input Pubkey,
    /// Every account in order; a repeat is another view of the first occurrence.
    pub accounts: Vec<AccountInfo<'input>>,
    /// The instruction data.
    pub instruction_data: &'input [u8],
}

/// Reads an input that anybody may have written.
///
/// Bytes after the last entry, such as an account table, are not looked at. In each account's header
/// the original data length is set to 0, its value as sent.
///
/// It reads what a loader sends, not what a program has left: after a [`resize`](AccountInfo::resize) the
/// length in an entry no longer says where the next entry starts, and a borrow that was leaked with
/// [`core::mem::forget`] leaves its mark in the entry's first byte. Reading such bytes again is safe, but
/// gives an error or other accounts.
///
/// ```
/// let mut bytes = Vec::new();
/// bytes.extend(3_u64.to_le_bytes()); // instruction data length
/// bytes.extend([1, 2, 3]);
/// bytes.extend([7; 32]); // program id
/// bytes.extend([0; 5]); // padding to a multiple of 8
/// bytes.extend(0_u64.to_le_bytes()); // number of accounts
///
/// let input = entrypoint::input::read(&mut bytes)?;
/// assert_eq!(input.instruction_data, [1, 2, 3]);
/// assert_eq!(input.program_id.as_bytes(), &[7; 32]);
/// assert!(input.accounts.is_empty());
///
/// bytes.truncate(20);
/// let error = entrypoint::input::read(&mut bytes).unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "the input ends inside the program id: it takes 32 bytes from offset 11 on, and there are 9",
/// );
/// # Ok::<(), entrypoint::input::InputError>(())
/// ```
///
/// # Errors
///
/// [`InputError`] says which field of which account is wrong, and how.
pub fn read(input: &mut [u8]) -> Result<Input<'_>, InputError> {
    let mut cursor = CheckedCursor::new(input);
    let prefix = cursor.prefix()?;
    cursor.bound_count(prefix.count)?;

    // `bound_count` has seen that there are bytes for each of them.
    let mut accounts: Vec<AccountInfo<'_>> = Vec::with_capacity(prefix.count as usize);
    for position in 0..prefix.count as usize {
        let account = match cursor.entry(position)? {
            Entry::First(start) => cursor.view(start),
            Entry::Repeat(index) => {
                *accounts
                    .get(usize::from(index))
                    .ok_or(InputError::InvalidRepeat {
                        account: position,
                        refers_to: index,
                    })?
            }
        };
        accounts.push(account);
    }
    Ok(Input {
        // SAFETY: the cursor has stepped over 32 bytes there, which live for as long as the input; a
        // `Pubkey` has alignment 1 and no invalid values; nobody writes them, because only the entries
        // of accounts, which are other bytes, are lent for writing.
        program_id: unsafe { &*prefix.program_id.cast::<Pubkey>() },
        accounts,
        // SAFETY: the cursor has stepped over that many bytes there, and nobody writes them, as above.
        instruction_data: unsafe {
            core::slice::from_raw_parts(
                prefix.instruction_data,
                prefix.instruction_data_length as usize,
            )
        },
    })
}

/// What stands before the entries.
struct Prefix {
    instruction_data: *mut u8,
    instruction_data_length: u64,
    program_id: *mut u8,
    /// Number of entries.
    count: u64,
}

/// A cursor that never leaves the input.
struct CheckedCursor<'input> {
    start: *mut u8,
    offset: usize,
    length: usize,
    /// The position of the entry that is being walked over.
    account: Option<usize>,
    _input: PhantomData<&'input mut [u8]>,
}

impl<'input> CheckedCursor<'input> {
    fn new(input: &'input mut [u8]) -> Self {
        let start = input.as_mut_ptr();
        // Views of accounts are addresses.
        start.expose_provenance();
        Self {
            start,
            offset: 0,
            length: input.len(),
            account: None,
            _input: PhantomData,
        }
    }

    /// Walks over everything before the entries.
    fn prefix(&mut self) -> Result<Prefix, InputError> {
        let instruction_data_length = self.take_u64(Field::InstructionDataLength)?;
        let instruction_data = self.take(Field::InstructionData, instruction_data_length)?;
        let program_id = self.take(Field::ProgramId, 32)?;
        self.align()?;
        let count = self.take_u64(Field::AccountCount)?;
        Ok(Prefix {
            instruction_data,
            instruction_data_length,
            program_id,
            count,
        })
    }

    /// Refuses a number of accounts for which there are not enough bytes.
    fn bound_count(&self, count: u64) -> Result<(), InputError> {
        let room = (self.length - self.offset) / 8;
        if count > room as u64 {
            return Err(InputError::TooManyAccounts { count, room });
        }
        Ok(())
    }

    /// Walks over the entry at `position`.
    fn entry(&mut self, position: usize) -> Result<Entry, InputError> {
        self.account = Some(position);
        let start = self.take(Field::Marker, 8)?;
        // SAFETY: the cursor has stepped over this byte, so it is valid for reads.
        let marker = unsafe { start.read() };
        if marker != FIRST_OCCURRENCE {
            return Ok(Entry::Repeat(marker));
        }
        self.take(
            Field::AccountHeader,
            (AccountHeader::DATA_LENGTH - 8) as u64,
        )?;
        let data_length = self.take_u64(Field::DataLength)?;
        if data_length > MAX_PERMITTED_DATA_LENGTH as u64 {
            return Err(InputError::DataTooLong {
                account: position,
                length: data_length,
            });
        }
        self.take(Field::Data, data_length)?;
        self.take(Field::SpareBytes, MAX_PERMITTED_DATA_INCREASE as u64)?;
        self.align()?;
        self.take(Field::RentEpoch, 8)?;
        Ok(Entry::First(start))
    }

    /// The view of the first occurrence at `start`, over which this cursor has just walked.
    fn view(&self, start: *mut u8) -> AccountInfo<'input> {
        // SAFETY: the cursor has stepped over the whole header.
        let original = unsafe { start.add(AccountHeader::ORIGINAL_DATA_LENGTH) };
        // SAFETY: as above, so four bytes are writable there; the write asks for no alignment.
        unsafe { original.cast::<u32>().write_unaligned(0) };
        // SAFETY: the cursor has walked over a whole entry from `start` on, in bytes borrowed
        // exclusively for `'input` whose provenance is exposed, and its data has an allowed length. The
        // marker says "not borrowed", and a cursor walks over an entry once, so nothing is borrowed.
        // Views are not `Send`, so one thread uses them.
        unsafe { AccountInfo::from_address(start.addr() as u64) }
    }

    /// Steps over `length` bytes and returns a pointer to the first, which is valid for reads and
    /// writes of all of them.
    fn take(&mut self, field: Field, length: u64) -> Result<*mut u8, InputError> {
        let available = self.length - self.offset;
        if length > available as u64 {
            return Err(InputError::Truncated {
                field,
                account: self.account,
                offset: self.offset,
                length,
                available,
            });
        }
        // SAFETY: `offset` is at most `length`, the length of the input.
        let bytes = unsafe { self.start.add(self.offset) };
        self.offset += length as usize;
        Ok(bytes)
    }

    fn take_u64(&mut self, field: Field) -> Result<u64, InputError> {
        let word = self.take(field, 8)?;
        // SAFETY: the cursor has stepped over these eight bytes, so they are valid for reads; the read asks
        // for no alignment.
        Ok(unsafe { word.cast::<u64>().read_unaligned() })
    }

    /// Steps over the padding to the next multiple of 8 bytes from the start of the input.
    fn align(&mut self) -> Result<(), InputError> {
        self.take(Field::Padding, padding(self.offset) as u64)
            .map(drop)
    }
}
