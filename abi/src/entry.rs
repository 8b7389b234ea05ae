//! How a program is entered.
//!
//! On the guest target (RV64 with sixteen registers, PolkaVM) the program exports
//!
//! ```text
//! entrypoint(a0 = input address, a1 = input length, a2 = heap base, a3 = heap size) -> u64 status
//! ```
//!
//! with all four arguments u32. What [`crate::wasm`] and [`crate::native`] have instead stands there. The returned status is
//! read as [`crate::status`] says on every machine.

/// Name of the exported function that the loader calls.
pub const ENTRYPOINT_EXPORT: &str = "entrypoint";

/// Address of the heap, in bytes, of a native library whose host has not said another.
pub const NATIVE_HEAP_BASE: u64 = 0x3_0000_0000;

/// Alignment in bytes of the address at which the loader places the serialized input: one page of
/// the VM.
pub const INPUT_ALIGNMENT: u32 = 4096;
