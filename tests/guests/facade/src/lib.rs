//! A framework on top of this one: it re-exports the macros, some under its own names.
#![no_std]

pub use entrypoint::*;
pub use entrypoint::{custom_heap_default as heap, entrypoint as program};
