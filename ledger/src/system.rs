//! Instructions of the system program: it creates accounts, and moves kelvins out of accounts that
//! it owns.
//!
//! ```
//! use ledger::{Ledger, key, system};
//!
//! let mut ledger = Ledger::new();
//! let [alice, bob, program] = ["alice", "bob", "program"].map(key);
//! ledger.airdrop(alice, 10_000_000)?;
//!
//! let rent = ledger.sysvars().rent.minimum_balance(8);
//! let outcome = ledger.send([
//!     system::transfer(alice, bob, 5_000_000),
//!     system::create_account(alice, key("counter"), rent, 8, program),
//! ]);
//! assert!(outcome.is_success());
//! assert_eq!(ledger.kelvins(&bob), 5_000_000);
//! assert_eq!(ledger.account(&key("counter")).unwrap().owner, program);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The functions with a seed are for accounts whose address derives from a base, a seed and an
//! owner: the base signs for them.

use abi::ProgramError;
use abi::system::data::{self, Data};
pub use loader::ids::SYSTEM_PROGRAM as ID;

use crate::{AccountMeta, Instruction, Pubkey};

/// Creates an account with this balance, this much data and this owner. The payer loses the
/// balance. Both sign. `space` is the length of the data in bytes.
#[must_use]
pub fn create_account(
    payer: Pubkey,
    account: Pubkey,
    kelvins: u64,
    space: u64,
    owner: Pubkey,
) -> Instruction {
    let accounts = [
        AccountMeta::writable_signer(payer),
        AccountMeta::writable_signer(account),
    ];
    instruction(accounts, data::create_account(kelvins, space, &owner))
}

/// Gives an account of the system program to another owner. The account signs.
#[must_use]
pub fn assign(account: Pubkey, owner: Pubkey) -> Instruction {
    let accounts = [AccountMeta::writable_signer(account)];
    instruction(accounts, data::assign(&owner))
}

/// Moves kelvins from an account of the system program without data, which signs, to any account.
#[must_use]
pub fn transfer(payer: Pubkey, payee: Pubkey, kelvins: u64) -> Instruction {
    let accounts = [
        AccountMeta::writable_signer(payer),
        AccountMeta::writable(payee),
    ];
    instruction(accounts, data::transfer(kelvins))
}

/// Gives an account of the system program data of this length, in bytes. The account signs.
#[must_use]
pub fn allocate(account: Pubkey, space: u64) -> Instruction {
    let accounts = [AccountMeta::writable_signer(account)];
    instruction(accounts, data::allocate(space))
}

/// Creates an account as [`create_account`] does, at the address of a base, a seed and the owner.
/// The payer and the base sign, and not the account.
///
/// # Errors
///
/// [`ProgramError::MaxSeedLengthExceeded`] if the seed has more than 32 bytes.
pub fn create_account_with_seed(
    payer: Pubkey,
    account: Pubkey,
    (base, seed): (Pubkey, &str),
    kelvins: u64,
    space: u64,
    owner: Pubkey,
) -> Result<Instruction, ProgramError> {
    let accounts = [
        AccountMeta::writable_signer(payer),
        AccountMeta::writable(account),
        AccountMeta::readonly_signer(base),
    ];
    let data = data::create_account_with_seed(&base, seed, kelvins, space, &owner)?;
    Ok(instruction(accounts, data))
}

/// Gives the account at the address of a base, a seed and the owner data of this length, in bytes,
/// and gives it to the owner. The base signs.
///
/// # Errors
///
/// [`ProgramError::MaxSeedLengthExceeded`] if the seed has more than 32 bytes.
pub fn allocate_with_seed(
    account: Pubkey,
    (base, seed): (Pubkey, &str),
    space: u64,
    owner: Pubkey,
) -> Result<Instruction, ProgramError> {
    let accounts = [
        AccountMeta::writable(account),
        AccountMeta::readonly_signer(base),
    ];
    let data = data::allocate_with_seed(&base, seed, space, &owner)?;
    Ok(instruction(accounts, data))
}

/// Gives the account at the address of a base, a seed and the owner to the owner. The base signs.
///
/// # Errors
///
/// [`ProgramError::MaxSeedLengthExceeded`] if the seed has more than 32 bytes.
pub fn assign_with_seed(
    account: Pubkey,
    (base, seed): (Pubkey, &str),
    owner: Pubkey,
) -> Result<Instruction, ProgramError> {
    let accounts = [
        AccountMeta::writable(account),
        AccountMeta::readonly_signer(base),
    ];
    let data = data::assign_with_seed(&base, seed, &owner)?;
    Ok(instruction(accounts, data))
}

/// Moves kelvins from the account at the address of a base, a seed and an owner to any account. The
/// base signs.
///
/// # Errors
///
/// [`ProgramError::MaxSeedLengthExceeded`] if the seed has more than 32 bytes.
pub fn transfer_with_seed(
    payer: Pubkey,
    (base, seed): (Pubkey, &str),
    payer_owner: Pubkey,
    payee: Pubkey,
    kelvins: u64,
) -> Result<Instruction, ProgramError> {
    let accounts = [
        AccountMeta::writable(payer),
        AccountMeta::readonly_signer(base),
        AccountMeta::writable(payee),
    ];
    let data = data::transfer_with_seed(kelvins, seed, &payer_owner)?;
    Ok(instruction(accounts, data))
}

fn instruction<const ACCOUNTS: usize, const LENGTH: usize>(
    accounts: [AccountMeta; ACCOUNTS],
    data: Data<LENGTH>,
) -> Instruction {
    Instruction::new(ID)
        .accounts(accounts)
        .data(data.as_bytes())
}
