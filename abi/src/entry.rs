//! How a program is entered.
//!
//! On the guest target (RV64 with sixteen registers, PolkaVM) the program exports
//!
//! ```text
//! entrypoint(a0 = input address, a1 = input length, a2 = heap base, a3 = heap size) -> u64 status
//! ```
//!
//! with all four arguments u32. On every other target the export is
//! `unsafe extern "C" fn entrypoint(input: *mut u8) -> u64` and the heap sits at
//! [`NATIVE_HEAP_BASE`]. The returned status is read as [`crate::status`] says.

/// Name of the exported function that the loader calls.
pub const ENTRYPOINT_EXPORT: &str = "entrypoint";

/// Address of the heap, in bytes, where the loader passes no registers (targets other than guest
/// RISC-V).
pub const NATIVE_HEAP_BASE: u64 = 0x3_0000_0000;

/// Alignment in bytes of the address at which the loader places the serialized input: one page of
/// the VM.
pub const INPUT_ALIGNMENT: u32 = 4096;
