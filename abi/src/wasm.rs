//! A program on WebAssembly.
//!
//! The module has a memory, exported as `memory`, and exports
//!
//! | export | | |
//! |---|---|---|
//! | [`entrypoint`](crate::entry::ENTRYPOINT_EXPORT) | `(input: i32, length: i32) -> i64` | the status; the input is aligned to 8 |
//! | [`ALLOC_EXPORT`] | `(size: i32) -> i32` | room for what the host hands in: a multiple of 8, or 0 if there is none |
//! | [`HEAP_EXPORT`] | `(base: i32, size: i32)` | only of a program whose heap is the loader's to place |
//!
//! Imports come from the module [`IMPORT_MODULE`], under the names of [`crate::imports`]. A pointer is an i32, every other
//! number of 64 bits an i64. `docs/abi.md` says when the host may call which.

/// Name of the exported function by which the host gets room inside the program.
pub const ALLOC_EXPORT: &str = "alloc";

/// Name of the exported function by which the host says where the heap is, once and before anything else is called: the address of
/// its first byte, and its length in bytes.
///
/// A program whose heap takes pages from the end of the memory itself, as the default one does, has no such export.
pub const HEAP_EXPORT: &str = "entrypoint_heap";

/// Name of the exported memory.
pub const MEMORY_EXPORT: &str = "memory";

/// The module of the imports: what `extern "C"` in Rust means.
pub const IMPORT_MODULE: &str = "env";

/// Length in bytes of a page of memory.
pub const PAGE_LENGTH: u32 = 64 * 1024;
