//! The serialized input, read in three ways from one description.
//!
//! | reader | takes | costs | for |
//! |---|---|---|---|
//! | [`read`] | any bytes | a check for each field | tools, tests, hosts |
//! | `trusted` (what the macros use) | what a loader has written | nothing for each account where there is an account table, a few instructions each where there is none | programs |
//! | [`LazyAccounts`] | either | the accounts that are asked for | handlers that want to walk themselves |
//!
//! The bytes are drawn in [`abi::input`]. The functions `prefix` and `entry` of this module describe
//! them once; the readers differ in the cursor with which they walk.

use abi::input::{AccountHeader, FIRST_OCCURRENCE, MAX_PERMITTED_DATA_INCREASE};

mod checked;
mod error;
mod lazy;
pub(crate) mod trusted;

#[doc(hidden)]
pub mod testing;

pub use checked::{Input, read};
pub use error::{Field, InputError};
pub use lazy::{LazyAccount, LazyAccounts, read_lazily};

/// Walks over the input. What is wrong with a step is the cursor's own affair.
pub(crate) trait Cursor {
    /// What a step that cannot be taken says.
    type Error;

    /// Steps over `length` bytes and returns a pointer to the first, which is valid for reads and
    /// writes of all of them.
    fn take(&mut self, field: Field, length: u64) -> Result<*mut u8, Self::Error>;

    /// Steps over the padding to the next multiple of 8 bytes from the start of the input.
    fn align(&mut self) -> Result<(), Self::Error>;

    /// Answers whether an account may have `length` bytes of data.
    fn allow_data(&self, length: u64) -> Result<(), Self::Error>;
}

/// What stands before the entries.
pub(crate) struct Prefix {
    pub instruction_data: *mut u8,
    pub instruction_data_length: u64,
    pub program_id: *mut u8,
    /// Number of entries.
    pub count: u64,
}

/// One entry.
pub(crate) enum Entry {
    /// The first occurrence of an account, and where it starts.
    First(*mut u8),
    /// A repeat of the account at this position.
    Repeat(u8),
}

/// Walks over everything before the entries.
#[inline(always)]
pub(crate) fn prefix<C: Cursor>(cursor: &mut C) -> Result<Prefix, C::Error> {
    let instruction_data_length = take_u64(cursor, Field::InstructionDataLength)?;
    let instruction_data = cursor.take(Field::InstructionData, instruction_data_length)?;
    let program_id = cursor.take(Field::ProgramId, 32)?;
    cursor.align()?;
    let count = take_u64(cursor, Field::AccountCount)?;
    Ok(Prefix {
        instruction_data,
        instruction_data_length,
        program_id,
        count,
    })
}

/// Walks over one entry.
#[inline(always)]
pub(crate) fn entry<C: Cursor>(cursor: &mut C) -> Result<Entry, C::Error> {
    let start = cursor.take(Field::Marker, 8)?;
    // SAFETY: the cursor has stepped over this byte, so it is valid for reads.
    let marker = unsafe { start.read() };
    if marker != FIRST_OCCURRENCE {
        return Ok(Entry::Repeat(marker));
    }
    cursor.take(
        Field::AccountHeader,
        (AccountHeader::DATA_LENGTH - 8) as u64,
    )?;
    let data_length = take_u64(cursor, Field::DataLength)?;
    cursor.allow_data(data_length)?;
    cursor.take(Field::Data, data_length)?;
    cursor.take(Field::SpareBytes, MAX_PERMITTED_DATA_INCREASE as u64)?;
    cursor.align()?;
    cursor.take(Field::RentEpoch, 8)?;
    Ok(Entry::First(start))
}

#[inline(always)]
fn take_u64<C: Cursor>(cursor: &mut C, field: Field) -> Result<u64, C::Error> {
    let word = cursor.take(field, 8)?;
    // SAFETY: the cursor has stepped over these eight bytes, so they are valid for reads; the read asks
    // for no alignment.
    Ok(unsafe { word.cast::<u64>().read_unaligned() })
}
