//! Other projects' entries, as published, to compare with ours: a guest that
//! `cargo xtask bench entry` measures.
//!
//! One build has one entry, chosen by a feature, over the function of `entry-bench`. Each file has
//! one peer, and describes how it gets its input.
#![no_std]

#[cfg(feature = "pinocchio")]
pub mod pinocchio;

#[cfg(all(
    target_arch = "riscv64",
    target_os = "none",
    not(feature = "pinocchio")
))]
compile_error!("choose a peer by its feature; `cargo xtask bench entry` does so");
