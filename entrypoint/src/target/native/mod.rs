//! Native libraries, for a process of their own: see [`abi::native`].

use core::cell::Cell;

use abi::entry::NATIVE_HEAP_BASE;
use abi::heap::MIN_HEAP_LENGTH;
use abi::imports::{Import, MAX_ARGUMENTS};
use abi::native::NativeHost;

use crate::glue::announce_heap;

#[path = "../shared/account_list.rs"]
mod account_list;
#[path = "../shared/arena.rs"]
mod arena;
#[path = "../shared/export.rs"]
mod export;
#[path = "../shared/handler.rs"]
mod handler;
#[path = "../shared/heap.rs"]
mod heap;
#[path = "../shared/panic.rs"]
mod panic;

pub use abi::native::NativeHost as Host;
pub(crate) use account_list::list_memory;
pub use arena::ArenaCell;
pub use handler::{HostReplies, for_tests};
use heap::heap_is_missing;
pub use panic::{panic_silent, panic_with_location, panic_with_message};

const _: () = assert!(
    usize::BITS == 64,
    "the heap of a native program is at an address that has more than 32 bits"
);

/// The host's table, once the host has passed it.
struct HostCell {
    host: Cell<Option<NativeHost>>,
}

// SAFETY: a program has one thread (`docs/machine-model.md`), so no two threads use the cell.
unsafe impl Sync for HostCell {}

static HOST: HostCell = HostCell {
    host: Cell::new(None),
};

/// Stores the host's table.
///
/// # Safety
///
/// - `host` is valid for a read.
/// - Until the next call of the entry has returned: `call` accepts any syscall and follows
///   [`abi::imports`]; the heap fulfils the contract of [`announce_heap`]; and the input has the
///   given length.
pub unsafe fn set_host(host: *const NativeHost) {
    // SAFETY: by the contract, `host` is valid for a read.
    HOST.host.set(Some(unsafe { host.read() }));
}

/// Begins an entry: announces the heap, and returns the length of the input, if known.
///
/// # Safety
///
/// - This is the first thing that happens in the program, except [`set_host`].
/// - If [`set_host`] was not called, there is a heap of [`MIN_HEAP_LENGTH`] bytes at
///   [`NATIVE_HEAP_BASE`] that fulfils the contract of [`announce_heap`].
/// - The program has one thread and one allocator over the announced heap.
pub unsafe fn begin() -> Option<usize> {
    let Some(host) = HOST.host.get() else {
        // SAFETY: by the contract, nothing has happened yet, this heap fulfils the contract of
        // `announce_heap`, and there is one thread and one allocator.
        unsafe { announce_heap(NATIVE_HEAP_BASE, MIN_HEAP_LENGTH.into()) };
        return None;
    };
    // SAFETY: by the contract of `set_host`, the host's heap fulfils the contract of
    // `announce_heap`. By this function's contract, nothing has happened yet, and there is one
    // thread and one allocator.
    unsafe { announce_heap(host.heap_base, host.heap_size) };
    Some(host.input_length as usize)
}

/// Makes a syscall, if there is a host. Otherwise returns 0.
///
/// # Safety
///
/// The arguments fulfil the contract of the syscall.
unsafe fn call(import: Import, arguments: [u64; MAX_ARGUMENTS]) -> u64 {
    let Some(host) = HOST.host.get() else {
        return 0;
    };
    // SAFETY: by the contract of `set_host`, `call` accepts any syscall with this array of
    // arguments, which is readable during the call. By this function's contract, the arguments are
    // valid.
    unsafe { (host.call)(import as u32, &raw const arguments) }
}

/// The syscalls, as calls of the host's one function.
#[allow(
    dead_code,
    reason = "the table has calls that only other runtimes' programs make"
)]
pub(crate) mod raw {
    use super::{Answer, Argument, Import, MAX_ARGUMENTS, call};

    macro_rules! define {
        ($(
            $(#[doc = $doc:literal])*
            $variant:ident = $symbol:ident($($parameter:ident: $type:ty),*) -> $return:ty;
        )*) => {
            $(pub unsafe fn $symbol($($parameter: $type),*) -> $return {
                let given: &[u64] = &[$($parameter.to_word()),*];
                let mut arguments = [0; MAX_ARGUMENTS];
                arguments[..given.len()].copy_from_slice(given);
                // SAFETY: the caller fulfils the contract of the syscall, whose arguments these
                // are.
                let answer = unsafe { call(Import::$variant, arguments) };
                Answer::from_word(answer)
            })*
        };
    }

    abi::for_each_import!(define);
}

/// An argument of a syscall.
trait Argument {
    fn to_word(self) -> u64;
}

impl Argument for u64 {
    fn to_word(self) -> u64 {
        self
    }
}

impl Argument for u32 {
    fn to_word(self) -> u64 {
        self.into()
    }
}

// The host reads and writes through this number, so the provenance must be exposed.
impl<T> Argument for *const T {
    fn to_word(self) -> u64 {
        self.expose_provenance() as u64
    }
}

impl<T> Argument for *mut T {
    fn to_word(self) -> u64 {
        self.expose_provenance() as u64
    }
}

/// The return value of a syscall.
trait Answer {
    fn from_word(word: u64) -> Self;
}

impl Answer for u64 {
    fn from_word(word: u64) -> Self {
        word
    }
}

impl Answer for () {
    fn from_word(_word: u64) {}
}

/// Ends the process like a crash.
pub(crate) fn halt() -> ! {
    unsafe extern "C" {
        safe fn abort() -> !;
    }
    abort()
}

/// Symbols that the compiler's own `core` and `alloc` need, which are compiled for unwinding.
///
/// Here a panic ends the process, so they are never called.
mod unwinding {
    #[unsafe(no_mangle)]
    extern "C" fn rust_eh_personality() {
        super::halt()
    }

    #[unsafe(no_mangle)]
    extern "C" fn _Unwind_Resume() {
        super::halt()
    }
}

/// Records the upper half of a text's address, which does not fit into a
/// [`GuestText`](abi::report::GuestText).
fn note_high_half(value: &mut u64, text: &str) {
    *value = text.as_ptr().addr() as u64 >> 32;
}

#[doc(hidden)]
#[macro_export]
#[collapse_debuginfo(yes)]
macro_rules! __entry {
    ([$($riscv64_attribute:tt)*] $is_loaders_heap:expr, $($enter:tt)*) => {
        /// # Safety
        ///
        /// The host follows `docs/abi.md`, section "Native library".
        #[unsafe(no_mangle)]
        unsafe extern "C" fn entrypoint_native_host(host: *const $crate::__private::Host) {
            // SAFETY: by that section, `host` is readable, and its heap, length and function are
            // valid until the entry has returned.
            unsafe { $crate::__private::set_host(host) }
        }

        /// # Safety
        ///
        /// `input` points to an input as a loader writes it, aligned to 8. This is called once. The
        /// heap is where the host has set it, or else at the address in `abi::entry`.
        #[unsafe(no_mangle)]
        unsafe extern "C" fn entrypoint(input: *mut u8) -> u64 {
            // SAFETY: the host calls this once, so nothing else has happened except
            // `entrypoint_native_host`. By the contract, there is a heap. A program has one thread
            // and one global allocator.
            let length = unsafe { $crate::__private::begin() };
            let process_instruction = __ONE_ENTRYPOINT_PER_CRATE;
            // SAFETY: by the contract, there is an input, aligned to 8, for this one call. `length`
            // is the host's. A program has one thread.
            unsafe { $crate::__private::$($enter)*(input, length, process_instruction) }
        }
    };
}

/// Expands to nothing: the host of a native program calls only the entry.
#[doc(hidden)]
#[macro_export]
macro_rules! __host_return_exports {
    ($arena:ident) => {};
}

/// Expands to nothing: the process around the program has its own memory.
#[doc(hidden)]
#[macro_export]
macro_rules! __export_alloc {
    () => {};
}
