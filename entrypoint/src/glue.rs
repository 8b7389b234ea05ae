//! What the macros' expansions call: registers -> heap -> accounts -> your function -> status.

use core::mem::MaybeUninit;

use abi::status::SUCCESS;
use allocator::{set_heap_base, set_heap_limit};

use crate::abort::{duplicate_account, too_many_accounts};
use crate::account::AccountInfo;
use crate::input::trusted;
use crate::{ProcessInstruction, ProgramResult};

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
/// `length`, where it is known, is its length in bytes. The program has one thread, and this is called
/// once.
#[inline(always)]
pub unsafe fn enter<const REJECT_DUPLICATES: bool>(
    input: *mut u8,
    length: Option<usize>,
    handler: ProcessInstruction,
) -> u64 {
    input.expose_provenance();
    // SAFETY: the contract is the same, and no account is viewed yet.
    let opened = unsafe { trusted::open(input) };
    let count = opened.count;
    // SAFETY: the contract is the same.
    let walk = || unsafe { trusted::walk(input) };
    // SAFETY: the contract is the same.
    let accounts = unsafe { trusted::accounts(input, length, count, walk) };
    if REJECT_DUPLICATES {
        reject_duplicates(accounts);
    }
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
    // SAFETY: the contract is the same, and no account is viewed yet.
    let opened = unsafe { trusted::open(input) };
    let (program_id, instruction_data) = (opened.program_id, opened.instruction_data);
    let mut list = [const { MaybeUninit::<AccountInfo<'_>>::uninit() }; MAX_ACCOUNTS];
    let count = opened.count;
    let walk = || {
        if count > MAX_ACCOUNTS {
            too_many_accounts(count, MAX_ACCOUNTS);
        }
        // SAFETY: `count` is at most `MAX_ACCOUNTS`; the rest is this function's contract.
        unsafe { trusted::walk_into(opened, &mut list) };
        // SAFETY: `walk_into` has written the first `count`, which is at most `MAX_ACCOUNTS`.
        unsafe { core::slice::from_raw_parts(list.as_ptr().cast(), count) }
    };
    // SAFETY: the contract is the same.
    let accounts = unsafe { trusted::accounts(input, length, count, walk) };
    if accounts.len() > MAX_ACCOUNTS {
        too_many_accounts(accounts.len(), MAX_ACCOUNTS);
    }
    if REJECT_DUPLICATES {
        reject_duplicates(accounts);
    }
    status(handler(program_id, accounts, instruction_data))
}

/// First occurrences come at rising addresses, so a repeat is an address that does not rise.
#[inline(always)]
fn reject_duplicates(accounts: &[AccountInfo<'_>]) {
    let mut highest = 0;
    for (index, account) in accounts.iter().enumerate() {
        if account.address() <= highest {
            let first = accounts
                .iter()
                .position(|first| first.address() == account.address());
            duplicate_account(index, first.unwrap_or(index));
        }
        highest = account.address();
    }
}

#[inline(always)]
fn status(result: ProgramResult) -> u64 {
    match result {
        Ok(()) => SUCCESS,
        Err(error) => error.status(),
    }
}
