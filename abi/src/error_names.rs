//! Names and texts of a program's custom errors, in the program's file.
//!
//! The program does not read them, and the loader does not map them. They are for tools that print
//! a status.
//!
//! | file | place |
//! |---|---|
//! | blob | the optional section [`BLOB_SECTION`], which starts with [`SECTION`] |
//! | WebAssembly module | the custom sections [`SECTION`] |
//! | native library | the ELF notes of the owner [`NOTE_OWNER`] with the type [`NOTE_TYPE`], in the section [`NOTE_SECTION`] |
//!
//! Each place has records, one after the other:
//!
//! ```text
//! offset  bytes  field
//! 0       4      code of the error
//! 4       4      length L
//! 8       L      the error's name, a zero byte, its text: UTF-8
//! 8 + L   0..3   zeroes, to a multiple of 4
//! ```

/// The name of the custom section in a WebAssembly module, of the section in an object file for a
/// blob, and the first bytes of the section in a blob.
pub const SECTION: &str = "entrypoint_errors";

/// The number of the section in a blob. Readers that do not know it skip it, because its highest
/// bit is set.
pub const BLOB_SECTION: u8 = 0xEE;

/// The section of a native library.
pub const NOTE_SECTION: &str = ".note.entrypoint_errors";

/// The owner of the notes in a native library.
pub const NOTE_OWNER: &[u8; 11] = b"entrypoint\0";

/// The type of the notes in a native library.
pub const NOTE_TYPE: u32 = u32::from_le_bytes(*b"ERRS");

/// Length in bytes of a record's code and length.
const FIXED: usize = 8;

/// A custom error of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CustomError<'a> {
    /// The number in [`ProgramError::Custom`](crate::ProgramError::Custom).
    pub code: u32,
    /// Its name: that of the enum and that of the variant, as in `VaultError::NotOpen`.
    pub name: &'a str,
    /// What happened, for people; empty if the author wrote nothing.
    pub text: &'a str,
}

/// Returns the length in bytes of a record, if name, zero byte and text have this length.
#[must_use]
pub const fn record_length(length: usize) -> usize {
    (FIXED + length).next_multiple_of(4)
}

/// Returns a record. `N` is its [`record_length`].
///
/// ```
/// use abi::error_names::{CustomError, record, record_length, records};
///
/// const BYTES: [u8; record_length(13)] = record(7, b"Sale::Ended\0!");
/// let error = CustomError { code: 7, name: "Sale::Ended", text: "!" };
/// assert!(records(&BYTES).eq([error]));
/// ```
///
/// # Panics
///
/// If `N` is less than the length of the record.
#[must_use]
pub const fn record<const N: usize>(code: u32, name_and_text: &[u8]) -> [u8; N] {
    let mut bytes = [0; N];
    let (fixed, rest) = bytes.split_at_mut(FIXED);
    let (code_place, length_place) = fixed.split_at_mut(4);
    code_place.copy_from_slice(&code.to_le_bytes());
    length_place.copy_from_slice(&(name_and_text.len() as u32).to_le_bytes());
    rest.split_at_mut(name_and_text.len())
        .0
        .copy_from_slice(name_and_text);
    bytes
}

/// Returns the errors of records, up to the first that is not a valid record.
pub fn records(mut bytes: &[u8]) -> impl Iterator<Item = CustomError<'_>> {
    core::iter::from_fn(move || {
        let (code, rest) = bytes.split_first_chunk()?;
        let (length, rest) = rest.split_first_chunk()?;
        let length = u32::from_le_bytes(*length) as usize;
        let name_and_text = core::str::from_utf8(rest.get(..length)?).ok()?;
        let (name, text) = name_and_text.split_once('\0')?;
        bytes = bytes.get(record_length(length)..).unwrap_or_default();
        Some(CustomError {
            code: u32::from_le_bytes(*code),
            name,
            text,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::{CustomError, record, record_length, records};

    #[test]
    fn records_end_at_the_first_that_is_invalid() {
        let [first, second] = [(1, "A::B", "é"), (u32::MAX, "A::C", "")];
        let bytes = [
            &record::<{ record_length(7) }>(first.0, "A::B\0é".as_bytes())[..],
            &record::<{ record_length(5) }>(second.0, b"A::C\0"),
        ]
        .concat();
        let expected = [first, second].map(|(code, name, text)| CustomError { code, name, text });
        assert!(records(&bytes).eq(expected));
        for end in 0..bytes.len() {
            // The last record has padding, which may be missing.
            let count = (end >= 15) as usize + (end >= 29) as usize;
            assert!(
                records(&bytes[..end]).eq(expected.into_iter().take(count)),
                "{end}"
            );
        }
        for byte in [8, 12] {
            let mut damaged = bytes.clone();
            damaged[byte] = 0xff;
            assert_eq!(records(&damaged).count(), 0, "{byte}");
        }
        let mut long = bytes.clone();
        long[4..8].fill(0xff);
        assert_eq!(records(&long).count(), 0);
    }
}
