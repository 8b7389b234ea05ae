//! WebAssembly: see [`abi::wasm`].
//!
//! An instance lives for many calls. The memory keeps statics and the heap, and each call resets
//! the scratch memory of the host.

#[path = "../shared/arena.rs"]
mod arena;
mod handler;
mod heap;
mod panic;
pub(crate) mod syscalls;

pub use arena::ArenaCell;
pub use handler::{HostReplies, for_tests, keep, serve};
pub(crate) use heap::{alloc_account_list, heap_is_missing};
pub use heap::{alloc_scratch, begin, end};
pub(crate) use panic::{halt, note_high_half};
pub use panic::{panic_silent, panic_with_location, panic_with_message};

#[cfg(target_feature = "atomics")]
compile_error!(
    "EP0048: a program has one thread\nhelp: compile it without the target feature `atomics`"
);

/// Does nothing: the host knows the program.
pub(crate) fn note_program_id(_program_id: &abi::Pubkey) {}

/// Expands to the group of this target.
#[doc(hidden)]
#[macro_export]
#[collapse_debuginfo(yes)]
macro_rules! __select_target {
    (wasm32 { $($items:tt)* } $($others:tt)*) => { $($items)* };
    ($other:ident { $($items:tt)* } $($others:tt)*) => {
        $crate::__select_target! { $($others)* }
    };
}
