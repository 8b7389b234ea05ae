//! A token: mints, balances, delegates.
//!
//! A *mint* is a kind of token. A *holding* is some of these tokens, in the hands of an owner. Both
//! are accounts of this program: [`state`] has their data. Other programs call this one: [`call`]
//! has a value for each instruction.
//!
//! | instruction data | accounts | |
//! |---|---|---|
//! | `00`, decimals, authority | mint | makes a mint of an account of zeroes |
//! | `01` | holding, mint, owner | makes an empty holding of an account of zeroes |
//! | `02`, amount | mint, holding, authority | makes new tokens |
//! | `03`, amount | from, to, owner or delegate | transfers tokens |
//! | `04`, amount | holding, delegate, owner | lets a delegate transfer and burn so many |
//! | `05`, amount | holding, mint, owner or delegate | destroys tokens |
//! | `06` | holding, recipient, owner | closes an empty holding, and pays its kelvins out |
//!
//! An amount has 8 bytes, little endian, and counts the smallest unit. The last account of 2 to 6
//! signs. All accounts but the last and that of a delegate, and in 1 that of the mint, are
//! writable.
//!
//! Anyone can make a mint or a holding of an account of zeroes. So create the account and make it
//! one in the same transaction.
#![no_std]

pub mod call;
mod error;
mod process;
pub mod state;

use entrypoint::{AccountInfo, ProgramError, ProgramResult, Pubkey, entrypoint, read_data};

pub use error::TokenError;

entrypoint!(process_instruction);

/// The id at which the program is deployed. Programs that call it accept no other.
pub const ID: Pubkey = Pubkey::const_from_text("Token11111111111111111111111111111111111111");

/// Runs one instruction.
pub fn process_instruction(
    program_id: &Pubkey,
    accounts: &[AccountInfo],
    instruction_data: &[u8],
) -> ProgramResult {
    match instruction_data {
        [3, amount @ ..] => process::transfer(accounts, read_data(amount)?),
        [0, decimals, authority @ ..] => process::make_mint(accounts, *decimals, authority),
        [1] => process::make_holding(program_id, accounts),
        [2, amount @ ..] => process::mint(accounts, read_data(amount)?),
        [4, amount @ ..] => process::approve(accounts, read_data(amount)?),
        [5, amount @ ..] => process::burn(accounts, read_data(amount)?),
        [6] => process::close(accounts),
        _ => Err(ProgramError::InvalidInstructionData),
    }
}
