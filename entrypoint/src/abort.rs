//! How a program gives up: a report, and a call that does not return.
//!
//! The report is drawn in [`abi::report`]. Nothing here allocates.

use abi::report::{ABORT_REPORT_MAGIC, AbortKind, AbortReport};

use crate::machine::{halt, raw};

/// Hands the report to the loader and ends the program.
#[cold]
pub(crate) fn abort(report: &AbortReport) -> ! {
    let address = core::ptr::from_ref(report).cast();
    // SAFETY: the loader reads the report and the texts it points to, which live on this stack, and does
    // not come back.
    unsafe { raw::rlo_abort(address, ABORT_REPORT_MAGIC) };
    // Should a loader come back after all.
    halt()
}

/// More accounts came than the program takes.
#[cold]
#[inline(never)]
pub(crate) fn too_many_accounts(given: usize, max: usize) -> ! {
    abort(&AbortReport::new(
        AbortKind::TooManyAccounts,
        [given as u64, max as u64, 0, 0],
    ))
}

/// An account came twice, and the program refuses that.
#[cold]
#[inline(never)]
pub(crate) fn duplicate_account(index: usize, first: usize) -> ! {
    abort(&AbortReport::new(
        AbortKind::DuplicateAccount,
        [index as u64, first as u64, 0, 0],
    ))
}
