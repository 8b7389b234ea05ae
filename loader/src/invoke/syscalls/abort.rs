//! The end of a program that does not return: a panic, a failed allocation, rejected accounts.

use abi::report::{
    ABORT_REPORT_MAGIC, AbortKind, AbortReport, CUT_MARK, GuestText, MAX_MESSAGE_LENGTH,
};

use super::Returned;
use super::call::Call;
use crate::display::short_path;
use crate::error::{Failure, SourceLocation};
use crate::invoke::guest::{GuestMemory, read_pod};
use crate::invoke::heap::Heap;

/// The most bytes of a file name that the loader reads from a guest.
const MAX_FILE_LENGTH: usize = 4_096;

/// Ends the program with the failure that its report describes.
pub(super) fn abort<G: GuestMemory>(call: &mut Call<'_, G>) -> Returned {
    let (report, magic) = (call.argument(0), call.argument(1));
    Err(failure(call.guest, report, magic, &call.syscalls.heap))
}

fn failure(guest: &mut impl GuestMemory, address: u64, magic: u64, heap: &Heap) -> Failure {
    if magic != ABORT_REPORT_MAGIC {
        return Failure::Aborted;
    }
    let Ok(report) = read_pod::<AbortReport>(guest, address) else {
        return Failure::Aborted;
    };
    if report.magic != ABORT_REPORT_MAGIC {
        return Failure::Aborted;
    }
    let [first, second, third, fourth] = report.values;
    match AbortKind::from_u32(report.kind) {
        Some(AbortKind::Panic) => {
            let file = text(guest, report.file, third, MAX_FILE_LENGTH);
            let number = |value: u64| u32::try_from(value).unwrap_or(u32::MAX);
            Failure::Panicked {
                message: text(
                    guest,
                    report.message,
                    fourth,
                    MAX_MESSAGE_LENGTH + CUT_MARK.len(),
                ),
                location: file.map(|file| SourceLocation {
                    file: short_path(&file).to_owned(),
                    line: number(first),
                    column: Some(number(second)),
                }),
            }
        }
        Some(AbortKind::OutOfMemory) => {
            let heap = heap.read_use(guest);
            Failure::OutOfMemory {
                size: first,
                align: second,
                used: heap.used,
                limit: heap.limit,
            }
        }
        Some(AbortKind::HeapNotAnnounced) => Failure::HeapNotAnnounced {
            size: first,
            align: second,
        },
        Some(AbortKind::TooManyAccounts) => Failure::TooManyAccounts {
            given: first,
            max: second,
        },
        Some(AbortKind::DuplicateAccount) => Failure::DuplicateAccount {
            index: first,
            first: second,
        },
        _ => Failure::Aborted,
    }
}

/// A text in the guest's memory, with a mark if it is longer than `limit`. `high` is the high half
/// of its address.
fn text(guest: &mut impl GuestMemory, text: GuestText, high: u64, limit: usize) -> Option<String> {
    let address = high << 32 | u64::from(text.address);
    if address == 0 {
        return None;
    }
    let length = u64::from(text.length);
    let bytes = guest.read(address, length.min(limit as u64)).ok()?;
    let mut text = String::from_utf8_lossy(&bytes).into_owned();
    if length > limit as u64 {
        // Half a character at the end was replaced.
        text.truncate(text.trim_end_matches(char::REPLACEMENT_CHARACTER).len());
        text.push_str(CUT_MARK);
    }
    Some(text)
}
