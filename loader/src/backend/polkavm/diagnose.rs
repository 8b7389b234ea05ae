//! Where and why a program on PolkaVM ended before it returned.

use polkavm::{ProgramBlob, ProgramCounter, RawInstance};

use super::debug_info::{self, DebugFunction};
use super::trap;
use crate::display::{function_name, is_foreign, short_path};
use crate::error::{Failure, SourceLocation};

/// The failure of a program whose gas does not suffice for its current instruction or syscall.
pub(crate) fn out_of_gas(blob: &ProgramBlob, instance: &RawInstance, limit: u64) -> Failure {
    // If the gas did not suffice for the first block, the VM has no current instruction, but it has
    // the next.
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

/// The failure of a program that the VM has stopped at its current instruction.
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
pub(super) fn source(
    blob: &ProgramBlob,
    program_counter: Option<ProgramCounter>,
) -> (Option<String>, Option<SourceLocation>) {
    program_counter
        .and_then(|counter| source_of(&debug_info::functions_at(blob, counter)?))
        .unwrap_or_default()
}

/// The function and the source line: the last line that is in one of the author's own files.
fn source_of(functions: &[DebugFunction]) -> Option<(Option<String>, Option<SourceLocation>)> {
    let places: Vec<&SourceLocation> = functions
        .iter()
        .flatten()
        .filter_map(|frame| frame.location.as_ref())
        .collect();
    let own = places.iter().rfind(|place| !is_foreign(&place.file));
    let location = own.or(places.last()).map(|place| SourceLocation {
        file: short_path(&place.file).to_owned(),
        ..(*place).clone()
    });
    let function = functions.last()?.first()?.function.as_deref();
    Some((function.map(function_name), location))
}
