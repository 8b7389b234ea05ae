//! The heap that a loader announces.

use core::cell::Cell;
use core::ptr;

use super::{HEADER_LENGTH, HeapSource, empty_start, length};

/// One end of the announced region.
///
/// There are two statics instead of one of two fields, because a guest then stores each with one
/// instruction, without the address in a register.
struct Announced(Cell<*mut u8>);

// SAFETY: only `set_heap_base`, `set_heap_limit` and `take_end_of_heap` write it, and their callers
// promise that no other thread uses it from then on. Before that it is only read.
unsafe impl Sync for Announced {}

/// Where the space of the announced region starts.
///
/// Start and end are kept instead of base and limit, because every allocation needs these two, and
/// the heap is announced once.
static START: Announced = Announced(Cell::new(empty_start()));

/// Where the announced region ends.
// In a section of its own, because LLVM merges statics of one section, and then needs the address
// of both in a register.
#[cfg_attr(
    all(target_arch = "riscv64", target_os = "none"),
    unsafe(link_section = ".data.end_of_heap")
)]
static END: Announced = Announced(Cell::new(empty_start()));

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
    START.0.set(start);
    END.0.set(start);
}

/// Records the length of the loader's heap in bytes. From here on the heap exists.
///
/// # Safety
///
/// - The contract of [`set_heap_base`] holds, and that function has been called before.
/// - `limit` is at least 8, and at most `u32::MAX` and `isize::MAX`.
/// - On a 64-bit target the region ends below address 2^62.
#[inline(always)]
pub unsafe fn set_heap_limit(limit: usize) {
    let base = START.0.get().wrapping_sub(HEADER_LENGTH);
    END.0.set(base.wrapping_add(limit));
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
    // Volatile: otherwise the compiler keeps both in registers from where they were recorded to
    // here, through code that needs the registers.
    // SAFETY: a static is valid for reads, and by the contract one thread uses it.
    let end = unsafe { END.0.as_ptr().read_volatile() };
    // SAFETY: as for the end.
    let start = unsafe { START.0.as_ptr().read_volatile() };
    let room = end.addr() - start.addr();
    // What is left has at least a byte: a heap without space would count as missing.
    if length.saturating_add(7) >= room {
        return core::ptr::null_mut();
    }
    let taken = end.wrapping_sub(length);
    let taken = taken.wrapping_sub(taken.addr() % 8);
    END.0.set(taken);
    taken
}

/// Returns the length in bytes of the heap: of the announced region, without what
/// [`take_end_of_heap`] took.
///
/// Returns 0 if the heap was not announced, or has no space after its header.
#[inline(always)]
#[must_use]
pub fn heap_limit() -> usize {
    length(START.0.get(), END.0.get())
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
// functions are called once, so the start no longer changes. `take_end_of_heap` lowers the end, but
// by its contract before the allocator's first allocation, so before the allocator sees it. What is
// taken lies behind the end, and so is not the allocator's. `new` promises one allocator. The
// source does not grow, and no method unwinds or calls an allocator.
unsafe impl HeapSource for LoaderHeap {
    #[inline(always)]
    fn start(&self) -> *mut u8 {
        START.0.get()
    }

    #[inline(always)]
    fn end(&self) -> *mut u8 {
        END.0.get()
    }

    #[inline(always)]
    fn limit(&self) -> usize {
        heap_limit()
    }
}
