//! The serialized input: [`abi::input`] describes its layout.

pub(crate) mod read_back;
pub(crate) mod validate;
pub(crate) mod write;
