//! The other macros in a crate without a prelude.

#![no_implicit_prelude]

use ::core::cell::Cell;

use ::entrypoint::{AccountInfo, BumpAllocator, ProgramResult, Pubkey};

::entrypoint::entrypoint_no_alloc!(process_instruction, heap = custom, panic = custom);
::entrypoint::custom_heap_default!(static HEAP: BumpAllocator<Cell<u64>>);
::entrypoint::custom_panic_default!(abort);

fn process_instruction(
    _program_id: &Pubkey,
    _accounts: &[AccountInfo],
    _instruction_data: &[u8],
) -> ProgramResult {
    HEAP.global().set(1);
    ::core::result::Result::Ok(())
}

fn main() {}
