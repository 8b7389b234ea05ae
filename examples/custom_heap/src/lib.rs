//! Brings its own global allocator: `heap = custom` leaves the default one out.
//!
//! The allocator here is the crate's own bump allocator in a [`TracingAllocator`], so that the
//! program can log its use of memory. A program may as well use one from another crate, or forbid
//! allocation.
#![no_std]

extern crate alloc;

use alloc::string::String;
use alloc::vec::Vec;

use entrypoint::allocator::TracingAllocator;
use entrypoint::{AccountInfo, BumpAllocator, ProgramResult, Pubkey, custom_heap, entrypoint, msg};

entrypoint!(process_instruction, heap = custom);

custom_heap!(
    /// The program's heap.
    pub static HEAP: TracingAllocator<BumpAllocator> =
        // SAFETY: `new` requires one thread, and no other allocator over the announced heap. The
        // program has one thread, and this is its only allocator.
        TracingAllocator::new(unsafe { BumpAllocator::new() });
);

/// Sorts the words of the instruction data.
pub fn process_instruction(
    _program_id: &Pubkey,
    _accounts: &[AccountInfo],
    instruction_data: &[u8],
) -> ProgramResult {
    let text = String::from_utf8_lossy(instruction_data);
    let mut words: Vec<&str> = text.split_whitespace().collect();
    words.sort_unstable();
    msg!("{}", words.join(" "));
    drop(words);
    let counts = HEAP.counts();
    msg!(
        "{} allocations, {} frees, {} bytes live, {} leaked",
        counts.allocations,
        counts.deallocations,
        counts.live,
        HEAP.leaked()
    );
    Ok(())
}
