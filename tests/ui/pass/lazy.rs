//! `entrypoint_lazy!` with its options, in a crate without a prelude.

#![no_implicit_prelude]

use ::entrypoint::input::LazyAccounts;
use ::entrypoint::{ProgramResult, Pubkey};

::entrypoint::entrypoint_lazy!(process_instruction, heap = segregated, panic = abort,);

fn process_instruction(
    _program_id: &Pubkey,
    _accounts: LazyAccounts,
    _instruction_data: &[u8],
) -> ProgramResult {
    ::core::result::Result::Ok(())
}

fn main() {}
