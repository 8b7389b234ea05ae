//! The reader for any bytes: it checks every field.

use alloc::vec::Vec;
use core::marker::PhantomData;

use abi::Pubkey;
use abi::input::{
    AccountHeader, FIRST_OCCURRENCE, MAX_PERMITTED_DATA_INCREASE, MAX_PERMITTED_DATA_LENGTH,
    padding,
};

use super::{Entry, Field, InputError};
use crate::account::AccountInfo;
use crate::target::note_program_id;

/// A whole input, after reading.
#[derive(Debug)]
#[non_exhaustive]
pub struct Input<'input> {
    /// The id of the called program.
    pub program_id: &'input Pubkey,
    /// Every account in order. A repeat is another view of its first occurrence.
    pub accounts: Vec<AccountInfo<'input>>,
    /// The instruction data.
    pub instruction_data: &'input [u8],
}

/// Reads an input from any source, and checks every field.
///
/// It ignores bytes after the last entry, such as an account table. In each account's header it
/// sets the original data length to 0, its value as sent.
///
/// It reads the bytes that a loader sends, not those that a program leaves. After a
/// [`resize`](AccountInfo::resize), the length in an entry no longer leads to the next entry. A
/// borrow that was leaked with [`core::mem::forget`] remains in the entry's first byte. Reading
/// such bytes again is safe, but returns an error or other accounts.
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
///     "the input ends inside the program id: it takes 32 bytes from offset 11 on, and there \
///      are 9",
/// );
/// # Ok::<(), entrypoint::input::InputError>(())
/// ```
///
/// # Errors
///
/// [`InputError`] names the field, the account and the fault.
pub fn read(input: &mut [u8]) -> Result<Input<'_>, InputError> {
    let mut cursor = CheckedCursor::new(input);
    let prefix = cursor.prefix()?;
    cursor.bound_count(prefix.count)?;

    // `bound_count` has checked that the input has bytes for each of them.
    let mut accounts: Vec<AccountInfo<'_>> = Vec::with_capacity(prefix.count as usize);
    for position in 0..prefix.count as usize {
        let account = match cursor.entry(position)? {
            // SAFETY: `entry` has just stepped over the first occurrence that starts there, and
            // steps over an entry once.
            Entry::First(start) => unsafe { cursor.view(start) },
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
    // SAFETY: the cursor has stepped over 32 bytes there, which live as long as the input. A
    // `Pubkey` has alignment 1 and no invalid values. Nothing writes these bytes: views write only
    // to the entries of accounts, which are other bytes.
    let program_id = unsafe { &*prefix.program_id.cast::<Pubkey>() };
    note_program_id(program_id);
    Ok(Input {
        program_id,
        accounts,
        // SAFETY: the cursor has stepped over that many bytes there, which live as long as the
        // input. Nothing writes them, because they are not an account's entry.
        instruction_data: unsafe {
            core::slice::from_raw_parts(
                prefix.instruction_data,
                prefix.instruction_data_length as usize,
            )
        },
    })
}

/// The fields before the entries.
struct Prefix {
    instruction_data: *mut u8,
    instruction_data_length: u64,
    program_id: *mut u8,
    /// Number of entries.
    count: u64,
}

/// A cursor over the input that never leaves it.
struct CheckedCursor<'input> {
    start: *mut u8,
    offset: usize,
    length: usize,
    /// The position of the current entry.
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

    /// Steps over the fields before the entries.
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

    /// Rejects a number of accounts for which the input has not enough bytes.
    fn bound_count(&self, count: u64) -> Result<(), InputError> {
        let room = (self.length - self.offset) / 8;
        if count > room as u64 {
            return Err(InputError::TooManyAccounts { count, room });
        }
        Ok(())
    }

    /// Steps over the entry at `position`.
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

    /// Returns the view of the first occurrence at `start`.
    ///
    /// # Safety
    ///
    /// The cursor has stepped over a whole first occurrence that starts there, and this is called
    /// once for it.
    unsafe fn view(&self, start: *mut u8) -> AccountInfo<'input> {
        // SAFETY: by the contract, the cursor has stepped over the whole header, so the offset
        // stays inside the input.
        let original = unsafe { start.add(AccountHeader::ORIGINAL_DATA_LENGTH) };
        // SAFETY: the four bytes are part of the header, so they are writable. The write needs no
        // alignment.
        unsafe { original.cast::<u32>().write_unaligned(0) };
        // SAFETY: the cursor has stepped over a whole first occurrence from `start` on, in bytes
        // that are borrowed exclusively for `'input` and whose provenance is exposed. Its data has
        // an allowed length, and its original length is 0. The marker means "not borrowed", and a
        // cursor steps over an entry once, so no borrow lives. Views are not `Send`, so one thread
        // uses them.
        unsafe { AccountInfo::from_address(start.addr() as u64) }
    }

    /// Steps over `length` bytes. The returned pointer is valid for reads and writes of all of
    /// them.
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
        // SAFETY: `offset` is at most the length of the input, so the result stays inside the input
        // or one past its end.
        let bytes = unsafe { self.start.add(self.offset) };
        self.offset += length as usize;
        Ok(bytes)
    }

    fn take_u64(&mut self, field: Field) -> Result<u64, InputError> {
        let word = self.take(field, 8)?;
        // SAFETY: the cursor has stepped over these eight bytes, so they are valid for reads. The
        // read needs no alignment.
        Ok(unsafe { word.cast::<u64>().read_unaligned() })
    }

    /// Steps over the padding to the next multiple of 8 bytes from the start of the input.
    fn align(&mut self) -> Result<(), InputError> {
        self.take(Field::Padding, padding(self.offset) as u64)
            .map(drop)
    }
}
