//! Calls of the system program: it creates accounts, and moves kelvins out of accounts that it
//! owns.
//!
//! Each function makes a [`SystemCall`], which lies on the stack. Its methods make the call.
//!
//! ```no_run
//! use entrypoint::sysvar::{Rent, Sysvar};
//! use entrypoint::{AccountInfo, ProgramError, ProgramResult, Pubkey, Seed, Signer, system};
//!
//! /// Creates a vault of 16 bytes at the address of the seeds, which the payer pays for.
//! fn create_vault(
//!     program_id: &Pubkey,
//!     payer: &AccountInfo,
//!     vault: &AccountInfo,
//!     bump: u8,
//! ) -> ProgramResult {
//!     let kelvins = Rent::get()?.minimum_balance(16);
//!     let seeds = [Seed::from(b"vault"), Seed::from(payer.key()), Seed::from(&bump)];
//!     system::create_account(payer, vault, kelvins, 16, program_id)
//!         .invoke_signed(&[Signer::new(&seeds)])
//! }
//! ```
//!
//! The instruction of a program that does so must list the system program too, as the runtime
//! requires of every program that is called.
//!
//! | function | instruction | who signs |
//! |---|---|---|
//! | [`create_account`] | 0 | payer, new account |
//! | [`assign`] | 1 | account |
//! | [`transfer`] | 2 | payer |
//! | [`create_account_with_seed`] | 3 | payer, base |
//! | [`allocate`] | 8 | account |
//! | [`allocate_with_seed`] | 9 | base |
//! | [`assign_with_seed`] | 10 | base |
//! | [`transfer_with_seed`] | 11 | base |
//!
//! Anyone can send kelvins to any address, before there is an account too, and then
//! [`create_account`] fails. For an address that is known beforehand, such as a derived one, use
//! [`create_account_allow_prefund`].
//!
//! The instructions 4 to 7 and 12 are about nonces, which programs rarely use. The layouts are
//! those of the Rialo runtime (crate `rialo-s-system-interface` 0.23.0-alpha.0).

use core::fmt;

use abi::call::MAX_SEED_LENGTH;
pub use abi::ids::SYSTEM_PROGRAM as ID;
use abi::system::Instruction as Number;
pub use abi::system::SystemError;
use abi::system::data::{self, Data};
use abi::{ProgramError, ProgramResult, Pubkey};

use crate::AccountInfo;
use crate::call::{AccountMeta, Instruction, Signer, invoke_signed};
pub use create::CreateAccount;

mod create;

/// A call of the system program with `ACCOUNTS` accounts and at most `LENGTH` bytes of instruction
/// data.
#[derive(Clone, Copy)]
#[must_use = "make the call with `invoke` or `invoke_signed`"]
pub struct SystemCall<'input, const ACCOUNTS: usize, const LENGTH: usize> {
    accounts: [AccountInfo<'input>; ACCOUNTS],
    metas: [AccountMeta<'input>; ACCOUNTS],
    data: Data<LENGTH>,
}

impl<'input, const ACCOUNTS: usize, const LENGTH: usize> SystemCall<'input, ACCOUNTS, LENGTH> {
    /// Returns the instruction.
    #[must_use]
    pub fn instruction(&self) -> Instruction<'_> {
        Instruction {
            program_id: &ID,
            accounts: &self.metas,
            data: self.data.as_bytes(),
        }
    }

    /// Returns the accounts that the call passes on.
    #[must_use]
    pub fn accounts(&self) -> &[AccountInfo<'input>; ACCOUNTS] {
        &self.accounts
    }

    /// Makes the call.
    ///
    /// # Errors
    ///
    /// As for [`invoke`](crate::invoke).
    #[inline]
    pub fn invoke(&self) -> ProgramResult {
        self.invoke_signed(&[])
    }

    /// Makes the call with signatures of addresses that derive from this program's id.
    ///
    /// # Errors
    ///
    /// As for [`invoke_signed`].
    #[inline]
    pub fn invoke_signed(&self, signers: &[Signer<'_>]) -> ProgramResult {
        invoke_signed(&self.instruction(), &self.accounts, signers)
    }
}

impl<const ACCOUNTS: usize, const LENGTH: usize> fmt::Debug for SystemCall<'_, ACCOUNTS, LENGTH> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.instruction().fmt(formatter)
    }
}

// The functions below write the fields themselves: with the functions of `abi::system::data`, the
// blob of `vesting` would be longer.

/// Creates an account with this balance, this much data and this owner. The payer loses the
/// balance.
///
/// The account must not exist yet: no kelvins, no data, owned by the system program. `space` is the
/// length of its data in bytes. The payer and the account sign: an account at a derived address
/// signs by its seeds.
///
/// See [`mod@crate::system`] for an example.
#[inline]
pub fn create_account<'input>(
    payer: &AccountInfo<'input>,
    account: &AccountInfo<'input>,
    kelvins: u64,
    space: u64,
    owner: &Pubkey,
) -> SystemCall<'input, 2, 52> {
    SystemCall {
        accounts: [*payer, *account],
        metas: [
            AccountMeta::writable_signer(payer.key()),
            AccountMeta::writable_signer(account.key()),
        ],
        data: Data::new(Number::CreateAccount)
            .number(kelvins)
            .number(space)
            .key(owner),
    }
}

/// Creates an account as [`create_account`] does, but also where the address holds kelvins already.
///
/// Anyone can send kelvins to any address, and so make [`create_account`] fail for ever: for a
/// derived address, which is the only one that will do, this locks the program. Here the payer adds
/// what is missing, so that the account holds at least `kelvins`; if it held more, it keeps that.
///
/// ```
/// use entrypoint::sysvar::{Rent, Sysvar};
/// use entrypoint::{AccountInfo, ProgramResult, Pubkey, Seed, Signer, split_accounts, system};
///
/// fn open(program_id: &Pubkey, accounts: &[AccountInfo], data: &[u8]) -> ProgramResult {
///     let ([payer, vault], _) = split_accounts(accounts)?;
///     let kelvins = Rent::get()?.minimum_balance(16);
///     let seeds = [Seed::from(b"vault"), Seed::from(data)];
///     system::create_account_allow_prefund(payer, vault, kelvins, 16, program_id)
///         .invoke_signed(&[Signer::new(&seeds)])
/// }
/// # use entrypoint::testing::{AccountInput, Invocation};
/// # let id = Pubkey::new([1; 32]);
/// # let (vault, bump) = entrypoint::find_program_address(&[Seed::from(b"vault")], &id).unwrap();
/// # for sent in [0, 7, 5_000_000] {
/// #     let payer = AccountInput::new(Pubkey::new([2; 32])).kelvins(5_000_000);
/// #     let outcome = Invocation::new(id)
/// #         .account(payer.writable().signer())
/// #         .account(AccountInput::new(vault).kelvins(sent).writable())
/// #         .data([bump])
/// #         .run(open);
/// #     assert_eq!(outcome.result, Ok(()));
/// #     assert_eq!(outcome.accounts[1].kelvins, sent.max(1_002_240));
/// #     assert_eq!(outcome.accounts[1].owner, id);
/// #     assert_eq!(outcome.accounts[1].data, [0; 16]);
/// # }
/// ```
#[inline]
pub fn create_account_allow_prefund<'a, 'input>(
    payer: &'a AccountInfo<'input>,
    account: &'a AccountInfo<'input>,
    kelvins: u64,
    space: u64,
    owner: &'a Pubkey,
) -> CreateAccount<'a, 'input> {
    CreateAccount {
        payer,
        account,
        kelvins,
        space,
        owner,
    }
}

/// Assigns an account of the system program to another owner. The account signs.
///
/// ```
/// use entrypoint::{AccountInfo, ProgramResult, Pubkey, system};
///
/// fn adopt(program_id: &Pubkey, accounts: &[AccountInfo], _: &[u8]) -> ProgramResult {
///     system::assign(&accounts[0], program_id).invoke()
/// }
/// # use entrypoint::testing::{AccountInput, Invocation};
/// # let account = AccountInput::new(Pubkey::new([2; 32])).writable().signer();
/// # let outcome = Invocation::new(Pubkey::new([1; 32])).account(account).run(adopt);
/// # assert_eq!(outcome.accounts[0].owner, Pubkey::new([1; 32]));
/// ```
#[inline]
pub fn assign<'input>(account: &AccountInfo<'input>, owner: &Pubkey) -> SystemCall<'input, 1, 36> {
    SystemCall {
        accounts: [*account],
        metas: [AccountMeta::writable_signer(account.key())],
        data: Data::new(Number::Assign).key(owner),
    }
}

/// Moves kelvins from an account of the system program without data, which signs, to any account.
///
/// For an account that your own program owns, use
/// [`debit`](AccountInfo::debit) and [`credit`](AccountInfo::credit): they need no call.
///
/// ```
/// use entrypoint::{AccountInfo, ProgramResult, Pubkey, system};
///
/// fn pay(_: &Pubkey, accounts: &[AccountInfo], _: &[u8]) -> ProgramResult {
///     system::transfer(&accounts[0], &accounts[1], 30).invoke()
/// }
/// # use entrypoint::testing::{AccountInput, Invocation};
/// # let payer = AccountInput::new(Pubkey::new([2; 32])).kelvins(100).writable().signer();
/// # let payee = AccountInput::new(Pubkey::new([3; 32])).kelvins(1).writable();
/// # let outcome = Invocation::new(Pubkey::new([1; 32])).account(payer).account(payee).run(pay);
/// # assert_eq!(outcome.accounts[0].kelvins, 70);
/// # assert_eq!(outcome.accounts[1].kelvins, 31);
/// ```
#[inline]
pub fn transfer<'input>(
    payer: &AccountInfo<'input>,
    payee: &AccountInfo<'input>,
    kelvins: u64,
) -> SystemCall<'input, 2, 12> {
    SystemCall {
        accounts: [*payer, *payee],
        metas: [
            AccountMeta::writable_signer(payer.key()),
            AccountMeta::writable(payee.key()),
        ],
        data: Data::new(Number::Transfer).number(kelvins),
    }
}

/// Creates an account as [`create_account`] does, at the address of a base, a seed and the owner.
/// The payer and the base sign, and not the account.
///
/// # Errors
///
/// [`ProgramError::MaxSeedLengthExceeded`] if the seed has more than 32 bytes.
#[inline]
pub fn create_account_with_seed<'input>(
    payer: &AccountInfo<'input>,
    account: &AccountInfo<'input>,
    base: &AccountInfo<'input>,
    seed: &str,
    kelvins: u64,
    space: u64,
    owner: &Pubkey,
) -> Result<SystemCall<'input, 3, { 92 + MAX_SEED_LENGTH }>, ProgramError> {
    Ok(SystemCall {
        accounts: [*payer, *account, *base],
        metas: [
            AccountMeta::writable_signer(payer.key()),
            AccountMeta::writable(account.key()),
            AccountMeta::readonly_signer(base.key()),
        ],
        data: data::create_account_with_seed(base.key(), seed, kelvins, space, owner)?,
    })
}

/// Gives an account of the system program data of this length, in bytes. The account signs.
///
/// ```
/// use entrypoint::{AccountInfo, ProgramResult, Pubkey, system};
///
/// fn grow(_: &Pubkey, accounts: &[AccountInfo], _: &[u8]) -> ProgramResult {
///     system::allocate(&accounts[0], 64).invoke()
/// }
/// # use entrypoint::testing::{AccountInput, Invocation};
/// # let account = AccountInput::new(Pubkey::new([2; 32])).writable().signer();
/// # let outcome = Invocation::new(Pubkey::new([1; 32])).account(account).run(grow);
/// # assert_eq!(outcome.accounts[0].data.len(), 64);
/// ```
#[inline]
pub fn allocate<'input>(account: &AccountInfo<'input>, space: u64) -> SystemCall<'input, 1, 12> {
    SystemCall {
        accounts: [*account],
        metas: [AccountMeta::writable_signer(account.key())],
        data: Data::new(Number::Allocate).number(space),
    }
}

/// Gives the account at the address of a base, a seed and the owner data of this length, and
/// assigns it to the owner. The base signs.
///
/// # Errors
///
/// [`ProgramError::MaxSeedLengthExceeded`] if the seed has more than 32 bytes.
#[inline]
pub fn allocate_with_seed<'input>(
    account: &AccountInfo<'input>,
    base: &AccountInfo<'input>,
    seed: &str,
    space: u64,
    owner: &Pubkey,
) -> Result<SystemCall<'input, 2, { 84 + MAX_SEED_LENGTH }>, ProgramError> {
    Ok(SystemCall {
        accounts: [*account, *base],
        metas: [
            AccountMeta::writable(account.key()),
            AccountMeta::readonly_signer(base.key()),
        ],
        data: data::allocate_with_seed(base.key(), seed, space, owner)?,
    })
}

/// Assigns the account at the address of a base, a seed and the owner to the owner. The base signs.
///
/// # Errors
///
/// [`ProgramError::MaxSeedLengthExceeded`] if the seed has more than 32 bytes.
#[inline]
pub fn assign_with_seed<'input>(
    account: &AccountInfo<'input>,
    base: &AccountInfo<'input>,
    seed: &str,
    owner: &Pubkey,
) -> Result<SystemCall<'input, 2, { 76 + MAX_SEED_LENGTH }>, ProgramError> {
    Ok(SystemCall {
        accounts: [*account, *base],
        metas: [
            AccountMeta::writable(account.key()),
            AccountMeta::readonly_signer(base.key()),
        ],
        data: data::assign_with_seed(base.key(), seed, owner)?,
    })
}

/// Moves kelvins from the account at the address of a base, a seed and an owner to any account. The
/// base signs.
///
/// # Errors
///
/// [`ProgramError::MaxSeedLengthExceeded`] if the seed has more than 32 bytes.
#[inline]
pub fn transfer_with_seed<'input>(
    payer: &AccountInfo<'input>,
    base: &AccountInfo<'input>,
    seed: &str,
    payer_owner: &Pubkey,
    payee: &AccountInfo<'input>,
    kelvins: u64,
) -> Result<SystemCall<'input, 3, { 52 + MAX_SEED_LENGTH }>, ProgramError> {
    Ok(SystemCall {
        accounts: [*payer, *base, *payee],
        metas: [
            AccountMeta::writable(payer.key()),
            AccountMeta::readonly_signer(base.key()),
            AccountMeta::writable(payee.key()),
        ],
        data: data::transfer_with_seed(kelvins, seed, payer_owner)?,
    })
}

#[cfg(test)]
mod tests;
