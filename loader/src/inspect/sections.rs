//! The parts of the file.
//!
//! ```text
//! │ magic, version, u64 length │ section … section │ 0 │ bytes that no one reads
//! section: u8 number │ varint length │ that many bytes
//! ```

use abi::{contract, error_names};

/// Length of magic, version and length.
const HEADER_LENGTH: usize = 4 + 1 + 8;

/// A part of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Section {
    /// Its content.
    pub kind: SectionKind,
    /// The section's number in the file; `None` for what has none: the header, the end, what
    /// follows the end.
    pub number: Option<u8>,
    /// Its start in the file, in bytes.
    pub offset: u64,
    /// Its length in bytes, with its own number and length.
    pub length: u64,
    /// Length of its content in bytes.
    pub content: u64,
}

/// The content of a part of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum SectionKind {
    /// Magic, version and length of the file.
    Header,
    /// Sizes of data and stack.
    MemoryConfig,
    /// Read-only data, up to its last byte that is not zero.
    ReadOnlyData,
    /// Read-write data, up to its last byte that is not zero.
    ReadWriteData,
    /// Names of imports.
    Imports,
    /// Names and places of exports.
    Exports,
    /// Jump table and code, and for the older instruction sets a bitmask of instruction starts.
    Code,
    /// Debug information: names of functions and files.
    DebugStrings,
    /// Debug information: the source line of each instruction.
    DebugLinePrograms,
    /// Debug information: what code each line program is about.
    DebugLineProgramRanges,
    /// A hash that the VM does not read.
    MetadataHash,
    /// What the program needs: see [`abi::contract`].
    Contract,
    /// Names and texts of custom errors: see [`abi::error_names`].
    ErrorNames,
    /// A section that the VM skips, because it does not know it.
    Unknown,
    /// The byte that ends the file.
    End,
    /// Bytes behind the end, which the VM does not read.
    Trailing,
}

impl SectionKind {
    /// Its name for people.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Header => "header",
            Self::MemoryConfig => "memory configuration",
            Self::ReadOnlyData => "read-only data",
            Self::ReadWriteData => "read-write data",
            Self::Imports => "imports",
            Self::Exports => "exports",
            Self::Code => "code and jump table",
            Self::DebugStrings => "debug strings",
            Self::DebugLinePrograms => "debug line programs",
            Self::DebugLineProgramRanges => "debug line program ranges",
            Self::MetadataHash => "metadata hash",
            Self::Contract => "contract",
            Self::ErrorNames => "names of errors",
            Self::Unknown => "unknown section",
            Self::End => "end",
            Self::Trailing => "behind the end",
        }
    }

    /// Whether it is debug information or the names of errors, which
    /// `cargo entrypoint build --release` leaves out.
    #[must_use]
    pub fn is_debug(self) -> bool {
        matches!(
            self,
            Self::DebugStrings
                | Self::DebugLinePrograms
                | Self::DebugLineProgramRanges
                | Self::ErrorNames
        )
    }

    fn from_number(number: u8) -> Self {
        match number {
            1 => Self::MemoryConfig,
            2 => Self::ReadOnlyData,
            3 => Self::ReadWriteData,
            4 => Self::Imports,
            5 => Self::Exports,
            6 => Self::Code,
            128 => Self::DebugStrings,
            129 => Self::DebugLinePrograms,
            130 => Self::DebugLineProgramRanges,
            131 => Self::MetadataHash,
            contract::BLOB_SECTION => Self::Contract,
            error_names::BLOB_SECTION => Self::ErrorNames,
            _ => Self::Unknown,
        }
    }
}

/// The parts of a file that the VM has parsed.
pub(super) fn read(bytes: &[u8]) -> Vec<Section> {
    let mut sections = Vec::new();
    let mut offset = 0;
    let mut push = |kind, number, length: usize, content: usize| {
        sections.push(Section {
            kind,
            number,
            offset: offset as u64,
            length: length as u64,
            content: content as u64,
        });
        offset += length;
    };
    let mut rest = bytes;
    let header = HEADER_LENGTH.min(rest.len());
    push(SectionKind::Header, None, header, header);
    rest = &rest[header..];
    while let Some((number, content, length)) = section(rest) {
        push(
            SectionKind::from_number(number),
            Some(number),
            length,
            content,
        );
        rest = &rest[length..];
    }
    if !rest.is_empty() {
        push(SectionKind::End, None, 1, 0);
    }
    if rest.len() > 1 {
        push(SectionKind::Trailing, None, rest.len() - 1, rest.len() - 1);
    }
    sections
}

/// The contents of the sections with a number.
pub(crate) fn contents(bytes: &[u8], number: u8) -> impl Iterator<Item = &[u8]> {
    let mut rest = bytes.get(HEADER_LENGTH..).unwrap_or_default();
    let sections = std::iter::from_fn(move || {
        let (number, content, length) = section(rest)?;
        let (section, after) = rest.split_at(length);
        rest = after;
        Some((number, &section[length - content..]))
    });
    sections.filter_map(move |(found, content)| (found == number).then_some(content))
}

/// Number of the section at the start of the bytes, length of its content, and whole length; `None`
/// at the end.
fn section(bytes: &[u8]) -> Option<(u8, usize, usize)> {
    let number = *bytes.first().filter(|number| **number != 0)?;
    let (content, width) = varint(&bytes[1..])?;
    let length = (1 + width).checked_add(content)?;
    (length <= bytes.len()).then_some((number, content, length))
}

/// The VM's way to write a u32, and the number of bytes it takes. As many bytes follow the first as
/// that has ones at its top; its other bits are the highest of the number, the bytes that follow
/// are the others, lowest first.
fn varint(bytes: &[u8]) -> Option<(usize, usize)> {
    let (first, rest) = bytes.split_first()?;
    let count = first.leading_ones();
    if count > 4 {
        return None;
    }
    let following = rest.get(..count as usize)?;
    let highest = u64::from(*first) & (0xff >> count);
    let number = following
        .iter()
        .rev()
        .fold(highest, |number, byte| number << 8 | u64::from(*byte));
    let number = usize::try_from(number).ok()?;
    Some((number, 1 + count as usize))
}
