//! The functions that the macros' expansions call: registers -> heap -> accounts -> your function
//! -> status.

use core::mem::MaybeUninit;

use abi::status::SUCCESS;
use allocator::{set_heap_base, set_heap_limit};

use crate::account::AccountInfo;
use crate::input::table::AccountTable;
use crate::input::trusted::{self, Places, SHORT_LIST};
use crate::input::{Entries, LazyAccounts, Opened, open};
use crate::{ProcessInstruction, ProcessInstructionLazily, ProgramResult};

/// Records base and size of the heap, before any code can allocate.
///
/// # Safety
///
/// - This is called once, before anything else happens in the program: nothing has been allocated.
/// - The host provides `size` zeroed bytes from `base` on: one allocation whose provenance is
///   exposed, valid for reads and writes, and used by nothing else as long as the program uses its
///   heap.
/// - `size` is at least 32 KiB, and at most `u32::MAX` and `isize::MAX`. On a 64-bit target the
///   region ends below address 2^62.
/// - The program has one thread (`docs/machine-model.md`) and one allocator over the announced
///   heap.
#[inline(always)]
pub unsafe fn announce_heap(base: u64, size: u64) {
    // SAFETY: by this function's contract, this is the first call and comes before any allocation;
    // one thread uses the one allocator; and the region from `base` on is zeroed, valid and used by
    // nothing else.
    unsafe { set_heap_base(base as usize) };
    // SAFETY: the base is recorded, for the same region. By this function's contract, `size` is at
    // least 8, at most `u32::MAX` and `isize::MAX`, and the region ends below 2^62.
    unsafe { set_heap_limit(size as usize) };
}

/// Reads the input and calls the program's function.
///
/// If the input has no account table, it lists the accounts on the stack. A longer list than that
/// of 64 accounts is at the end of the heap, or in scratch memory on WebAssembly.
///
/// # Safety
///
/// - `input` points to an input as a loader writes it, aligned to 8, for the whole invocation.
/// - What `table` says is true.
/// - The entry has announced the heap, and nothing has been allocated.
/// - The program has one thread.
/// - If this is called again, as in an instance on WebAssembly, the program no longer uses anything
///   that an earlier call read from its input.
#[inline(always)]
pub unsafe fn enter<const REJECT_DUPLICATES: bool>(
    input: *mut u8,
    table: AccountTable,
    function: ProcessInstruction,
) -> u64 {
    let mut places: Places<'_, SHORT_LIST> = [const { MaybeUninit::uninit() }; SHORT_LIST];
    let places = &raw mut places;
    // SAFETY: `enter_with` calls it for an input under this function's contract, before any view
    // exists. The places are a local variable of this function, live until the program's function
    // has returned, and nothing else uses them. By this function's contract, the heap was
    // announced, and nothing has been allocated.
    let list = |opened| unsafe { trusted::list::<REJECT_DUPLICATES>(opened, places) };
    // SAFETY: this function's contract is that of `enter_with`. The list is that of the input.
    unsafe { enter_with::<{ usize::MAX }, REJECT_DUPLICATES>(input, table, list, function) }
}

/// Reads the input and calls the program's function, without allocating.
///
/// If the input has no account table, it lists the accounts on the stack.
///
/// # Safety
///
/// As for [`enter`].
#[inline(always)]
pub unsafe fn enter_no_alloc<const MAX_ACCOUNTS: usize, const REJECT_DUPLICATES: bool>(
    input: *mut u8,
    table: AccountTable,
    function: ProcessInstruction,
) -> u64 {
    let mut places: Places<'_, MAX_ACCOUNTS> = [const { MaybeUninit::uninit() }; MAX_ACCOUNTS];
    let places = &raw mut places;
    // SAFETY: `enter_with` calls it for an input under this function's contract, before any view
    // exists. The places are a local variable of this function, live until the program's function
    // has returned, and nothing else uses them.
    let list = |opened| unsafe {
        trusted::list_on_stack::<MAX_ACCOUNTS, REJECT_DUPLICATES>(opened, places)
    };
    // SAFETY: this function's contract is that of `enter_with`. The list is that of the input.
    unsafe { enter_with::<MAX_ACCOUNTS, REJECT_DUPLICATES>(input, table, list, function) }
}

/// Finds the accounts in the account table, or else with `list`, and calls the program's function.
///
/// # Safety
///
/// As for [`enter`], without the heap; and `list` returns the accounts of an input.
#[inline(always)]
unsafe fn enter_with<'input, const MAX_ACCOUNTS: usize, const REJECT_DUPLICATES: bool>(
    input: *mut u8,
    table: AccountTable,
    list: impl FnOnce(Opened<'input>) -> &'input [AccountInfo<'input>],
    function: ProcessInstruction,
) -> u64 {
    input.expose_provenance();
    // SAFETY: by this function's contract, `input` is an input on one thread. Its provenance is
    // exposed.
    let mut opened = unsafe { open(input) };
    // SAFETY: by this function's contract, `input` is an input, aligned to 8, on one thread, and
    // what `table` says is true. Its provenance is exposed, and no view of an account exists yet.
    let found = unsafe { table.find::<MAX_ACCOUNTS, REJECT_DUPLICATES>(input, opened) };
    let accounts = match found {
        Some(accounts) => accounts,
        None => {
            let accounts = list(opened);
            if !accounts.is_empty() {
                // SAFETY: by this function's contract, the input is aligned to 8.
                opened = unsafe { opened.again() };
            }
            accounts
        }
    };
    #[cfg(feature = "heap-replay")]
    let function = {
        let _ = function;
        replayed
    };
    status(function(
        opened.program_id(),
        accounts,
        opened.instruction_data(),
    ))
}

/// Reads the fields before the accounts and calls the program's function, which reads the accounts.
///
/// # Safety
///
/// As for [`enter`].
#[inline(always)]
pub unsafe fn enter_lazily(
    input: *mut u8,
    _table: AccountTable,
    function: ProcessInstructionLazily,
) -> u64 {
    input.expose_provenance();
    // SAFETY: by this function's contract, `input` is an input on one thread. Its provenance is
    // exposed.
    let opened = unsafe { open(input) };
    // SAFETY: `open` found this length in the same input, and no view of an account exists yet.
    let entries = unsafe { Entries::after(input, opened.instruction_data().len()) };
    // SAFETY: these are all entries of the input, which this function's contract covers.
    let accounts = unsafe { LazyAccounts::new(entries) };
    #[cfg(feature = "heap-replay")]
    if !opened.instruction_data().is_empty() {
        return status(replayed(
            opened.program_id(),
            &[],
            opened.instruction_data(),
        ));
    }
    status(function(
        opened.program_id(),
        accounts,
        opened.instruction_data(),
    ))
}

#[inline(always)]
fn status(result: ProgramResult) -> u64 {
    match result {
        Ok(()) => SUCCESS,
        Err(error) => error.status(),
    }
}

/// Replays a trace of the program's allocator, in place of its function.
#[cfg(feature = "heap-replay")]
fn replayed(_: &abi::Pubkey, _: &[AccountInfo<'_>], data: &[u8]) -> ProgramResult {
    // SAFETY: the entry has announced the heap, and calls this first of all. The list of accounts
    // is empty, so nothing took memory of the heap. `cargo entrypoint allocators`, which sets the
    // feature, passes data that it has made of a trace.
    unsafe { crate::heap_replay::replay(data, || Ok(())) }
}
