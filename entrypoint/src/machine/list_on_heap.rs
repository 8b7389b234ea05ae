//! The list of accounts that come without a table, on machines whose memory lives for one call of the entry.

use alloc::alloc::alloc;
use core::alloc::Layout;

/// A block for a list of accounts, which is never given back; null if there is no room.
///
/// # Safety
///
/// The layout has a size, and an alignment of 8 at most.
#[inline(always)]
pub(crate) unsafe fn list_memory(layout: Layout) -> *mut u8 {
    // SAFETY: by the contract the layout has a size.
    unsafe { alloc(layout) }
}
