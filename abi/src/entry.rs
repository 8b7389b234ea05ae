//! The entry of a program: its symbol, its registers, and the place of the heap.
//!
//! On riscv64 (RV64 with sixteen registers, PolkaVM) the program exports
//!
//! ```text
//! entrypoint(
//!     a0 = input address, a1 = input length, a2 = heap base, a3 = heap size,
//!     a4 = address of the account table, or 0 if there is none,
//! ) -> u64 status
//! ```
//!
//! with all five arguments u32. A host may pass the first four: PolkaVM clears the other registers.
//! [`crate::wasm`] and [`crate::native`] define the entry of the other targets. [`crate::status`]
//! defines the returned status on every target.

/// Name of the exported function that the loader calls.
pub const ENTRYPOINT_EXPORT: &str = "entrypoint";

/// Default address of the heap of a native library, if its host sets no other.
pub const NATIVE_HEAP_BASE: u64 = 0x3_0000_0000;

/// Alignment in bytes of the address at which the loader places the serialized input: one page of
/// the VM.
pub const INPUT_ALIGNMENT: u32 = 4096;
