//! A call of a program's function, and its outcome.

use alloc::vec;
use alloc::vec::Vec;

use abi::input::AccountHeader;
use abi::{ProgramResult, Pubkey};

use super::host::{Current, with_current};
use super::input::{self, InputBytes};
use crate::account::AccountInfo;
use crate::input::{LazyAccounts, read, read_lazily};
use crate::syscalls::{get_return_data, set_return_data};
use abi::host::{Account, AccountInput};

/// One entry of the list of accounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    First(AccountInput),
    /// The account at this position of the list again.
    Repeat(usize),
}

/// One call of a program's function: the program's id, its accounts and its instruction data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invocation {
    pub(super) program_id: Pubkey,
    pub(super) entries: Vec<Entry>,
    pub(super) data: Vec<u8>,
    pub(super) account_table: bool,
}

/// The result of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Outcome {
    /// What the function returned.
    pub result: ProgramResult,
    /// The accounts afterwards, one for each first occurrence. If the function failed, they are as
    /// before: the loader keeps no change of a program that fails.
    pub accounts: Vec<Account>,
    /// The return data; empty if the function failed.
    pub return_data: Vec<u8>,
}

impl Invocation {
    /// A call without accounts and data.
    #[must_use]
    pub fn new(program_id: Pubkey) -> Self {
        Self {
            program_id,
            entries: Vec::new(),
            data: Vec::new(),
            account_table: true,
        }
    }

    /// Adds an account that the list does not have yet.
    #[must_use]
    pub fn account(mut self, account: AccountInput) -> Self {
        self.entries.push(Entry::First(account));
        self
    }

    /// Adds the account at this position of the list again.
    #[must_use]
    pub fn repeat(mut self, index: usize) -> Self {
        self.entries.push(Entry::Repeat(index));
        self
    }

    /// Sets the instruction data.
    #[must_use]
    pub fn data(mut self, data: impl Into<Vec<u8>>) -> Self {
        self.data = data.into();
        self
    }

    /// Leaves the account table out of the input, as the Rialo runtime does.
    #[must_use]
    pub fn without_account_table(mut self) -> Self {
        self.account_table = false;
        self
    }

    /// Returns the serialized input.
    ///
    /// ```
    /// use entrypoint::testing::{AccountInput, Invocation};
    /// use entrypoint::{Pubkey, input};
    ///
    /// let mut bytes = Invocation::new(Pubkey::new([1; 32]))
    ///     .account(AccountInput::new(Pubkey::new([2; 32])).kelvins(7))
    ///     .repeat(0)
    ///     .input();
    /// let input = input::read(&mut bytes)?;
    /// assert_eq!(input.accounts[1].kelvins(), 7);
    /// # Ok::<(), input::InputError>(())
    /// ```
    ///
    /// # Panics
    ///
    /// If an input cannot have these accounts: more than 255 different ones, a repeat of what is
    /// not an earlier first occurrence, or more than 10 MiB of data.
    #[must_use]
    pub fn input(&self) -> InputBytes {
        input::write(self)
    }

    /// Calls a function for [`entrypoint!`](crate::entrypoint!) or
    /// [`entrypoint_no_alloc!`](crate::entrypoint_no_alloc!).
    ///
    /// It may also be a closure that checks accounts. Log lines go to standard output, which
    /// `cargo test` shows for a test that failed.
    ///
    /// # Panics
    ///
    /// As for [`input`](Self::input). A panic of the function is one of the test.
    pub fn run(
        &self,
        function: impl FnOnce(&Pubkey, &[AccountInfo<'_>], &[u8]) -> ProgramResult,
    ) -> Outcome {
        self.call(|bytes| match read(bytes) {
            Ok(input) => function(input.program_id, &input.accounts, input.instruction_data),
            Err(error) => unreachable!("an input as `write` writes it: {error}"),
        })
    }

    /// Calls a function for [`entrypoint_lazy!`](crate::entrypoint_lazy!).
    ///
    /// ```
    /// use entrypoint::input::{LazyAccount, LazyAccounts};
    /// use entrypoint::testing::{AccountInput, Invocation};
    /// use entrypoint::{ProgramError, ProgramResult, Pubkey};
    ///
    /// fn process_instruction(_: &Pubkey, mut accounts: LazyAccounts, _: &[u8]) -> ProgramResult {
    ///     match accounts.next() {
    ///         Some(LazyAccount::First(account)) => account.credit(1),
    ///         _ => Err(ProgramError::NotEnoughAccountKeys),
    ///     }
    /// }
    ///
    /// let invocation = Invocation::new(Pubkey::new([1; 32]));
    /// let account = AccountInput::new(Pubkey::new([2; 32]));
    /// let outcome = invocation.account(account).run_lazily(process_instruction);
    /// assert_eq!(outcome.accounts[0].kelvins, 1);
    /// ```
    ///
    /// # Panics
    ///
    /// As for [`run`](Self::run).
    pub fn run_lazily(
        &self,
        function: impl FnOnce(&Pubkey, LazyAccounts<'_>, &[u8]) -> ProgramResult,
    ) -> Outcome {
        self.call(|bytes| match read_lazily(bytes) {
            Ok((program_id, accounts, data)) => function(program_id, accounts, data),
            Err(error) => unreachable!("an input as `write` writes it: {error}"),
        })
    }

    fn call(&self, run: impl FnOnce(&mut [u8]) -> ProgramResult) -> Outcome {
        let mut input = self.input();
        set_return_data(&[]);
        with_current(Current::begin);
        let result = run(&mut input);
        let firsts = self.entries.iter().zip(input.offsets());
        let accounts = firsts.filter_map(|(entry, offset)| match entry {
            Entry::First(before) if result.is_err() => Some(before.account.clone()),
            Entry::First(before) => Some(account_at(&input[*offset..], before)),
            Entry::Repeat(_) => None,
        });
        Outcome {
            accounts: accounts.collect(),
            return_data: if result.is_ok() {
                return_data()
            } else {
                Vec::new()
            },
            result,
        }
    }
}

/// Returns the account whose entry these bytes start with, as the function left it.
fn account_at(entry: &[u8], before: &AccountInput) -> Account {
    let header: AccountHeader = bytemuck::pod_read_unaligned(&entry[..AccountHeader::DATA]);
    // A view lets data grow only into the entry's spare bytes, and never writes the rent epoch.
    let data = &entry[AccountHeader::DATA..][..header.data_length as usize];
    Account {
        key: Pubkey::new(header.key),
        owner: Pubkey::new(header.owner),
        kelvins: header.kelvins,
        data: data.into(),
        executable: header.executable != 0,
        rent_epoch: before.account.rent_epoch,
    }
}

fn return_data() -> Vec<u8> {
    let length = get_return_data(&mut []).map_or(0, |(length, _)| length);
    let mut data = vec![0; length];
    get_return_data(&mut data);
    data
}

#[cfg(test)]
mod tests {
    use abi::{ProgramError, Pubkey};

    use super::super::{AccountInput, Invocation};
    use crate::syscalls::set_return_data;

    fn invocation() -> Invocation {
        let account = AccountInput::new(Pubkey::new([2; 32]))
            .data([7; 3])
            .kelvins(5)
            .rent_epoch(9)
            .executable();
        Invocation::new(Pubkey::new([1; 32]))
            .account(account)
            .repeat(0)
            .account(AccountInput::new(Pubkey::new([3; 32])))
    }

    #[test]
    fn outcome_has_the_changes_of_a_success() {
        let outcome = invocation().data([6]).run(|program_id, accounts, data| {
            assert_eq!((accounts.len(), data), (3, &[6][..]));
            accounts[1].resize(11)?;
            accounts[0].try_borrow_mut_data()?[10] = 8;
            accounts[0].assign(program_id);
            accounts[2].credit(1)?;
            set_return_data(b"done");
            Ok(())
        });
        assert_eq!(outcome.result, Ok(()));
        assert_eq!(outcome.return_data, b"done");
        let [first, second] = &outcome.accounts[..] else {
            panic!("two accounts");
        };
        assert_eq!(first.data, [7, 7, 7, 0, 0, 0, 0, 0, 0, 0, 8]);
        assert_eq!(first.owner, Pubkey::new([1; 32]));
        assert_eq!(
            (first.kelvins, first.rent_epoch, first.executable),
            (5, 9, true)
        );
        assert_eq!((second.key, second.kelvins), (Pubkey::new([3; 32]), 1));
    }

    #[test]
    fn failure_changes_nothing() {
        set_return_data(b"of another call");
        let outcome = invocation().run(|_, accounts, _| {
            accounts[0].try_borrow_mut_data()?.fill(1);
            set_return_data(b"lost");
            Err(ProgramError::Custom(3))
        });
        assert_eq!(outcome.result, Err(ProgramError::Custom(3)));
        assert_eq!(outcome.accounts[0].data, [7; 3]);
        assert_eq!(outcome.return_data, b"");
        assert_eq!(invocation().run(|_, _, _| Ok(())).return_data, b"");
    }

    #[test]
    fn leaked_borrow_does_not_hide_the_account() {
        let outcome = invocation().run_lazily(|_, accounts, _| {
            for account in accounts {
                if let crate::input::LazyAccount::First(account) = account {
                    core::mem::forget(account.try_borrow_mut_data()?);
                }
            }
            Ok(())
        });
        assert_eq!(outcome.accounts[0].data, [7; 3]);
    }

    #[test]
    #[should_panic(expected = "account 1 repeats account 2, which is not the first occurrence")]
    fn repeat_of_a_later_account_panics() {
        let _ = Invocation::new(Pubkey::new([1; 32]))
            .account(AccountInput::new(Pubkey::new([2; 32])))
            .repeat(2)
            .input();
    }
}
