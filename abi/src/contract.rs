//! What a program needs of its loader and its callers, in the program's file.
//!
//! The entry macros of `entrypoint` write this record. The program does not read it, and the loader
//! does not map it, so it costs no gas. Loaders that do not know it skip it.
//!
//! | file | place |
//! |---|---|
//! | blob | the optional section [`BLOB_SECTION`] |
//! | WebAssembly module | the custom section [`SECTION`] |
//! | native library | the ELF note of the owner [`NOTE_OWNER`] with the type [`NOTE_TYPE`], in the section [`NOTE_SECTION`] |
//!
//! ```text
//! offset  bytes  field
//! 0       1      layout: 1
//! 1       1      bits 0 and 1 entry, 2 and 3 heap, 4 and 5 panic handler, 6 whether repeats of an
//!                account are rejected, 7 the feature `heap-trace` of `entrypoint`
//! 2       1      the most accounts that the entry accepts; 0 for any number
//! 3       3      version of `entrypoint`: major, minor, patch
//! 6       2      the least heap in KiB
//! ```
//!
//! The stack is not in the record, because a blob has its size already.

use core::fmt;

use crate::error_names;
use crate::heap::MIN_HEAP_LENGTH;

/// The name of the custom section in a WebAssembly module, and of the section in an object file for
/// a blob.
pub const SECTION: &str = "entrypoint_contract";

/// The number of the section in a blob. Readers that do not know it skip it, because its highest
/// bit is set.
pub const BLOB_SECTION: u8 = 0xEC;

/// The section of a native library.
pub const NOTE_SECTION: &str = ".note.entrypoint_contract";

/// The owner of the note in a native library: that of the notes with the names of errors.
pub const NOTE_OWNER: &[u8; 11] = error_names::NOTE_OWNER;

/// The type of the note in a native library.
pub const NOTE_TYPE: u32 = u32::from_le_bytes(*b"CTRT");

/// Length of the record in bytes.
pub const LENGTH: usize = 8;

/// The largest heap, in bytes, that a record can have: 64 MiB less 1 KiB.
pub const MAX_HEAP: u32 = u16::MAX as u32 * KIB;

const KIB: u32 = 1024;

/// The number of this layout.
const LAYOUT: u8 = 1;

/// The bits of the second byte.
const REJECTS_DUPLICATES: u8 = 1 << 6;
const HAS_HEAP_TRACE: u8 = 1 << 7;

/// What a program needs of its loader and its callers.
///
/// ```
/// use abi::contract::{Contract, EntryKind, HeapKind, PanicKind};
///
/// let contract = Contract {
///     entry: EntryKind::NoAlloc,
///     heap: HeapKind::Bump,
///     heap_size: 64 * 1024,
///     panic: PanicKind::Message,
///     max_accounts: Some(16),
///     rejects_duplicates: true,
///     has_heap_trace: false,
///     version: [0, 1, 0],
/// };
/// assert_eq!(Contract::read(&contract.record()), Ok(Some(contract)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Contract {
    /// The macro that made the entry.
    pub entry: EntryKind,
    /// The program's heap.
    pub heap: HeapKind,
    /// The least heap in bytes that the program runs with: a multiple of 1,024.
    pub heap_size: u32,
    /// The program's panic handler.
    pub panic: PanicKind,
    /// The most accounts that the entry accepts, repeats included; `None` for any number.
    pub max_accounts: Option<u8>,
    /// Whether the entry rejects an account that occurs twice.
    pub rejects_duplicates: bool,
    /// Whether `entrypoint` was built with its feature `heap-trace`.
    pub has_heap_trace: bool,
    /// The version of `entrypoint`: major, minor, patch.
    pub version: [u8; 3],
}

/// The macro that made a program's entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum EntryKind {
    /// `entrypoint!`
    Entrypoint = 0,
    /// `entrypoint_no_alloc!`
    NoAlloc = 1,
    /// `entrypoint_lazy!`
    Lazy = 2,
}

/// A program's heap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum HeapKind {
    /// The bump heap. On WebAssembly it is the segregated heap.
    Bump = 0,
    /// The segregated heap.
    Segregated = 1,
    /// A heap that the program declares itself.
    Custom = 2,
}

/// A program's panic handler.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum PanicKind {
    /// It reports the message and the location.
    Message = 0,
    /// It reports the location.
    Location = 1,
    /// It reports nothing.
    Abort = 2,
    /// The program declares its own.
    Custom = 3,
}

/// A record is damaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum InvalidContract {
    /// The record has another length than that of its layout.
    Length {
        /// Its length in bytes.
        length: usize,
    },
    /// A field has a value that its layout does not have.
    Field {
        /// The field.
        name: &'static str,
        /// The value.
        value: u8,
    },
    /// The file has more than one record.
    Repeated,
}

impl fmt::Display for InvalidContract {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length { length } => {
                write!(formatter, "it has {length} bytes and not {LENGTH}")
            }
            Self::Field { name, value } => write!(formatter, "its field {name} is {value}"),
            Self::Repeated => formatter.write_str("the file has more than one"),
        }
    }
}

impl core::error::Error for InvalidContract {}

impl Contract {
    /// Returns the record of the contract. A heap is rounded up to KiB.
    ///
    /// # Panics
    ///
    /// If the heap is larger than [`MAX_HEAP`].
    #[must_use]
    pub const fn record(&self) -> [u8; LENGTH] {
        assert!(
            self.heap_size <= MAX_HEAP,
            "the heap is too large for a record"
        );
        let mut bits = self.entry as u8 | (self.heap as u8) << 2 | (self.panic as u8) << 4;
        if self.rejects_duplicates {
            bits |= REJECTS_DUPLICATES;
        }
        if self.has_heap_trace {
            bits |= HAS_HEAP_TRACE;
        }
        let max_accounts = match self.max_accounts {
            Some(max) => max,
            None => 0,
        };
        let [major, minor, patch] = self.version;
        let [low, high] = (self.heap_size.div_ceil(KIB) as u16).to_le_bytes();
        [LAYOUT, bits, max_accounts, major, minor, patch, low, high]
    }

    /// Reads a record. `None` if it has a layout that this version does not know.
    ///
    /// # Errors
    ///
    /// [`InvalidContract`] if the record has the layout of this version and is damaged.
    pub fn read(record: &[u8]) -> Result<Option<Self>, InvalidContract> {
        if record.first() != Some(&LAYOUT) {
            return Ok(None);
        }
        let length = record.len();
        let Ok([_, bits, max_accounts, major, minor, patch, low, high]) =
            <[u8; LENGTH]>::try_from(record)
        else {
            return Err(InvalidContract::Length { length });
        };
        let invalid = |name, value| InvalidContract::Field { name, value };
        Ok(Some(Self {
            entry: match bits & 3 {
                0 => EntryKind::Entrypoint,
                1 => EntryKind::NoAlloc,
                2 => EntryKind::Lazy,
                value => return Err(invalid("entry", value)),
            },
            heap: match bits >> 2 & 3 {
                0 => HeapKind::Bump,
                1 => HeapKind::Segregated,
                2 => HeapKind::Custom,
                value => return Err(invalid("heap", value)),
            },
            heap_size: (u32::from(u16::from_le_bytes([low, high])) * KIB).max(MIN_HEAP_LENGTH),
            panic: match bits >> 4 & 3 {
                0 => PanicKind::Message,
                1 => PanicKind::Location,
                2 => PanicKind::Abort,
                _ => PanicKind::Custom,
            },
            max_accounts: (max_accounts > 0).then_some(max_accounts),
            rejects_duplicates: bits & REJECTS_DUPLICATES != 0,
            has_heap_trace: bits & HAS_HEAP_TRACE != 0,
            version: [major, minor, patch],
        }))
    }
}

impl EntryKind {
    /// The name of the macro.
    #[must_use]
    pub const fn macro_name(self) -> &'static str {
        match self {
            Self::Entrypoint => "entrypoint!",
            Self::NoAlloc => "entrypoint_no_alloc!",
            Self::Lazy => "entrypoint_lazy!",
        }
    }
}

impl HeapKind {
    /// The word of the option `heap`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bump => "bump",
            Self::Segregated => "segregated",
            Self::Custom => "custom",
        }
    }
}

impl PanicKind {
    /// The word of the option `panic`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Message => "message",
            Self::Location => "location",
            Self::Abort => "abort",
            Self::Custom => "custom",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_record_is_read_or_named() {
        let mut record = [LAYOUT, 0, 0, 0, 1, 0, 32, 0];
        for bits in 0..=u8::MAX {
            for accounts in [0, 1, 255] {
                for kib in [0_u16, 31, 32, 33, 64, u16::MAX] {
                    (record[1], record[2]) = (bits, accounts);
                    record[6..].copy_from_slice(&kib.to_le_bytes());
                    let read = Contract::read(&record);
                    let is_invalid = bits & 3 == 3 || bits >> 2 & 3 == 3;
                    assert_eq!(read.is_err(), is_invalid, "{record:?}");
                    let Ok(Some(contract)) = read else { continue };
                    let least = u16::max(kib, 32);
                    assert_eq!(contract.heap_size, u32::from(least) * 1024);
                    let again = contract.record();
                    assert_eq!(again[..6], record[..6]);
                    assert_eq!(again[6..], least.to_le_bytes());
                }
            }
        }
        for length in (0..20).filter(|length| *length != LENGTH) {
            let long = [LAYOUT; 20];
            let expected = match length {
                0 => Ok(None),
                _ => Err(InvalidContract::Length { length }),
            };
            assert_eq!(Contract::read(&long[..length]), expected);
        }
        for layout in (0..=u8::MAX).filter(|layout| *layout != LAYOUT) {
            assert_eq!(Contract::read(&[layout; LENGTH]), Ok(None));
        }
    }

    #[test]
    fn heap_is_rounded_up() {
        let read = Contract::read(&[LAYOUT, 0, 0, 0, 1, 0, 32, 0]);
        let contract = read.expect("valid").expect("known");
        for (size, kib) in [
            (32_768, 32),
            (32_769, 33),
            (65_535, 64),
            (MAX_HEAP, u16::MAX),
        ] {
            let record = Contract {
                heap_size: size,
                ..contract
            };
            assert_eq!(record.record()[6..], u16::to_le_bytes(kib));
        }
    }
}
