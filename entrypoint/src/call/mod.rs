//! Calls of other programs.
//!
//! A program calls another with an [`Instruction`] and views of accounts. It continues when the
//! other has ended, and sees what that changed: kelvins, owner, data, and the length of the data.
//!
//! ```
//! use entrypoint::{
//!     AccountInfo, AccountMeta, Instruction, ProgramError, ProgramResult, Pubkey, invoke,
//! };
//!
//! /// Asks the program of the second account to add to the first.
//! fn process_instruction(
//!     _program_id: &Pubkey,
//!     accounts: &[AccountInfo],
//!     _instruction_data: &[u8],
//! ) -> ProgramResult {
//!     let [counter, program, ..] = accounts else {
//!         return Err(ProgramError::NotEnoughAccountKeys);
//!     };
//!     let instruction = Instruction {
//!         program_id: program.key(),
//!         accounts: &[AccountMeta::writable(counter.key())],
//!         data: &[5],
//!     };
//!     invoke(&instruction, &[counter])?;
//!     // The view shows what the other program has written.
//!     if counter.try_borrow_data()?[0] != 12 {
//!         return Err(ProgramError::InvalidAccountData);
//!     }
//!     Ok(())
//! }
//! # use entrypoint::testing::{AccountInput, Host, Invocation};
//! # let id = Pubkey::new([8; 32]);
//! # let host = Host::new().program(id, |_, accounts, data| {
//! #     accounts[0].try_borrow_mut_data()?[0] += data[0];
//! #     Ok(())
//! # });
//! # let invocation = Invocation::new(Pubkey::new([1; 32]))
//! #     .account(AccountInput::new(Pubkey::new([2; 32])).data([7]).writable())
//! #     .account(AccountInput::new(id));
//! # let (outcome, record) = host.run(|| invocation.run(process_instruction));
//! # assert_eq!(outcome.result, Ok(()));
//! # assert_eq!(record.calls.len(), 1);
//! ```
//!
//! # What the called program may do
//!
//! It may do what the [`AccountMeta`] of each account says, and no more than the caller may do: an
//! account is writable, or signs, only if it does so for the caller. A derived address of the
//! caller's may sign in addition: see [`invoke_signed`]. A call of another program ends the caller
//! too if the called program fails, and no change remains.
//!
//! # Borrows
//!
//! The host writes the called program's changes into the entries of the accounts, while no code of
//! the caller runs. So a call fails with [`ProgramError::AccountBorrowFailed`], before it is made,
//!
//! - if the data of an account that the call passes on as writable is borrowed in any way,
//! - if the data of any account that it passes on is borrowed mutably.
//!
//! The program then logs which account that is, by its place in the list that it passes on, from 0:
//! `a borrow of data prevents the call: account 1`.
//!
//! A shared borrow of an account that the call passes on as read-only may live on: no one can
//! change that account during the call. Nor can anyone change an account that the call does not
//! pass on. A repeat of an account shares its borrow state.
//!
//! Everything else of an account is read anew by every method of a view, so no view is stale. The
//! called program may give an account more data: up to
//! [`MAX_PERMITTED_DATA_INCREASE`](abi::input::MAX_PERMITTED_DATA_INCREASE) bytes over the length
//! with which the caller was entered, like the caller itself.
//!
//! # Cost
//!
//! A call needs no heap. The list of accounts lies on the stack: an array of accounts has a list of
//! its own length, and a slice one for 32, or for [`MAX_SLICE_ACCOUNTS`].

mod accounts;
mod borrows;
mod instruction;
mod seed;
#[cfg(test)]
mod tests;

use abi::call::CInstruction;
pub use abi::call::{MAX_CALL_ACCOUNTS, MAX_CALL_DATA_LENGTH, MAX_CALL_DEPTH};
use abi::input::FIRST_OCCURRENCE;
use abi::{ProgramError, ProgramResult};

pub use accounts::{AccountList, MAX_SLICE_ACCOUNTS};
pub(crate) use instruction::slice_of;
pub use instruction::{AccountMeta, Instruction};
pub use seed::{Seed, Signer};

use crate::account::Description;
use crate::target::syscalls as raw;
use accounts::Passed;
use instruction::Call;

/// Calls another program, and continues when it has ended.
///
/// `accounts` must contain a view of every account that the instruction lists. The order does not
/// matter, and there may be more of them. The account of the called program need not be among them.
///
/// See [`mod@crate::call`] for an example, and for what happens to borrows.
///
/// The host ends the caller, without a status, if the call is not allowed: if there is no such
/// program, if the call would give rights that the caller does not have, if an account is not one
/// of the caller's own input, if the call is deeper than [`MAX_CALL_DEPTH`], or if the called
/// program waits for this one itself. It also ends the caller if the called program fails. A
/// program cannot catch that.
///
/// # Errors
///
/// - [`ProgramError::AccountBorrowFailed`] if the data of an account is borrowed, as the module
///   explains. The call is not made.
/// - [`ProgramError::InvalidArgument`] if `accounts` is a slice of more than
///   [`MAX_SLICE_ACCOUNTS`]. The call is not made.
/// - The error of the called program, on a host that does not end the caller.
#[inline(always)]
pub fn invoke<L: AccountList + ?Sized>(
    instruction: &Instruction<'_>,
    accounts: &L,
) -> ProgramResult {
    invoke_signed(instruction, accounts, &[])
}

/// Calls another program, with signatures of addresses that derive from this program's id.
///
/// Each signer is the seeds of one address, with the bump seed: see [`Signer`]. There are at most
/// 16.
///
/// ```
/// use entrypoint::{
///     AccountInfo, ProgramResult, Pubkey, Seed, Signer, find_program_address, system,
/// };
///
/// /// Pays 30 kelvins out of the vault.
/// fn pay(program_id: &Pubkey, accounts: &[AccountInfo], _: &[u8]) -> ProgramResult {
///     let (_, bump) = find_program_address(&[Seed::from(b"vault")], program_id)?;
///     let seeds = [Seed::from(b"vault"), Seed::from(&bump)];
///     // A transfer is such a call, with the layout of its instruction ready-made.
///     system::transfer(&accounts[0], &accounts[1], 30).invoke_signed(&[Signer::new(&seeds)])
/// }
/// # use entrypoint::testing::{AccountInput, Host, Invocation};
/// # let id = Pubkey::new([1; 32]);
/// # let vault = find_program_address(&[Seed::from(b"vault")], &id).unwrap().0;
/// # let invocation = Invocation::new(id)
/// #     .account(AccountInput::new(vault).kelvins(100).writable())
/// #     .account(AccountInput::new(Pubkey::new([3; 32])).writable());
/// # let (outcome, record) = Host::new().run(|| invocation.run(pay));
/// # assert_eq!(outcome.result, Ok(()));
/// # assert_eq!(outcome.accounts[1].kelvins, 30);
/// # assert_eq!(record.calls[0].signers, [vault]);
/// ```
///
/// # Errors
///
/// As for [`invoke`]. Seeds that give no valid address end the caller.
#[inline(always)]
pub fn invoke_signed<L: AccountList + ?Sized>(
    instruction: &Instruction<'_>,
    accounts: &L,
    signers: &[Signer<'_>],
) -> ProgramResult {
    accounts.call(&instruction.to_call(), |instruction, accounts| {
        // SAFETY: `instruction` is a `CInstruction` whose slices are those of the author's
        // borrows. `accounts` and `signers` are slices of the structures that the syscall reads,
        // and the addresses in them are those of live entries and of live slices. The host writes
        // the fields and the data of accounts that the call passes as writable: no reference to
        // the fields exists, and by the check of the borrows none to the data.
        unsafe {
            raw::rlo_invoke_signed_c(
                core::ptr::from_ref(instruction).cast(),
                accounts.as_ptr().cast(),
                accounts.len() as u64,
                signers.as_ptr().cast(),
                signers.len() as u64,
            )
        }
    })
}

/// Does what [`invoke`] does, with another function in place of the syscall: the bench of calls
/// measures the guest's part.
#[inline(always)]
pub fn invoke_through<L: AccountList + ?Sized>(
    instruction: &Instruction<'_>,
    accounts: &L,
    syscall: impl FnOnce(&CInstruction, &[Description]) -> u64,
) -> ProgramResult {
    accounts.call(&instruction.to_call(), syscall)
}

/// Checks the borrows and makes the call.
#[inline(always)]
fn make(
    call: &Call<'_>,
    passed: &Passed<'_>,
    syscall: impl FnOnce(&CInstruction, &[Description]) -> u64,
) -> ProgramResult {
    if passed.states as u8 != FIRST_OCCURRENCE {
        borrows::check(call, passed.accounts)?;
    }
    match syscall(call.instruction(), passed.accounts) {
        0 => Ok(()),
        status => Err(failed(status)),
    }
}

/// Returns the error of a status that is not 0.
#[cold]
fn failed(status: u64) -> ProgramError {
    ProgramError::from_status(status).unwrap_or(ProgramError::Custom(0))
}
