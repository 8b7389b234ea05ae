//! The serialized input: how the loader writes it, and how each reader reads it.
//! It declares an entry, which a binary can do once.

mod invalid;
mod readers;
mod runtime;
mod serialized;
