//! The borrows that prevent a call, where a quick check of all accounts has found one.

use core::hint::black_box;

use abi::input::{AccountHeader, FIRST_OCCURRENCE};
use abi::{ProgramError, ProgramResult, Pubkey};

use super::instruction::Call;
use crate::account::Description;
use crate::borrow::MUTABLY_BORROWED;
use crate::target::syscalls as raw;

/// Checks the borrows of the accounts one by one, and logs the place of the first that prevents the
/// call.
#[cold]
#[inline(never)]
pub(super) fn check(call: &Call<'_>, accounts: &[Description]) -> ProgramResult {
    // The compiler would compare every account with every other in code of its own: a kilobyte for
    // four accounts. It does not where it cannot know how many there are.
    let (call, accounts) = black_box((call, accounts));
    for (place, account) in accounts.iter().enumerate() {
        let entry = account.kelvins as usize - AccountHeader::KELVINS;
        let state = core::ptr::with_exposed_provenance::<u8>(entry + AccountHeader::MARKER);
        // SAFETY: the account comes from a view, whose entry's header is readable, and no reference
        // to its fields exists.
        let state = unsafe { state.read() };
        let key = core::ptr::with_exposed_provenance::<Pubkey>(account.key as usize);
        // SAFETY: the account comes from a view, whose entry's key is readable. A `Pubkey` has
        // alignment 1 and no invalid values, and nothing writes the key.
        let key = unsafe { &*key };
        let written = || {
            let mut metas = call.accounts().iter();
            metas.any(|meta| meta.is_writable != 0 && meta.key == key)
        };
        if state == MUTABLY_BORROWED || (state != FIRST_OCCURRENCE && written()) {
            log_place(place);
            return Err(ProgramError::AccountBorrowFailed);
        }
    }
    Ok(())
}

/// Logs that the account at this place prevents the call.
///
/// The number is at the end, so that the line is the start of a constant in which only digits are
/// replaced. Nothing is linked for it: neither the formatter of `core`, nor a copy of bytes, nor
/// the check of a text.
fn log_place(place: usize) {
    let mut line = *b"a borrow of data prevents the call: account 000";
    let mut length = line.len() - 3;
    // A call of more than 255 accounts is never made.
    let place = place.min(999);
    for (least, power) in [(100, 100), (10, 10), (0, 1)] {
        if place >= least {
            line[length] = b'0' + (place / power % 10) as u8;
            length += 1;
        }
    }
    // SAFETY: `length` is at most that of the line, whose bytes are readable, and nothing writes
    // them during the syscall.
    unsafe { raw::rlo_log_(line.as_ptr(), length as u64) };
}

#[cfg(test)]
mod tests {
    use crate::testing::Host;

    use super::log_place;

    #[test]
    fn line_has_the_digits_of_the_place() {
        let places = [0, 7, 10, 109, 254, 1_234];
        let ((), record) = Host::new().run(|| places.into_iter().for_each(log_place));
        let numbers = ["0", "7", "10", "109", "254", "999"];
        let line = |number| std::format!("a borrow of data prevents the call: account {number}");
        assert_eq!(record.logs, numbers.map(line));
    }
}
