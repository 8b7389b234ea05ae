//! A program that knows `entrypoint` only through another crate, and calls every macro.
#![no_std]

use core::cell::Cell;

use facade::handler::Call;
use facade::host_return::PackedSlice;
use facade::{AccountInfo, BumpAllocator, ProgramError, ProgramResult, Pubkey};

facade::program!(process_instruction, heap = custom, panic = custom);
facade::heap!(static HEAP: BumpAllocator<Cell<u64>>);
facade::custom_panic_default!(location);
facade::host_return!(static ARENA: HostArena<64>);
facade::export_handler!(length);

/// Returns `Custom` with the number of accounts, of bytes, and of bytes in a host's empty slice.
///
/// # Errors
///
/// Always.
pub fn process_instruction(_: &Pubkey, accounts: &[AccountInfo], data: &[u8]) -> ProgramResult {
    let from_host = ARENA.with(|arena| match arena.bytes(PackedSlice::EMPTY) {
        Ok(bytes) => bytes.map_or(0, <[u8]>::len),
        Err(_) => 1,
    });
    HEAP.global().set(accounts.len() as u64);
    facade::msg!("{} accounts", HEAP.global().get());
    let numbers = u32::try_from(accounts.len() * 100 + data.len() + from_host);
    Err(ProgramError::Custom(
        numbers.map_err(|_| ProgramError::InvalidArgument)?,
    ))
}

/// Returns the argument's bytes.
fn length(call: Call<'_>) -> Option<&[u8]> {
    call.bytes().ok()?
}
