//! The account table of an input.

use core::hint::{assert_unchecked, cold_path};
use core::mem::offset_of;

use abi::input::{ACCOUNT_TABLE_MAGIC, AccountTableFooter};

use super::Opened;
use crate::abort::{duplicate_account, too_many_accounts};
use crate::account::AccountInfo;

/// What the host of an entry says about the account table of the input.
#[derive(Clone, Copy, Debug)]
pub enum AccountTable {
    /// It is at this address, or the input has none if that is null.
    At(*const u8),
    /// The input has this length. It may end in a table.
    AtEndOf(usize),
    /// Nothing: the accounts are found without a table.
    NotKnown,
}

impl From<Option<usize>> for AccountTable {
    /// The table of an input of this length, if known.
    #[inline(always)]
    fn from(length: Option<usize>) -> Self {
        length.map_or(Self::NotKnown, Self::AtEndOf)
    }
}

impl AccountTable {
    /// Returns the table as a slice of views.
    ///
    /// Returns `None` if the input has no table, or a table of no accounts. It gives up if the
    /// table has more than `MAX_ACCOUNTS` accounts, or, with `REJECT_DUPLICATES`, an account twice.
    ///
    /// # Safety
    ///
    /// As for [`open`](super::open); `input` is aligned to 8; `opened` are its fields; what the host
    /// says is true; and no view of the input's accounts exists yet.
    #[inline(always)]
    pub(crate) unsafe fn find<'input, const MAX_ACCOUNTS: usize, const REJECT_DUPLICATES: bool>(
        self,
        input: *mut u8,
        opened: Opened<'input>,
    ) -> Option<&'input [AccountInfo<'input>]> {
        let (table, count) = match self {
            Self::At(table) if table.is_null() => return None,
            // SAFETY: by the contract, the input is aligned to 8, and no view exists.
            Self::At(table) => (table, unsafe { opened.entries() }.count),
            // SAFETY: by the contract, `input` is an input of that length, aligned to 8.
            Self::AtEndOf(length) => unsafe { at_end(input, length) }?,
            Self::NotKnown => return None,
        };
        if count > MAX_ACCOUNTS {
            too_many_accounts(count, MAX_ACCOUNTS);
        }
        let table = table.cast::<AccountInfo<'input>>();
        // SAFETY: the table is a part of the input, which is valid for reads, so it is not at
        // address 0.
        unsafe { assert_unchecked(!table.is_null()) };
        // SAFETY: the loader wrote an address for each of the `count` entries there, aligned to 8.
        // Each is the address of an account's first occurrence, and so a valid `AccountInfo`, which
        // has the layout of a u64. Nothing writes to the table for `'input`.
        let accounts = unsafe { core::slice::from_raw_parts(table, count) };
        if REJECT_DUPLICATES {
            reject_duplicates(accounts);
        }
        Some(accounts)
    }
}

/// Returns the address of the table at the end of an input, and the number of accounts in it, which
/// is not 0. Returns `None` if the input does not end in such a table.
///
/// # Safety
///
/// As for [`open`](super::open); `input` is aligned to 8; and `length` is its length in bytes.
#[inline(always)]
unsafe fn at_end(input: *mut u8, length: usize) -> Option<(*const u8, usize)> {
    // The shortest input, one without data, accounts and table, has 48 bytes.
    let footer = input
        .wrapping_add(length)
        .wrapping_sub(size_of::<AccountTableFooter>());
    let magic = footer.wrapping_add(offset_of!(AccountTableFooter, magic));
    // SAFETY: by the contract, these are the last eight bytes of the input. The read needs no
    // alignment.
    if unsafe { magic.cast::<u64>().read_unaligned() } != ACCOUNT_TABLE_MAGIC {
        cold_path();
        return None;
    }
    let count = footer.wrapping_add(offset_of!(AccountTableFooter, count));
    // Volatile: otherwise the compiler reads this word first, which never decides for an input
    // without a table.
    // SAFETY: the magic is the end of a table, or of an entry that ends like one. By the contract,
    // either is longer than a footer, so the word is inside the input. It is aligned, because the
    // input starts at a multiple of 8, and its parts, and so its length, are multiples of 8.
    let count = unsafe { count.cast::<u64>().read_volatile() } as usize;
    // A rent epoch may equal the magic, but then the word before it is zero.
    if count == 0 {
        cold_path();
        return None;
    }
    // An input that ends in such a footer has a table, as `abi::input` shows.
    Some((footer.wrapping_sub(count * size_of::<u64>()), count))
}

/// Gives up if an account occurs twice.
///
/// First occurrences have rising addresses, so a repeat is an address that does not rise.
#[inline(always)]
fn reject_duplicates(accounts: &[AccountInfo<'_>]) {
    // Two at a time: this halves the checks for the end.
    let (pairs, last) = accounts.as_chunks::<2>();
    let mut highest = 0;
    for [one, other] in pairs {
        if one.address() <= highest || other.address() <= one.address() {
            give_up_on_duplicate(accounts);
        }
        highest = other.address();
    }
    if let [last] = last
        && last.address() <= highest
    {
        give_up_on_duplicate(accounts);
    }
}

/// Gives up and reports the first account that occurs twice in the list.
#[cold]
#[inline(never)]
fn give_up_on_duplicate(accounts: &[AccountInfo<'_>]) -> ! {
    let first = |account: &AccountInfo<'_>| {
        let same = |other: &AccountInfo<'_>| other.address() == account.address();
        accounts.iter().position(same)
    };
    let mut positions = accounts.iter().map(first).enumerate();
    let repeat = positions.find_map(|(index, first)| match first {
        Some(first) if first < index => Some((index, first)),
        _ => None,
    });
    // A loader writes no table whose addresses fall without a repeat.
    let (index, first) = repeat.unwrap_or_default();
    duplicate_account(index, first)
}
