//! The code for each target. Everything that differs between targets is in this folder.
//!
//! | name | target | |
//! |---|---|---|
//! | `riscv64` | that of PolkaVM | registers announce heap and input; PolkaVM links the syscalls |
//! | `wasm32` | `wasm32-unknown-unknown` | the heap takes pages of the memory; the host gets scratch memory from `alloc` |
//! | `native` | any other, with the feature `native` | a library for a process of its own; the host passes a table |
//! | `host` | any other | the author's unit tests: `std` with its allocator, and no host |
//!
//! The first three are guests: they have no `std`, and their panics go to the host. `guest` has
//! their common code. One of the four is compiled, and each defines the same names for the rest of
//! the crate:
//!
//! | | |
//! |---|---|
//! | `raw` | the syscalls of [`abi::imports`] that the crate calls |
//! | `halt` | ends the program, if an abort returns |
//! | `list_memory` | memory for a list of accounts without an account table |
//! | [`ArenaCell`] | the arena of [`host_return!`](crate::host_return!) |
//! | `heap_is_missing`, `note_high_half` | the parts of `guest` that depend on the target |
//! | [`HostReplies`] | the results of host functions, for a [handler](mod@crate::handler) |
//! | `for_tests` | the host for unit tests of handlers, if any |
//!
//! And for the expansions of macros:
//!
//! | | |
//! |---|---|
//! | `__on_guest!` | the items, on a guest |
//! | `__export!` | exports a function under its own name, on a guest |
//! | `__entry!` | exports the entry |
//! | `__announced_heap!` | exports the function that announces the heap, if the entry does not |
//! | `__export_alloc!` | exports the function that allocates scratch memory, if the program provides it |
//! | `__global_allocator!` | a static that is the global allocator, on a guest |
//! | `__unnamed_heap!` | a heap without a name, on a guest |
//! | `__export_handler!`, `__only_handlers!`, `__call_host!` | the parts of [`handler!`](crate::handler!) and [`host_functions!`](crate::host_functions!) |
//! | `__arena_cell!`, `__host_return_exports!` | the parts of [`host_return!`](crate::host_return!) |
//!
//! A failure or a report names the author's line, not a line of this folder. A macro that defines a
//! function therefore has `collapse_debuginfo`, and a macro that exports one takes the attribute
//! for riscv64 from the author's line first, in brackets.

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
