//! Why a program ended before its time.

use std::panic::{AssertUnwindSafe, catch_unwind};

use abi::report::{ABORT_REPORT_MAGIC, AbortKind, AbortReport, GuestText, MAX_MESSAGE_LENGTH};
use polkavm::debug_info::{FrameInfo, FrameKind};
use polkavm::{ProgramBlob, ProgramCounter, RawInstance};

use crate::failure::{Failure, SourceLocation};
use crate::guest_memory;
use crate::imports::Context;
use crate::trap;

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

/// What is said of a program that has come to an instruction for which its gas is not enough.
pub(crate) fn out_of_gas(blob: &ProgramBlob, instance: &RawInstance, limit: u64) -> Failure {
    // The VM has no current instruction where there was not enough gas for the first block; it does have the next.
    let program_counter = instance
        .program_counter()
        .or_else(|| instance.next_program_counter());
    let (function, location) = source(blob, program_counter);
    Failure::OutOfGas {
        limit,
        program_counter: program_counter.map_or(0, |counter| counter.0),
        function,
        location,
    }
}

/// What is said of a program that has done what the machine does not allow.
pub(crate) fn trapped(blob: &ProgramBlob, instance: &RawInstance) -> Failure {
    let place = instance.program_counter();
    let (function, location) = source(blob, place);
    let program_counter = place.map_or(0, |counter| counter.0);
    let instruction = place.and_then(|place| trap::instruction_at(blob, place));
    let address = instruction.and_then(|instruction| trap::address_of(instruction, instance));
    if address.is_some_and(|address| trap::is_below_stack(address, instance)) {
        return Failure::StackOverflow {
            size: instance.module().memory_map().stack_size(),
            program_counter,
            function,
            location,
        };
    }
    Failure::Trapped {
        program_counter,
        instruction: instruction.map(|instruction| instruction.to_string()),
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
    // The debug information is the blob's, so it may be anything, and the VM's own reader of it does sums
    // that overflow.
    let source = catch_unwind(AssertUnwindSafe(|| source_of(blob, program_counter?)));
    source.ok().flatten().unwrap_or_default()
}

/// The function and the source line of an instruction, as far as the blob has debug information for it.
fn source_of(
    blob: &ProgramBlob,
    program_counter: ProgramCounter,
) -> Option<(Option<String>, Option<SourceLocation>)> {
    let mut lines = blob.get_debug_line_program_at(program_counter).ok()??;
    while let Ok(Some(region)) = lines.run() {
        if !region.instruction_range().contains(&program_counter) {
            continue;
        }
        let function = region
            .frames()
            .next()
            .and_then(|frame| function_name(&frame));
        // From the function inwards through what was inlined: where each was called, and the line at last. An
        // author looks for the last of them in a file of their own.
        let places: Vec<SourceLocation> = region
            .frames()
            .filter_map(|frame| source_location(&frame))
            .collect();
        let own = places.iter().rfind(|place| !is_foreign(&place.file));
        return Some((function, own.or(places.last()).cloned()));
    }
    None
}

/// Where a frame's code is; `None` for a frame that only says where its function is declared.
pub(crate) fn source_location(frame: &FrameInfo<'_>) -> Option<SourceLocation> {
    if frame.kind() == FrameKind::Enter {
        return None;
    }
    Some(SourceLocation {
        file: frame.path().ok()??.to_owned(),
        line: frame.line()?,
        column: frame.column(),
    })
}

/// Whether a file is one of the compiler's own, or of a dependency from the registry.
fn is_foreign(file: &str) -> bool {
    [
        "/library/core/src/",
        "/library/alloc/src/",
        "index.crates.io-",
    ]
    .iter()
    .any(|part| file.contains(part))
}

/// A function's path. Where there are only symbols, PolkaVM's linker cuts the compiler's mangled name in the wrong place and loses two
/// characters. That may be inside a crate's hash, `core[0123` and `456789abcd]::fmt`, which is as good as the whole, or
/// inside a name, which is shown with a `…` where it was cut.
pub(crate) fn function_name(frame: &FrameInfo<'_>) -> Option<String> {
    let function = frame.function_name_without_namespace().ok()??;
    let is_hash = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let Ok(Some(namespace)) = frame.namespace() else {
        return Some(without_hashes(function));
    };
    let name = match (namespace.rsplit_once('['), function.split_once("]::")) {
        (Some((start, hash)), Some((rest_of_hash, rest)))
            if is_hash(hash) && is_hash(rest_of_hash) =>
        {
            format!("{start}::{rest}")
        }
        // The namespace may end before the hash does.
        (_, Some((hash, rest))) if is_hash(hash) => format!("{namespace}::{rest}"),
        _ if namespace.matches('<').count() > namespace.matches('>').count() => {
            format!("{namespace}…{function}")
        }
        _ => format!("{namespace}::{function}"),
    };
    Some(without_hashes(&name))
}

/// A function's name without the compiler's crate hashes: `core[0123456789abcdef]::fmt` is `core::fmt`.
fn without_hashes(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    let mut rest = name;
    while let Some(open) = rest.find('[') {
        text.push_str(&rest[..open]);
        let inside = &rest[open + 1..];
        let is_hash = inside.len() > 16
            && inside.as_bytes()[16] == b']'
            && inside.bytes().take(16).all(|byte| byte.is_ascii_hexdigit());
        if is_hash {
            rest = &inside[17..];
        } else {
            text.push('[');
            rest = inside;
        }
    }
    text.push_str(rest);
    text
}

fn text(instance: &mut RawInstance, text: GuestText, limit: usize) -> Option<String> {
    if text.address == 0 {
        return None;
    }
    let length = u64::from(text.length).min(limit as u64);
    let bytes = guest_memory::read(instance, text.address.into(), length).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}
