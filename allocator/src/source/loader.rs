//! The heap that a loader announces.

use core::cell::Cell;
use core::ptr;

use super::{HEADER_LENGTH, HeapSource, empty_start, length};

/// The announced region.
///
/// It keeps start and end instead of base and limit, because every allocation needs these two, and
/// the heap is announced once.
#[repr(C)]
struct Announced {
    start: Cell<*mut u8>,
    end: Cell<*mut u8>,
}

// SAFETY: only `set_heap_base`, `set_heap_limit`, `set_heap` and `take_end_of_heap` write it, and
// their callers promise that no other thread uses it from then on. Before that it is only read.
unsafe impl Sync for Announced {}

static ANNOUNCED: Announced = Announced {
    start: Cell::new(empty_start()),
    end: Cell::new(empty_start()),
};

/// Records base and length of the loader's heap at once, as [`set_heap_base`] and then
/// [`set_heap_limit`] do. In a PolkaVM guest it costs four units of gas.
///
/// # Safety
///
/// The contracts of both.
#[inline(always)]
pub unsafe fn set_heap(base: usize, limit: usize) {
    #[cfg(all(target_arch = "riscv64", target_os = "none"))]
    // Each store has its address in the instruction, once PolkaVM's linker has seen the pair. The
    // compiler would hold the address of the static in a register, which costs a unit.
    // SAFETY: the instructions write the two fields of the static, a pointer each, with the base
    // after the header and the end. By the contract, one thread uses the static.
    unsafe {
        core::arch::asm!(
            "sd {start}, {announced}, {address}",
            "sd {end}, {announced} + 8, {address}",
            start = in(reg) base + HEADER_LENGTH,
            end = in(reg) base + limit,
            announced = sym ANNOUNCED,
            address = out(reg) _,
            options(nostack, preserves_flags),
        );
    }
    #[cfg(not(all(target_arch = "riscv64", target_os = "none")))]
    {
        // SAFETY: by this function's contract.
        unsafe { set_heap_base(base) };
        // SAFETY: by this function's contract, and the base is recorded.
        unsafe { set_heap_limit(limit) };
    }
}

/// Records the address of the first byte of the loader's heap, of any alignment.
///
/// # Safety
///
/// - It is called once, before any allocator over [`LoaderHeap`] is used. The program has at most
///   one such allocator, including those that macros declared.
/// - From here on, only one thread calls functions of this crate that use [`LoaderHeap`], including
///   this one and [`heap_limit`].
/// - From here on, the eight bytes from `base` on are valid for reads, and zero until the first
///   allocation.
/// - Once [`set_heap_limit`] has been called, the region of that many bytes from `base` on is one
///   allocation whose provenance is exposed. It is zeroed, valid for reads and writes, and used by
///   nothing else, as long as an allocator over [`LoaderHeap`] is in use.
#[inline(always)]
pub unsafe fn set_heap_base(base: usize) {
    let start = ptr::with_exposed_provenance_mut::<u8>(base).wrapping_add(HEADER_LENGTH);
    ANNOUNCED.start.set(start);
    ANNOUNCED.end.set(start);
}

/// Records the length of the loader's heap in bytes. From here on the heap exists.
///
/// # Safety
///
/// - The contract of [`set_heap_base`] holds, and that function has been called before.
/// - `limit` is at least 8, and at most `u32::MAX` and `isize::MAX`.
/// - On a 64-bit target the region ends below address 2^63.
#[inline(always)]
pub unsafe fn set_heap_limit(limit: usize) {
    let base = ANNOUNCED.start.get().wrapping_sub(HEADER_LENGTH);
    ANNOUNCED.end.set(base.wrapping_add(limit));
}

/// Takes memory from the end of the announced heap, before anything is allocated on it. The heap is
/// that much shorter from then on.
///
/// Returns null if the heap has not that many bytes after its header. The address is a multiple of
/// 8, so this takes up to seven bytes more.
///
/// # Safety
///
/// - [`set_heap_limit`] has been called, and its contract holds.
/// - Nothing has been allocated on the heap yet.
#[inline(always)]
#[must_use]
pub unsafe fn take_end_of_heap(length: usize) -> *mut u8 {
    let end = ANNOUNCED.end.get();
    let room = end.addr() - ANNOUNCED.start.get().addr();
    // What is left has at least a byte: a heap without space would count as missing.
    if length.saturating_add(7) >= room {
        return core::ptr::null_mut();
    }
    let taken = end.wrapping_sub(length);
    let taken = taken.wrapping_sub(taken.addr() % 8);
    ANNOUNCED.end.set(taken);
    taken
}

/// Returns the length in bytes of the announced heap.
///
/// Returns 0 if the heap was not announced, or has no space after its header.
#[inline(always)]
#[must_use]
pub fn heap_limit() -> usize {
    length(ANNOUNCED.start.get(), ANNOUNCED.end.get())
}

/// The region that the loader announced through [`set_heap_base`] and [`set_heap_limit`].
///
/// Until [`set_heap_limit`], the second of the two, is called, its space is empty, and an allocator
/// over it refuses every allocation.
#[derive(Debug)]
pub struct LoaderHeap {
    _made_here: (),
}

impl LoaderHeap {
    /// Returns the announced region as a source.
    ///
    /// # Safety
    ///
    /// Only one allocator is ever built over the announced region.
    #[must_use]
    pub const unsafe fn new() -> Self {
        Self { _made_here: () }
    }
}

// SAFETY: before `set_heap_limit`, start and end are equal, so the space is empty. The header is
// then the empty one, or that of the region, which is readable and zero from `set_heap_base` on.
// After `set_heap_limit`, its contract and that of `set_heap_base` state what the trait requires of
// the region: one allocation, zeroed, valid, used by nothing else, within the bounds. Both
// functions are called once, so start and end no longer change. `new` promises one allocator. The
// source does not grow, and no method unwinds or calls an allocator.
unsafe impl HeapSource for LoaderHeap {
    #[inline(always)]
    fn start(&self) -> *mut u8 {
        ANNOUNCED.start.get()
    }

    #[inline(always)]
    fn end(&self) -> *mut u8 {
        ANNOUNCED.end.get()
    }

    #[inline(always)]
    fn limit(&self) -> usize {
        heap_limit()
    }
}
