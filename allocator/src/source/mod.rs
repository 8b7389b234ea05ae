//! Where an allocator's memory comes from.

mod borrowed;
mod fixed;
mod loader;
mod wasm;

pub use borrowed::BorrowedHeap;
pub use fixed::FixedHeap;
pub use loader::{LoaderHeap, heap_limit, set_heap_base, set_heap_limit};
pub use wasm::{LinearMemory, PAGE_SIZE, PageMemory, WasmMemory};
pub(crate) use wasm::{ends_in_address_space, pages};

/// Bytes of the header that an allocator keeps at the base of its heap.
pub(crate) const HEADER_LENGTH: usize = 8;

/// Memory for one allocator: a header of eight bytes, and room for blocks right behind it.
///
/// ```text
/// base        start                            end
/// │ 8 bytes   │ room                           │
/// ```
///
/// A source may grow. What it grows by need not adjoin what it had: the bytes between belong to somebody
/// else, and an allocator skips them.
///
/// # Safety
///
/// As long as the source lives:
///
/// - there is no room, which is to say that `end()` equals `start()`, or there is; once there is, `start()` returns
///   the same pointer for good, and `end()` never falls;
/// - the eight bytes before `start()` are valid for reads through that pointer, and zero as long as nobody
///   writes them; once there is room, they are valid for writes too;
/// - `end()` is at most `u32::MAX` and at most `isize::MAX` bytes behind the header's first byte, and all bytes in
///   between lie in one allocation, or in what the language takes for one, such as the linear memory of
///   WebAssembly; on a 64-bit machine its address is below 2^63;
/// - if `grow` returns an offset, at least as many bytes have been added as it says;
/// - the bytes of the first room that there was, and those from the offset that `grow` returned up to the
///   `end()` right after that, are valid for reads and writes through `start()`; nobody reads or writes them,
///   nor the header, except the allocator over this source and those it hands them to; and they were zero
///   before it first touched them;
/// - no method unwinds, nor calls a method of an allocator over this source.
pub unsafe trait HeapSource {
    /// The first byte behind the header. It need not be aligned to anything.
    fn start(&self) -> *mut u8;

    /// The byte behind the last.
    fn end(&self) -> *mut u8;

    /// Length of the heap in bytes as its provider would put it, header included; 0 while there is none. A heap may be
    /// too short for anything to fit.
    #[inline]
    fn limit(&self) -> usize {
        length(self.start(), self.end())
    }

    /// Asks for more room: `adjoining` bytes if they follow what there is, and otherwise `apart` bytes, which
    /// is no less. Returns the offset from `start` of the first byte that was added; `end` says from then on
    /// where the added bytes end. Where there was no room, offset 0 is the first byte behind the header.
    ///
    /// A source that cannot grow, as it is if nothing else is said, refuses.
    #[inline(always)]
    fn grow(&self, adjoining: usize, apart: usize) -> Option<usize> {
        let _ = (adjoining, apart);
        None
    }
}

/// A header that says that nothing is used, for a heap that is not there. Nobody writes it, because nobody
/// takes a block from a heap without room.
static EMPTY_HEADER: [u8; HEADER_LENGTH] = [0; HEADER_LENGTH];

/// Start and end of a heap that is not there: the byte behind [`EMPTY_HEADER`].
const fn empty_start() -> *mut u8 {
    (&raw const EMPTY_HEADER)
        .cast::<u8>()
        .cast_mut()
        .wrapping_add(HEADER_LENGTH)
}

/// Length of a heap in bytes, header included; 0 if there is no room.
fn length(start: *mut u8, end: *mut u8) -> usize {
    match end.addr() - start.addr() {
        0 => 0,
        room => room + HEADER_LENGTH,
    }
}
