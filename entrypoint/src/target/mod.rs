//! The code for each target. Everything that differs between targets is in this folder, and in
//! `expand` of the crate `entrypoint-macros`, which has the exports.
//!
//! | folder | target | |
//! |---|---|---|
//! | `riscv64` | that of PolkaVM | registers announce heap and input; PolkaVM links the syscalls |
//! | `wasm32` | `wasm32-unknown-unknown` | the heap takes pages of the memory; the host gets scratch memory from `alloc` |
//! | `native` | any other, with the feature `native` | a library for a process of its own; the host passes a table |
//! | `host` | any other | the author's unit tests: `std` with its allocator, and no host |
//!
//! The first three are guests: they have no `std`, and their panics go to the host. `shared` has
//! the parts of more than one target; the `mod.rs` of a target includes those that it needs by
//! their path. One of the four targets is compiled, and each defines the same names for the rest of
//! the crate:
//!
//! | | |
//! |---|---|
//! | `syscalls` | the syscalls of [`abi::imports`] that the crate calls |
//! | `halt` | ends the program, if an abort returns |
//! | `alloc_account_list` | memory for a list of accounts without an account table |
//! | `note_program_id` | records which program a unit test is about |
//! | [`ArenaCell`] | the arena of [`host_return!`](crate::host_return!) |
//! | `heap_is_missing`, `note_high_half` | the parts of a guest's `panic` that depend on the target |
//! | [`HostReplies`] | the results of host functions, for a [handler](mod@crate::handler) |
//! | `for_tests` | the host for unit tests of handlers, if any |
//! | `__select_target!` | expands to the group for this target: the expansions of macros contain one for each |
//!
//! To add a target: write its folder, add a row below, and list a guest's condition in `lib.rs`
//! too.

#[cfg_attr(
    all(target_arch = "riscv64", target_os = "none"),
    path = "riscv64/mod.rs"
)]
#[cfg_attr(
    all(target_arch = "wasm32", target_os = "unknown"),
    path = "wasm32/mod.rs"
)]
#[cfg_attr(
    all(
        feature = "native",
        not(all(target_arch = "riscv64", target_os = "none")),
        not(all(target_arch = "wasm32", target_os = "unknown"))
    ),
    path = "native/mod.rs"
)]
#[cfg_attr(
    not(any(
        feature = "native",
        all(target_arch = "riscv64", target_os = "none"),
        all(target_arch = "wasm32", target_os = "unknown")
    )),
    path = "host/mod.rs"
)]
mod this;

pub use this::*;
