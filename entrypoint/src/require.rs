//! Checks of accounts that return the right error.

use core::ops::Deref;

use abi::{ProgramError, Pubkey};

use crate::account::AccountInfo;
use crate::syscalls::log;

impl<'input> AccountInfo<'input> {
    /// Returns the account if it signed the transaction.
    ///
    /// The checks can be chained. On success, each costs the gas of its hand-written `if`.
    ///
    /// ```
    /// use entrypoint::{AccountInfo, ProgramResult, Pubkey, split_accounts};
    ///
    /// fn process_instruction(
    ///     program_id: &Pubkey,
    ///     accounts: &[AccountInfo],
    ///     _instruction_data: &[u8],
    /// ) -> ProgramResult {
    ///     let ([authority, vault], _) = split_accounts(accounts)?;
    ///     authority.require_signer()?;
    ///     vault.require_writable()?.require_owner(program_id)?;
    ///     Ok(())
    /// }
    /// # use entrypoint::testing::{AccountInput, Invocation};
    /// # let id = Pubkey::new([1; 32]);
    /// # let outcome = Invocation::new(id)
    /// #     .account(AccountInput::new(Pubkey::new([2; 32])).signer())
    /// #     .account(AccountInput::new(Pubkey::new([3; 32])).writable().owner(id))
    /// #     .run(process_instruction);
    /// # assert_eq!(outcome.result, Ok(()));
    /// ```
    ///
    /// # Errors
    ///
    /// [`ProgramError::MissingRequiredSignature`] if it did not.
    #[inline]
    pub fn require_signer(&self) -> Result<&Self, ProgramError> {
        if self.is_signer() {
            Ok(self)
        } else {
            Err(ProgramError::MissingRequiredSignature)
        }
    }

    /// Returns the account if the program may change it.
    ///
    /// # Errors
    ///
    /// [`ProgramError::Immutable`] if it may not.
    #[inline]
    pub fn require_writable(&self) -> Result<&Self, ProgramError> {
        if self.is_writable() {
            Ok(self)
        } else {
            Err(ProgramError::Immutable)
        }
    }

    /// Returns the account if `program_id` owns it.
    ///
    /// # Errors
    ///
    /// [`ProgramError::InvalidAccountOwner`] if another program owns it.
    #[inline]
    pub fn require_owner(&self, program_id: &Pubkey) -> Result<&Self, ProgramError> {
        if self.is_owned_by(program_id) {
            Ok(self)
        } else {
            Err(ProgramError::InvalidAccountOwner)
        }
    }

    /// Returns the account if this is its key.
    ///
    /// # Errors
    ///
    /// [`ProgramError::InvalidArgument`] if it has another key.
    #[inline]
    pub fn require_key(&self, key: &Pubkey) -> Result<&Self, ProgramError> {
        if self.key() == key {
            Ok(self)
        } else {
            Err(ProgramError::InvalidArgument)
        }
    }

    /// Gives the account a name for the log line of a failed check.
    ///
    /// ```
    /// use entrypoint::{AccountInfo, ProgramResult, split_accounts};
    ///
    /// fn check(accounts: &[AccountInfo]) -> ProgramResult {
    ///     let ([from, to], _) = split_accounts(accounts)?;
    ///     from.named("from").require_signer()?.require_writable()?;
    ///     to.named("to").require_writable()?;
    ///     Ok(())
    /// }
    /// # use entrypoint::testing::{AccountInput, Invocation};
    /// # use entrypoint::{ProgramError, Pubkey};
    /// # let outcome = Invocation::new(Pubkey::new([1; 32]))
    /// #     .account(AccountInput::new(Pubkey::new([2; 32])).signer().writable())
    /// #     .account(AccountInput::new(Pubkey::new([3; 32])))
    /// #     .run(|_, accounts, _| check(accounts));
    /// # assert_eq!(outcome.result, Err(ProgramError::Immutable));
    /// ```
    ///
    /// If the second account is read-only, this logs `account to: must be writable`. The line is
    /// written only if a check fails, so a check that succeeds costs no more gas with a name than
    /// without one.
    #[inline(always)]
    #[must_use]
    pub fn named<'name>(&self, name: &'name str) -> NamedAccount<'input, 'name> {
        NamedAccount {
            account: *self,
            name,
        }
    }
}

/// An account with a name: a failed check logs what the account lacks.
///
/// It is made by [`AccountInfo::named`], and it dereferences to the account.
#[derive(Clone, Copy, Debug)]
pub struct NamedAccount<'input, 'name> {
    account: AccountInfo<'input>,
    name: &'name str,
}

impl NamedAccount<'_, '_> {
    /// Returns the account if it signed the transaction.
    ///
    /// # Errors
    ///
    /// [`ProgramError::MissingRequiredSignature`] if it did not.
    #[inline(always)]
    pub fn require_signer(&self) -> Result<&Self, ProgramError> {
        if self.account.require_signer().is_err() {
            report(self.name, "must sign");
            return Err(ProgramError::MissingRequiredSignature);
        }
        Ok(self)
    }

    /// Returns the account if the program may change it.
    ///
    /// # Errors
    ///
    /// [`ProgramError::Immutable`] if it may not.
    #[inline(always)]
    pub fn require_writable(&self) -> Result<&Self, ProgramError> {
        if self.account.require_writable().is_err() {
            report(self.name, "must be writable");
            return Err(ProgramError::Immutable);
        }
        Ok(self)
    }

    /// Returns the account if `program_id` owns it.
    ///
    /// # Errors
    ///
    /// [`ProgramError::InvalidAccountOwner`] if another program owns it.
    #[inline(always)]
    pub fn require_owner(&self, program_id: &Pubkey) -> Result<&Self, ProgramError> {
        if self.account.require_owner(program_id).is_err() {
            report(self.name, "has another owner than expected");
            return Err(ProgramError::InvalidAccountOwner);
        }
        Ok(self)
    }

    /// Returns the account if this is its key.
    ///
    /// # Errors
    ///
    /// [`ProgramError::InvalidArgument`] if it has another key.
    #[inline(always)]
    pub fn require_key(&self, key: &Pubkey) -> Result<&Self, ProgramError> {
        if self.account.require_key(key).is_err() {
            report(self.name, "has another key than expected");
            return Err(ProgramError::InvalidArgument);
        }
        Ok(self)
    }
}

impl<'input> Deref for NamedAccount<'input, '_> {
    type Target = AccountInfo<'input>;

    #[inline(always)]
    fn deref(&self) -> &Self::Target {
        &self.account
    }
}

/// Splits the accounts into the first `N`, which have names of their own in a pattern, and the
/// rest.
///
/// ```
/// use entrypoint::{AccountInfo, ProgramError, split_accounts};
///
/// fn total(accounts: &[AccountInfo]) -> Result<u64, ProgramError> {
///     let ([from, to], others) = split_accounts(accounts)?;
///     let others: u64 = others.iter().map(|account| account.kelvins()).sum();
///     Ok(from.kelvins() + to.kelvins() + others)
/// }
/// # use entrypoint::testing::{AccountInput, Invocation};
/// # use entrypoint::Pubkey;
/// # let account = |key| AccountInput::new(Pubkey::new([key; 32])).kelvins(1 << key);
/// # let short = Invocation::new(Pubkey::new([1; 32])).account(account(2));
/// # short.clone().run(|_, accounts, _| {
/// #     assert_eq!(total(accounts), Err(ProgramError::NotEnoughAccountKeys));
/// #     Ok(())
/// # });
/// # short.account(account(3)).account(account(4)).run(|_, accounts, _| {
/// #     assert_eq!(total(accounts), Ok(4 + 8 + 16));
/// #     Ok(())
/// # });
/// ```
///
/// # Errors
///
/// [`ProgramError::NotEnoughAccountKeys`] if there are fewer than `N`.
#[inline]
pub fn split_accounts<'list, 'input, const N: usize>(
    accounts: &'list [AccountInfo<'input>],
) -> Result<
    (
        &'list [AccountInfo<'input>; N],
        &'list [AccountInfo<'input>],
    ),
    ProgramError,
> {
    accounts
        .split_first_chunk()
        .ok_or(ProgramError::NotEnoughAccountKeys)
}

/// The most bytes of an account's name in a log line.
const MAX_NAME: usize = 64;

/// Logs what an account lacks.
///
/// It joins the texts by hand: the formatter of `core` is much longer.
#[cold]
#[inline(never)]
fn report(name: &str, lack: &str) {
    const PREFIX: &str = "account ";
    const COLON: &str = ": ";
    let name = &name[..name.floor_char_boundary(MAX_NAME)];
    // The longest of the texts above has 31 bytes.
    let mut line = [0; PREFIX.len() + MAX_NAME + COLON.len() + 32];
    let mut length = 0;
    for text in [PREFIX, name, COLON, lack] {
        let end = length + text.len();
        if let Some(place) = line.get_mut(length..end) {
            place.copy_from_slice(text.as_bytes());
            length = end;
        }
    }
    if let Ok(line) = core::str::from_utf8(&line[..length]) {
        log(line);
    }
}
