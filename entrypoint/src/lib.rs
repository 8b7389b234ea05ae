//! What a program links: registers -> heap -> accounts -> your function -> status.
//!
//! A program is a small guest. A host loads it into a metered virtual machine and passes it
//! accounts and instruction bytes. The host keeps the program's changes if the program succeeded
//! and the rules allow all of them. With this crate the author writes one function and one line:
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
//! A program crate is an ordinary library with `#![no_std]`. `cargo entrypoint new` makes one, and
//! `cargo entrypoint run` builds it and runs it on the VM.
//!
//! # What happens before the first line
//!
//! 1. The loader calls the export that [`entrypoint!`] generated, with five registers: address and
//!    length of the input, base and size of the heap, address of the account table.
//! 2. The entry records heap base and limit ([`allocator::set_heap_base`],
//!    [`allocator::set_heap_limit`]). No code can allocate before that. (Targets other than riscv64
//!    use other means: see below.)
//! 3. The entry finds program id and instruction data at the start of the input, and the accounts
//!    in the account table. The table *is* the slice that the function gets. If there is no table,
//!    the entry lists the accounts on the stack, or at the end of the heap if there are more than
//!    64. With [`entrypoint_lazy!`] the function reads them itself, one at a time.
//! 4. The entry calls the function. Its result becomes the [status](abi::status).
//!
//! # What a program can report
//!
//! | | |
//! |---|---|
//! | a log line | [`msg!`], which formats on the stack, or [`log`]; [`log_64`] and [`log_pubkey`] let the host format |
//! | an error | [`ProgramError`](type@ProgramError), or your own enum with [`derive(ProgramError)`](derive@ProgramError) |
//! | bytes | [`set_return_data`] |
//! | bytes for a host that calls your own exports | [`mod@host_return`], which also reads what such a host wrote |
//! | bytes for a host that calls a WebAssembly module many times | [`handler!`], see [`mod@handler`]; [`host_functions!`] calls that host |
//! | an event, for programs that watch the chain | [`emit!`], or [`log_data`] |
//! | that it cannot go on | `panic!`: message, file, line and column reach the host, as far as the `panic` option includes them |
//!
//! An allocation that does not fit ends the program with a report of its size and alignment. The
//! author writes no handler for it.
//!
//! # What a program can ask for
//!
//! | | |
//! |---|---|
//! | a call of another program | [`invoke`], and with signatures of derived addresses [`invoke_signed`]: see [`mod@call`]; [`get_return_data`] has its result |
//! | a new account, a transfer | [`mod@system`] |
//! | an address that the program can sign for | [`find_program_address`], [`create_program_address`], or at compile time [`const_find_program_address`] |
//! | clock, rent and other facts of the chain | [`mod@sysvar`] |
//! | an account that the instruction does not list | [`load_account`] |
//! | the other instructions of the transaction | [`mod@instructions`] |
//! | a hash | [`mod@hash`] |
//! | a signature's key, an operation on a curve | [`mod@crypto`] |
//! | the remaining gas, the depth of the call | [`remaining_compute_units`], [`stack_height`] |
//!
//! # Options
//!
//! - [`entrypoint!`]: `heap`, `panic` and `duplicates`.
//! - [`entrypoint_no_alloc!`]: also `max_accounts`.
//! - [`custom_heap_default!`]: state of the program at the base of the heap.
//! - [`custom_heap!`]: another allocator.
//!
//! # Three targets, and tests
//!
//! The same crate, unchanged, is a program for three targets. `cargo entrypoint` builds for riscv64
//! by default.
//!
//! | | riscv64 on PolkaVM | WebAssembly (`wasm32-unknown-unknown`) | native (the feature `native`) |
//! |---|---|---|---|
//! | lives for | one call | many calls, in one memory | one call, in a process of its own |
//! | default heap | `bump` or `segregated`, on the memory that the registers announce | a [`SegregatedBumpAllocator`] on [`allocator::WasmMemory`] for either word: it grows with the memory | as on riscv64, at the address that the process's host sets |
//! | a named heap, or `heap = custom` | on the announced memory | on memory that the host announces first, through `entrypoint_heap` | on the announced memory |
//! | the host writes the input | to a place of its choice | to scratch memory from `alloc`, see [`export_alloc!`] | to a place of its choice |
//! | accounts without a table are listed | on the heap | in scratch memory, beside the input | on the heap |
//! | a pointer has | 64 bits, of which 32 are used | 32 bits | 64 bits |
//!
//! The author sees none of this, unless the program keeps something in a static: an instance on
//! WebAssembly still has it in the next call. `docs/machine-model.md` of the project defines what a
//! program can rely on, and `docs/abi.md` what a host must do.
//!
//! On any other target the crate compiles with `std`, for unit tests of the function: [`testing`]
//! calls it with any accounts. There `msg!` prints, return data stays in the thread, and the
//! allocator and the panic handler are those of `std`.
//!
//! # Features
//!
//! | feature | |
//! |---|---|
//! | `native` | on targets other than riscv64 and WebAssembly: compile for a program without `std`, not for its unit tests. The build of a native library sets it; like every guest, it needs `RUSTC_BOOTSTRAP=1` and `panic = "abort"` |
//! | `heap-trace` | a heap without a name counts its live bytes; `cargo entrypoint profile` sets it |
//! | `heap-bump`, `heap-segregated` | on riscv64: a heap without a name is this one; `cargo entrypoint allocators` sets it |
//! | `heap-replay` | the program replays a trace of its allocator instead of its function; `cargo entrypoint allocators` sets it |
//!
//! # Safety
//!
//! Safe code cannot break memory, whatever the input contains. Views of accounts check their
//! borrows, through repeats of an account too, and data grows only into the bytes that the input
//! has for it. The entry itself trusts the loader that called it. Bytes from any other source are
//! for [`input::read`].
#![no_std]
// On the targets of programs, which `target` lists, there is no `std`.
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
pub mod call;
mod contract;
pub mod crypto;
mod derived;
mod event;
mod glue;
pub mod handler;
pub mod hash;
mod heap_replay;
#[cfg(feature = "heap-trace")]
mod heap_trace;
pub mod host_return;
pub mod input;
pub mod instructions;
mod loaded;
mod log;
mod macros;
mod note;
#[cfg(all(
    any(feature = "heap-bump", feature = "heap-segregated"),
    not(feature = "heap-trace"),
    target_arch = "riscv64",
    target_os = "none"
))]
mod other_heap;
mod require;
mod syscalls;
pub mod system;
pub mod sysvar;
mod target;
#[cfg(not(any(
    feature = "native",
    all(target_arch = "riscv64", target_os = "none"),
    all(target_arch = "wasm32", target_os = "unknown")
)))]
pub mod testing;
mod text;
mod typed;

pub use crate::account::AccountInfo;
pub use crate::borrow::{Ref, RefMut};
pub use crate::call::{AccountMeta, Instruction, Seed, Signer, invoke, invoke_signed};
pub use crate::derived::{create_program_address, find_program_address};
pub use crate::event::{Event, log_data};
pub use crate::loaded::{AccountBuffer, LoadedAccount, load_account};
pub use crate::log::MAX_FORMATTED_LENGTH;
pub use crate::require::{NamedAccount, split_accounts};
pub use crate::syscalls::{
    get_return_data, log, log_64, log_compute_units, log_pubkey, remaining_compute_units,
    set_return_data,
};
pub use crate::sysvar::stack_height;
pub use crate::typed::{read_data, split_data, split_data_mut};
pub use abi::program_address::{const_create_program_address, const_find_program_address};
pub use abi::status::SUCCESS;
pub use abi::{ParsePubkeyError, ProgramError, ProgramResult, Pubkey};
pub use allocator::{self, BumpAllocator, SegregatedBumpAllocator};
/// Makes an enum the custom errors of a program, with names and texts for tools.
///
/// It implements `From` of the enum for [`ProgramError`](type@ProgramError), the type of the same
/// name. The code of an error is the variant's number: 0 for the first, and one more for each next
/// one, unless the author writes a number. The code may be any `u32`. For one above 2147483647, the
/// enum needs `#[repr(u32)]`.
///
/// ```
/// use entrypoint::{ProgramError, ProgramResult};
///
/// /// The errors of an offer.
/// #[derive(Clone, Copy, Debug, PartialEq, Eq, ProgramError)]
/// pub enum OfferError {
///     /// The offer has expired.
///     Expired = 7,
///     #[error("the price is not the one that the buyer expects")]
///     WrongPrice,
/// }
///
/// fn buy(now: u64, end: u64) -> ProgramResult {
///     if now > end {
///         return Err(OfferError::Expired.into());
///     }
///     Ok(())
/// }
///
/// assert_eq!(buy(2, 1), Err(ProgramError::Custom(7)));
/// assert_eq!(ProgramError::from(OfferError::WrongPrice), ProgramError::Custom(8));
/// ```
///
/// The text of an error is the first paragraph of its documentation, without the full stop, or the
/// text in the attribute `error`. Names and texts are in the program's file, where no code reads
/// them: they cost no gas. `cargo entrypoint run` prints them:
///
/// ```text
/// status    7 (Custom(7): OfferError::Expired, "The offer has expired")
/// ```
///
/// `cargo entrypoint build --release` leaves them out, like debug information. So does the feature
/// `no-entrypoint` of the calling crate, because they belong to the program and not to the crates
/// that it links.
///
/// If the calling crate has `entrypoint` under another path, write it beside the enum:
/// `#[program_error(crate = facade::entrypoint)]`.
///
/// # Errors
///
/// The crate does not compile if the item is not an enum, if a variant has fields, or if a code is
/// not a `u32`.
pub use entrypoint_macros::ProgramError;

/// The type of a program's function: `fn(&Pubkey, &[AccountInfo], &[u8]) -> ProgramResult`.
///
/// Its arguments are the id of the called program, the accounts of the instruction in order, and
/// the instruction data.
pub type ProcessInstruction =
    for<'a> fn(&'a Pubkey, &'a [AccountInfo<'a>], &'a [u8]) -> ProgramResult;

/// The type of the function of [`entrypoint_lazy!`]:
/// `fn(&Pubkey, LazyAccounts, &[u8]) -> ProgramResult`.
///
/// Its arguments are the id of the called program, the accounts of the instruction, which it reads
/// itself, and the instruction data.
pub type ProcessInstructionLazily =
    for<'a> fn(&'a Pubkey, input::LazyAccounts<'a>, &'a [u8]) -> ProgramResult;

/// The examples of `docs/calling.md` run as doctests of this crate.
#[cfg(doctest)]
#[doc = include_str!("../../docs/calling.md")]
struct Calling;

// `allocator` does not know the contract, and `abi` does not know any allocator. This crate knows
// both.
const _: () = assert!(abi::heap::MIN_HEAP_LENGTH as usize == allocator::MIN_HEAP_LENGTH);

/// Expands to the items: a heap without a name counts, and exports
/// [`abi::heap::HEAP_TRACE_EXPORT`].
#[cfg(feature = "heap-trace")]
#[doc(hidden)]
#[macro_export]
macro_rules! __if_heap_trace {
    ($($items:tt)*) => { $($items)* };
}

/// Expands to nothing: the heap does not count.
#[cfg(not(feature = "heap-trace"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __if_heap_trace {
    ($($items:tt)*) => {};
}

/// Not part of the public interface: the items that the macros' expansions name.
#[doc(hidden)]
pub mod __private {
    use core::mem::MaybeUninit;

    pub use entrypoint_macros as macros;

    /// See [`abi::contract`].
    pub mod contract {
        pub use crate::contract::*;
    }

    pub use crate::call::invoke_through;
    pub use crate::event::emit;
    pub use abi::error_names::{record as error_record, record_length as error_record_length};

    pub use crate::glue::{announce_heap, enter, enter_lazily, enter_no_alloc};
    pub use crate::heap_replay::replay;
    #[cfg(feature = "heap-trace")]
    pub use crate::heap_trace::TracedHeap as UnnamedHeap;
    pub use crate::input::table::AccountTable;
    pub use crate::log::log_arguments;
    pub use crate::note::Note;
    #[cfg(all(
        any(feature = "heap-bump", feature = "heap-segregated"),
        not(feature = "heap-trace"),
        target_arch = "riscv64",
        target_os = "none"
    ))]
    pub use crate::other_heap::{UnnamedHeap, unnamed_heap};
    pub use crate::target::*;

    /// The type of a heap without a name: the heap itself, unless the build is for profiling or for
    /// comparing heaps.
    #[cfg(not(any(
        feature = "heap-trace",
        all(
            any(feature = "heap-bump", feature = "heap-segregated"),
            target_arch = "riscv64",
            target_os = "none"
        )
    )))]
    pub type UnnamedHeap<A> = A;

    /// See [`UnnamedHeap`].
    #[cfg(not(any(
        feature = "heap-trace",
        all(
            any(feature = "heap-bump", feature = "heap-segregated"),
            target_arch = "riscv64",
            target_os = "none"
        )
    )))]
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

    /// [`bytemuck::Zeroable`] under another name, so that the compiler's error explains why it is
    /// needed.
    #[diagnostic::on_unimplemented(
        message = "EP0040: `{Self}` cannot be the state of a heap, because it is not `Zeroable`",
        label = "zeroes may be no value of `{Self}`",
        note = "the state starts as zeroes: use cells of numbers, or implement `bytemuck::Zeroable`"
    )]
    pub trait HeapState: bytemuck::Zeroable {}

    #[diagnostic::do_not_recommend]
    impl<G: bytemuck::Zeroable> HeapState for G {}

    /// A heap type that `custom_heap_default!` can construct.
    #[diagnostic::on_unimplemented(
        message = "EP0041: `custom_heap_default!` cannot construct a `{Self}`",
        label = "neither a `BumpAllocator` nor a `SegregatedBumpAllocator`",
        note = "declare another allocator with `custom_heap!`, which takes its value"
    )]
    pub trait DefaultHeap: Sized {
        /// The heap in the memory that the loader announces.
        const NEW: Unclaimed<Self>;
    }

    /// A heap that unsafe code may take once, because only one allocator may use the announced
    /// memory.
    #[derive(Debug)]
    pub struct Unclaimed<H> {
        heap: MaybeUninit<H>,
        /// Whether the heap's state fits. Otherwise `heap` is uninitialized.
        state_fits: bool,
    }

    impl<H> Unclaimed<H> {
        /// Returns the heap.
        ///
        /// The allocator checks the length of its state too, but `track_caller` makes the error
        /// show the author's line.
        ///
        /// # Safety
        ///
        /// As for [`allocator::BumpAllocator::new`]:
        ///
        /// - It is the only allocator over the announced heap.
        /// - The program uses it from one thread.
        #[must_use]
        #[track_caller]
        pub const unsafe fn claim(self) -> H {
            assert!(
                self.state_fits,
                "EP0042: the heap's global state does not fit in the 32 KiB that every program has"
            );
            // SAFETY: the fields are private to this module, and an `Unclaimed` whose state fits
            // has an initialized heap.
            unsafe { self.heap.assume_init() }
        }
    }

    impl<G: HeapState> DefaultHeap for allocator::BumpAllocator<G> {
        const NEW: Unclaimed<Self> = {
            // The allocator's own header comes first.
            let state_fits = size_of::<abi::heap::HeapHeader>() + align_of::<G>() - 1
                + size_of::<G>()
                <= allocator::MIN_HEAP_LENGTH;
            let heap = if state_fits {
                // SAFETY: only `claim` gives the heap away. Its caller promises that it is the only
                // allocator over the announced heap, and that one thread uses it.
                MaybeUninit::new(unsafe { Self::new() })
            } else {
                MaybeUninit::uninit()
            };
            Unclaimed { heap, state_fits }
        };
    }

    impl DefaultHeap for allocator::SegregatedBumpAllocator {
        const NEW: Unclaimed<Self> = Unclaimed {
            // SAFETY: only `claim` gives the heap away. Its caller promises that it is the only
            // allocator over the announced heap, and that one thread uses it.
            heap: MaybeUninit::new(unsafe { Self::new() }),
            state_fits: true,
        };
    }
}
