//! `pinocchio`, with the entry that its macro `program_entrypoint!` makes where its author gives no maximum.
//!
//! It reads the layout of the Solana runtime: number of accounts, accounts, instruction data, program id. So the command
//! hands it such an input as instruction data, and what it is called with is the address eight bytes behind the start of
//! the loader's own input. The eight cost nothing: they become part of the offsets that are read at. A call without
//! accounts costs 12 there, and 12 at the start of the loader's own input too, which, with neither data nor accounts and
//! with a program id of zeroes, can be read as such a call.
//!
//! What our entries do besides, and this one does not: the registers of the heap are recorded. Its own default heap
//! stands at a fixed address and is left out here.

use ::pinocchio::entrypoint::process_entrypoint;
use ::pinocchio::{AccountView, Address, MAX_TX_ACCOUNTS, ProgramResult};

#[cfg(all(target_arch = "riscv64", target_os = "none"))]
mod guest {
    // The entry needs neither, but a library that stands alone must have both.
    entrypoint::custom_heap_default!();
    entrypoint::custom_panic_default!(abort);

    #[polkavm_derive::polkavm_export]
    extern "C" fn entrypoint(input: u64, _length: u64, _heap_base: u64, _heap_size: u64) -> u64 {
        let input = core::ptr::with_exposed_provenance_mut::<u8>(input as usize);
        // SAFETY: the command has put an input as the Solana runtime writes it into the instruction data, which stands
        // behind its own length of eight bytes and is aligned as that is. A guest has one thread.
        unsafe { super::enter(input.wrapping_add(size_of::<u64>())) }
    }
}

/// Reads the input and calls the handler.
///
/// # Safety
///
/// `input` points to an input as the Solana runtime writes it, aligned to 8, that nobody else uses.
#[inline(always)]
pub unsafe fn enter(input: *mut u8) -> u64 {
    // SAFETY: the contract is the same.
    unsafe { process_entrypoint::<MAX_TX_ACCOUNTS>(input, process_instruction) }
}

/// Does nothing, with all that it is given.
pub fn process_instruction(
    program_id: &Address,
    accounts: &mut [AccountView],
    instruction_data: &[u8],
) -> ProgramResult {
    #[cfg(feature = "checked")]
    entry_bench::report(
        accounts
            .iter()
            .map(|account| account.address().as_array()[0]),
    );
    entry_bench::take(program_id, accounts, instruction_data);
    Ok(())
}
