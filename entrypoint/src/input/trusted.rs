//! The reader that the macros use: it believes the loader.

use alloc::alloc::handle_alloc_error;
use core::alloc::Layout;
use core::hint::{assert_unchecked, cold_path};
use core::mem::{MaybeUninit, offset_of};

use abi::input::{ACCOUNT_TABLE_MAGIC, AccountTableFooter};

use super::{Entries, Entry};
use crate::abort::{duplicate_account, too_many_accounts};
use crate::account::AccountInfo;
use crate::machine::list_memory;

/// The loader's account table as a slice of views; `None` if the input has no table, or one of no accounts.
///
/// It gives up if the table names more than `MAX_ACCOUNTS`, or, with `REJECT_DUPLICATES`, an account twice.
///
/// # Safety
///
/// As for [`open`](super::open), and `input` is aligned to 8. `length`, where it is known, is the length of the input in bytes.
#[inline(always)]
pub(crate) unsafe fn table<'input, const MAX_ACCOUNTS: usize, const REJECT_DUPLICATES: bool>(
    input: *mut u8,
    length: Option<usize>,
) -> Option<&'input [AccountInfo<'input>]> {
    // The shortest input, one without data, accounts and table, has 48 bytes.
    let footer = input
        .wrapping_add(length?)
        .wrapping_sub(size_of::<AccountTableFooter>());
    let magic = footer.wrapping_add(offset_of!(AccountTableFooter, magic));
    // SAFETY: by the contract the input ends behind these eight bytes; the read asks for no alignment.
    if unsafe { magic.cast::<u64>().read_unaligned() } != ACCOUNT_TABLE_MAGIC {
        cold_path();
        return None;
    }
    let count = footer.wrapping_add(offset_of!(AccountTableFooter, count));
    // Volatile, or the compiler looks at this word first, which never decides for an input without a table.
    // SAFETY: the magic says that a loader has written a table, or an entry that ends like one; by the contract either is longer
    // than a footer. The read asks for alignment: the input starts at a multiple of 8, and its parts, and so its length, are
    // multiples of 8.
    let count = unsafe { count.cast::<u64>().read_volatile() } as usize;
    // A rent epoch may be the magic too, but the word before it is zero.
    if count == 0 {
        cold_path();
        return None;
    }
    if count > MAX_ACCOUNTS {
        too_many_accounts(count, MAX_ACCOUNTS);
    }
    let table = footer
        .wrapping_sub(count * size_of::<u64>())
        .cast::<AccountInfo<'input>>();
    // SAFETY: the table is a part of the input, and nothing of that is at address 0.
    unsafe { assert_unchecked(!table.is_null()) };
    // SAFETY: an input that ends in such a footer has a table, as `abi::input` argues. By the contract
    // the loader has written there, aligned to 8, one address for each account, each of them that of the
    // account's first occurrence; so each is a valid `AccountInfo`, which has the layout of a u64. The
    // table is never written.
    let accounts = unsafe { core::slice::from_raw_parts(table, count) };
    if REJECT_DUPLICATES {
        reject_duplicates(accounts);
    }
    Some(accounts)
}

/// First occurrences come at rising addresses, so a repeat is an address that does not rise.
#[inline(always)]
fn reject_duplicates(accounts: &[AccountInfo<'_>]) {
    // Two at a time, so that there are half as many looks at whether any are left.
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

/// Gives up on the first account in the list that stands there twice.
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
    // A table that does not rise without naming an account twice is no loader's.
    let (index, first) = repeat.unwrap_or_default();
    duplicate_account(index, first)
}

/// Walks over the entries into `list`, one view for each. With `REJECT_DUPLICATES` it gives up on a repeat.
///
/// # Safety
///
/// As for [`open`](super::open). `list` is valid for writes and reads of `entries.count` views.
#[inline(always)]
unsafe fn walk_into<'input, const REJECT_DUPLICATES: bool>(
    mut entries: Entries,
    list: *mut AccountInfo<'input>,
) {
    let mut place = list;
    // Two at a time, so that there are half as many looks at whether any are left.
    let end_of_pairs = list.wrapping_add(entries.count & !1);
    while place != end_of_pairs {
        // SAFETY: the contract is the same, and there are as many entries as places.
        unsafe { view_into::<REJECT_DUPLICATES>(&mut entries, list, place) };
        // SAFETY: as above.
        unsafe { view_into::<REJECT_DUPLICATES>(&mut entries, list, place.wrapping_add(1)) };
        place = place.wrapping_add(2);
    }
    if entries.count & 1 != 0 {
        // SAFETY: as above.
        unsafe { view_into::<REJECT_DUPLICATES>(&mut entries, list, place) };
    }
}

/// Steps over an entry and writes its view to a place in the list.
///
/// # Safety
///
/// As for [`open`](super::open). There is an entry left, nothing is borrowed, and `place` is valid for writes. The views of the entries before it
/// stand in `list`.
#[inline(always)]
unsafe fn view_into<'input, const REJECT_DUPLICATES: bool>(
    entries: &mut Entries,
    list: *const AccountInfo<'input>,
    place: *mut AccountInfo<'input>,
) {
    // SAFETY: the contract is the same.
    match unsafe { entries.step() } {
        Entry::First(start) => {
            // SAFETY: the loader has written a whole entry there, its marker says that nothing is
            // borrowed, and the rest is the contract.
            let account = unsafe { AccountInfo::from_address(start.addr() as u64) };
            // SAFETY: the caller has that place for it.
            unsafe { place.write(account) };
        }
        Entry::Repeat(index) => {
            if REJECT_DUPLICATES {
                let position = (place.addr() - list.addr()) / size_of::<AccountInfo<'_>>();
                duplicate_account(position, usize::from(index));
            }
            let first = list.wrapping_add(usize::from(index));
            // SAFETY: a loader lets an entry repeat an earlier one only, which stands in the list.
            let account = unsafe { first.read() };
            // SAFETY: the caller has that place for it.
            unsafe { place.write(account) };
        }
    }
}

/// Walks over the entries into a list in the machine's memory for it, where it stays until the entry ends.
///
/// # Safety
///
/// As for [`open`](super::open). There is an entry.
#[cold]
#[inline(never)]
pub(crate) unsafe fn walk<'input, const REJECT_DUPLICATES: bool>(
    entries: Entries,
) -> &'input [AccountInfo<'input>] {
    let count = entries.count;
    let size = count * size_of::<AccountInfo<'_>>();
    // SAFETY: 8 is a power of two. An entry takes as many bytes as a view at least, so the size is no larger than the input, an
    // object in memory, and so at most `isize::MAX`; it is a multiple of 8, so rounding up adds nothing.
    let layout = unsafe { Layout::from_size_align_unchecked(size, align_of::<AccountInfo<'_>>()) };
    // SAFETY: by the contract the size is not zero; the alignment is that of a u64.
    let list = unsafe { list_memory(layout) }.cast::<AccountInfo<'input>>();
    if list.is_null() {
        handle_alloc_error(layout);
    }
    // SAFETY: the block has room for `count` views and is aligned for them; the rest is this function's contract.
    unsafe { walk_into::<REJECT_DUPLICATES>(entries, list) };
    // SAFETY: `walk_into` has written `count` of them into a block that is the list's until the entry ends.
    unsafe { core::slice::from_raw_parts(list, count) }
}

/// Walks over the entries into a list of the caller's, or gives up if there are more of them than places.
///
/// # Safety
///
/// As for [`open`](super::open). `list` is writable and readable for as long as `'input`, and nobody else uses it.
// It checks and returns the list, so that the entry has less to remember meanwhile.
#[cold]
#[inline(never)]
pub(crate) unsafe fn walk_on_stack<
    'input,
    const MAX_ACCOUNTS: usize,
    const REJECT_DUPLICATES: bool,
>(
    entries: Entries,
    list: *mut [MaybeUninit<AccountInfo<'input>>; MAX_ACCOUNTS],
) -> &'input [AccountInfo<'input>] {
    let count = entries.count;
    if count > MAX_ACCOUNTS {
        too_many_accounts(count, MAX_ACCOUNTS);
    }
    let list = list.cast::<AccountInfo<'input>>();
    // SAFETY: the list has a place for each of the `count` entries; the rest is this function's contract.
    unsafe { walk_into::<REJECT_DUPLICATES>(entries, list) };
    // SAFETY: `walk_into` has written `count` of them, and nobody else writes there for `'input`.
    unsafe { core::slice::from_raw_parts(list, count) }
}
