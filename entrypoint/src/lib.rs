#![doc = include_str!("manual.md")]
#![no_std]
#![cfg_attr(
    all(target_arch = "riscv64", target_os = "none"),
    feature(alloc_error_handler),
    allow(internal_features)
)]

extern crate alloc;
#[cfg(not(all(target_arch = "riscv64", target_os = "none")))]
extern crate std;

mod abort;
mod account;
mod borrow;
mod glue;
mod imports;
pub mod input;
mod log;
mod text;

pub use abi::status::SUCCESS;
pub use abi::{ParsePubkeyError, ProgramError, ProgramResult, Pubkey};
pub use allocator::{self, BumpAllocator};
pub use entrypoint_macros::{
    custom_heap_default, custom_panic_default, entrypoint, entrypoint_no_alloc,
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

// The allocator knows no contract, and the contract no allocator; this crate knows both.
const _: () = assert!(abi::heap::MIN_HEAP_LENGTH as usize == allocator::MIN_HEAP_LENGTH);

/// Not part of the public interface: what the macros' expansions name.
#[doc(hidden)]
pub mod __private {
    #[cfg(all(target_arch = "riscv64", target_os = "none"))]
    pub use polkavm_derive::{default_abi, polkavm_export};

    #[cfg(all(target_arch = "riscv64", target_os = "none"))]
    pub use crate::abort::{panic_with_location, panic_with_message, panic_without_words};
    pub use crate::glue::{announce_heap, enter, enter_no_alloc};
    pub use crate::log::log_arguments;

    /// The default heap with a `G` of the program's.
    ///
    /// # Safety
    ///
    /// As for [`allocator::BumpAllocator::new`].
    #[must_use]
    pub const unsafe fn default_heap<G: bytemuck::Zeroable>() -> allocator::BumpAllocator<G> {
        // SAFETY: the contract is the same.
        unsafe { allocator::BumpAllocator::new() }
    }
}
