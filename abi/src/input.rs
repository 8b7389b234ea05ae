//! The bytes of the serialized input.
//!
//! The wire format is that of the Rialo runtime (crate `rialo-s-program-entrypoint` 0.12, function
//! `deserialize`). A program of this project reads what that runtime writes, and the other way
//! round.
//!
//! ```text
//! offset                       bytes  field
//! 0                            8      instruction data length D
//! 8                            D      instruction data
//! 8 + D                        32     program id
//! 40 + D                       0..7   padding to a multiple of 8
//!                              8      number of accounts N
//!                              …      N entries, each starting at a multiple of 8
//! ```
//!
//! An entry is the first occurrence of an account (an [`AccountHeader`] and the fields after it),
//! or a repeat of an earlier account (a [`RepeatEntry`]):
//!
//! ```text
//! first occurrence                                  repeat
//! 0   1       marker 0xFF                           0  1  index of the first occurrence (< 255)
//! 1   1       is_signer (0 or 1)                    1  7  zero
//! 2   1       is_writable (0 or 1)
//! 3   1       executable (0 or 1)
//! 4   4       original data length (0 as sent)
//! 8   32      key
//! 40  32      owner
//! 72  8       kelvins
//! 80  8       data length L
//! 88  L       data
//! 88+L 10240  spare bytes, zero as sent
//!     0..7    padding to a multiple of 8
//!     8       rent epoch
//! ```
//!
//! # The account table
//!
//! After the last entry this project's loader appends the account table. It has N u64 guest
//! addresses, one for each account in order (a repeat has the address of its first occurrence), and
//! an [`AccountTableFooter`]. A reader that does not know the table never sees it. With the table a
//! program finds all its accounts at a cost that does not grow with N. An input without accounts
//! has no table.
//!
//! On riscv64 the loader passes the address of the table to the [entry](crate::entry). On the other
//! targets a program finds it by the footer.
//!
//! An input without a table cannot imitate the footer. Such an input ends in one of these:
//!
//! - the count, with N = 0: the last word is 0;
//! - a repeat: its seven zero bytes are not the magic;
//! - a rent epoch, which may have any value. The word before it is spare bytes or padding, which
//!   are zero, and the count of a real table is not zero.
//!
//! A reader therefore ignores a footer with a count of 0, and reads the count before the entries.

use bytemuck::{Pod, Zeroable};

/// Marker byte of an entry that is the first occurrence of its account.
///
/// While a program runs, the same byte holds the account's borrow state: see
/// [`AccountHeader::marker`].
pub const FIRST_OCCURRENCE: u8 = 0xFF;

/// The most different accounts of an input: an index of 255 would be the marker of a first
/// occurrence.
pub const MAX_DISTINCT_ACCOUNTS: usize = 255;

/// Spare bytes after an account's data, into which a program may grow it in one invocation.
pub const MAX_PERMITTED_DATA_INCREASE: usize = 10_240;

/// The most bytes of data of an account: 10 MiB.
pub const MAX_PERMITTED_DATA_LENGTH: usize = 10 * 1024 * 1024;

/// Alignment in bytes, from the start of the input, of every entry and of every u64 but the first
/// program id.
pub const ALIGNMENT: usize = 8;

/// Last word of an input that carries an account table: `"ACCTABLE"` in ASCII.
pub const ACCOUNT_TABLE_MAGIC: u64 = u64::from_le_bytes(*b"ACCTABLE");

/// The fixed part of an entry that is the first occurrence of its account. 88 bytes, aligned to 8.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct AccountHeader {
    /// [`FIRST_OCCURRENCE`] as sent, and the borrow state while the program runs.
    ///
    /// 255: not borrowed; 0: borrowed mutably; 255 - n: n shared borrows.
    pub marker: u8,
    /// 1 if the account signed the transaction, else 0.
    pub is_signer: u8,
    /// 1 if the program may change the account, else 0.
    pub is_writable: u8,
    /// 1 if the account holds a program, else 0.
    pub executable: u8,
    /// 0 as sent. The guest may record the data length as sent here, as its bitwise complement.
    pub original_data_length: u32,
    /// The account's address.
    pub key: [u8; 32],
    /// The program that owns the account.
    pub owner: [u8; 32],
    /// The account's balance.
    pub kelvins: u64,
    /// Bytes of data that follow the header.
    pub data_length: u64,
}

impl AccountHeader {
    /// Offset of `marker` in bytes.
    pub const MARKER: usize = 0;
    /// Offset of `is_signer` in bytes.
    pub const IS_SIGNER: usize = 1;
    /// Offset of `is_writable` in bytes.
    pub const IS_WRITABLE: usize = 2;
    /// Offset of `executable` in bytes.
    pub const EXECUTABLE: usize = 3;
    /// Offset of `original_data_length` in bytes.
    pub const ORIGINAL_DATA_LENGTH: usize = 4;
    /// Offset of `key` in bytes.
    pub const KEY: usize = 8;
    /// Offset of `owner` in bytes.
    pub const OWNER: usize = 40;
    /// Offset of `kelvins` in bytes.
    pub const KELVINS: usize = 72;
    /// Offset of `data_length` in bytes.
    pub const DATA_LENGTH: usize = 80;
    /// Offset of the data in bytes: the size of the header.
    pub const DATA: usize = 88;
}

const _: () = assert!(size_of::<AccountHeader>() == AccountHeader::DATA);
const _: () = assert!(align_of::<AccountHeader>() == ALIGNMENT);
const _: () = assert!(core::mem::offset_of!(AccountHeader, marker) == AccountHeader::MARKER);
const _: () = assert!(core::mem::offset_of!(AccountHeader, is_signer) == AccountHeader::IS_SIGNER);
const _: () =
    assert!(core::mem::offset_of!(AccountHeader, is_writable) == AccountHeader::IS_WRITABLE);
const _: () =
    assert!(core::mem::offset_of!(AccountHeader, executable) == AccountHeader::EXECUTABLE);
const _: () = assert!(
    core::mem::offset_of!(AccountHeader, original_data_length)
        == AccountHeader::ORIGINAL_DATA_LENGTH
);
const _: () = assert!(core::mem::offset_of!(AccountHeader, key) == AccountHeader::KEY);
const _: () = assert!(core::mem::offset_of!(AccountHeader, owner) == AccountHeader::OWNER);
const _: () = assert!(core::mem::offset_of!(AccountHeader, kelvins) == AccountHeader::KELVINS);
const _: () =
    assert!(core::mem::offset_of!(AccountHeader, data_length) == AccountHeader::DATA_LENGTH);

/// An entry that repeats an earlier account. 8 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct RepeatEntry {
    /// Position, among all entries, of the account's first occurrence; less than 255.
    pub index: u8,
    /// Zero.
    pub padding: [u8; 7],
}

const _: () = assert!(size_of::<RepeatEntry>() == 8);

/// The last 16 bytes of an input that carries an account table.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct AccountTableFooter {
    /// Number of accounts N, and of u64 addresses right before this footer.
    pub count: u64,
    /// [`ACCOUNT_TABLE_MAGIC`].
    pub magic: u64,
}

const _: () = assert!(size_of::<AccountTableFooter>() == 16);
const _: () = assert!(core::mem::offset_of!(AccountTableFooter, magic) == 8);

/// Returns the distance in bytes from `offset` to the next multiple of [`ALIGNMENT`]: 0 to 7.
#[must_use]
pub const fn padding(offset: usize) -> usize {
    offset.wrapping_neg() % ALIGNMENT
}

/// Returns the offset of the rent epoch in an entry with `data_length` bytes of data as sent.
///
/// Returns `None` if the sum does not fit in `usize`.
#[must_use]
pub const fn rent_epoch_offset(data_length: usize) -> Option<usize> {
    let fixed = AccountHeader::DATA + MAX_PERMITTED_DATA_INCREASE + (ALIGNMENT - 1);
    match data_length.checked_add(fixed) {
        Some(end) => Some(end - end % ALIGNMENT),
        None => None,
    }
}

/// Returns the length in bytes of a first occurrence with `data_length` bytes of data.
///
/// Returns `None` if the sum does not fit in `usize`.
#[must_use]
pub const fn entry_length(data_length: usize) -> Option<usize> {
    match rent_epoch_offset(data_length) {
        Some(offset) => offset.checked_add(size_of::<u64>()),
        None => None,
    }
}

/// Returns the length in bytes of an account table for `count` accounts, footer included.
///
/// Returns `None` if the sum does not fit in `usize`.
#[must_use]
pub const fn account_table_length(count: usize) -> Option<usize> {
    match count.checked_mul(size_of::<u64>()) {
        Some(addresses) => addresses.checked_add(size_of::<AccountTableFooter>()),
        None => None,
    }
}
