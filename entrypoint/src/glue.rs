//! What the macros' expansions call: registers -> heap -> accounts -> your function -> status.

use core::hint::cold_path;
use core::mem::MaybeUninit;

use abi::status::SUCCESS;
use allocator::{set_heap_base, set_heap_limit};

use crate::account::AccountInfo;
use crate::input::{Entries, LazyAccounts, open, trusted};
use crate::{ProcessInstruction, ProcessInstructionLazily, ProgramResult};

/// Records the heap that the loader's registers describe, before anything can allocate.
///
/// # Safety
///
/// `base` and `size` are the third and the fourth register of the entry, and this is the first thing
/// that happens in the program.
#[inline(always)]
pub unsafe fn announce_heap(base: u64, size: u64) {
    // SAFETY: nothing has been allocated yet. By the contract of the entry (`docs/abi.md`) the loader
    // provides `size` zeroed bytes from `base` on, which nobody else uses, for the whole invocation,
    // and a guest has one thread.
    unsafe { set_heap_base(base as usize) };
    // SAFETY: as above; that contract says that a heap has 32 KiB at least, and a u32, which is what the register
    // holds, is at most `isize::MAX` there.
    unsafe { set_heap_limit(size as usize) };
}

/// Reads the input and calls the handler, with a list of accounts on the heap where the input has no
/// account table.
///
/// # Safety
///
/// `input` points to an input as a loader has written it, aligned to 8, for the whole invocation, and
/// `length`, where it is known, is its length in bytes. The program has one thread. Where this is called again, as in an instance on
/// WebAssembly, nothing that an earlier call has read of its input is used any more.
#[inline(always)]
pub unsafe fn enter<const REJECT_DUPLICATES: bool>(
    input: *mut u8,
    length: Option<usize>,
    handler: ProcessInstruction,
) -> u64 {
    input.expose_provenance();
    // SAFETY: the contract is the same: an input of that length, aligned to 8, exposed just now.
    let table = unsafe { trusted::table::<{ usize::MAX }, REJECT_DUPLICATES>(input, length) };
    let accounts = match table {
        Some(accounts) => accounts,
        None => {
            cold_path();
            // SAFETY: the contract is the same, and no account is viewed yet.
            let entries = unsafe { Entries::find(input) };
            if entries.count == 0 {
                // SAFETY: the contract is the same, and nothing was stepped over.
                unsafe { entries.none() }
            } else {
                // SAFETY: the contract is the same, and there is an entry.
                unsafe { trusted::walk::<REJECT_DUPLICATES>(entries) }
            }
        }
    };
    // SAFETY: the contract is the same.
    let opened = unsafe { open(input) };
    status(handler(
        opened.program_id,
        accounts,
        opened.instruction_data,
    ))
}

/// Reads the input and calls the handler, with a list of accounts on the stack where the input has no
/// account table.
///
/// # Safety
///
/// As for [`enter`].
#[inline(always)]
pub unsafe fn enter_no_alloc<const MAX_ACCOUNTS: usize, const REJECT_DUPLICATES: bool>(
    input: *mut u8,
    length: Option<usize>,
    handler: ProcessInstruction,
) -> u64 {
    input.expose_provenance();
    let mut list = [const { MaybeUninit::<AccountInfo<'_>>::uninit() }; MAX_ACCOUNTS];
    // SAFETY: the contract is the same: an input of that length, aligned to 8, exposed just now.
    let table = unsafe { trusted::table::<MAX_ACCOUNTS, REJECT_DUPLICATES>(input, length) };
    let accounts = match table {
        Some(accounts) => accounts,
        None => {
            cold_path();
            // SAFETY: the contract is the same, and no account is viewed yet.
            let entries = unsafe { Entries::find(input) };
            if entries.count == 0 {
                // SAFETY: the contract is the same, and nothing was stepped over.
                unsafe { entries.none() }
            } else {
                // SAFETY: the list is this function's own and lives until the handler has returned; the rest is this
                // function's contract.
                unsafe {
                    trusted::walk_on_stack::<MAX_ACCOUNTS, REJECT_DUPLICATES>(
                        entries,
                        &raw mut list,
                    )
                }
            }
        }
    };
    // SAFETY: the contract is the same.
    let opened = unsafe { open(input) };
    status(handler(
        opened.program_id,
        accounts,
        opened.instruction_data,
    ))
}

/// Reads what stands before the accounts and calls the handler, which reads the accounts itself.
///
/// # Safety
///
/// As for [`enter`].
#[inline(always)]
pub unsafe fn enter_lazily(
    input: *mut u8,
    _length: Option<usize>,
    handler: ProcessInstructionLazily,
) -> u64 {
    input.expose_provenance();
    // SAFETY: the contract is the same.
    let opened = unsafe { open(input) };
    // SAFETY: the contract is the same, and no account is viewed yet.
    let entries = unsafe { Entries::behind(input, opened.instruction_data.len()) };
    // SAFETY: the contract is the same, and these are all entries of the input.
    let accounts = unsafe { LazyAccounts::new(entries) };
    status(handler(
        opened.program_id,
        accounts,
        opened.instruction_data,
    ))
}

#[inline(always)]
fn status(result: ProgramResult) -> u64 {
    match result {
        Ok(()) => SUCCESS,
        Err(error) => error.status(),
    }
}
