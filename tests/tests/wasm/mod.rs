//! Programs on WebAssembly.

mod engine;
mod entry;
mod instances;
mod memory;
mod modules;
mod reuse;
