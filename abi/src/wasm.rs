//! Exports and imports of a program on WebAssembly.
//!
//! The module exports its memory as `memory`, and these functions:
//!
//! | export | | |
//! |---|---|---|
//! | [`entrypoint`](crate::entry::ENTRYPOINT_EXPORT) | `(input: i32, length: i32) -> i64` | returns the status; the input is aligned to 8 |
//! | [`ALLOC_EXPORT`] | `(size: i32) -> i32` | returns the address of scratch memory, a multiple of 8, or 0 if it does not fit |
//! | [`HEAP_EXPORT`] | `(base: i32, size: i32)` | announces the heap; only of a program whose heap the loader places |
//!
//! The module imports syscalls from the module [`IMPORT_MODULE`], by the names of
//! [`crate::imports`]. A pointer is an i32, and every other number of 64 bits is an i64.
//! `docs/abi.md` defines when the host may call each export.

/// Name of the export that allocates scratch memory for the host.
pub const ALLOC_EXPORT: &str = "alloc";

/// Name of the export that takes the address and the length of the heap, in bytes.
///
/// The host calls it once, before any other export. A program whose heap takes pages from the end
/// of the memory itself, as the default heap does, does not have it.
pub const HEAP_EXPORT: &str = "entrypoint_heap";

/// Name of the exported memory.
pub const MEMORY_EXPORT: &str = "memory";

/// Name of the module that a program imports syscalls from: the one that `extern "C"` uses in Rust.
pub const IMPORT_MODULE: &str = "env";

/// Length in bytes of a page of memory.
pub const PAGE_LENGTH: u32 = 64 * 1024;
