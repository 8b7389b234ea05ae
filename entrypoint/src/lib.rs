//! What a program links: registers -> heap -> accounts -> your function -> status.
//!
//! A program is a small guest. A host loads it into a metered virtual machine, hands it accounts and
//! instruction bytes, and keeps its effects if it succeeded and was allowed them. With this crate its author
//! writes one function and one line:
//!
//! ```
//! use entrypoint::{AccountInfo, ProgramError, ProgramResult, Pubkey, entrypoint, msg};
//!
//! entrypoint!(process_instruction);
//!
//! fn process_instruction(
//!     program_id: &Pubkey,
//!     accounts: &[AccountInfo],
//!     instruction_data: &[u8],
//! ) -> ProgramResult {
//!     let [account, ..] = accounts else { return Err(ProgramError::NotEnoughAccountKeys) };
//!     if !account.is_owned_by(program_id) {
//!         return Err(ProgramError::InvalidAccountOwner);
//!     }
//!     account.try_borrow_mut_data()?.fill(0);
//!     msg!("cleared, on {} bytes of instruction data", instruction_data.len());
//!     Ok(())
//! }
//! ```
//!
//! A program crate is an ordinary library with `#![no_std]`; `cargo entrypoint new` makes one, and
//! `cargo entrypoint run` builds it and runs it on the VM.
//!
//! # What happens before the first line
//!
//! 1. The loader calls the export that [`entrypoint!`] has made, with four registers: address and length of the
//!    input, base and size of the heap.
//! 2. Heap base and limit are recorded ([`allocator::set_heap_base`], [`allocator::set_heap_limit`]). Nothing
//!    could allocate before that. (Other machines than RISC-V have other means: see below.)
//! 3. Program id and instruction data are found at the start of the input, the accounts in the table at its end,
//!    which *is* the slice that the function gets. Where a loader has written no table, the accounts are walked
//!    and listed, on the heap, or on the stack by [`entrypoint_no_alloc!`]; with [`entrypoint_lazy!`] the function
//!    walks over them itself, as far as it likes.
//! 4. The function is called; what it returns becomes the [status](abi::status).
//!
//! # What a program can say
//!
//! | | |
//! |---|---|
//! | a line of log | [`msg!`], which formats on the stack, or [`log`]; [`log_64`] and [`log_pubkey`] let the host format |
//! | an error | [`ProgramError`], or an enum of the program's own that converts into [`ProgramError::Custom`] |
//! | bytes | [`set_return_data`] |
//! | bytes for a host that calls exports of the author's own | [`mod@host_return`], which also reads what such a host has written |
//! | bytes for a host that calls it by other names than the entry's, again and again, on WebAssembly | [`handler!`], see [`mod@handler`]; it asks that host by [`host_functions!`] |
//! | that it cannot go on | `panic!`: message, file, line and column reach the host, as far as the `panic` option asks for |
//!
//! An allocation that does not fit ends the program with a report of its size and alignment; no handler has to be
//! written for it.
//!
//! # Options
//!
//! See [`entrypoint!`] for `heap`, `panic` and `duplicates`, [`entrypoint_no_alloc!`] for `max_accounts`,
//! [`custom_heap_default!`] for state of the program's own at the base of the heap, and [`custom_heap!`] for another allocator.
//!
//! # Three machines, and tests
//!
//! The same crate, unchanged, is a program on three machines. What `cargo entrypoint` builds is the first, if it is not told
//! otherwise.
//!
//! | | RISC-V on PolkaVM | WebAssembly (`wasm32-unknown-unknown`) | native (the feature `native`) |
//! |---|---|---|---|
//! | lives for | one call | many calls, in one memory | one call, in a process of its own |
//! | default heap | `bump` or `segregated`, on the memory that the registers announce | a [`SegregatedBumpAllocator`] on [`allocator::WasmMemory`], whichever was asked for: it grows with the memory | as on RISC-V, at the address that the process's host says |
//! | a heap under a name, or `heap = custom` | on the announced memory | on memory that the host announces first, by `entrypoint_heap` | on the announced memory |
//! | the host writes the input | where it likes | into room that it gets by `alloc`, see [`export_alloc!`] | where it likes |
//! | accounts without a table are listed | on the heap | in the same room as the input | on the heap |
//! | a pointer has | 64 bits, of which 32 are used | 32 bits | 64 bits |
//!
//! The author sees nothing of it, unless the program keeps something in a static: an instance on WebAssembly has it still in
//! the next call. `docs/machine-model.md` of the project says on what a program can rely everywhere, and `docs/abi.md` what a host
//! has to do.
//!
//! Elsewhere the crate compiles with `std`, so that the function can be unit tested over an input read by
//! [`input::read`]. There `msg!` prints, and allocator and panic handler are those of `std`.
//!
//! # Features
//!
//! | feature | |
//! |---|---|
//! | `native` | on targets that are neither RISC-V nor WebAssembly: the crate is that of a program without `std`, and not of its unit tests. For the build of a native library, which sets it; it needs `RUSTC_BOOTSTRAP=1` and `panic = "abort"`, as every guest |
//! | `heap-trace` | the heap of a program that does not name it counts what is live; for `cargo entrypoint profile`, which sets it itself |
//!
//! # Safety
//!
//! Safe code cannot be made to break memory, whatever the input says: views of accounts check their borrows, also
//! through a repeat of an account, and growth of data stays inside the bytes that the input has for it. The entry
//! itself trusts the loader that called it, and no other bytes: what anybody may have written is for
//! [`input::read`].
#![no_std]
// Where programs run, as `machine` says: there is no `std` there.
#![cfg_attr(
    any(
        feature = "native",
        all(target_arch = "riscv64", target_os = "none"),
        all(target_arch = "wasm32", target_os = "unknown")
    ),
    feature(alloc_error_handler),
    allow(internal_features)
)]

extern crate alloc;
#[cfg(not(any(
    feature = "native",
    all(target_arch = "riscv64", target_os = "none"),
    all(target_arch = "wasm32", target_os = "unknown")
)))]
extern crate std;

mod abort;
mod account;
mod borrow;
mod custom_heap;
mod export_alloc;
mod glue;
pub mod handler;
#[cfg(feature = "heap-trace")]
mod heap_trace;
pub mod host_return;
mod imports;
pub mod input;
mod log;
mod machine;
mod text;

pub use abi::status::SUCCESS;
pub use abi::{ParsePubkeyError, ProgramError, ProgramResult, Pubkey};
pub use allocator::{self, BumpAllocator, SegregatedBumpAllocator};
pub use entrypoint_macros::{
    custom_heap_default, custom_panic_default, entrypoint, entrypoint_lazy, entrypoint_no_alloc,
};

pub use crate::account::AccountInfo;
pub use crate::borrow::{Ref, RefMut};
pub use crate::imports::{
    get_return_data, log, log_64, log_compute_units, log_pubkey, remaining_compute_units,
    set_return_data,
};
pub use crate::log::MAX_FORMATTED_LENGTH;

/// The type of the function that a program is: `fn(&Pubkey, &[AccountInfo], &[u8]) -> ProgramResult`.
///
/// Its arguments are the id of the program that is called, the accounts of the instruction in order, and
/// the instruction data.
pub type ProcessInstruction =
    for<'a> fn(&'a Pubkey, &'a [AccountInfo<'a>], &'a [u8]) -> ProgramResult;

/// The type of the function of [`entrypoint_lazy!`]:
/// `fn(&Pubkey, LazyAccounts, &[u8]) -> ProgramResult`.
///
/// Its arguments are the id of the program that is called, the accounts of the instruction, which it reads as it likes, and
/// the instruction data.
pub type ProcessInstructionLazily =
    for<'a> fn(&'a Pubkey, input::LazyAccounts<'a>, &'a [u8]) -> ProgramResult;

// The allocator knows no contract, and the contract no allocator; this crate knows both.
const _: () = assert!(abi::heap::MIN_HEAP_LENGTH as usize == allocator::MIN_HEAP_LENGTH);

/// The export of [`abi::heap::HEAP_TRACE_EXPORT`], for a heap that counts.
#[cfg(feature = "heap-trace")]
#[doc(hidden)]
#[macro_export]
macro_rules! __heap_trace_export {
    ([$($riscv64_attribute:tt)*] $heap:ident) => {
        $crate::__export! {
            [$($riscv64_attribute)*]
            extern "C" fn entrypoint_heap_trace() -> u64 {
                $heap.address()
            }
        }
    };
}

/// Nothing: the heap does not count.
#[cfg(not(feature = "heap-trace"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __heap_trace_export {
    ([$($riscv64_attribute:tt)*] $heap:ident) => {};
}

/// Not part of the public interface: what the macros' expansions name.
#[doc(hidden)]
pub mod __private {
    pub use crate::glue::{announce_heap, enter, enter_lazily, enter_no_alloc};
    #[cfg(feature = "heap-trace")]
    pub use crate::heap_trace::TracedHeap as UnnamedHeap;
    pub use crate::log::log_arguments;
    pub use crate::machine::*;

    /// The heap of a program that does not name it: itself, unless it is to be profiled.
    #[cfg(not(feature = "heap-trace"))]
    pub type UnnamedHeap<A> = A;

    /// See [`UnnamedHeap`].
    #[cfg(not(feature = "heap-trace"))]
    #[must_use]
    pub const fn unnamed_heap<A>(heap: A) -> UnnamedHeap<A> {
        heap
    }

    /// See [`UnnamedHeap`].
    #[cfg(feature = "heap-trace")]
    #[must_use]
    pub const fn unnamed_heap<A>(heap: A) -> UnnamedHeap<A> {
        UnnamedHeap::new(heap)
    }

    /// [`bytemuck::Zeroable`] under a name of ours, so that an author who lacks it reads why it is needed.
    #[diagnostic::on_unimplemented(
        message = "`{Self}` cannot be the state of a heap, because it is not `Zeroable`",
        label = "zeroes may be no value of `{Self}`",
        note = "the state starts as zeroes: use cells of numbers, or implement `bytemuck::Zeroable`"
    )]
    pub trait HeapState: bytemuck::Zeroable {}

    #[diagnostic::do_not_recommend]
    impl<G: bytemuck::Zeroable> HeapState for G {}

    /// The default heap with a `G` of the program's.
    ///
    /// The allocator checks the length too, but `track_caller` shows the author's own line.
    ///
    /// # Safety
    ///
    /// As for [`allocator::BumpAllocator::new`].
    #[must_use]
    #[track_caller]
    pub const unsafe fn default_heap<G: HeapState>() -> allocator::BumpAllocator<G> {
        // The allocator's own header comes first.
        assert!(
            size_of::<abi::heap::HeapHeader>() + align_of::<G>() - 1 + size_of::<G>()
                <= allocator::MIN_HEAP_LENGTH,
            "the heap's global state does not fit in the 32 KiB that every program has"
        );
        // SAFETY: the contract is the same.
        unsafe { allocator::BumpAllocator::new() }
    }
}
