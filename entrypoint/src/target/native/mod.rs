//! Native libraries, for a process of their own: see [`abi::native`].

use core::cell::Cell;

use abi::entry::NATIVE_HEAP_BASE;
use abi::heap::MIN_HEAP_LENGTH;
use abi::native::NativeHost;

use crate::glue::announce_heap;

#[path = "../shared/account_list.rs"]
mod account_list;
#[path = "../shared/arena.rs"]
mod arena;
#[path = "../shared/handler.rs"]
mod handler;
#[path = "../shared/heap.rs"]
mod heap;
mod panic;
pub(crate) mod syscalls;
#[path = "../shared/words.rs"]
mod words;

pub use abi::native::NativeHost as Host;
pub(crate) use account_list::alloc_account_list;
pub use arena::ArenaCell;
pub use handler::{HostReplies, for_tests};
pub(crate) use heap::heap_is_missing;
pub(crate) use panic::{halt, note_high_half};
pub use panic::{panic_silent, panic_with_location, panic_with_message};
pub use words::{Argument, own_syscall};

const _: () = assert!(
    usize::BITS == 64,
    "EP0049: the heap of a native program is at an address that has more than 32 bits"
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

/// Does nothing: the host knows the program.
pub(crate) fn note_program_id(_program_id: &abi::Pubkey) {}

/// Expands to the group of this target.
#[doc(hidden)]
#[macro_export]
#[collapse_debuginfo(yes)]
macro_rules! __select_target {
    (native { $($items:tt)* } $($others:tt)*) => { $($items)* };
    ($other:ident { $($items:tt)* } $($others:tt)*) => {
        $crate::__select_target! { $($others)* }
    };
}
