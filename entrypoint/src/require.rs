//! Checks of accounts that return the right error.

use core::ops::Deref;

use abi::{ProgramError, ProgramResult, Pubkey};
use bytemuck::{AnyBitPattern, NoUninit};

use crate::account::AccountInfo;
use crate::borrow::{Ref, RefMut};
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

impl<'input> NamedAccount<'input, '_> {
    /// Borrows the data for reading, as [`AccountInfo::try_borrow_data`] does.
    ///
    /// ```
    /// use entrypoint::{AccountInfo, ProgramError};
    ///
    /// fn first(vault: &AccountInfo) -> Result<u8, ProgramError> {
    ///     let data = vault.named("vault").try_borrow_data()?;
    ///     data.first().copied().ok_or(ProgramError::AccountDataTooSmall)
    /// }
    /// # let mut input = entrypoint::testing::one_account(&[7]);
    /// # let input = entrypoint::input::read(&mut input).unwrap();
    /// # assert_eq!(first(&input.accounts[0]), Ok(7));
    /// # let _borrow = input.accounts[0].try_borrow_mut_data();
    /// # assert_eq!(first(&input.accounts[0]), Err(ProgramError::AccountBorrowFailed));
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`AccountInfo::try_borrow_data`]. It then logs `account vault: data is borrowed`.
    #[inline(always)]
    pub fn try_borrow_data(&self) -> Result<Ref<'input, [u8]>, ProgramError> {
        self.reported(self.account.try_borrow_data())
    }

    /// Borrows the data for writing, as [`AccountInfo::try_borrow_mut_data`] does.
    ///
    /// # Errors
    ///
    /// Those of [`AccountInfo::try_borrow_mut_data`]. It then logs
    /// `account vault: data is borrowed`.
    #[inline(always)]
    pub fn try_borrow_mut_data(&self) -> Result<RefMut<'input, [u8]>, ProgramError> {
        self.reported(self.account.try_borrow_mut_data())
    }

    /// Borrows the data as a `T`, for reading, as [`AccountInfo::try_borrow_as`] does.
    ///
    /// # Errors
    ///
    /// Those of [`AccountInfo::try_borrow_as`]. It then logs `account vault: data is borrowed`, or
    /// that the data has not the length of a `T`.
    #[inline(always)]
    pub fn try_borrow_as<T: AnyBitPattern>(&self) -> Result<Ref<'input, T>, ProgramError> {
        self.reported(self.account.try_borrow_as())
    }

    /// Borrows the data as a `T`, for writing, as [`AccountInfo::try_borrow_mut_as`] does.
    ///
    /// # Errors
    ///
    /// Those of [`AccountInfo::try_borrow_mut_as`], with the log lines of
    /// [`try_borrow_as`](Self::try_borrow_as).
    #[inline(always)]
    pub fn try_borrow_mut_as<T: AnyBitPattern + NoUninit>(
        &self,
    ) -> Result<RefMut<'input, T>, ProgramError> {
        self.reported(self.account.try_borrow_mut_as())
    }

    /// Changes the length of the data, as [`AccountInfo::resize`] does.
    ///
    /// # Errors
    ///
    /// Those of [`AccountInfo::resize`]. It then logs `account vault: data is borrowed`, or that
    /// the data would grow too far.
    #[inline(always)]
    pub fn resize(&self, new_len: usize) -> ProgramResult {
        self.reported(self.account.resize(new_len))
    }

    /// Returns the result, and logs why a borrow or a change of length fails.
    #[inline(always)]
    fn reported<T>(&self, result: Result<T, ProgramError>) -> Result<T, ProgramError> {
        match result {
            Ok(value) => Ok(value),
            Err(error) => Err(report_data(self.name, error)),
        }
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

/// Logs what is wrong with the data of an account, and returns the error.
#[cold]
#[inline(never)]
fn report_data(name: &str, error: ProgramError) -> ProgramError {
    let lack = match error {
        ProgramError::AccountBorrowFailed => "data is borrowed",
        ProgramError::AccountDataTooSmall => "has too little data",
        ProgramError::InvalidRealloc => "data would grow too far",
        _ => "has data of another length",
    };
    report(name, lack);
    error
}

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

#[cfg(test)]
mod tests {
    use abi::{ProgramError, Pubkey};

    use crate::testing::{AccountInput, Host, Invocation};

    /// Each helper that borrows or resizes the data of a named account logs the name if it fails.
    #[test]
    fn borrow_that_fails_names_the_account() {
        let account = AccountInput::new(Pubkey::new([2; 32])).data([1; 8]);
        let invocation = Invocation::new(Pubkey::new([1; 32])).account(account);
        let (outcome, record) = Host::new().run(|| {
            invocation.run(|_, accounts, _| {
                let vault = accounts[0].named("vault");
                {
                    assert_eq!(vault.try_borrow_data()?.len(), 8);
                    let _borrow = vault.try_borrow_mut_data()?;
                    let failed = Some(ProgramError::AccountBorrowFailed);
                    assert_eq!(vault.try_borrow_data().err(), failed);
                    assert_eq!(vault.try_borrow_mut_data().err(), failed);
                    assert_eq!(vault.try_borrow_as::<u64>().err(), failed);
                    assert_eq!(vault.try_borrow_mut_as::<u64>().err(), failed);
                    assert_eq!(vault.resize(9).err(), failed);
                }
                assert_eq!(vault.resize(8 + 10_241), Err(ProgramError::InvalidRealloc));
                let short = vault.try_borrow_as::<[u64; 2]>().err();
                assert_eq!(short, Some(ProgramError::AccountDataTooSmall));
                let long = vault.try_borrow_mut_as::<u32>().err();
                assert_eq!(long, Some(ProgramError::InvalidAccountData));
                *vault.try_borrow_mut_as::<u64>()? = 5;
                assert_eq!(*vault.try_borrow_as::<u64>()?, 5);
                vault.resize(9)
            })
        });
        assert_eq!(outcome.result, Ok(()));
        let mut lines = std::vec!["account vault: data is borrowed"; 5];
        lines.extend([
            "account vault: data would grow too far",
            "account vault: has too little data",
            "account vault: has data of another length",
        ]);
        assert_eq!(record.logs, lines);
    }
}
