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
///
/// Many segments may name the same bytes, so the notes that are read have no more bytes together
/// than the file has.
fn notes(library: &[u8]) -> impl Iterator<Item = &[u8]> {
    const LOADED_NOTE: u32 = 4;
    const HEADER_LENGTH: u64 = 56;
    let segments = number::<8>(library, 0x20);
    let length = number::<2>(library, 0x36);
    let count = match length {
        Some(HEADER_LENGTH) => number::<2>(library, 0x38).unwrap_or(0),
        _ => 0,
    };
    let headers = (0..count).filter_map(move |index| {
        let start = segments?.checked_add(index * HEADER_LENGTH)?;
        library.get(usize::try_from(start).ok()?..)
    });
    let mut unread = library.len();
    headers
        .filter(|header| number::<4>(header, 0) == Some(LOADED_NOTE.into()))
        .filter_map(move |header| {
            let start = usize::try_from(number::<8>(header, 0x08)?).ok()?;
            let length = usize::try_from(number::<8>(header, 0x20)?).ok()?;
            let segment = library.get(start..)?.get(..length)?;
            let read = &segment[..length.min(unread)];
            unread -= read.len();
            Some(read)
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The header of a library with so many program headers of this size behind it.
    fn library(headers: u16, size: u16) -> Vec<u8> {
        let mut library = vec![0; HEADER];
        library[0x20..0x28].copy_from_slice(&(HEADER as u64).to_le_bytes());
        library[0x36..0x38].copy_from_slice(&size.to_le_bytes());
        library[0x38..0x3A].copy_from_slice(&headers.to_le_bytes());
        library
    }

    /// A program header of notes.
    fn segment(start: u64, length: u64) -> Vec<u8> {
        let mut header = vec![0; 56];
        header[0] = 4;
        header[0x08..0x10].copy_from_slice(&start.to_le_bytes());
        header[0x20..0x28].copy_from_slice(&length.to_le_bytes());
        header
    }

    /// A note with a contract of no bytes.
    fn empty_note() -> Vec<u8> {
        let owner_length = NOTE_OWNER.len() as u32;
        let mut note = [owner_length, 0, NOTE_TYPE].map(u32::to_le_bytes).concat();
        note.extend(NOTE_OWNER);
        note.resize(note.len().next_multiple_of(4), 0);
        note
    }

    /// Length of the header of a library.
    const HEADER: usize = 64;

    #[test]
    fn notes_of_a_hostile_library_are_walked_once() {
        let (headers, note) = (100, empty_note());
        let notes_start = (HEADER + headers * 56) as u64;
        let notes_of_segment = 50;
        let mut file = library(headers as u16, 56);
        for _ in 0..headers {
            file.extend(segment(notes_start, (notes_of_segment * note.len()) as u64));
        }
        file.extend(note.repeat(notes_of_segment));
        let found = notes(&file).count();
        assert!(found >= notes_of_segment, "{found}");
        assert!(found <= file.len() / note.len(), "{found}");
    }

    #[test]
    fn program_headers_of_another_size_are_not_read() {
        let note = empty_note();
        for (size, found) in [(56, 1), (0, 0), (55, 0), (64, 0)] {
            let mut file = library(1, size);
            file.extend(segment((HEADER + 56) as u64, note.len() as u64));
            file.extend(&note);
            assert_eq!(notes(&file).count(), found, "{size}");
        }
    }
}
