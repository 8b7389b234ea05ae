//! The report of a program that gives up.
//!
//! The guest runtime writes an [`AbortReport`] on its stack. It calls `rlo_abort` with the report's
//! address in the first argument and [`ABORT_REPORT_MAGIC`] in the second. The `rlo_abort` of the
//! Rialo runtime takes no arguments and reads neither, so the same program runs there.
//!
//! A program that was built by other means calls `rlo_abort` with any registers. The loader
//! therefore accepts a report only if the second argument and the first word of the report are both
//! the magic. It reads texts only where guest memory can be read.

use bytemuck::{Pod, Zeroable};

/// First word of a report, and second argument of the call: `"ABORTREP"` in ASCII.
pub const ABORT_REPORT_MAGIC: u64 = u64::from_le_bytes(*b"ABORTREP");

/// The most bytes of a panic message that reach the host.
///
/// The guest cuts a longer message at a character, and ends it with [`CUT_MARK`], which comes on
/// top of these bytes.
pub const MAX_MESSAGE_LENGTH: usize = 512;

/// The end of a text that was cut: an ellipsis.
pub const CUT_MARK: &str = "…";

/// The report: why the program gave up. 64 bytes, aligned to 8.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct AbortReport {
    /// [`ABORT_REPORT_MAGIC`].
    pub magic: u64,
    /// One of the values of [`AbortKind`].
    pub kind: u32,
    /// Zero.
    pub reserved: u32,
    /// Values, by [`AbortKind`].
    pub values: [u64; 4],
    /// The source file of a panic.
    pub file: GuestText,
    /// The message of a panic.
    pub message: GuestText,
}

/// A piece of UTF-8 text in guest memory. 8 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct GuestText {
    /// Guest address of the first byte, or 0 if there is no text.
    pub address: u32,
    /// Length in bytes.
    pub length: u32,
}

const _: () = assert!(size_of::<AbortReport>() == 64);
const _: () = assert!(core::mem::offset_of!(AbortReport, kind) == 8);
const _: () = assert!(core::mem::offset_of!(AbortReport, values) == 16);
const _: () = assert!(core::mem::offset_of!(AbortReport, file) == 48);
const _: () = assert!(core::mem::offset_of!(AbortReport, message) == 56);

/// The kinds of [`AbortReport`], and their values.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AbortKind {
    /// A panic: `[line, column, 0, 0]`, the file, and the message if the panic level includes it.
    ///
    /// In a native library, whose addresses do not fit in a [`GuestText`], the third value is the
    /// high half of the file's address, and the fourth that of the message's address.
    Panic = 1,
    /// The heap refused an allocation: `[size, align, 0, 0]` in bytes. The loader knows use and
    /// limit.
    OutOfMemory = 2,
    /// The invocation has more accounts than the program accepts: `[given, max, 0, 0]`.
    TooManyAccounts = 3,
    /// The invocation repeats an account, and the program rejects repeats: `[index, first, 0, 0]`.
    DuplicateAccount = 4,
    /// The program allocated before the heap was announced: `[size, align, 0, 0]`.
    HeapNotAnnounced = 5,
}

impl AbortKind {
    /// The kind with this number, if there is one.
    #[must_use]
    pub const fn from_u32(kind: u32) -> Option<Self> {
        match kind {
            1 => Some(Self::Panic),
            2 => Some(Self::OutOfMemory),
            3 => Some(Self::TooManyAccounts),
            4 => Some(Self::DuplicateAccount),
            5 => Some(Self::HeapNotAnnounced),
            _ => None,
        }
    }
}

impl AbortReport {
    /// A report without texts.
    #[must_use]
    pub const fn new(kind: AbortKind, values: [u64; 4]) -> Self {
        Self {
            magic: ABORT_REPORT_MAGIC,
            kind: kind as u32,
            reserved: 0,
            values,
            file: GuestText {
                address: 0,
                length: 0,
            },
            message: GuestText {
                address: 0,
                length: 0,
            },
        }
    }
}
