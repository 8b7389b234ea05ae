//! Sources: the memory of an allocator.

mod borrowed;
mod fixed;
mod loader;
mod wasm;

pub use borrowed::BorrowedHeap;
pub use fixed::FixedHeap;
pub use loader::{LoaderHeap, heap_limit, set_heap_base, set_heap_limit, take_end_of_heap};
pub use wasm::{LinearMemory, PAGE_SIZE, PageMemory, WasmMemory};
pub(crate) use wasm::{ends_in_address_space, pages};

/// Length in bytes of the header that an allocator keeps at the base of its heap.
pub(crate) const HEADER_LENGTH: usize = 8;

/// Memory for one allocator: a header of eight bytes, and space for blocks right after it.
///
/// ```text
/// base        start                            end
/// │ 8 bytes   │ space                          │
/// ```
///
/// The space is empty if `end()` equals `start()`. A source may grow. The new bytes need not adjoin
/// the old ones: the bytes in between belong to other code, and an allocator skips them.
///
/// # Safety
///
/// As long as the source lives:
///
/// - Once the space is not empty, `start()` always returns the same pointer. `end()` never falls
///   once an allocator has called it.
/// - The eight bytes before `start()` are valid for reads through that pointer, and zero until the
///   allocator writes them. Once the space is not empty, they are valid for writes too.
/// - `end()` is at most `u32::MAX` and at most `isize::MAX` bytes after the first byte of the
///   header. All bytes in between lie in one allocation, or in memory that the language treats as
///   one, such as the linear memory of WebAssembly. On a 64-bit target the address of `end()` is
///   below 2^62.
/// - If `grow` returns an offset, the source has added at least the requested bytes.
/// - The bytes of the first space that is not empty and that an allocator has seen, and those from
///   the offset that `grow` returned up to the `end()` right after it, are valid for reads and
///   writes through `start()`. Only the allocator over this source, and the code that it gives
///   blocks to, reads or writes them or the header. They were zero before the allocator first
///   touched them.
/// - No method unwinds, and no method calls a method of an allocator over this source.
pub unsafe trait HeapSource {
    /// Returns the first byte after the header. It may have any alignment.
    fn start(&self) -> *mut u8;

    /// Returns the address after the last byte.
    fn end(&self) -> *mut u8;

    /// Returns the length of the heap in bytes, header included, or 0 if there is no heap.
    ///
    /// A heap may be too short for any block.
    #[inline]
    fn limit(&self) -> usize {
        length(self.start(), self.end())
    }

    /// Adds bytes: `adjoining` bytes if they follow the old ones, and otherwise `apart` bytes.
    ///
    /// `apart` is at least `adjoining`. Returns the offset of the first added byte from `start`;
    /// `end` then returns the end of the added bytes. If the space was empty, offset 0 is the first
    /// byte after the header.
    ///
    /// The default implementation does not grow, and returns `None`.
    #[inline(always)]
    fn grow(&self, adjoining: usize, apart: usize) -> Option<usize> {
        let _ = (adjoining, apart);
        None
    }
}

/// The header of a missing heap: no byte is used.
///
/// It is never written, because an allocator takes no block from an empty space.
static EMPTY_HEADER: [u8; HEADER_LENGTH] = [0; HEADER_LENGTH];

/// Returns start and end of a missing heap: the address after [`EMPTY_HEADER`].
const fn empty_start() -> *mut u8 {
    (&raw const EMPTY_HEADER)
        .cast::<u8>()
        .cast_mut()
        .wrapping_add(HEADER_LENGTH)
}

/// Returns the length of a heap in bytes, header included, or 0 if the space is empty.
fn length(start: *mut u8, end: *mut u8) -> usize {
    match end.addr() - start.addr() {
        0 => 0,
        room => room + HEADER_LENGTH,
    }
}
