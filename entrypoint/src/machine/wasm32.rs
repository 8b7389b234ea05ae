//! WebAssembly, as [`abi::wasm`] says. An instance lives for many calls: the memory keeps what statics and the heap hold, and
//! what the host has handed in is taken back with each.

use core::alloc::Layout;
use core::ptr;
use core::sync::atomic::{AtomicBool, Ordering};

use allocator::PagedInvocationArena;

mod guest;
mod handlers;
mod no_mangle;
mod one_thread;

pub use guest::{panic_with_location, panic_with_message, panic_without_words};
pub use handlers::{Asked, for_tests, keep, serve};
pub use one_thread::ArenaCell;

#[cfg(target_feature = "atomics")]
compile_error!("a program has one thread\nhelp: compile it without the target feature `atomics`");

/// The imports, from the module [`abi::wasm::IMPORT_MODULE`].
#[allow(
    dead_code,
    reason = "the table has calls that only other runtimes' programs make"
)]
pub(crate) mod raw {
    macro_rules! declare {
        ($(
            $(#[doc = $doc:literal])*
            $variant:ident = $symbol:ident($($parameter:ident: $type:ty),*) -> $return:ty;
        )*) => {
            #[link(wasm_import_module = "env")]
            unsafe extern "C" {
                $(pub fn $symbol($($parameter: $type),*) -> $return;)*
            }
        };
    }

    abi::for_each_import!(declare);
}

/// Traps.
pub(crate) fn halt() -> ! {
    core::arch::wasm32::unreachable()
}

/// What the host hands in, and the lists of accounts.
// SAFETY: there is one thread. The host writes initialized bytes, and only where it was given room since the last reset and
// nothing has been lent yet (`docs/abi.md`); a list is written before it is lent.
static ROOM: PagedInvocationArena = unsafe { PagedInvocationArena::new() };

/// Room for the host: the address of `size` bytes, a multiple of 8, or 0 if there is none. For no bytes there always is.
#[must_use]
pub fn room(size: usize) -> *mut u8 {
    match ROOM.alloc(size) {
        Some(region) => {
            // The host writes through the number.
            region.expose_provenance();
            region.as_ptr()
        }
        None => ptr::null_mut(),
    }
}

/// Room for a list of accounts, which is taken back with the input; null if there is none.
///
/// # Safety
///
/// The layout has a size, and an alignment of 8 at most.
#[inline(always)]
pub(crate) unsafe fn list_memory(layout: Layout) -> *mut u8 {
    room(layout.size())
}

/// Whether the heap is the loader's to place, as far as an entry has said.
static IS_LOADERS_HEAP: AtomicBool = AtomicBool::new(false);

/// What an entry begins with: takes all room back but that of the input.
///
/// # Safety
///
/// The host calls the entry, and no call of the program's is under way: with this call the host gives up all the room it had,
/// but that of the `length` bytes of the input.
pub unsafe fn begin(input: *mut u8, length: usize, is_loaders_heap: bool) {
    IS_LOADERS_HEAP.store(is_loaders_heap, Ordering::Relaxed);
    // SAFETY: the host uses nothing else any more, and no part of the program is running that could.
    unsafe { ROOM.reset_except(input.addr(), length) };
}

/// What an entry ends with: takes all room back.
///
/// # Safety
///
/// The function of the program has returned, and nothing uses the input any more, but for the host, which reads it before it
/// calls the program again.
pub unsafe fn end() {
    // SAFETY: the contract is the same; the host's reads come before anything is handed out again.
    unsafe { ROOM.reset() };
}

/// Whether the heap is the loader's to place, and nobody has said where it is.
fn heap_is_missing() -> bool {
    IS_LOADERS_HEAP.load(Ordering::Relaxed) && allocator::heap_limit() == 0
}

/// Nothing: addresses have 32 bits, for which a report has room.
fn note_high_half(_value: &mut u64, _text: &str) {}

#[doc(hidden)]
#[macro_export]
#[collapse_debuginfo(yes)]
macro_rules! __entry {
    ([$($riscv64_attribute:tt)*] $is_loaders_heap:expr, $($enter:tt)*) => {
        /// # Safety
        ///
        /// As `docs/abi.md` says of a host, under WebAssembly.
        #[unsafe(no_mangle)]
        unsafe extern "C" fn entrypoint(input: *mut u8, length: usize) -> u64 {
            // SAFETY: the host calls this, and gives up what else it had.
            unsafe { $crate::__private::begin(input, length, $is_loaders_heap) };
            let process_instruction = __ONE_ENTRYPOINT_PER_CRATE;
            let known = ::core::option::Option::Some(length);
            // SAFETY: the host has written an input of `length` bytes there, aligned to 8, for this call; a guest has one
            // thread. Room that the input is in is not handed out again before the end.
            let status = unsafe { $crate::__private::$($enter)*(input, known, process_instruction) };
            // SAFETY: the function has returned.
            unsafe { $crate::__private::end() };
            status
        }

        $crate::export_alloc! {}
    };
}

#[doc(hidden)]
#[macro_export]
#[collapse_debuginfo(yes)]
macro_rules! __export_alloc {
    () => {
        #[unsafe(no_mangle)]
        extern "C" fn alloc(size: usize) -> *mut u8 {
            $crate::__private::room(size)
        }
    };
}

#[doc(hidden)]
#[macro_export]
#[collapse_debuginfo(yes)]
macro_rules! __announced_heap {
    () => {
        /// # Safety
        ///
        /// As `docs/abi.md` says of a host, under WebAssembly.
        #[unsafe(no_mangle)]
        unsafe extern "C" fn entrypoint_heap(base: usize, size: usize) {
            // SAFETY: the host calls this once, before anything else.
            unsafe { $crate::__private::announce_heap(base as u64, size as u64) }
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __unnamed_heap {
    ([$($riscv64_attribute:tt)*] $kind:ident) => {
        // An instance lives for many calls, and so what can be taken back is, whatever word the author has chosen.
        #[global_allocator]
        static HEAP: $crate::__private::UnnamedHeap<
            $crate::SegregatedBumpAllocator<$crate::allocator::WasmMemory>,
        > = {
            let source = $crate::allocator::WasmMemory::new($crate::allocator::LinearMemory);
            // SAFETY: a program has one global allocator, over a source of its own, and a guest has one thread.
            let heap = unsafe { $crate::SegregatedBumpAllocator::with_source(source) };
            $crate::__private::unnamed_heap(heap)
        };

        $crate::__heap_trace_export! { [$($riscv64_attribute)*] HEAP }
    };
}

#[doc(hidden)]
#[macro_export]
#[collapse_debuginfo(yes)]
macro_rules! __host_return_exports {
    ($arena:ident) => {
        #[unsafe(no_mangle)]
        extern "C" fn guest_alloc(length: usize) -> usize {
            super::$arena.guest_alloc(length)
        }

        #[unsafe(no_mangle)]
        extern "C" fn reset_arena() {
            // SAFETY: the host calls this, so the program is not inside of `with`; and with this call the
            // host gives up the room it had.
            unsafe { super::$arena.reset_arena() }
        }
    };
}
