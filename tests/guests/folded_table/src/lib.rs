//! A jump through a table at a constant index, as LLVM writes it, in assembly: the build disables
//! such tables in compiled code. PolkaVM's linker miscompiles it (docs/decisions/0019).
#![no_std]

use entrypoint::{AccountInfo, ProgramError, ProgramResult, Pubkey};

entrypoint::entrypoint!(process_instruction);

#[cfg(target_arch = "riscv64")]
core::arch::global_asm!(
    ".section .rodata.table, \"a\", @progbits",
    ".balign 4",
    ".Ltable:",
    ".word .Lfirst - .Ltable",
    ".word .Lsecond - .Ltable",
    ".section .text.second_entry, \"ax\", @progbits",
    ".globl second_entry",
    ".type second_entry, @function",
    "second_entry:",
    ".Lhigh:",
    "auipc a1, %pcrel_hi(.Ltable)",
    "addi a1, a1, %pcrel_lo(.Lhigh)",
    "lw a0, 4(a1)",
    "add a1, a1, a0",
    "jr a1",
    ".Lfirst:",
    "li a0, 1",
    "ret",
    ".Lsecond:",
    "li a0, 2",
    "ret",
    ".size second_entry, . - second_entry",
);

/// Returns `Custom(2)`: the arm of the table's second entry.
///
/// # Errors
///
/// Always.
pub fn process_instruction(_: &Pubkey, _: &[AccountInfo], _: &[u8]) -> ProgramResult {
    Err(ProgramError::Custom(second_entry()))
}

#[cfg(target_arch = "riscv64")]
fn second_entry() -> u32 {
    unsafe extern "C" {
        fn second_entry() -> u32;
    }
    // SAFETY: the call requires the signature and the convention of the function above. It takes
    // nothing, touches no memory but its table, and keeps to the C calling convention: it changes
    // a0 and a1 alone, and returns to ra.
    unsafe { second_entry() }
}

#[cfg(not(target_arch = "riscv64"))]
fn second_entry() -> u32 {
    2
}
