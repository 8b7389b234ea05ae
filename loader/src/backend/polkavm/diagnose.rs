//! Why a program ended before its time.

use abi::report::{ABORT_REPORT_MAGIC, AbortKind, AbortReport, GuestText, MAX_MESSAGE_LENGTH};
use polkavm::{ProgramBlob, ProgramCounter, RawInstance};

use crate::backend::polkavm::debug_info::{self, DebugFunction};
use crate::backend::polkavm::trap;
use crate::backend::{Context, Machine};
use crate::error::{Failure, SourceLocation};

/// Most bytes of a file name that are read from a guest.
const MAX_FILE_LENGTH: usize = 4_096;

/// What a call of `rlo_abort` with these arguments says.
pub(crate) fn aborted(
    machine: &mut impl Machine,
    address: u64,
    magic: u64,
    context: &Context,
) -> Failure {
    if magic != ABORT_REPORT_MAGIC {
        return Failure::Aborted;
    }
    let Ok(report) = machine.read_pod::<AbortReport>(address) else {
        return Failure::Aborted;
    };
    if report.magic != ABORT_REPORT_MAGIC {
        return Failure::Aborted;
    }
    let [first, second, third, fourth] = report.values;
    match AbortKind::from_u32(report.kind) {
        Some(AbortKind::Panic) => {
            let file = text(machine, report.file, third, MAX_FILE_LENGTH);
            let number = |value: u64| u32::try_from(value).unwrap_or(u32::MAX);
            Failure::Panicked {
                message: text(machine, report.message, fourth, MAX_MESSAGE_LENGTH),
                location: file.map(|file| SourceLocation {
                    file,
                    line: number(first),
                    column: Some(number(second)),
                }),
            }
        }
        Some(AbortKind::OutOfMemory) => {
            let heap = context.heap.read_use(machine);
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

/// What is said of a program that has come to an instruction for which its gas is not enough.
pub(crate) fn out_of_gas(blob: &ProgramBlob, instance: &RawInstance, limit: u64) -> Failure {
    // The VM has no current instruction where there was not enough gas for the first block; it does have the next.
    let program_counter = instance
        .program_counter()
        .or_else(|| instance.next_program_counter());
    let (function, location) = source(blob, program_counter);
    Failure::OutOfGas {
        limit,
        program_counter: program_counter.map(|counter| counter.0),
        function,
        location,
    }
}

/// What is said of a program that has done what the machine does not allow.
pub(crate) fn trapped(blob: &ProgramBlob, instance: &RawInstance) -> Failure {
    let place = instance.program_counter();
    let (function, location) = source(blob, place);
    let program_counter = place.map(|counter| counter.0);
    let instruction = place.and_then(|place| trap::instruction_at(blob, place));
    let address = instruction.and_then(|instruction| trap::address_of(instruction, instance));
    if address.is_some_and(|address| trap::is_below_stack(address, instance)) {
        return Failure::StackOverflow {
            size: Some(instance.module().memory_map().stack_size()),
            program_counter,
            function,
            location,
        };
    }
    Failure::Trapped {
        program_counter,
        cause: instruction.map(|instruction| instruction.to_string()),
        address,
        function,
        location,
    }
}

/// The function and the source line of an instruction, if they can be found.
fn source(
    blob: &ProgramBlob,
    program_counter: Option<ProgramCounter>,
) -> (Option<String>, Option<SourceLocation>) {
    program_counter
        .and_then(|counter| source_of(&debug_info::functions_at(blob, counter)?))
        .unwrap_or_default()
}

/// The function and the source line. An author looks for the last line that is in a file of their own.
fn source_of(functions: &[DebugFunction]) -> Option<(Option<String>, Option<SourceLocation>)> {
    let places: Vec<&SourceLocation> = functions
        .iter()
        .flatten()
        .filter_map(|frame| frame.location.as_ref())
        .collect();
    let own = places.iter().rfind(|place| !is_foreign(&place.file));
    let location = own.or(places.last()).map(|place| (*place).clone());
    Some((functions.last()?.first()?.function.clone(), location))
}

/// Whether a file is one of the compiler's own, or of a dependency that came from a registry.
fn is_foreign(file: &str) -> bool {
    // Cargo keeps what came from a registry in a folder that ends in a hash of its address.
    let is_registry = |part: &str| {
        let hash = part.rsplit_once('-').map_or("", |(_, hash)| hash);
        hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    let is_standard_library = ["/library/core/src/", "/library/alloc/src/"]
        .iter()
        .any(|part| file.contains(part));
    is_standard_library || file.split('/').any(is_registry)
}

/// A text of the guest's. `high` is the high half of its address.
fn text(machine: &mut impl Machine, text: GuestText, high: u64, limit: usize) -> Option<String> {
    let address = high << 32 | u64::from(text.address);
    if address == 0 {
        return None;
    }
    let length = u64::from(text.length).min(limit as u64);
    let bytes = machine.read(address, length).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}
