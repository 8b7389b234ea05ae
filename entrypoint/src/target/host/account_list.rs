//! The list of accounts without an account table, in a unit test.

use alloc::alloc::alloc;
use core::alloc::Layout;

/// Allocates a list of accounts. It is never freed. Returns null if it does not fit.
///
/// # Safety
///
/// The layout has a size.
#[inline(always)]
pub(crate) unsafe fn alloc_account_list(layout: Layout) -> *mut u8 {
    // SAFETY: by the contract, the layout has a size.
    unsafe { alloc(layout) }
}
