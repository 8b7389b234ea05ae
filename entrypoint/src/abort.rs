//! Giving up: a report, and a syscall that does not return.
//!
//! [`abi::report`] draws the report. No function here allocates.

use abi::report::{ABORT_REPORT_MAGIC, AbortKind, AbortReport};

use crate::target::{halt, syscalls};

/// Passes the report to the loader and ends the program.
#[cold]
pub(crate) fn abort(report: &AbortReport) -> ! {
    let address = core::ptr::from_ref(report).cast();
    // SAFETY: the report and its texts live on this stack until the call returns, and the loader
    // only reads them.
    unsafe { syscalls::rlo_abort(address, ABORT_REPORT_MAGIC) };
    // In case that a loader returns after all.
    halt()
}

/// Gives up because the invocation has more accounts than the program accepts.
#[cold]
#[inline(never)]
pub(crate) fn too_many_accounts(given: usize, max: usize) -> ! {
    abort(&AbortReport::new(
        AbortKind::TooManyAccounts,
        [given as u64, max as u64, 0, 0],
    ))
}

/// Gives up because an account occurs twice and the program rejects repeats.
#[cold]
#[inline(never)]
pub(crate) fn duplicate_account(index: usize, first: usize) -> ! {
    abort(&AbortReport::new(
        AbortKind::DuplicateAccount,
        [index as u64, first as u64, 0, 0],
    ))
}
