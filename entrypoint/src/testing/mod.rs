//! Calls of a program's function in a unit test, without a virtual machine.
//!
//! An [`Invocation`] has accounts and instruction data, as that of the crate `program-loader` has.
//! Accounts and sysvars are the same types there. [`run`](Invocation::run) writes them as a serialized input, which equals that
//! of the loader byte for byte, reads it with [`input::read`](crate::input::read), and calls the
//! function.
//!
//! ```
//! use entrypoint::testing::{AccountInput, Invocation};
//! use entrypoint::{AccountInfo, ProgramError, ProgramResult, Pubkey, split_accounts};
//!
//! /// Moves as many kelvins as the instruction data says.
//! fn process_instruction(
//!     _program_id: &Pubkey,
//!     accounts: &[AccountInfo],
//!     instruction_data: &[u8],
//! ) -> ProgramResult {
//!     let ([from, to], _) = split_accounts(accounts)?;
//!     let amount = instruction_data.try_into().map_err(|_| ProgramError::InvalidInstructionData)?;
//!     let amount = u64::from_le_bytes(amount);
//!     from.debit(amount)?;
//!     to.credit(amount)
//! }
//!
//! let program_id = Pubkey::new([1; 32]);
//! let from = AccountInput::new(Pubkey::new([2; 32])).owner(program_id).kelvins(10).writable();
//! let to = AccountInput::new(Pubkey::new([3; 32])).writable();
//! let invocation = Invocation::new(program_id).account(from).account(to);
//!
//! let outcome = invocation.clone().data(7_u64.to_le_bytes()).run(process_instruction);
//! assert_eq!(outcome.result, Ok(()));
//! assert_eq!(outcome.accounts[0].kelvins, 3);
//! assert_eq!(outcome.accounts[1].kelvins, 7);
//!
//! let outcome = invocation.data(11_u64.to_le_bytes()).run(process_instruction);
//! assert_eq!(outcome.result, Err(ProgramError::InsufficientFunds));
//! ```
//!
//! A [`Host`] sets what the function can ask for, the clock for example, and runs the programs that
//! it calls.
//!
//! There is no gas, no limit of the heap, and no rule for changes of accounts: a function may
//! change an account that is read-only here, and the loader would reject it. A fixture tests all
//! that, on every target.
//!
//! The module exists where `std` exists, and not in a build for a guest.

mod call;
mod host;
mod input;
mod invocation;
mod processed;
mod system;

pub use abi::host::ProcessedInstruction;
pub use abi::host::{Account, AccountInput, Sysvars};
pub use host::{Host, Record, RecordedAccount, RecordedCall};
pub use input::InputBytes;
pub use invocation::{Invocation, Outcome};

pub(crate) use call::{CallRequest, make_call};
pub(crate) use host::with_current;

/// Returns an input with one writable account of 100 kelvins and this data, for examples.
#[doc(hidden)]
#[must_use]
pub fn one_account(data: &[u8]) -> InputBytes {
    let account = AccountInput::new(abi::Pubkey::new([1; 32]));
    let account = account
        .owner(abi::Pubkey::new([2; 32]))
        .kelvins(100)
        .data(data)
        .writable();
    Invocation::new(abi::Pubkey::new([2; 32]))
        .account(account)
        .input()
}
