//! The bench of calls inside the VM: the guest that `cargo xtask bench calls` measures.
//!
//! One build has one framework, chosen by a feature, and makes one call with 1, 4 or 16 accounts;
//! another build makes no call. The difference is the program's part of a call: the instruction,
//! the descriptions of the accounts, the check of their borrows. Every second account is writable.
//!
//! The host's part is left out. In place of the syscall there is [`core::hint::black_box`], which
//! is what the other framework calls on a target that is not its own.
//!
//! `docs/benchmarking.md` explains the differences between the two.
//!
//! As in `entry-bench`, an instruction costs one unit of gas, so every figure is exact.
#![no_std]

#[cfg(feature = "ours")]
mod ours;
#[cfg(feature = "pinocchio")]
mod pinocchio;

/// The accounts of the call.
pub const ACCOUNTS: usize = core::cfg_select! {
    feature = "accounts_1" => { 1 }
    feature = "accounts_4" => { 4 }
    feature = "accounts_16" => { 16 }
    _ => { 0 }
};

/// The instruction data of the call.
pub const DATA: [u8; 8] = [7; 8];

#[cfg(all(
    target_arch = "riscv64",
    target_os = "none",
    not(any(feature = "ours", feature = "pinocchio"))
))]
compile_error!("choose a framework by its feature; `cargo xtask bench calls` does so");
