//! The rules by which the loader accepts a blob.

use abi::entry::ENTRYPOINT_EXPORT;
use abi::heap::BUMP_HEAP_EXPORT;
use polkavm::program::Instruction;
use polkavm::{ProgramBlob, ProgramCounter};

use crate::display::{display_name, list};
use crate::error::LoadError;
use crate::limits::Limits;
use crate::syscall_set::SyscallSet;

use super::{diagnose, jumps};

/// Returns every way in which a blob breaks one rule.
type Rule = fn(&ProgramBlob, &Limits, &SyscallSet) -> Vec<LoadError>;

/// Cheap rules come first, because loading stops at the first refusal.
const RULES: [Rule; 7] = [
    machine,
    entrypoint,
    memory,
    instructions,
    known_imports,
    entry_place,
    jumps,
];

/// Every way in which a blob breaks the loader's rules. The iterator checks a rule only when it
/// reaches it.
pub(crate) fn refusals<'a>(
    blob: &'a ProgramBlob,
    limits: &'a Limits,
    syscalls: &'a SyscallSet,
) -> impl Iterator<Item = LoadError> + 'a {
    RULES
        .into_iter()
        .flat_map(move |rule| rule(blob, limits, syscalls))
}

pub(crate) fn exports_named(
    blob: &ProgramBlob,
    name: &str,
) -> impl Iterator<Item = ProgramCounter> {
    blob.exports()
        .filter(move |export| export.symbol().as_bytes() == name.as_bytes())
        .map(|export| export.program_counter())
}

/// Whether the program declares that its heap has the header of [`abi::heap`].
pub(crate) fn has_heap_header(blob: &ProgramBlob) -> bool {
    exports_named(blob, BUMP_HEAP_EXPORT).next().is_some()
}

/// The names of the blob's imports, in the order of their numbers.
pub(crate) fn imports(blob: &ProgramBlob) -> impl Iterator<Item = &[u8]> {
    let imports = blob.imports().iter();
    imports.map(|symbol| symbol.map_or(&b"?"[..], |symbol| symbol.into_inner()))
}

fn invalid(reason: String) -> LoadError {
    LoadError::InvalidBlob { reason }
}

fn machine(blob: &ProgramBlob, _: &Limits, _: &SyscallSet) -> Vec<LoadError> {
    if blob.is_64_bit() {
        Vec::new()
    } else {
        vec![LoadError::Not64Bit]
    }
}

fn entrypoint(blob: &ProgramBlob, _: &Limits, _: &SyscallSet) -> Vec<LoadError> {
    match exports_named(blob, ENTRYPOINT_EXPORT).count() {
        0 => vec![LoadError::MissingEntrypoint {
            exports: list_exports(blob),
        }],
        1 => Vec::new(),
        _ => vec![invalid("more than one export `entrypoint`".to_owned())],
    }
}

/// The interpreter zeroes all memory that a blob declares, so that must be bounded before it runs.
fn memory(blob: &ProgramBlob, limits: &Limits, _: &SyscallSet) -> Vec<LoadError> {
    bounded(blob, limits)
        .into_iter()
        .filter(|(_, size, limit)| *size > u64::from(*limit))
        .map(|(what, size, limit)| LoadError::MemoryTooLarge { what, size, limit })
        .collect()
}

/// The size of each part of a blob that the loader bounds, and the bound, in bytes.
pub(crate) fn bounded(blob: &ProgramBlob, limits: &Limits) -> [(&'static str, u64, u32); 3] {
    let data = u64::from(blob.ro_data_size()) + u64::from(blob.rw_data_size());
    [
        ("code", blob.code().len() as u64, limits.code),
        ("data", data, limits.program_data),
        ("stack", blob.stack_size().into(), limits.stack),
    ]
}

/// Only the loader maps memory. `sbrk` would map more, past every limit, and the two engines return
/// different values for it.
fn instructions(blob: &ProgramBlob, _: &Limits, _: &SyscallSet) -> Vec<LoadError> {
    let first = blob
        .instructions()
        .find(|instruction| matches!(instruction.kind, Instruction::sbrk(..)));
    first
        .map(|instruction| LoadError::ForbiddenInstruction {
            name: "sbrk",
            program_counter: instruction.offset.0,
        })
        .into_iter()
        .collect()
}

fn known_imports(blob: &ProgramBlob, _: &Limits, syscalls: &SyscallSet) -> Vec<LoadError> {
    imports(blob)
        .filter_map(|symbol| syscalls.find(symbol).err())
        .collect()
}

/// From a place where no block starts, the compiler's code would never end.
fn entry_place(blob: &ProgramBlob, _: &Limits, _: &SyscallSet) -> Vec<LoadError> {
    exports_named(blob, ENTRYPOINT_EXPORT)
        .filter(|entry| !starts_block(blob, *entry))
        .map(|entry| {
            let place = entry.0;
            invalid(format!(
                "`entrypoint` is at {place:#x}, where no code starts"
            ))
        })
        .collect()
}

/// A jump to a constant address without code was miscompiled, and traps only when it is reached.
fn jumps(blob: &ProgramBlob, limits: &Limits, _: &SyscallSet) -> Vec<LoadError> {
    // Following the code takes time by its length, and too much code is an error already.
    if blob.code().len() > limits.code as usize {
        return Vec::new();
    }
    jumps::first_invalid(blob)
        .map(|jump| {
            let (function, location) = diagnose::source(blob, Some(jump.program_counter));
            LoadError::InvalidJump {
                program_counter: jump.program_counter.0,
                target: jump.target,
                function,
                location,
            }
        })
        .into_iter()
        .collect()
}

/// Whether the VM lets a program start, or jump, at this place.
fn starts_block(blob: &ProgramBlob, place: ProgramCounter) -> bool {
    (place.0 as usize) < blob.code().len() && blob.scan_is_jump_target_valid(blob.isa(), place)
}

fn list_exports(blob: &ProgramBlob) -> String {
    let exports = blob.exports();
    list(exports.map(|export| display_name(export.symbol().as_bytes())))
}
