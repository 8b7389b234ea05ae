//! The serialized input: how the loader writes it, and how each reader reads it.

mod invalid;
mod readers;
mod runtime;
mod serialized;
mod views;
