//! `pinocchio`'s `invoke`. `peers-bench` describes how its entry gets the input.

use core::hint::black_box;

use pinocchio::cpi::{MAX_STATIC_CPI_ACCOUNTS, invoke, invoke_with_bounds};
use pinocchio::entrypoint::process_entrypoint;
use pinocchio::error::ProgramError;
use pinocchio::instruction::{InstructionAccount, InstructionView};
use pinocchio::{AccountView, Address, MAX_TX_ACCOUNTS, ProgramResult};

use crate::{ACCOUNTS, DATA};

#[cfg(all(target_arch = "riscv64", target_os = "none"))]
mod guest {
    // The entry needs neither, but a standalone library must have both.
    entrypoint::custom_heap_default!();
    entrypoint::custom_panic_default!(abort);

    #[polkavm_derive::polkavm_export]
    extern "C" fn entrypoint(input: u64, _length: u64, _heap_base: u64, _heap_size: u64) -> u64 {
        let input = core::ptr::with_exposed_provenance_mut::<u8>(input as usize);
        // SAFETY: the command has put an input in the layout of the Solana runtime into the
        // instruction data, which follows its own length of eight bytes and is aligned. A guest has
        // one thread.
        unsafe { super::enter(input.wrapping_add(size_of::<u64>())) }
    }
}

/// Reads the input and calls the function.
///
/// # Safety
///
/// `input` must point to an input in the layout of the Solana runtime, aligned to 8, that no other
/// code uses.
#[inline(always)]
unsafe fn enter(input: *mut u8) -> u64 {
    // SAFETY: the caller promises what the entry requires.
    unsafe { process_entrypoint::<MAX_TX_ACCOUNTS>(input, process_instruction) }
}

fn process_instruction(
    program_id: &Address,
    accounts: &mut [AccountView],
    instruction_data: &[u8],
) -> ProgramResult {
    entry_bench::take(program_id, accounts, instruction_data);
    let Some(passed) = accounts.first_chunk::<16>() else {
        return Err(ProgramError::NotEnoughAccountKeys);
    };
    if ACCOUNTS == 0 {
        return Ok(());
    }
    let Some(passed) = passed.first_chunk::<ACCOUNTS>() else {
        return Err(ProgramError::NotEnoughAccountKeys);
    };
    let metas: [InstructionAccount<'_>; ACCOUNTS] = core::array::from_fn(|index| {
        let key = passed[index].address();
        if index % 2 == 0 {
            InstructionAccount::writable(key)
        } else {
            InstructionAccount::readonly(key)
        }
    });
    let instruction = InstructionView {
        program_id,
        accounts: &metas,
        data: &DATA,
    };
    if cfg!(feature = "slice") {
        invoke_with_bounds::<MAX_STATIC_CPI_ACCOUNTS, _>(&instruction, black_box(&passed[..]))
    } else {
        invoke(&instruction, passed)
    }
}
