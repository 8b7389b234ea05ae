//! How keys and bytes are written, and read.

#[cfg(feature = "fixture")]
pub use abi::host::text::parse_hex;
pub(crate) use abi::host::text::{as_hex, as_text, from_hex, from_text};
