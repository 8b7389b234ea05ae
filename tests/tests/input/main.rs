//! The serialized input: how the loader writes it, and how each reader reads it. This is a binary
//! of its own, because it declares an entry.

mod invalid;
mod readers;
mod runtime;
mod serialized;
