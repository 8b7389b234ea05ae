//! Builds for unit tests.
//!
//! Log lines go to standard output. There is no return data, and gas is not metered. The allocator
//! and the panic handler are those of `std`.

#[path = "../shared/account_list.rs"]
mod account_list;
mod arena;
mod handler;
#[path = "../shared/no_handlers.rs"]
mod no_handlers;

pub(crate) use account_list::list_memory;
pub use arena::ArenaCell;
pub use handler::HostReplies;
pub use std::thread_local;

/// The host for unit tests of handlers.
pub mod for_tests {
    pub use super::handler::TestHost;
}

/// Replacements of the syscalls.
pub(crate) mod raw {
    use std::println;

    use abi::report::{AbortKind, AbortReport};

    pub unsafe fn rlo_log_(message: *const u8, length: u64) {
        // SAFETY: the caller passes a piece of text.
        let bytes = unsafe { core::slice::from_raw_parts(message, length as usize) };
        println!("{}", std::string::String::from_utf8_lossy(bytes));
    }

    pub unsafe fn rlo_log_64_(a: u64, b: u64, c: u64, d: u64, e: u64) {
        println!("{a:#x}, {b:#x}, {c:#x}, {d:#x}, {e:#x}");
    }

    pub unsafe fn rlo_log_pubkey(key: *const u8) {
        // SAFETY: the caller passes 32 readable bytes.
        let key = unsafe { key.cast::<abi::Pubkey>().read() };
        println!("{key}");
    }

    pub unsafe fn rlo_log_compute_units_() {
        println!("gas is not metered here");
    }

    pub unsafe fn rlo_remaining_compute_units() -> u64 {
        u64::MAX
    }

    pub unsafe fn rlo_set_return_data(_data: *const u8, _length: u64) {}

    pub unsafe fn rlo_get_return_data(_data: *mut u8, _length: u64, _program_id: *mut u8) -> u64 {
        0
    }

    /// Panics: a unit test has no loader.
    pub unsafe fn rlo_abort(report: *const u8, _magic: u64) {
        // SAFETY: the caller passes a report.
        let report = unsafe { report.cast::<AbortReport>().read() };
        panic!(
            "the program gave up: {:?} {:?}",
            AbortKind::from_u32(report.kind),
            report.values
        );
    }
}

/// Is never called, because the abort above panics.
pub(crate) fn halt() -> ! {
    unreachable!("an abort has come back")
}

/// Expands to nothing: this is not a guest.
#[doc(hidden)]
#[macro_export]
macro_rules! __on_guest {
    ($($item:item)*) => {};
}

/// Declares an ordinary static: the global allocator is that of `std`.
#[doc(hidden)]
#[macro_export]
macro_rules! __global_allocator {
    ($($static:tt)*) => { $($static)* };
}

#[doc(hidden)]
#[macro_export]
#[collapse_debuginfo(yes)]
macro_rules! __entry {
    ([$($riscv64_attribute:tt)*] $is_loaders_heap:expr, $($enter:tt)*) => {
        /// # Safety
        ///
        /// `input` points to an input as a loader writes it, aligned to 8, and one thread uses it.
        #[unsafe(no_mangle)]
        unsafe extern "C" fn entrypoint(input: *mut u8) -> u64 {
            let process_instruction = __ONE_ENTRYPOINT_PER_CRATE;
            // SAFETY: by the contract, `input` is an input, aligned to 8, used by one thread. Its
            // length is not known.
            unsafe {
                $crate::__private::$($enter)*(
                    input,
                    ::core::option::Option::None,
                    process_instruction,
                )
            }
        }
    };
}

/// Expands to nothing: no host announces a heap.
#[doc(hidden)]
#[macro_export]
macro_rules! __announced_heap {
    () => {};
}

/// Expands to nothing: the allocator is that of `std`.
#[doc(hidden)]
#[macro_export]
macro_rules! __unnamed_heap {
    ([$($riscv64_attribute:tt)*] $kind:ident) => {};
}

/// Expands to nothing: no host fills the arena.
#[doc(hidden)]
#[macro_export]
macro_rules! __host_return_exports {
    ($arena:ident) => {};
}

/// Expands to nothing: there is no host.
#[doc(hidden)]
#[macro_export]
macro_rules! __export_alloc {
    () => {};
}

/// Expands to nothing: a unit test calls the functions directly.
#[doc(hidden)]
#[macro_export]
macro_rules! __only_handlers {
    ($($name:ident)+) => {};
}
