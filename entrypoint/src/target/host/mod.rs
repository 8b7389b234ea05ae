//! Builds for unit tests.
//!
//! Log lines go to standard output, return data stays in the thread, and gas is not metered. The
//! thread's [`Host`](crate::testing::Host) has the rest. The allocator and the panic handler are
//! those of `std`.

mod account_list;
mod arena;
mod asks;
mod crypto;
mod handler;
mod panic;
pub(crate) mod syscalls;
#[path = "../shared/words.rs"]
mod words;

pub(crate) use account_list::alloc_account_list;
pub use arena::ArenaCell;
pub use handler::HostReplies;
pub(crate) use panic::halt;
pub use std::thread_local;
pub(crate) use syscalls::{note_program_id, program_id};
pub use words::{Argument, own_syscall};

/// The host for unit tests of handlers.
pub mod for_tests {
    pub use super::handler::TestHost;
}

/// Expands to the group of this target.
#[doc(hidden)]
#[macro_export]
#[collapse_debuginfo(yes)]
macro_rules! __select_target {
    (host { $($items:tt)* } $($others:tt)*) => { $($items)* };
    ($other:ident { $($items:tt)* } $($others:tt)*) => {
        $crate::__select_target! { $($others)* }
    };
}
