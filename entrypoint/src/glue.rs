//! The functions that the macros' expansions call: registers -> heap -> accounts -> your function
//! -> status.

use core::hint::cold_path;
use core::mem::MaybeUninit;

use abi::status::SUCCESS;
use allocator::{set_heap_base, set_heap_limit};

use crate::account::AccountInfo;
use crate::input::{Entries, LazyAccounts, open, trusted};
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
///   region ends below address 2^63.
/// - The program has one thread (`docs/machine-model.md`) and one allocator over the announced
///   heap.
#[inline(always)]
pub unsafe fn announce_heap(base: u64, size: u64) {
    // SAFETY: by this function's contract, this is the first call and comes before any allocation;
    // one thread uses the one allocator; and the region from `base` on is zeroed, valid and used by
    // nothing else.
    unsafe { set_heap_base(base as usize) };
    // SAFETY: the base is recorded, for the same region. By this function's contract, `size` is at
    // least 8, at most `u32::MAX` and `isize::MAX`, and the region ends below 2^63.
    unsafe { set_heap_limit(size as usize) };
}

/// Reads the input and calls the program's function.
///
/// If the input has no account table, it lists the accounts on the heap, or in scratch memory on
/// WebAssembly.
///
/// # Safety
///
/// - `input` points to an input as a loader writes it, aligned to 8, for the whole invocation.
/// - `length`, if known, is its length in bytes.
/// - The program has one thread.
/// - If this is called again, as in an instance on WebAssembly, the program no longer uses anything
///   that an earlier call read from its input.
#[inline(always)]
pub unsafe fn enter<const REJECT_DUPLICATES: bool>(
    input: *mut u8,
    length: Option<usize>,
    function: ProcessInstruction,
) -> u64 {
    input.expose_provenance();
    // SAFETY: by this function's contract, `input` is an input of that length, aligned to 8, on one
    // thread. Its provenance was exposed just now.
    let table = unsafe { trusted::table::<{ usize::MAX }, REJECT_DUPLICATES>(input, length) };
    let accounts = match table {
        Some(accounts) => accounts,
        None => {
            cold_path();
            // SAFETY: by this function's contract, `input` is an input, aligned to 8, on one
            // thread. Its provenance is exposed, and no view of an account exists yet.
            let entries = unsafe { Entries::locate(input) };
            if entries.count == 0 {
                // SAFETY: the entries are those of an input that is aligned to 8, and nothing was
                // stepped over.
                unsafe { entries.empty() }
            } else {
                // SAFETY: the entries are those of an input under this function's contract. There
                // is at least one, and no view of an account exists yet.
                unsafe { trusted::walk::<REJECT_DUPLICATES>(entries) }
            }
        }
    };
    // SAFETY: by this function's contract, `input` is an input on one thread. Its provenance is
    // exposed.
    let opened = unsafe { open(input) };
    status(function(
        opened.program_id,
        accounts,
        opened.instruction_data,
    ))
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
    length: Option<usize>,
    function: ProcessInstruction,
) -> u64 {
    input.expose_provenance();
    let mut list = [const { MaybeUninit::<AccountInfo<'_>>::uninit() }; MAX_ACCOUNTS];
    // SAFETY: by this function's contract, `input` is an input of that length, aligned to 8, on one
    // thread. Its provenance was exposed just now.
    let table = unsafe { trusted::table::<MAX_ACCOUNTS, REJECT_DUPLICATES>(input, length) };
    let accounts = match table {
        Some(accounts) => accounts,
        None => {
            cold_path();
            // SAFETY: by this function's contract, `input` is an input, aligned to 8, on one
            // thread. Its provenance is exposed, and no view of an account exists yet.
            let entries = unsafe { Entries::locate(input) };
            if entries.count == 0 {
                // SAFETY: the entries are those of an input that is aligned to 8, and nothing was
                // stepped over.
                unsafe { entries.empty() }
            } else {
                // SAFETY: the entries are those of an input under this function's contract. The
                // list is a local variable of this function, lives until the program's function has
                // returned, and nothing else uses it. No view of an account exists yet.
                unsafe {
                    trusted::walk_on_stack::<MAX_ACCOUNTS, REJECT_DUPLICATES>(
                        entries,
                        &raw mut list,
                    )
                }
            }
        }
    };
    // SAFETY: by this function's contract, `input` is an input on one thread. Its provenance is
    // exposed.
    let opened = unsafe { open(input) };
    status(function(
        opened.program_id,
        accounts,
        opened.instruction_data,
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
    _length: Option<usize>,
    function: ProcessInstructionLazily,
) -> u64 {
    input.expose_provenance();
    // SAFETY: by this function's contract, `input` is an input on one thread. Its provenance is
    // exposed.
    let opened = unsafe { open(input) };
    // SAFETY: `open` found this length in the same input, and no view of an account exists yet.
    let entries = unsafe { Entries::after(input, opened.instruction_data.len()) };
    // SAFETY: these are all entries of the input, which this function's contract covers.
    let accounts = unsafe { LazyAccounts::new(entries) };
    status(function(
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
