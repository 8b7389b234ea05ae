//! The reports of guests: panics and refused allocations go to the host.

use core::alloc::Layout;
use core::fmt;
use core::panic::PanicInfo;

use abi::report::{AbortKind, AbortReport, GuestText, MAX_MESSAGE_LENGTH};

use crate::abort::abort;
use crate::target::{heap_is_missing, note_high_half};
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
        note_high_half(&mut report.values[2], location.file());
    }
    report
}

/// Reports a panic with message, file, line and column.
#[cold]
pub fn panic_with_message(info: &PanicInfo<'_>) -> ! {
    let mut report = panic_report(info);
    let mut message = TextBuffer::<MAX_MESSAGE_LENGTH>::new();
    // If a `Display` fails, the text ends there.
    let _ = fmt::write(&mut message, format_args!("{}", info.message()));
    let message = message.finish();
    report.message = guest_text(message);
    note_high_half(&mut report.values[3], message);
    abort(&report)
}

/// Reports a panic with file, line and column, without linking formatting code.
#[cold]
pub fn panic_with_location(info: &PanicInfo<'_>) -> ! {
    abort(&panic_report(info))
}

/// Reports only that the program panicked.
#[cold]
pub fn panic_silent(_info: &PanicInfo<'_>) -> ! {
    abort(&AbortReport::new(AbortKind::Panic, [0; 4]))
}

/// Reports the refused allocation.
#[alloc_error_handler]
#[cold]
fn out_of_memory(layout: Layout) -> ! {
    let kind = if heap_is_missing() {
        AbortKind::HeapNotAnnounced
    } else {
        AbortKind::OutOfMemory
    };
    abort(&AbortReport::new(
        kind,
        [layout.size() as u64, layout.align() as u64, 0, 0],
    ))
}
