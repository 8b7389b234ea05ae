//! The end of a program that cannot go on.

#[path = "../shared/panic.rs"]
mod report;

pub use report::{panic_silent, panic_with_location, panic_with_message};

/// Traps.
pub(crate) fn halt() -> ! {
    core::arch::wasm32::unreachable()
}

/// Does nothing: addresses have 32 bits, which fit into a report.
pub(crate) fn note_high_half(_value: &mut u64, _text: &str) {}
