//! Hexadecimal text to bytes.

use core::fmt;

use abi::ProgramError;

/// Decodes hexadecimal digits, two for each byte, into the front of `out`, and returns that part.
///
/// Digits may be upper case or lower case. The text may contain nothing else: no `0x` and no
/// spaces.
///
/// After an error, `out` contains no decoded byte: each byte is zero or unchanged.
///
/// # Errors
///
/// If the text has several faults, the function reports the first of this list:
///
/// - [`HexError::BadDigit`], the first one, even if the length is wrong as well;
/// - [`HexError::OddLength`];
/// - [`HexError::TooLong`], if the bytes do not fit into `out`.
///
/// ```
/// use entrypoint::host_return::{HexError, decode_hex};
///
/// let mut out = [0; 4];
/// assert_eq!(decode_hex("01fF", &mut out), Ok([0x01, 0xFF].as_slice()));
/// assert_eq!(decode_hex("", &mut out), Ok([].as_slice()));
/// assert_eq!(decode_hex("01gg", &mut out), Err(HexError::BadDigit { position: 2, byte: b'g' }));
/// assert_eq!(decode_hex("01f", &mut out), Err(HexError::OddLength { length: 3 }));
/// ```
pub fn decode_hex(text: impl AsRef<[u8]>, out: &mut [u8]) -> Result<&[u8], HexError> {
    decode(text.as_ref(), out)
}

fn decode<'out>(text: &[u8], out: &'out mut [u8]) -> Result<&'out [u8], HexError> {
    let room = out.len();
    if text.len().is_multiple_of(2)
        && let Some(decoded) = out.get_mut(..text.len() / 2)
    {
        match hex::decode_to_slice(text, decoded) {
            Ok(()) => return Ok(decoded),
            Err(_) => decoded.fill(0),
        }
    }
    Err(first_fault(text, room))
}

/// Returns the fault of a text that cannot be decoded into `room` bytes.
///
/// The crate `hex` would check the length first.
#[cold]
fn first_fault(text: &[u8], room: usize) -> HexError {
    let bad_digit = text.iter().position(|byte| !byte.is_ascii_hexdigit());
    let length = text.len();
    match bad_digit {
        Some(position) => HexError::BadDigit {
            position,
            byte: text[position],
        },
        None if !length.is_multiple_of(2) => HexError::OddLength { length },
        None => HexError::TooLong {
            needed: length / 2,
            room,
        },
    }
}

/// Why a text cannot be decoded.
///
/// Converts into [`ProgramError::InvalidInstructionData`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HexError {
    /// A byte that is not a hexadecimal digit.
    BadDigit {
        /// Its position in bytes from the start of the text.
        position: usize,
        /// The byte, which may be a part of a character.
        byte: u8,
    },
    /// An odd number of digits.
    OddLength {
        /// The number of digits.
        length: usize,
    },
    /// More bytes than fit.
    TooLong {
        /// The number of decoded bytes.
        needed: usize,
        /// The number of bytes that fit.
        room: usize,
    },
}

impl fmt::Display for HexError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadDigit { position, byte } => write!(
                formatter,
                "'{}' at position {position} is no hexadecimal digit",
                byte.escape_ascii()
            ),
            Self::OddLength { length } => {
                write!(formatter, "{length} hexadecimal digits make no whole bytes")
            }
            Self::TooLong { needed, room } => write!(
                formatter,
                "the text stands for {needed} bytes, and there is room for {room}"
            ),
        }
    }
}

impl core::error::Error for HexError {}

impl From<HexError> for ProgramError {
    fn from(_: HexError) -> Self {
        Self::InvalidInstructionData
    }
}

#[cfg(test)]
mod tests {
    use std::string::{String, ToString};
    use std::vec;
    use std::vec::Vec;

    use proptest::prelude::*;

    use super::{HexError, decode_hex};

    /// What `decode_hex` says, and what is in eight bytes of 0xAA afterwards.
    fn decoded(text: impl AsRef<[u8]>) -> (Result<Vec<u8>, HexError>, [u8; 8]) {
        let mut out = [0xAA; 8];
        let result = decode_hex(text, &mut out).map(<[u8]>::to_vec);
        (result, out)
    }

    #[test]
    fn every_byte_is_a_digit_or_is_not() {
        for byte in 0..=u8::MAX {
            let expected = char::from(byte).to_digit(16);
            let (high, _) = decoded([byte, b'0']);
            let (low, _) = decoded([b'0', byte]);
            match expected {
                Some(digit) => {
                    assert_eq!(high, Ok(vec![digit as u8 * 16]));
                    assert_eq!(low, Ok(vec![digit as u8]));
                }
                None => {
                    assert_eq!(high, Err(HexError::BadDigit { position: 0, byte }));
                    assert_eq!(low, Err(HexError::BadDigit { position: 1, byte }));
                }
            }
        }
    }

    #[test]
    fn the_first_bad_digit_is_reported_before_everything_else() {
        for (text, position, byte) in [
            ("g", 0, b'g'),
            ("0g", 1, b'g'),
            ("0gh", 1, b'g'),
            ("00hg0", 2, b'h'),
            ("0000g", 4, b'g'),
            ("0x01", 1, b'x'),
            (" 01", 0, b' '),
            ("01\n", 2, b'\n'),
            ("0é", 1, 0xC3),
            ("00112233445566778899 ", 20, b' '),
            ("0011223344556677889z", 19, b'z'),
        ] {
            let (result, out) = decoded(text);
            assert_eq!(result, Err(HexError::BadDigit { position, byte }), "{text}");
            assert!(
                out.iter().all(|byte| matches!(byte, 0 | 0xAA)),
                "{text} left {out:x?}"
            );
        }
    }

    #[test]
    fn decoded_bytes_before_a_bad_digit_are_gone() {
        let (_, out) = decoded("11223344z5");
        assert_eq!(out, [0, 0, 0, 0, 0, 0xAA, 0xAA, 0xAA]);
    }

    #[test]
    fn an_odd_length_is_an_error_of_its_own() {
        for text in ["1", "123", "0011223", "00112233445566778"] {
            let (result, out) = decoded(text);
            let length = text.len();
            assert_eq!(result, Err(HexError::OddLength { length }));
            assert_eq!(out, [0xAA; 8]);
        }
    }

    #[test]
    fn more_than_there_is_room_for_is_an_error_of_its_own() {
        let (result, out) = decoded("001122334455667788");
        assert_eq!(result, Err(HexError::TooLong { needed: 9, room: 8 }));
        assert_eq!(out, [0xAA; 8]);
        assert_eq!(
            decode_hex("00", &mut []),
            Err(HexError::TooLong { needed: 1, room: 0 })
        );
        assert_eq!(decode_hex("", &mut []), Ok([].as_slice()));
    }

    #[test]
    fn errors_say_what_was_found() {
        for (text, message) in [
            ("0g", "'g' at position 1 is no hexadecimal digit"),
            ("0\n", r"'\n' at position 1 is no hexadecimal digit"),
            ("é0", r"'\xc3' at position 0 is no hexadecimal digit"),
            ("012", "3 hexadecimal digits make no whole bytes"),
            (
                "001122334455667788",
                "the text stands for 9 bytes, and there is room for 8",
            ),
        ] {
            let (result, _) = decoded(text);
            assert_eq!(result.unwrap_err().to_string(), message);
        }
    }

    proptest! {
        #[test]
        fn what_was_encoded_comes_back(
            bytes in prop::collection::vec(any::<u8>(), 0..64),
            spare in 0_usize..4,
            upper: bool,
        ) {
            let text = if upper { hex::encode_upper(&bytes) } else { hex::encode(&bytes) };
            let mut out = vec![0xAA; bytes.len() + spare];
            prop_assert_eq!(decode_hex(&text, &mut out), Ok(bytes.as_slice()));
            prop_assert_eq!(&out[bytes.len()..], &vec![0xAA; spare]);
        }

        /// Texts of digits, with anything in a few places, against a reading of the contract.
        #[test]
        fn any_text_gives_its_first_fault(
            mut text in prop::collection::vec(
                prop::sample::select(b"0123456789abcdefABCDEF"),
                0..40,
            ),
            spoiled in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3),
            room in 0_usize..24,
        ) {
            for (index, byte) in spoiled {
                if !text.is_empty() {
                    let index = index.index(text.len());
                    text[index] = byte;
                }
            }
            let mut out = vec![0xAA; room];
            let result = decode_hex(&text, &mut out).map(<[u8]>::to_vec);
            let bad = text.iter().position(|byte| char::from(*byte).to_digit(16).is_none());
            let expected = match bad {
                Some(position) => Err(HexError::BadDigit { position, byte: text[position] }),
                None if text.len() % 2 == 1 => Err(HexError::OddLength { length: text.len() }),
                None if text.len() / 2 > room => {
                    Err(HexError::TooLong { needed: text.len() / 2, room })
                }
                None => Ok(text.chunks(2).map(byte_of).collect()),
            };
            prop_assert_eq!(&result, &expected);
            if result.is_err() {
                prop_assert!(out.iter().all(|byte| matches!(byte, 0 | 0xAA)));
            }
        }
    }

    fn byte_of(pair: &[u8]) -> u8 {
        let text = String::from_utf8(pair.to_vec()).unwrap();
        u8::from_str_radix(&text, 16).unwrap()
    }
}
