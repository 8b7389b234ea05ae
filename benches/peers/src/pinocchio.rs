//! `pinocchio`, with the entry of its macro `program_entrypoint!` and the default maximum of
//! accounts.
//!
//! It reads the layout of the Solana runtime: number of accounts, accounts, instruction data,
//! program id. So the command passes such an input as instruction data, and the entry gets the
//! address eight bytes after the start of the loader's own input. These eight bytes cost nothing:
//! they become part of the offsets of the reads. A call without accounts costs 12 units there. It
//! costs 12 at the start of the loader's own input too, which, without data and accounts and with a
//! program id of zeroes, reads as such a call.
//!
//! Our entries also record the registers of the heap, and this one does not. Its own default heap
//! is at a fixed address, and is left out here.

use ::pinocchio::entrypoint::process_entrypoint;
use ::pinocchio::{AccountView, Address, MAX_TX_ACCOUNTS, ProgramResult};

#[cfg(all(target_arch = "riscv64", target_os = "none"))]
mod guest {
    // The entry needs neither, but a standalone library must have both.
    entrypoint::custom_heap_default!();
    entrypoint::custom_panic_default!(abort);

    #[polkavm_derive::polkavm_export]
    extern "C" fn entrypoint(input: u64, _length: u64, _heap_base: u64, _heap_size: u64) -> u64 {
        let input = core::ptr::with_exposed_provenance_mut::<u8>(input as usize);
        // SAFETY: the entry requires an input in the layout of the Solana runtime, aligned to 8,
        // and one thread. The command has put such an input into the instruction data, which
        // follows its own length of eight bytes and is aligned. A guest has one thread.
        unsafe { super::enter(input.wrapping_add(size_of::<u64>())) }
    }
}

/// Reads the input and calls the handler.
///
/// # Safety
///
/// `input` must point to an input in the layout of the Solana runtime, aligned to 8, that no other
/// code uses.
#[inline(always)]
pub unsafe fn enter(input: *mut u8) -> u64 {
    // SAFETY: `process_entrypoint` requires an input in the layout of the Solana runtime, aligned
    // to 8, that no other code uses. The caller promises that.
    unsafe { process_entrypoint::<MAX_TX_ACCOUNTS>(input, process_instruction) }
}

/// Does nothing, but receives all its arguments.
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
