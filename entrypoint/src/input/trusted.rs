//! The reader that the macros use: it believes the loader.

use alloc::vec::Vec;
use core::convert::Infallible;
use core::mem::MaybeUninit;
use core::ptr;

use abi::Pubkey;
use abi::input::{ACCOUNT_TABLE_MAGIC, AccountTableFooter, entry_length, padding};

use super::{Cursor, Entry, Field, entry, prefix};
use crate::account::AccountInfo;

/// What stands before the accounts, and the cursor that has come to them.
pub(crate) struct Opened<'input> {
    pub program_id: &'input Pubkey,
    pub instruction_data: &'input [u8],
    pub count: usize,
    cursor: TrustedCursor,
}

/// Length in bytes of the entry of an account without data. The first entry is never a repeat, which is shorter.
const SHORTEST_ENTRY: usize = entry_length(0).unwrap();

/// A cursor that looks at no bounds.
struct TrustedCursor {
    start: *mut u8,
    offset: usize,
}

impl Cursor for TrustedCursor {
    type Error = Infallible;

    #[inline(always)]
    fn take(&mut self, _field: Field, length: u64) -> Result<*mut u8, Infallible> {
        let bytes = self.start.wrapping_add(self.offset);
        self.offset += length as usize;
        Ok(bytes)
    }

    #[inline(always)]
    fn align(&mut self) -> Result<(), Infallible> {
        self.offset += padding(self.offset);
        Ok(())
    }

    #[inline(always)]
    fn allow_data(&self, _length: u64) -> Result<(), Infallible> {
        Ok(())
    }
}

/// Reads what stands before the accounts.
///
/// # Safety
///
/// For as long as `'input`: `input` points to an input as a loader has written it, aligned to 8, whose
/// provenance is exposed, and that is read and written through what is made from it only, on one
/// thread. No account of it is viewed yet.
#[inline(always)]
pub(crate) unsafe fn open<'input>(input: *mut u8) -> Opened<'input> {
    let mut cursor = TrustedCursor {
        start: input,
        offset: 0,
    };
    let Ok(prefix) = prefix(&mut cursor);
    Opened {
        // SAFETY: by the contract there are 32 bytes there for `'input`; a `Pubkey` has alignment 1 and
        // no invalid values; nobody writes them, because only the entries of accounts, which are other
        // bytes, are lent for writing.
        program_id: unsafe { &*prefix.program_id.cast::<Pubkey>() },
        // SAFETY: by the contract there are that many bytes there, and nobody writes them, as above.
        instruction_data: unsafe {
            core::slice::from_raw_parts(
                prefix.instruction_data,
                prefix.instruction_data_length as usize,
            )
        },
        count: prefix.count as usize,
        cursor,
    }
}

/// The loader's account table as a slice of views. Where the input has none, the slice is what `walk` lists.
/// `count` is the number of accounts that stands before the entries.
///
/// # Safety
///
/// As for [`open`], and `length`, where it is known, is the length of the input in bytes.
#[inline(always)]
pub(crate) unsafe fn accounts<'input>(
    input: *mut u8,
    length: Option<usize>,
    count: usize,
    walk: impl FnOnce() -> &'input [AccountInfo<'input>],
) -> &'input [AccountInfo<'input>] {
    let Some(length) = length else { return walk() };
    // The shortest input, one without data, accounts and table, has 48 bytes.
    let footer = input
        .wrapping_add(length)
        .wrapping_sub(size_of::<AccountTableFooter>());
    // SAFETY: by the contract the input ends there and is longer than a footer; the read asks for no
    // alignment.
    let footer_value = unsafe { footer.cast::<AccountTableFooter>().read_unaligned() };
    // A rent epoch may be the magic too, but the word before it is zero.
    if footer_value.magic != ACCOUNT_TABLE_MAGIC {
        return walk();
    }
    if footer_value.count == 0 {
        // An input this short has no account, and so no rent epoch.
        return if length < SHORTEST_ENTRY || count == 0 {
            &[]
        } else {
            walk()
        };
    }
    let count = footer_value.count as usize;
    let table = footer
        .wrapping_sub(count * size_of::<u64>())
        .cast::<AccountInfo<'input>>();
    // SAFETY: an input that ends in such a footer has a table, as `abi::input` argues. By the contract
    // the loader has written there, aligned to 8, one address for each account, each of them that of the
    // account's first occurrence; so each is a valid `AccountInfo`, which has the layout of a u64. The
    // table is never written.
    unsafe { core::slice::from_raw_parts(table, count) }
}

/// Walks over the entries into `accounts`, which it fills up to `opened.count`.
///
/// # Safety
///
/// As for [`open`], which has made `opened`. `opened.count` is at most the length of `accounts`.
#[inline(always)]
pub(crate) unsafe fn walk_into<'input>(
    mut opened: Opened<'input>,
    accounts: &mut [MaybeUninit<AccountInfo<'input>>],
) {
    let table: *mut AccountInfo<'input> = accounts.as_mut_ptr().cast();
    for position in 0..opened.count {
        let Ok(entry) = entry(&mut opened.cursor);
        let account = match entry {
            // SAFETY: the loader has written a whole entry there, its marker says that nothing is
            // borrowed, and the rest is the contract of `open`.
            Entry::First(start) => unsafe { AccountInfo::from_address(start.addr() as u64) },
            Entry::Repeat(index) => {
                let first = table.wrapping_add(usize::from(index));
                // SAFETY: a loader lets an entry repeat an earlier one only, which has been written.
                unsafe { ptr::read(first) }
            }
        };
        let place = table.wrapping_add(position);
        // SAFETY: the caller has seen that there is room for `count` of them.
        unsafe { place.write(account) };
    }
}

/// Walks over the entries into a list on the heap, which stays there until the program ends.
///
/// # Safety
///
/// As for [`open`].
#[cold]
#[inline(never)]
pub(crate) unsafe fn walk<'input>(input: *mut u8) -> &'input [AccountInfo<'input>] {
    // SAFETY: the contract is the same.
    let opened = unsafe { open(input) };
    let count = opened.count;
    if count == 0 {
        return &[];
    }
    let mut accounts = Vec::with_capacity(count);
    // SAFETY: the list has room for `count`; the rest is this function's contract.
    unsafe { walk_into(opened, accounts.spare_capacity_mut()) };
    // SAFETY: `walk_into` has written `count` of them.
    unsafe { accounts.set_len(count) };
    accounts.leak()
}
