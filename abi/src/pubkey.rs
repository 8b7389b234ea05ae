use core::fmt;
use core::str::FromStr;

use bytemuck::{Pod, Zeroable, must_cast, must_cast_ref};

use crate::base58;

/// The address of an account or a program: 32 bytes, written in base58.
///
/// ```
/// use abi::Pubkey;
///
/// let key: Pubkey = "Counter111111111111111111111111111111111111".parse()?;
/// assert_eq!(key.as_bytes().len(), 32);
/// assert_eq!(format!("{key}"), "Counter111111111111111111111111111111111111");
/// # Ok::<(), abi::ParsePubkeyError>(())
/// ```
// Four fields, so that the derived comparison is one of words, one after the other, which stops at
// the first difference: two loads and a branch for each. For 32 bytes in one field, the compiler
// loads all words of both keys first, and a guest has not enough registers for them.
#[repr(C)]
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Pod, Zeroable)]
pub struct Pubkey {
    first: [u8; 8],
    second: [u8; 8],
    third: [u8; 8],
    last: [u8; 8],
}

impl Pubkey {
    /// The most characters in the text of a key.
    pub const MAX_TEXT_LENGTH: usize = base58::MAX_LENGTH;

    /// The key with these bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        must_cast(bytes)
    }

    /// The key with this text, which the compiler decodes: for the ids that a program knows.
    ///
    /// ```
    /// use abi::Pubkey;
    ///
    /// const COUNTER: Pubkey =
    ///     Pubkey::const_from_text("Counter111111111111111111111111111111111111");
    /// assert_eq!(COUNTER.to_string().parse(), Ok(COUNTER));
    /// ```
    ///
    /// # Panics
    ///
    /// If the text is not a key in base58. In a constant, the crate then does not compile.
    #[must_use]
    pub const fn const_from_text(text: &str) -> Self {
        Self::new(bs58::decode(text.as_bytes()).into_array_const_unwrap::<32>())
    }

    /// The key's bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        must_cast_ref(self)
    }

    /// The key's bytes, by value.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 32] {
        must_cast(self)
    }
}

impl From<[u8; 32]> for Pubkey {
    fn from(bytes: [u8; 32]) -> Self {
        Self::new(bytes)
    }
}

impl AsRef<[u8]> for Pubkey {
    fn as_ref(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl fmt::Display for Pubkey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0; base58::CHARACTERS];
        let start = base58::encode(self.as_bytes(), &mut text);
        let text = text.get(start..).unwrap_or_default();
        formatter.pad(core::str::from_utf8(text).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for Pubkey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Pubkey({self})")
    }
}

impl FromStr for Pubkey {
    type Err = ParsePubkeyError;

    fn from_str(text: &str) -> Result<Self, ParsePubkeyError> {
        // 33 bytes distinguish a key that is too long from a text that is not base58.
        let mut bytes = [0; 33];
        match bs58::decode(text).onto(&mut bytes[..]) {
            Ok(32) => {
                let mut key = [0; 32];
                key.copy_from_slice(&bytes[..32]);
                Ok(Self::new(key))
            }
            Ok(33) | Err(bs58::decode::Error::BufferTooSmall) => Err(ParsePubkeyError::TooLong),
            Ok(length) => Err(ParsePubkeyError::TooShort { length }),
            Err(bs58::decode::Error::InvalidCharacter { character, index }) => {
                Err(ParsePubkeyError::InvalidCharacter { character, index })
            }
            Err(bs58::decode::Error::NonAsciiCharacter { index }) => {
                Err(ParsePubkeyError::NotAscii { index })
            }
            Err(_) => Err(ParsePubkeyError::TooLong),
        }
    }
}

/// Why a text is not a [`Pubkey`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParsePubkeyError {
    /// A character that base58 does not have, such as `0`, `O`, `I` or `l`.
    InvalidCharacter {
        /// The character found.
        character: char,
        /// Its position in bytes from the start of the text.
        index: usize,
    },
    /// A character outside ASCII.
    NotAscii {
        /// Its position in bytes from the start of the text.
        index: usize,
    },
    /// The text decodes to fewer than 32 bytes.
    TooShort {
        /// The number of decoded bytes.
        length: usize,
    },
    /// The text decodes to more than 32 bytes.
    TooLong,
}

impl fmt::Display for ParsePubkeyError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidCharacter { character, index } => {
                write!(
                    formatter,
                    "{character:?} at position {index} is not a base58 character"
                )
            }
            Self::NotAscii { index } => {
                write!(formatter, "the character at position {index} is not ASCII")
            }
            Self::TooShort { length } => {
                write!(
                    formatter,
                    "the text stands for {length} bytes, a key has 32"
                )
            }
            Self::TooLong => formatter.write_str("the text stands for more than 32 bytes"),
        }
    }
}

impl core::error::Error for ParsePubkeyError {}

#[cfg(test)]
mod tests {
    use super::Pubkey;

    #[test]
    fn keys_differ_in_any_byte() {
        let key = Pubkey::new(core::array::from_fn(|place| place as u8));
        assert_eq!(key, key);
        for place in 0..32 {
            let mut other = key.to_bytes();
            other[place] ^= 0x80;
            assert_ne!(key, Pubkey::new(other), "{place}");
            assert_ne!(Pubkey::new(other), key, "{place}");
        }
    }
}
