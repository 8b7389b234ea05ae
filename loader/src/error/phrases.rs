//! The parts of a failure's text that depend on what is known.

use abi::ProgramError;

use super::place::{SourceLocation, at, inside};
use crate::display::{escape_control, thousands};
use crate::limits::Limits;

/// The error as it is written in code: `InsufficientFunds`, `Custom(7)`.
pub(super) fn describe(error: &ProgramError) -> String {
    format!("{error:?}")
}

/// A heap size that has room for one more allocation; `None` if the default limits allow none.
pub(super) fn enough_heap(size: u64, used: Option<u32>, limit: u32) -> Option<String> {
    // A heap that does not report its use may be full.
    let used = u64::from(used.unwrap_or(limit));
    // Header and alignment take a few bytes, and programs rarely allocate only once more.
    let enough = used.saturating_add(size).saturating_add(1024);
    let kibibytes = enough.div_ceil(1024).next_power_of_two();
    if kibibytes > u64::from(Limits::default().heap / 1024) {
        return None;
    }
    Some(match kibibytes {
        ..1024 => format!("{kibibytes} KiB"),
        _ => format!("{} MiB", kibibytes / 1024),
    })
}

/// The error, and its meaning unless it is a custom error, whose meaning only the program knows.
pub(super) fn returned(error: &ProgramError) -> String {
    match error {
        ProgramError::Custom(_) => describe(error),
        _ => format!("{}: {error}", describe(error)),
    }
}

pub(super) fn heap_use(used: Option<u32>, limit: u32) -> String {
    let limit = thousands(limit);
    match used {
        Some(used) => format!("{} of the heap's {limit} bytes are in use", thousands(used)),
        None => format!("the heap has {limit} bytes, its use is unknown"),
    }
}

pub(super) fn at_counter(program_counter: Option<u32>) -> String {
    program_counter.map_or_else(String::new, |counter| format!(" at {counter:#x}"))
}

pub(super) fn ended_at(
    program_counter: Option<u32>,
    function: &Option<String>,
    location: &Option<SourceLocation>,
) -> String {
    program_counter.map_or_else(String::new, |counter| {
        let (function, location) = (inside(function), at(location));
        format!("; stopped at {counter:#x}{function}{location}")
    })
}

pub(super) fn used_up(size: Option<u32>) -> String {
    size.map_or_else(String::new, |size| {
        format!(": its {} bytes are used up", thousands(size))
    })
}

pub(super) fn doing(
    program_counter: Option<u32>,
    cause: &Option<String>,
    address: Option<u32>,
) -> String {
    let cause = cause.as_deref().map(escape_control);
    match (cause, address) {
        (Some(instruction), Some(address)) => {
            format!(": `{instruction}` may not access {address:#x}")
        }
        (Some(instruction), None) if program_counter.is_some() => format!(": `{instruction}`"),
        (Some(cause), None) => format!(": {cause}"),
        (None, _) => String::new(),
    }
}

pub(super) fn says(message: &Option<String>) -> String {
    message.as_ref().map_or_else(String::new, |message| {
        format!(": {}", escape_control(message))
    })
}
