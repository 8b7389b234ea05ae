//! A crate that forbids unsafe code and names its heap.

#![forbid(unsafe_code)]
#![deny(warnings, missing_docs)]

use core::cell::Cell;

use entrypoint::{AccountInfo, BumpAllocator, ProgramResult, Pubkey};

entrypoint::entrypoint_no_alloc!(process_instruction, heap = custom, panic = custom);
entrypoint::custom_heap_default!(static HEAP: BumpAllocator<Cell<u64>>);
entrypoint::custom_panic_default!();

fn process_instruction(
    _program_id: &Pubkey,
    _accounts: &[AccountInfo],
    _instruction_data: &[u8],
) -> ProgramResult {
    HEAP.global().set(HEAP.global().get() + 1);
    Ok(())
}

fn main() {}
