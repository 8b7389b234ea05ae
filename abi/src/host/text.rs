//! How keys and bytes are written, and read. It needs the feature `serde`.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::Display;
use core::str::FromStr;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serializer};

/// Serializes a value as its text.
///
/// # Errors
///
/// Those of the serializer.
pub fn as_text<T: Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

/// Deserializes a value from its text.
///
/// # Errors
///
/// If the text is missing, or if it is not that of a value.
pub fn from_text<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: FromStr<Err: Display>,
    D: Deserializer<'de>,
{
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(D::Error::custom)
}

/// Serializes bytes in hexadecimal.
///
/// # Errors
///
/// Those of the serializer.
pub fn as_hex<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&hex::encode(bytes))
}

/// Deserializes bytes as [`parse_hex`] reads them.
///
/// # Errors
///
/// If the text is missing, or if it is not hexadecimal.
pub fn from_hex<'de, T: From<Vec<u8>>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse_hex(&text).map(T::from).map_err(D::Error::custom)
}

/// Reads bytes in hexadecimal: two digits for each, and `0x` before them if you like. Spaces and
/// line ends between bytes are ignored, so long data may have a line for each field. Fixtures, the
/// command line and serialized accounts have the same grammar.
///
/// ```
/// use abi::host::text::parse_hex;
///
/// assert_eq!(parse_hex("0x01fF"), Ok(vec![0x01, 0xff]));
/// assert_eq!(parse_hex(""), Ok(vec![]));
/// assert_eq!(parse_hex("01 02\n03"), Ok(vec![1, 2, 3]));
/// assert_eq!(
///     parse_hex("012").unwrap_err(),
///     "\"012\" is not hexadecimal: Odd number of digits; write two digits for each byte"
/// );
/// ```
///
/// # Errors
///
/// A message that names the text and shows how bytes are written.
pub fn parse_hex(text: &str) -> Result<Vec<u8>, String> {
    let digits = text.strip_prefix("0x").unwrap_or(text);
    let mut bytes = Vec::with_capacity(digits.len() / 2);
    let mut reason = None;
    for digits in digits.split_ascii_whitespace() {
        let other = digits.chars().find(|digit| !digit.is_ascii_hexdigit());
        match (other, hex::decode(digits)) {
            (Some(other), _) => reason = Some(format!("{other:?} is not a digit")),
            (None, Err(error)) => reason = Some(error.to_string()),
            (None, Ok(part)) => bytes.extend(part),
        }
    }
    let Some(reason) = reason else {
        return Ok(bytes);
    };
    Err(format!(
        "{text:?} is not hexadecimal: {reason}; write two digits for each byte"
    ))
}
