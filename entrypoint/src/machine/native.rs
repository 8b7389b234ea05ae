//! The machine that programs are written on: a library for a process of its own, as [`abi::native`] says.

use core::cell::Cell;

use abi::entry::NATIVE_HEAP_BASE;
use abi::heap::MIN_HEAP_LENGTH;
use abi::imports::{Import, MAX_ARGUMENTS};
use abi::native::NativeHost;

use crate::glue::announce_heap;

mod guest;
mod list_on_heap;
mod loader_heap;
mod no_mangle;
mod one_thread;
mod only_programs;

pub use abi::native::NativeHost as Host;
pub use guest::{panic_with_location, panic_with_message, panic_without_words};
pub(crate) use list_on_heap::list_memory;
use loader_heap::heap_is_missing;
pub use one_thread::ArenaCell;
pub use only_programs::{Asked, for_tests};

const _: () = assert!(
    usize::BITS == 64,
    "the heap of a native program is at an address that has more than 32 bits"
);

/// What the program was told.
struct Told {
    host: Cell<Option<NativeHost>>,
}

// SAFETY: a program has one thread (`docs/machine-model.md`).
unsafe impl Sync for Told {}

static TOLD: Told = Told {
    host: Cell::new(None),
};

/// Remembers where everything is and how the host is called.
///
/// # Safety
///
/// `host` is valid for a read. What stands there is true until the next call of the entry has returned: `call` can be
/// called with any import, and does as [`abi::imports`] says; the heap is that of [`announce_heap`]; and the input is so long.
pub unsafe fn be_told(host: *const NativeHost) {
    // SAFETY: the contract is the same.
    TOLD.host.set(Some(unsafe { host.read() }));
}

/// What an entry begins with: announces the heap, and answers the length of the input, if it is known.
///
/// # Safety
///
/// This is the first thing that happens in the program, but for [`be_told`]. If nobody has called that, there is a heap of
/// [`MIN_HEAP_LENGTH`] bytes at [`NATIVE_HEAP_BASE`], as for [`announce_heap`].
pub unsafe fn begin() -> Option<usize> {
    let Some(host) = TOLD.host.get() else {
        // SAFETY: the contract is the same.
        unsafe { announce_heap(NATIVE_HEAP_BASE, MIN_HEAP_LENGTH.into()) };
        return None;
    };
    // SAFETY: the host has said so; the rest is the contract.
    unsafe { announce_heap(host.heap_base, host.heap_size) };
    Some(host.input_length as usize)
}

/// Calls an import, if there is a host.
///
/// # Safety
///
/// As for the import.
unsafe fn call(import: Import, arguments: [u64; MAX_ARGUMENTS]) -> u64 {
    let Some(host) = TOLD.host.get() else {
        return 0;
    };
    // SAFETY: the host has said that it takes any import, with as many arguments; what they mean is the caller's promise.
    unsafe { (host.call)(import as u32, &raw const arguments) }
}

/// The imports, as calls of the host's one function.
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
                // SAFETY: the contract is the same.
                let answer = unsafe { call(Import::$variant, arguments) };
                Answer::from_word(answer)
            })*
        };
    }

    abi::for_each_import!(define);
}

/// What an import takes.
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

// The host reads and writes through the number.
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

/// What an import answers.
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

/// Ends the process as a crash does.
pub(crate) fn halt() -> ! {
    unsafe extern "C" {
        safe fn abort() -> !;
    }
    abort()
}

/// What the compiler's own `core` and `alloc` name, which were compiled for programs that unwind. Here a panic ends the process,
/// so nobody comes by.
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

/// Notes the upper half of a text's address, for which a [`GuestText`](abi::report::GuestText) has no room.
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
        /// As `abi::native` says of a host.
        #[unsafe(no_mangle)]
        unsafe extern "C" fn entrypoint_native_host(host: *const $crate::__private::Host) {
            // SAFETY: the contract is the same.
            unsafe { $crate::__private::be_told(host) }
        }

        /// # Safety
        ///
        /// `input` points to an input as a loader has written it, aligned to 8. This is called once, and the heap is where
        /// the host has said that it is, or else where `abi::entry` says.
        #[unsafe(no_mangle)]
        unsafe extern "C" fn entrypoint(input: *mut u8) -> u64 {
            // SAFETY: nothing has happened yet; the rest is the contract.
            let length = unsafe { $crate::__private::begin() };
            let process_instruction = __ONE_ENTRYPOINT_PER_CRATE;
            // SAFETY: the contract is the same, and the host has said how long the input is.
            unsafe { $crate::__private::$($enter)*(input, length, process_instruction) }
        }
    };
}

/// Nothing: the host of a native program calls the entry alone.
#[doc(hidden)]
#[macro_export]
macro_rules! __host_return_exports {
    ($arena:ident) => {};
}

/// Nothing: the process around the program has room of its own.
#[doc(hidden)]
#[macro_export]
macro_rules! __export_alloc {
    () => {};
}
