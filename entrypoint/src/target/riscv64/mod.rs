//! PolkaVM's RISC-V, the target of blobs, with registers for heap and input.

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

pub(crate) use account_list::alloc_account_list;
pub use arena::ArenaCell;
pub use handler::{HostReplies, for_tests};
pub(crate) use heap::heap_is_missing;
pub(crate) use panic::{halt, note_high_half};
pub use panic::{panic_silent, panic_with_location, panic_with_message};
pub use polkavm_derive::{default_abi, polkavm_export, polkavm_import};

/// Does nothing: the loader knows the program.
pub(crate) fn note_program_id(_program_id: &abi::Pubkey) {}

/// Expands to the group of this target.
#[doc(hidden)]
#[macro_export]
#[collapse_debuginfo(yes)]
macro_rules! __select_target {
    (riscv64 { $($items:tt)* } $($others:tt)*) => { $($items)* };
    ($other:ident { $($items:tt)* } $($others:tt)*) => {
        $crate::__select_target! { $($others)* }
    };
}
