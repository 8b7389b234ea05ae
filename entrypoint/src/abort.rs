//! How a program gives up: a report, and a call that does not return.
//!
//! The report is drawn in [`abi::report`]. Nothing here allocates.

use abi::report::{AbortKind, AbortReport};

/// Hands the report to the loader and ends the program.
#[cfg(all(target_arch = "riscv64", target_os = "none"))]
#[cold]
fn abort(report: &AbortReport) -> ! {
    use abi::report::ABORT_REPORT_MAGIC;

    let address = core::ptr::from_ref(report).cast();
    // SAFETY: the loader reads the report and the texts it points to, which live on this stack, and does
    // not come back.
    unsafe { crate::imports::rlo_abort(address, ABORT_REPORT_MAGIC) };
    // SAFETY: `unimp` traps, should a loader come back after all, and so never falls through.
    unsafe { core::arch::asm!("unimp", options(noreturn)) }
}

/// There is no loader to give up to: the program is being tested where it was compiled.
#[cfg(not(all(target_arch = "riscv64", target_os = "none")))]
#[cold]
fn abort(report: &AbortReport) -> ! {
    panic!(
        "the program gave up: {:?} {:?}",
        AbortKind::from_u32(report.kind),
        report.values
    );
}

/// More accounts came than the program takes.
#[cold]
#[inline(never)]
pub(crate) fn too_many_accounts(given: usize, max: usize) -> ! {
    abort(&AbortReport::new(
        AbortKind::TooManyAccounts,
        [given as u64, max as u64, 0, 0],
    ))
}

/// An account came twice, and the program refuses that.
#[cold]
#[inline(never)]
pub(crate) fn duplicate_account(index: usize, first: usize) -> ! {
    abort(&AbortReport::new(
        AbortKind::DuplicateAccount,
        [index as u64, first as u64, 0, 0],
    ))
}

#[cfg(all(target_arch = "riscv64", target_os = "none"))]
mod guest {
    use core::alloc::Layout;
    use core::fmt;
    use core::panic::PanicInfo;

    use abi::report::{AbortKind, AbortReport, GuestText, MAX_MESSAGE_LENGTH};

    use super::abort;
    use crate::text::TextBuffer;

    fn guest_text(text: &str) -> GuestText {
        GuestText {
            address: text.as_ptr().addr() as u32,
            length: text.len() as u32,
        }
    }

    fn panic_report(info: &PanicInfo<'_>) -> AbortReport {
        let mut report = AbortReport::new(AbortKind::Panic, [0; 4]);
        if let Some(location) = info.location() {
            report.values = [location.line().into(), location.column().into(), 0, 0];
            report.file = guest_text(location.file());
        }
        report
    }

    /// Reports message, file, line and column.
    #[cold]
    pub fn panic_with_message(info: &PanicInfo<'_>) -> ! {
        let mut report = panic_report(info);
        let mut message = TextBuffer::<MAX_MESSAGE_LENGTH>::new();
        // A `Display` that fails has its text cut.
        let _ = fmt::write(&mut message, format_args!("{}", info.message()));
        report.message = guest_text(message.as_str());
        abort(&report)
    }

    /// Reports file, line and column, and so needs no formatting.
    #[cold]
    pub fn panic_with_location(info: &PanicInfo<'_>) -> ! {
        abort(&panic_report(info))
    }

    /// Reports that there was a panic.
    #[cold]
    pub fn panic_without_words(_info: &PanicInfo<'_>) -> ! {
        abort(&AbortReport::new(AbortKind::Panic, [0; 4]))
    }

    /// Reports the request for which there was no room.
    #[alloc_error_handler]
    #[cold]
    fn out_of_memory(layout: Layout) -> ! {
        let kind = if allocator::heap_limit() == 0 {
            AbortKind::HeapNotAnnounced
        } else {
            AbortKind::OutOfMemory
        };
        abort(&AbortReport::new(
            kind,
            [layout.size() as u64, layout.align() as u64, 0, 0],
        ))
    }
}

#[cfg(all(target_arch = "riscv64", target_os = "none"))]
pub use guest::{panic_with_location, panic_with_message, panic_without_words};
