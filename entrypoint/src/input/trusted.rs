//! The reader that the macros use: it trusts the loader.

use alloc::alloc::handle_alloc_error;
use core::alloc::Layout;
use core::hint::{assert_unchecked, cold_path};
use core::mem::{MaybeUninit, offset_of};

use abi::input::{ACCOUNT_TABLE_MAGIC, AccountTableFooter};

use super::{Entries, Entry};
use crate::abort::{duplicate_account, too_many_accounts};
use crate::account::AccountInfo;
use crate::target::alloc_account_list;

/// Returns the loader's account table as a slice of views.
///
/// Returns `None` if the input has no table, or a table of no accounts. It gives up if the table
/// has more than `MAX_ACCOUNTS` accounts, or, with `REJECT_DUPLICATES`, an account twice.
///
/// # Safety
///
/// As for [`open`](super::open); `input` is aligned to 8; and `length`, if known, is its length in
/// bytes.
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
    // SAFETY: by the contract, these are the last eight bytes of the input. The read needs no
    // alignment.
    if unsafe { magic.cast::<u64>().read_unaligned() } != ACCOUNT_TABLE_MAGIC {
        cold_path();
        return None;
    }
    let count = footer.wrapping_add(offset_of!(AccountTableFooter, count));
    // Volatile: otherwise the compiler reads this word first, which never decides for an input
    // without a table. SAFETY: the magic is the end of a table, or of an entry that ends like one.
    // By the contract, either is longer than a footer, so the word is inside the input. It is
    // aligned, because the input starts at a multiple of 8, and its parts, and so its length, are
    // multiples of 8.
    let count = unsafe { count.cast::<u64>().read_volatile() } as usize;
    // A rent epoch may equal the magic, but then the word before it is zero.
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
    // SAFETY: the table is a part of the input, which is valid for reads, so it is not at address
    // 0.
    unsafe { assert_unchecked(!table.is_null()) };
    // SAFETY: an input that ends in such a footer has a table, as `abi::input` shows. By the
    // contract, the loader wrote `count` addresses there, aligned to 8. Each is the address of an
    // account's first occurrence, and so a valid `AccountInfo`, which has the layout of a u64.
    // Nothing writes to the table for `'input`.
    let accounts = unsafe { core::slice::from_raw_parts(table, count) };
    if REJECT_DUPLICATES {
        reject_duplicates(accounts);
    }
    Some(accounts)
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

/// Writes a view of each entry to `list`. With `REJECT_DUPLICATES` it gives up on a repeat.
///
/// # Safety
///
/// As for [`open`](super::open); `list` is valid for reads and writes of `entries.count` views; and
/// no view of an account exists yet.
#[inline(always)]
unsafe fn walk_into<'input, const REJECT_DUPLICATES: bool>(
    mut entries: Entries,
    list: *mut AccountInfo<'input>,
) {
    let mut place = list;
    // Two at a time: this halves the checks for the end.
    let end_of_pairs = list.wrapping_add(entries.count & !1);
    while place != end_of_pairs {
        // SAFETY: by the contract, the entries are a loader's and nothing is borrowed. There are as
        // many entries as places, so an entry is left and `place` is valid for writes. The views of
        // the entries before it are in the places before it.
        unsafe { view_into::<REJECT_DUPLICATES>(&mut entries, list, place) };
        // SAFETY: this is the second entry and the second place of a pair; the rest holds as for
        // the first: an entry is left, `place + 1` is valid for writes, and all earlier views are
        // written.
        unsafe { view_into::<REJECT_DUPLICATES>(&mut entries, list, place.wrapping_add(1)) };
        place = place.wrapping_add(2);
    }
    if entries.count & 1 != 0 {
        // SAFETY: the count is odd, so one entry and one place are left after the pairs, and all
        // earlier views are written. By the contract, nothing is borrowed.
        unsafe { view_into::<REJECT_DUPLICATES>(&mut entries, list, place) };
    }
}

/// Steps over an entry and writes its view to a place in the list.
///
/// # Safety
///
/// As for [`open`](super::open); an entry is left; nothing is borrowed; `place` is valid for
/// writes; and `list` has the views of all earlier entries.
#[inline(always)]
unsafe fn view_into<'input, const REJECT_DUPLICATES: bool>(
    entries: &mut Entries,
    list: *const AccountInfo<'input>,
    place: *mut AccountInfo<'input>,
) {
    // SAFETY: by the contract, an entry is left. It is as the loader wrote it, because the program
    // has not used any view yet.
    match unsafe { entries.step() } {
        Entry::First(start) => {
            // SAFETY: the loader wrote a whole first occurrence there, and its marker means "not
            // borrowed". By the contract, the input is valid for `'input`, its provenance is
            // exposed, and it is used only through views, on one thread.
            let account = unsafe { AccountInfo::from_address(start.addr() as u64) };
            // SAFETY: by the contract, `place` is valid for writes.
            unsafe { place.write(account) };
        }
        Entry::Repeat(index) => {
            if REJECT_DUPLICATES {
                let position = (place.addr() - list.addr()) / size_of::<AccountInfo<'_>>();
                duplicate_account(position, usize::from(index));
            }
            let first = list.wrapping_add(usize::from(index));
            // SAFETY: a loader's repeat refers to an earlier entry, whose view is in the list.
            let account = unsafe { first.read() };
            // SAFETY: by the contract, `place` is valid for writes.
            unsafe { place.write(account) };
        }
    }
}

/// Lists the accounts in the target's memory for such lists, where they stay until the entry
/// returns.
///
/// # Safety
///
/// As for [`open`](super::open); there is an entry; and no view of an account exists yet.
#[cold]
#[inline(never)]
pub(crate) unsafe fn walk<'input, const REJECT_DUPLICATES: bool>(
    entries: Entries,
) -> &'input [AccountInfo<'input>] {
    let count = entries.count;
    let size = count * size_of::<AccountInfo<'_>>();
    // SAFETY: the alignment, 8, is a power of two. An entry has at least as many bytes as a view,
    // so the size is at most that of the input, an object in memory, and so at most `isize::MAX`.
    // It is a multiple of 8, so rounding up adds nothing.
    let layout = unsafe { Layout::from_size_align_unchecked(size, align_of::<AccountInfo<'_>>()) };
    // SAFETY: by the contract, there is an entry, so the size is not zero. The alignment is 8.
    let list = unsafe { alloc_account_list(layout) }.cast::<AccountInfo<'input>>();
    if list.is_null() {
        handle_alloc_error(layout);
    }
    // SAFETY: the block is valid for reads and writes of `count` views, and aligned for them. The
    // entries are a loader's and no view exists, by this function's contract.
    unsafe { walk_into::<REJECT_DUPLICATES>(entries, list) };
    // SAFETY: `walk_into` has written `count` views into the block. Nothing else uses the block
    // until the entry returns.
    unsafe { core::slice::from_raw_parts(list, count) }
}

/// Lists the accounts in the caller's list, or gives up if there are more accounts than places.
///
/// # Safety
///
/// As for [`open`](super::open); `list` is readable and writable for as long as `'input`, and
/// nothing else uses it; and no view of an account exists yet.
// It checks the count and returns the list, so that the entry keeps fewer values across the call.
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
    // SAFETY: the list has a place for each of the `count` entries. The entries are a loader's and
    // no view exists, by this function's contract.
    unsafe { walk_into::<REJECT_DUPLICATES>(entries, list) };
    // SAFETY: `walk_into` has written `count` views, and by the contract nothing else writes there
    // for `'input`.
    unsafe { core::slice::from_raw_parts(list, count) }
}
