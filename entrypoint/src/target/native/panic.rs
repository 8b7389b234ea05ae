//! The end of a program that cannot go on.

#[path = "../shared/panic.rs"]
mod report;

pub use report::{panic_silent, panic_with_location, panic_with_message};

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
pub(crate) fn note_high_half(value: &mut u64, text: &str) {
    *value = text.as_ptr().addr() as u64 >> 32;
}
