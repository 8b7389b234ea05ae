//! The machine that a program is compiled for. All that differs between machines stands in this folder.
//!
//! | machine | where | |
//! |---|---|---|
//! | `riscv64` | the target of PolkaVM | registers announce heap and input, imports are PolkaVM's |
//! | `wasm32` | `wasm32-unknown-unknown` | the heap takes pages of the memory, the host asks for room by `alloc` |
//! | `native` | any other target, with the feature `native` | a library for a process of its own, which is told of a table of the host's |
//! | `host` | any other target | the author's unit tests: with `std`, its allocator, and nobody to call |
//!
//! The first three are guests: they have no `std`, their panics go to the host, and what they share stands in `guest`. One of
//! the four is compiled in, and each has the same names for the rest of the crate:
//!
//! | | |
//! |---|---|
//! | `raw` | the imports of [`abi::imports`] that the crate calls |
//! | `halt` | ends the program, should an abort come back |
//! | `list_memory` | where the accounts are listed that come without a table |
//! | [`ArenaCell`] | the arena of [`host_return!`](crate::host_return!) |
//! | `heap_is_missing`, `note_high_half` | what `guest` cannot know of a machine |
//! | [`Asked`] | where a [handler](mod@crate::handler) reads what its host has answered |
//! | `for_tests` | the host of a handler's unit tests, where those are |
//!
//! And for the expansions of macros:
//!
//! | | |
//! |---|---|
//! | `__on_guest!` | the items, on a guest |
//! | `__export!` | a function under its own name, on a guest |
//! | `__entry!` | the export of the entry |
//! | `__announced_heap!` | how the host announces a heap that is its to place, if not by the entry |
//! | `__export_alloc!` | how the host gets room, if that is the program's to give |
//! | `__global_allocator!` | a static that is the global allocator, on a guest |
//! | `__unnamed_heap!` | the heap of a program that names none, on a guest |
//! | `__export_handler!`, `__only_handlers!`, `__ask_host!` | the parts of [`handler!`](crate::handler!) and [`host_functions!`](crate::host_functions!) |
//! | `__arena_cell!`, `__host_return_exports!` | the parts of [`host_return!`](crate::host_return!) |
//!
//! A failure or a report names the author's line, not one of this folder: where one of these defines a function it says
//! `collapse_debuginfo`, and what exports one takes RISC-V's attribute for it from the author's line first, in brackets.

#[cfg_attr(all(target_arch = "riscv64", target_os = "none"), path = "riscv64.rs")]
#[cfg_attr(all(target_arch = "wasm32", target_os = "unknown"), path = "wasm32.rs")]
#[cfg_attr(
    all(
        feature = "native",
        not(all(target_arch = "riscv64", target_os = "none")),
        not(all(target_arch = "wasm32", target_os = "unknown"))
    ),
    path = "native.rs"
)]
#[cfg_attr(
    not(any(
        feature = "native",
        all(target_arch = "riscv64", target_os = "none"),
        all(target_arch = "wasm32", target_os = "unknown")
    )),
    path = "host.rs"
)]
mod this;

pub use this::*;
