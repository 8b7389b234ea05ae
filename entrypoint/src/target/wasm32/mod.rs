//! WebAssembly: see [`abi::wasm`].
//!
//! An instance lives for many calls. The memory keeps statics and the heap, and each call resets
//! the scratch memory of the host.

use core::alloc::Layout;
use core::ptr;
use core::sync::atomic::{AtomicBool, Ordering};

use allocator::PagedInvocationArena;

#[path = "../shared/arena.rs"]
mod arena;
#[path = "../shared/export.rs"]
mod export;
mod handler;
#[path = "../shared/panic.rs"]
mod panic;

pub use arena::ArenaCell;
pub use handler::{HostReplies, for_tests, keep, serve};
pub use panic::{panic_silent, panic_with_location, panic_with_message};

#[cfg(target_feature = "atomics")]
compile_error!("a program has one thread\nhelp: compile it without the target feature `atomics`");

/// The syscalls, from the module [`abi::wasm::IMPORT_MODULE`].
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

/// Scratch memory: for the host, and for the lists of accounts.
// SAFETY: there is one thread. By `docs/abi.md`, the host writes only initialized bytes, only to
// bytes that it allocated since the last reset, and before the program reads them. A list is
// written before it is lent.
static ROOM: PagedInvocationArena = unsafe { PagedInvocationArena::new() };

/// Allocates scratch memory for the host.
///
/// Returns the address of `size` bytes, a multiple of 8, or null if they do not fit. Size 0 always
/// fits.
#[must_use]
pub fn room(size: usize) -> *mut u8 {
    match ROOM.alloc(size) {
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
pub(crate) unsafe fn list_memory(layout: Layout) -> *mut u8 {
    room(layout.size())
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
    unsafe { ROOM.reset_retaining(input.addr(), length) };
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
    unsafe { ROOM.reset() };
}

/// Returns whether the loader places the heap and has not announced it.
fn heap_is_missing() -> bool {
    IS_LOADERS_HEAP.load(Ordering::Relaxed) && allocator::heap_limit() == 0
}

/// Does nothing: addresses have 32 bits, which fit into a report.
fn note_high_half(_value: &mut u64, _text: &str) {}

#[doc(hidden)]
#[macro_export]
#[collapse_debuginfo(yes)]
macro_rules! __entry {
    ([$($riscv64_attribute:tt)*] $is_loaders_heap:expr, $($enter:tt)*) => {
        /// # Safety
        ///
        /// The host follows `docs/abi.md`, section "WebAssembly".
        #[unsafe(no_mangle)]
        unsafe extern "C" fn entrypoint(input: *mut u8, length: usize) -> u64 {
            // SAFETY: by that section, the host calls this while no other call of the program runs,
            // and no longer uses scratch memory other than the input.
            unsafe { $crate::__private::begin(input, length, $is_loaders_heap) };
            let process_instruction = __ONE_ENTRYPOINT_PER_CRATE;
            let known = ::core::option::Option::Some(length);
            // SAFETY: the host wrote an input of `length` bytes there, aligned to 8, for this call.
            // Its scratch memory is not allocated again before the end. A guest has one thread. The
            // program's function of an earlier call has returned and kept nothing of its input.
            let status =
                unsafe { $crate::__private::$($enter)*(input, known, process_instruction) };
            // SAFETY: the program's function has returned. By that section, the host reads the
            // input before it calls the program again.
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
        /// The host follows `docs/abi.md`, section "WebAssembly".
        #[unsafe(no_mangle)]
        unsafe extern "C" fn entrypoint_heap(base: usize, size: usize) {
            // SAFETY: by that section, the host calls this once, before anything else, with a
            // zeroed region of 32,768 to 0x7fff_ffff bytes that it does not use itself. A guest has
            // one thread and one global allocator.
            unsafe { $crate::__private::announce_heap(base as u64, size as u64) }
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __unnamed_heap {
    ([$($riscv64_attribute:tt)*] $kind:ident) => {
        // An instance lives for many calls, so the heap takes back what it can, for either word of
        // the option `heap`.
        #[global_allocator]
        static HEAP: $crate::__private::UnnamedHeap<
            $crate::SegregatedBumpAllocator<$crate::allocator::WasmMemory>,
        > = {
            let source = $crate::allocator::WasmMemory::new($crate::allocator::LinearMemory);
            // SAFETY: a program has one global allocator, over its own source, and a guest has one
            // thread.
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
            // SAFETY: the host calls this while no call of the program runs, so the program is not
            // inside `with`. By `docs/abi.md`, the host no longer writes to earlier bytes.
            unsafe { super::$arena.reset_arena() }
        }
    };
}
