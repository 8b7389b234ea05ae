//! Keeps state of its own at the base of the heap: `BumpAllocator<G>`.
//!
//! Functions deep inside a program can reach the state without a parameter. It costs no allocation,
//! and the loader's zeroed memory is its initial value.
#![no_std]

extern crate alloc;

use alloc::collections::BTreeSet;
use core::cell::Cell;

use bytemuck::Zeroable;
use entrypoint::{
    AccountInfo, BumpAllocator, ProgramResult, Pubkey, custom_heap_default, entrypoint, msg,
};

entrypoint!(process_instruction, heap = custom);
custom_heap_default!(static HEAP: BumpAllocator<Statistics>);

/// The program's counts.
#[derive(Zeroable)]
struct Statistics {
    bytes_seen: Cell<u32>,
    longest_run: Cell<u32>,
}

/// Counts the different bytes of the instruction data, and how long the longest run of one byte is.
pub fn process_instruction(
    _program_id: &Pubkey,
    _accounts: &[AccountInfo],
    instruction_data: &[u8],
) -> ProgramResult {
    let mut different = BTreeSet::<u8>::new();
    for run in instruction_data.chunk_by(|left, right| left == right) {
        different.extend(run.first().copied());
        note_run(run.len() as u32);
    }
    let statistics = HEAP.global();
    msg!(
        "{} bytes, {} different, longest run {}",
        statistics.bytes_seen.get(),
        different.len(),
        statistics.longest_run.get()
    );
    Ok(())
}

fn note_run(length: u32) {
    let statistics = HEAP.global();
    statistics
        .bytes_seen
        .set(statistics.bytes_seen.get() + length);
    statistics
        .longest_run
        .set(statistics.longest_run.get().max(length));
}
