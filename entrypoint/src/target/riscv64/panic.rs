//! The end of a program that cannot go on.

#[path = "../shared/panic.rs"]
mod report;

pub use report::{panic_silent, panic_with_location, panic_with_message};

/// Traps.
pub(crate) fn halt() -> ! {
    // SAFETY: `unimp` traps, so it never falls through, and it touches neither memory nor
    // registers.
    unsafe { core::arch::asm!("unimp", options(noreturn)) }
}

/// Does nothing: addresses have 32 bits, which fit into a report.
pub(crate) fn note_high_half(_value: &mut u64, _text: &str) {}
