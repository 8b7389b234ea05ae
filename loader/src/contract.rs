//! What a program needs, as its file declares it: see [`abi::contract`].
//!
//! The record comes from the program's author, or from an attacker. It can only make the loader
//! reject the program or an invocation of it.

use std::borrow::Cow;

use abi::contract::{BLOB_SECTION, Contract, InvalidContract, NOTE_OWNER, NOTE_TYPE, SECTION};
use abi::heap::MIN_HEAP_LENGTH;

use crate::engine::Target;
use crate::error::{InvocationError, LoadError};
use crate::inspect::sections;
use crate::invocation::Invocation;
use crate::limits::Limits;

/// Reads the contract of a program's file. `None` if it has none that this version knows.
///
/// # Errors
///
/// [`LoadError::InvalidContract`] if the record is damaged.
pub(crate) fn read(file: &[u8]) -> Result<Option<Contract>, LoadError> {
    let read = match Target::of(file) {
        Some(Target::Riscv64) => only(sections::contents(file, BLOB_SECTION)),
        Some(Target::Wasm32) => only(custom_sections(file)),
        Some(Target::Native) => only(notes(file)),
        None => Ok(None),
    };
    read.map_err(|error| LoadError::InvalidContract {
        reason: error.to_string(),
    })
}

/// Rejects a program that needs more heap than the loader gives.
pub(crate) fn check(contract: &Contract, limits: &Limits) -> Result<(), LoadError> {
    let (size, limit) = (u64::from(contract.heap_size), limits.heap);
    if size > limit.into() {
        let what = "heap";
        return Err(LoadError::MemoryTooLarge { what, size, limit });
    }
    Ok(())
}

/// The invocation with the heap that the program needs, if nothing gives it another.
///
/// # Errors
///
/// As for [`check_heap`].
pub(crate) fn with_heap<'a>(
    contract: Option<&Contract>,
    invocation: &'a Invocation,
) -> Result<Cow<'a, Invocation>, InvocationError> {
    let needed = needed(contract);
    if !invocation.has_given_heap && needed > Some(invocation.heap_size) {
        let mut invocation = invocation.clone();
        invocation.heap_size = needed.unwrap_or(invocation.heap_size);
        return Ok(Cow::Owned(invocation));
    }
    check_heap(contract, invocation)?;
    Ok(Cow::Borrowed(invocation))
}

/// Rejects an invocation with less heap than the program needs.
///
/// # Errors
///
/// [`InvocationError::LessHeapThanNeeded`].
pub(crate) fn check_heap(
    contract: Option<&Contract>,
    invocation: &Invocation,
) -> Result<(), InvocationError> {
    let size = invocation.heap_size;
    match needed(contract) {
        Some(needed) if size < needed => Err(InvocationError::LessHeapThanNeeded { size, needed }),
        _ => Ok(()),
    }
}

/// The heap that the program needs, if that is more than every program has.
fn needed(contract: Option<&Contract>) -> Option<u32> {
    let needed = contract.map(|contract| contract.heap_size);
    needed.filter(|needed| *needed > MIN_HEAP_LENGTH)
}

/// Reads the only record of a file, if there is one.
fn only<'a>(
    mut records: impl Iterator<Item = &'a [u8]>,
) -> Result<Option<Contract>, InvalidContract> {
    let Some(record) = records.next() else {
        return Ok(None);
    };
    let contract = Contract::read(record)?;
    match records.next() {
        Some(_) if contract.is_some() => Err(InvalidContract::Repeated),
        _ => Ok(contract),
    }
}

/// The contents of a module's custom sections with the contract.
fn custom_sections(module: &[u8]) -> impl Iterator<Item = &[u8]> {
    // The magic number and the version come first.
    let mut rest = module.get(8..).unwrap_or_default();
    let sections = std::iter::from_fn(move || {
        let (id, after) = rest.split_first()?;
        let (content, after) = sized(after)?;
        rest = after;
        Some((*id, content))
    });
    sections.filter_map(|(id, content)| {
        let (name, data) = sized(content).filter(|_| id == 0)?;
        (name == SECTION.as_bytes()).then_some(data)
    })
}

/// As many bytes as the number before them, which is in LEB128, and the bytes after them.
fn sized(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut length = 0_u64;
    for (index, byte) in bytes.iter().take(5).enumerate() {
        length |= u64::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return bytes[index + 1..].split_at_checked(usize::try_from(length).ok()?);
        }
    }
    None
}

/// The descriptions of a library's notes with the contract.
fn notes(library: &[u8]) -> impl Iterator<Item = &[u8]> {
    const LOADED_NOTE: u32 = 4;
    let segments = number::<8>(library, 0x20);
    let length = number::<2>(library, 0x36);
    let count = number::<2>(library, 0x38).unwrap_or(0);
    let headers = (0..count).filter_map(move |index| {
        let start = segments?.checked_add(index.checked_mul(length?)?)?;
        library.get(usize::try_from(start).ok()?..)
    });
    headers
        .filter(|header| number::<4>(header, 0) == Some(LOADED_NOTE.into()))
        .filter_map(move |header| {
            let start = usize::try_from(number::<8>(header, 0x08)?).ok()?;
            let length = usize::try_from(number::<8>(header, 0x20)?).ok()?;
            library.get(start..)?.get(..length)
        })
        .flat_map(|segment| {
            let mut rest = segment;
            std::iter::from_fn(move || {
                let (note, after) = note(rest)?;
                rest = after;
                Some(note)
            })
        })
        .filter(|(owner, type_, _)| *owner == NOTE_OWNER && *type_ == u64::from(NOTE_TYPE))
        .map(|(_, _, description)| description)
}

/// The owner, the type and the description of the first note, and the bytes after it.
#[expect(clippy::type_complexity, reason = "a name for it would be longer")]
fn note(bytes: &[u8]) -> Option<((&[u8], u64, &[u8]), &[u8])> {
    let owner_length = usize::try_from(number::<4>(bytes, 0)?).ok()?;
    let length = usize::try_from(number::<4>(bytes, 4)?).ok()?;
    let type_ = number::<4>(bytes, 8)?;
    let padded = |length: usize| length.checked_next_multiple_of(4);
    let (owner, rest) = bytes.get(12..)?.split_at_checked(padded(owner_length)?)?;
    let description = rest.get(..length)?;
    let rest = rest.get(padded(length)?..).unwrap_or_default();
    Some(((&owner[..owner_length], type_, description), rest))
}

/// A little-endian number of some bytes, if they are there.
fn number<const LENGTH: usize>(bytes: &[u8], start: usize) -> Option<u64> {
    let mut number = [0; 8];
    number[..LENGTH].copy_from_slice(bytes.get(start..)?.get(..LENGTH)?);
    Some(u64::from_le_bytes(number))
}
