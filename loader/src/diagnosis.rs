//! Why a program ended before its time.

use abi::report::{ABORT_REPORT_MAGIC, AbortKind, AbortReport, GuestText, MAX_MESSAGE_LENGTH};
use polkavm::{ProgramBlob, ProgramCounter, RawInstance};

use crate::debug_info::{self, DebugFunction};
use crate::failure::{Failure, SourceLocation};
use crate::guest_memory;
use crate::imports::Context;

/// Most bytes of a file name that are read from a guest.
const MAX_FILE_LENGTH: usize = 4_096;

/// What a call of `rlo_abort` with these arguments says.
pub(crate) fn aborted(
    instance: &mut RawInstance,
    address: u64,
    magic: u64,
    context: &Context<'_>,
) -> Failure {
    if magic != ABORT_REPORT_MAGIC {
        return Failure::Aborted;
    }
    let Ok(report) = guest_memory::read_pod::<AbortReport>(instance, address) else {
        return Failure::Aborted;
    };
    if report.magic != ABORT_REPORT_MAGIC {
        return Failure::Aborted;
    }
    let [first, second, _, _] = report.values;
    match AbortKind::from_u32(report.kind) {
        Some(AbortKind::Panic) => {
            let file = text(instance, report.file, MAX_FILE_LENGTH);
            let number = |value: u64| u32::try_from(value).unwrap_or(u32::MAX);
            Failure::Panicked {
                message: text(instance, report.message, MAX_MESSAGE_LENGTH),
                location: file.map(|file| SourceLocation {
                    file,
                    line: number(first),
                    column: Some(number(second)),
                }),
            }
        }
        Some(AbortKind::OutOfMemory) => {
            let heap = (context.heap)(instance);
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

/// What a trap at this place says.
pub(crate) fn trapped(blob: &ProgramBlob, program_counter: Option<ProgramCounter>) -> Failure {
    let (function, location) = program_counter
        .and_then(|counter| source_of(&debug_info::functions_at(blob, counter)?))
        .unwrap_or_default();
    Failure::Trapped {
        program_counter: program_counter.map_or(0, |counter| counter.0),
        function,
        location,
    }
}

/// The function and the source line. An author looks for the last line that is in a file of their own.
fn source_of(functions: &[DebugFunction]) -> Option<(Option<String>, Option<SourceLocation>)> {
    let places: Vec<&SourceLocation> = functions
        .iter()
        .flatten()
        .filter_map(|frame| frame.location.as_ref())
        .collect();
    let own = places
        .iter()
        .rfind(|place| !is_standard_library(&place.file));
    let location = own.or(places.last()).map(|place| (*place).clone());
    Some((functions.last()?.first()?.function.clone(), location))
}

/// Whether a file is one of the compiler's own.
fn is_standard_library(file: &str) -> bool {
    file.contains("/library/core/src/") || file.contains("/library/alloc/src/")
}

fn text(instance: &mut RawInstance, text: GuestText, limit: usize) -> Option<String> {
    if text.address == 0 {
        return None;
    }
    let length = u64::from(text.length).min(limit as u64);
    let bytes = guest_memory::read(instance, text.address.into(), length).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}
