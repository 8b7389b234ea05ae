//! Lists the accounts of an input that has no account table.

use core::hint::cold_path;

use abi::input::FIRST_OCCURRENCE;

use super::entries::{Entries, after_first, after_repeat, marker};
use super::keep::{keep, keep_number};
use crate::abort::duplicate_account;
use crate::account::AccountInfo;

/// Entries between two checks for the end of the list.
const GROUP: usize = 5;

/// Entries before the first group. A list of so many needs no constant of the loop.
const BEFORE_GROUPS: usize = 2;

/// Writes a view of each entry to a list and returns it. With `REJECT_DUPLICATES` it gives up on a
/// repeat.
///
/// An account costs seven instructions, a repeat eight, and five of either three more. The last
/// entry is not stepped over.
///
/// # Safety
///
/// - As for [`open`](super::open); no entry was stepped over; and no view of an account exists yet.
/// - `list` is valid for reads and writes of two views, or as many as there are entries if `check`
///   returns, which is called before the third; and nothing else uses it for `'input`.
#[inline(always)]
pub(super) unsafe fn walk<'input, const REJECT_DUPLICATES: bool>(
    entries: &Entries,
    list: *mut AccountInfo<'input>,
    check: impl FnOnce(),
) -> &'input [AccountInfo<'input>] {
    let count = entries.count;
    let mut walk = Walk::<REJECT_DUPLICATES> {
        list,
        place: list,
        entry: entries.next,
    };
    // SAFETY: by the contract, there is an entry, and a place for its view. The first entry of a
    // loader's input has no earlier one to repeat.
    unsafe { walk.write_view(list) };
    if count == 1 {
        // SAFETY: the only view was written just now, and nothing else uses the list.
        return unsafe { walk.written(count) };
    }
    // SAFETY: the first entry is a first occurrence, and no view of it was used.
    walk.entry = unsafe { after_first(walk.entry) };
    // SAFETY: there is a second entry, and the list has a place for it.
    if unsafe { walk.step::<1>(|| count == BEFORE_GROUPS) } {
        // SAFETY: both views are written, and nothing else uses the list.
        return unsafe { walk.written(count) };
    }
    check();
    walk.place = list.wrapping_add(BEFORE_GROUPS);
    // The number of entries that are left, less a group.
    let mut left = keep_number(count.wrapping_sub(BEFORE_GROUPS + GROUP) as isize);
    while left >= 0 {
        // SAFETY: by `left`, five entries are left, and five places.
        unsafe { walk.step::<0>(|| false) };
        // SAFETY: the second of five.
        unsafe { walk.step::<1>(|| false) };
        // SAFETY: the third of five.
        unsafe { walk.step::<2>(|| false) };
        // SAFETY: the fourth of five.
        unsafe { walk.step::<3>(|| false) };
        // SAFETY: the last of five.
        unsafe { walk.step::<4>(|| false) };
        walk.place = keep(walk.place.wrapping_add(GROUP));
        left = keep_number(left.wrapping_sub_unsigned(GROUP));
    }
    // From here on none to four are left: `left` is -5 to -1.
    if left == -5
        // SAFETY: by `left`, an entry is left, and a place.
        || unsafe { walk.step::<0>(|| left == -4) }
        // SAFETY: by the step before, another one is left.
        || unsafe { walk.step::<1>(|| left == -3) }
        // SAFETY: by the step before, another one is left.
        || unsafe { walk.step::<2>(|| left == -2) }
    {
        // SAFETY: the view of each entry is written, and nothing else uses the list.
        return unsafe { walk.written(count) };
    }
    // SAFETY: by the steps before, a fourth one is left.
    unsafe { walk.step::<3>(|| true) };
    // SAFETY: the view of each entry is written, and nothing else uses the list.
    unsafe { walk.written(count) }
}

/// A list of which the first views are written.
struct Walk<'input, const REJECT_DUPLICATES: bool> {
    list: *mut AccountInfo<'input>,
    /// The place in the list from which [`step`](Self::step) counts.
    place: *mut AccountInfo<'input>,
    /// The next entry.
    entry: *mut u8,
}

impl<'input, const REJECT_DUPLICATES: bool> Walk<'input, REJECT_DUPLICATES> {
    /// Writes the view of the entry, which is a first occurrence, to a place.
    ///
    /// # Safety
    ///
    /// As for [`walk`]; an entry is left, which is a first occurrence; and `place` is valid for
    /// writes.
    #[inline(always)]
    unsafe fn write_view(&self, place: *mut AccountInfo<'input>) {
        // SAFETY: the loader wrote a whole first occurrence there, and its marker means "not
        // borrowed". By the contract, the input is valid for `'input`, its provenance is exposed,
        // and it is used only through views, on one thread.
        let account = unsafe { AccountInfo::from_address(self.entry.addr() as u64) };
        // SAFETY: by the contract, `place` is valid for writes.
        unsafe { place.write(account) };
    }

    /// Writes the view of the entry to the place `OFFSET` after `self.place`. If `is_last` returns
    /// true, returns true, otherwise steps over the entry.
    ///
    /// # Safety
    ///
    /// As for [`walk`]; an entry is left, and that place is valid for writes; and the views of all
    /// earlier entries are in the list. If `is_last` returns false, another entry is left or the
    /// walk ends.
    #[inline(always)]
    unsafe fn step<const OFFSET: usize>(&mut self, is_last: impl Fn() -> bool) -> bool {
        let place = self.place.wrapping_add(OFFSET);
        // SAFETY: by the contract, an entry starts here.
        let marker = unsafe { marker(self.entry) };
        // Both branches end alike, so that each goes on to the next entry without a jump.
        if marker == FIRST_OCCURRENCE {
            // SAFETY: by its marker, the entry is a first occurrence. By the contract, the place is
            // valid for writes.
            unsafe { self.write_view(place) };
            if is_last() {
                return true;
            }
            // SAFETY: the entry is a first occurrence, as the loader wrote it, because the program
            // has not used any view yet.
            self.entry = unsafe { after_first(self.entry) };
        } else {
            cold_path();
            let index = usize::from(marker);
            if REJECT_DUPLICATES {
                let position = (place.addr() - self.list.addr()) / size_of::<AccountInfo<'_>>();
                duplicate_account(position, index);
            }
            // SAFETY: a loader's repeat refers to an earlier entry, whose view is in the list.
            let first = unsafe { self.list.wrapping_add(index).read() };
            // SAFETY: by the contract, the place is valid for writes.
            unsafe { place.write(first) };
            if is_last() {
                return true;
            }
            self.entry = after_repeat(self.entry);
        }
        false
    }

    /// Returns the list.
    ///
    /// # Safety
    ///
    /// As for [`walk`]; and `count` views are written, one for each entry.
    #[inline(always)]
    unsafe fn written(&self, count: usize) -> &'input [AccountInfo<'input>] {
        // SAFETY: by the contract, so many views are written, in a list that nothing else uses for
        // `'input`.
        unsafe { core::slice::from_raw_parts(self.list, count) }
    }
}
