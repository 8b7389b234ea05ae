//! Scratch memory, and whether the heap was announced.

use core::alloc::Layout;
use core::ptr;
use core::sync::atomic::{AtomicBool, Ordering};

use allocator::PagedInvocationArena;

/// Scratch memory: for the host, and for the lists of accounts.
// SAFETY: there is one thread. By `docs/abi.md`, the host writes only initialized bytes, only to
// bytes that it allocated since the last reset, and before the program reads them. A list is
// written before it is lent.
pub(super) static SCRATCH: PagedInvocationArena = unsafe { PagedInvocationArena::new() };

/// Allocates scratch memory for the host.
///
/// Returns the address of `size` bytes, a multiple of 8, or null if they do not fit. Size 0 always
/// fits.
#[must_use]
pub fn alloc_scratch(size: usize) -> *mut u8 {
    match SCRATCH.alloc(size) {
        Some(region) => {
            // The host writes through this number, so the provenance must be exposed.
            region.expose_provenance();
            region.as_ptr()
        }
        None => ptr::null_mut(),
    }
}

/// Allocates a list of accounts in scratch memory. Returns null if it does not fit.
///
/// # Safety
///
/// The layout has a size, and an alignment of at most 8.
#[inline(always)]
pub(crate) unsafe fn alloc_account_list(layout: Layout) -> *mut u8 {
    alloc_scratch(layout.size())
}

/// Whether the loader places the heap, as far as the entry knows.
static IS_LOADERS_HEAP: AtomicBool = AtomicBool::new(false);

/// Begins an entry: resets scratch memory, except the input.
///
/// # Safety
///
/// - The host calls the entry while no other call of the program runs.
/// - From this call on, the host no longer uses earlier scratch memory, except the `length` bytes
///   of the input.
pub unsafe fn begin(input: *mut u8, length: usize, is_loaders_heap: bool) {
    IS_LOADERS_HEAP.store(is_loaders_heap, Ordering::Relaxed);
    // SAFETY: by the contract, the host uses only the input, and no other call of the program runs,
    // so no slice of and no pointer to other scratch memory is used any more.
    unsafe { SCRATCH.reset_retaining(input.addr(), length) };
}

/// Ends an entry: resets all scratch memory.
///
/// # Safety
///
/// The program's function has returned, and only the host still reads the input, before it calls
/// the program again.
pub unsafe fn end() {
    // SAFETY: by the contract, the program no longer uses scratch memory. The host reads it before
    // it calls the program again, and so before the next allocation.
    unsafe { SCRATCH.reset() };
}

/// Returns whether the loader places the heap and has not announced it.
pub(crate) fn heap_is_missing() -> bool {
    IS_LOADERS_HEAP.load(Ordering::Relaxed) && allocator::heap_limit() == 0
}
