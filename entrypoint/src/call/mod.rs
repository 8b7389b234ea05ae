//! Calls of other programs.
//!
//! ```no_run
//! use entrypoint::{
//!     AccountInfo, AccountMeta, Instruction, ProgramError, ProgramResult, Pubkey, invoke,
//! };
//!
//! /// Asks the program of the third account to move a kelvin from the first to the second.
//! fn process_instruction(
//!     _program_id: &Pubkey,
//!     accounts: &[AccountInfo],
//!     _instruction_data: &[u8],
//! ) -> ProgramResult {
//!     let [from, to, program, ..] = accounts else {
//!         return Err(ProgramError::NotEnoughAccountKeys);
//!     };
//!     let instruction = Instruction {
//!         program_id: program.key(),
//!         accounts: &[
//!             AccountMeta::writable_signer(from.key()),
//!             AccountMeta::writable(to.key()),
//!         ],
//!         data: &[1],
//!     };
//!     invoke(&instruction, &[from, to])
//! }
//! ```

mod accounts;
mod instruction;
mod seed;

use abi::call::CallAccount;
pub use abi::call::{AccountMeta, MAX_CALL_DEPTH};
use abi::input::{AccountHeader, FIRST_OCCURRENCE};
use abi::{ProgramError, ProgramResult};

pub use accounts::{AccountList, MAX_CALL_ACCOUNTS};
pub use instruction::Instruction;
pub(crate) use instruction::slice_of;
pub use seed::{Seed, Signer};

use crate::borrow::MUTABLY_BORROWED;
use crate::target::syscalls as raw;
use accounts::{Callable, Passed};

/// Calls another program, and continues when it has ended.
#[inline(always)]
pub fn invoke<L: AccountList + ?Sized>(
    instruction: &Instruction<'_>,
    accounts: &L,
) -> ProgramResult {
    invoke_signed(instruction, accounts, &[])
}

/// Calls another program, with signatures of addresses that derive from this program's id.
#[inline(always)]
pub fn invoke_signed<L: AccountList + ?Sized>(
    instruction: &Instruction<'_>,
    accounts: &L,
    signers: &[Signer<'_>],
) -> ProgramResult {
    Callable::call(accounts, instruction, signers)
}

/// Makes the call.
#[inline(always)]
fn make(
    instruction: &Instruction<'_>,
    passed: &Passed<'_>,
    signers: &[Signer<'_>],
) -> ProgramResult {
    if passed.states as u8 != FIRST_OCCURRENCE {
        check_borrows(instruction, passed.accounts)?;
    }
    let instruction = instruction.to_call();
    // SAFETY: `instruction` is a `CallInstruction` whose slices are those of the author's borrows.
    // `accounts` and `signers` are slices of the structures that the syscall reads, and the
    // addresses in them are those of live entries and of live slices. The host writes the fields
    // and the data of accounts that the call passes as writable: no reference to the fields
    // exists, and by the check above none to the data.
    let status = unsafe {
        raw::rlo_invoke_signed_rust(
            (&raw const instruction).cast(),
            passed.accounts.as_ptr().cast(),
            passed.accounts.len() as u64,
            signers.as_ptr().cast(),
            signers.len() as u64,
        )
    };
    if status == 0 {
        Ok(())
    } else {
        Err(failed(status))
    }
}

/// Returns the error of a status that is not 0.
#[cold]
fn failed(status: u64) -> ProgramError {
    ProgramError::from_status(status).unwrap_or(ProgramError::Custom(0))
}

/// Checks the borrows of the accounts, one by one: not for speed, because a call rarely finds any.
#[cold]
#[inline(never)]
fn check_borrows(instruction: &Instruction<'_>, accounts: &[CallAccount]) -> ProgramResult {
    for account in accounts {
        let entry = account.kelvins as usize - AccountHeader::KELVINS;
        let state = core::ptr::with_exposed_provenance::<u8>(entry + AccountHeader::MARKER);
        // SAFETY: the account comes from a view, whose entry's header is readable, and no reference
        // to its fields exists.
        let state = unsafe { state.read() };
        let written = || {
            let mut metas = instruction.accounts.iter();
            metas.any(|meta| meta.is_writable != 0 && meta.key == account.key)
        };
        if state == MUTABLY_BORROWED || (state != FIRST_OCCURRENCE && written()) {
            return Err(ProgramError::AccountBorrowFailed);
        }
    }
    Ok(())
}
