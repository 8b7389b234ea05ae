//! The list of accounts without an account table, on targets whose memory lives for one call.

use alloc::alloc::alloc;
use core::alloc::Layout;

/// Allocates a list of accounts on the heap. It is never freed. Returns null if it does not fit.
///
/// # Safety
///
/// The layout has a size, and an alignment of at most 8.
#[inline(always)]
pub(crate) unsafe fn alloc_account_list(layout: Layout) -> *mut u8 {
    // SAFETY: by the contract, the layout has a size.
    unsafe { alloc(layout) }
}
