//! The list of accounts that come without a table, on machines whose memory lives for one call of the entry.

use alloc::alloc::alloc;
use core::alloc::Layout;

/// A block for a list of accounts, which is never given back; null if there is no room.
///
/// # Safety
///
/// The layout has a size.
#[inline(always)]
pub(crate) unsafe fn list_memory(layout: Layout) -> *mut u8 {
    // SAFETY: the contract is the same.
    unsafe { alloc(layout) }
}
