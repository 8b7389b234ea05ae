//! The reader that the macros use: it trusts the loader.

use alloc::alloc::handle_alloc_error;
use core::alloc::Layout;
use core::hint::cold_path;
use core::mem::MaybeUninit;

use super::Opened;
use super::keep::keep;
use super::walk::walk;
use crate::abort::too_many_accounts;
use crate::account::AccountInfo;
use crate::target::alloc_account_list;

/// Places of the list on the stack of a program that lists longer ones elsewhere.
pub(crate) const SHORT_LIST: usize = 64;

/// Places for views, on the stack.
pub(crate) type Places<'input, const LENGTH: usize> = [MaybeUninit<AccountInfo<'input>>; LENGTH];

/// Returns the place of the first view.
#[inline(always)]
fn first_place<'input, const LENGTH: usize>(
    places: *mut Places<'input, LENGTH>,
) -> *mut AccountInfo<'input> {
    keep(places.cast())
}

/// Lists the accounts in `places`, or, if there are more accounts, in the target's memory for such
/// lists, where they stay until the entry returns.
///
/// # Safety
///
/// As for [`open`](super::open); the input is aligned to 8; no view of an account exists yet; and
/// `places` is valid for reads and writes for as long as `'input`, and nothing else uses it. The
/// entry has announced the heap, and nothing has been allocated.
#[inline(always)]
pub(crate) unsafe fn list<'input, const REJECT_DUPLICATES: bool>(
    opened: Opened<'input>,
    places: *mut Places<'input, SHORT_LIST>,
) -> &'input [AccountInfo<'input>] {
    // SAFETY: by the contract, the input is aligned and no view exists.
    let entries = unsafe { opened.entries() };
    let mut list = first_place(places);
    if entries.count == 0 {
        // SAFETY: by the contract, the list is valid and aligned.
        return unsafe { core::slice::from_raw_parts(list, 0) };
    }
    if entries.count > SHORT_LIST {
        cold_path();
        // SAFETY: there is an entry. By the contract, the heap was announced, and nothing has been
        // allocated.
        list = unsafe { alloc_list(entries.count) };
    }
    // SAFETY: by the contract, the entries are a loader's and no view exists. There is one, and a
    // place for each. Nothing else uses them.
    unsafe { walk::<REJECT_DUPLICATES>(&entries, list, || ()) }
}

/// Allocates a list in the target's memory for such lists.
///
/// # Safety
///
/// `count` is the number of an input's entries, and not 0. The entry has announced the heap, and
/// nothing has been allocated.
#[inline(always)]
unsafe fn alloc_list<'input>(count: usize) -> *mut AccountInfo<'input> {
    let size = count * size_of::<AccountInfo<'_>>();
    // SAFETY: the alignment, 8, is a power of two. An entry has at least as many bytes as a view,
    // so the size is at most that of the input, an object in memory, and so at most `isize::MAX`.
    // It is a multiple of 8, so rounding up adds nothing.
    let layout = unsafe { Layout::from_size_align_unchecked(size, align_of::<AccountInfo<'_>>()) };
    // SAFETY: by the contract, the size is not zero, the heap was announced, and nothing has been
    // allocated. The alignment is 8.
    let list = unsafe { alloc_account_list(layout) }.cast::<AccountInfo<'input>>();
    if list.is_null() {
        handle_alloc_error(layout);
    }
    list
}

/// Lists the accounts in `places`, or gives up if there are more accounts.
///
/// # Safety
///
/// As for [`list`], except that no heap is needed.
#[inline(always)]
pub(crate) unsafe fn list_on_stack<
    'input,
    const MAX_ACCOUNTS: usize,
    const REJECT_DUPLICATES: bool,
>(
    opened: Opened<'input>,
    places: *mut Places<'input, MAX_ACCOUNTS>,
) -> &'input [AccountInfo<'input>] {
    // SAFETY: by the contract, the input is aligned and no view exists.
    let entries = unsafe { opened.entries() };
    let list = first_place(places);
    if entries.count == 0 {
        // SAFETY: by the contract, the list is valid and aligned.
        return unsafe { core::slice::from_raw_parts(list, 0) };
    }
    let check = || {
        if entries.count > MAX_ACCOUNTS {
            too_many_accounts(entries.count, MAX_ACCOUNTS);
        }
    };
    // With two places or more, a call with two accounts need not pay for the check. If duplicates
    // are rejected too, it is known first that there are too many.
    if MAX_ACCOUNTS < 2 || REJECT_DUPLICATES {
        check();
    }
    // SAFETY: by the contract, the entries are a loader's and no view exists. There is one. There
    // are two places, or one for the only entry. If `check` returns, there is one for each entry.
    // Nothing else uses them.
    unsafe { walk::<REJECT_DUPLICATES>(&entries, list, check) }
}
