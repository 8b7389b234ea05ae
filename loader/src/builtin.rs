//! Programs that are part of the host, such as the system program.

use abi::{ProgramError, Pubkey};

use crate::account::{Account, AccountEntry, AccountInput};
use crate::error::{Failure, WriteBackError};
use crate::host::Host;
use crate::invocation::Invocation;
use crate::invoke::syscalls::Syscalls;
use crate::prices::Prices;

/// A program that is part of the host, written in Rust: other programs call it by its id.
///
/// The loader judges its changes as those of any program: it may change writable accounts only, and
/// only the data of those that it owns. [`Environment::builtin`](crate::Environment::builtin) has
/// an example.
pub trait Builtin: Send + Sync + 'static {
    /// Runs the program once.
    ///
    /// # Errors
    ///
    /// The failure of the program, which ends its callers too: a [`ProgramError`] converts into
    /// one, and so does what the methods of [`BuiltinCall`] return.
    ///
    /// # Panics
    ///
    /// It may panic. The panic goes through all programs of the invocation, to the caller of
    /// [`Program::invoke_with`](crate::Program::invoke_with).
    fn call(&self, call: &mut BuiltinCall<'_>) -> Result<(), Failure>;
}

/// One call of a [`Builtin`]: its accounts, its instruction data, its gas.
pub struct BuiltinCall<'a> {
    program_id: Pubkey,
    data: &'a [u8],
    /// The accounts, each at its first occurrence.
    accounts: Vec<AccountInput>,
    /// For each entry of the list, the position of its account in `accounts`.
    entries: Vec<usize>,
    gas: u64,
    syscalls: &'a mut Syscalls,
}

impl<'a> BuiltinCall<'a> {
    pub(crate) fn new(invocation: &'a Invocation, syscalls: &'a mut Syscalls) -> Self {
        let mut accounts = Vec::with_capacity(invocation.accounts.len());
        let mut entries = Vec::with_capacity(invocation.accounts.len());
        for entry in &invocation.accounts {
            match entry {
                AccountEntry::First(input) => {
                    entries.push(accounts.len());
                    accounts.push(input.clone());
                }
                // A valid invocation's repeat refers to an entry before it.
                AccountEntry::Repeat(first) => entries.push(entries[*first]),
            }
        }
        Self {
            program_id: invocation.program_id,
            data: &invocation.data,
            accounts,
            entries,
            gas: invocation.gas,
            syscalls,
        }
    }

    /// The id by which the program was called.
    #[must_use]
    pub fn program_id(&self) -> &Pubkey {
        &self.program_id
    }

    /// The instruction data.
    #[must_use]
    pub fn data(&self) -> &'a [u8] {
        self.data
    }

    /// The number of accounts in the list, repeats included.
    #[must_use]
    pub fn account_count(&self) -> usize {
        self.entries.len()
    }

    /// The account at a position of the list, as it is now, with its flags.
    ///
    /// # Errors
    ///
    /// [`ProgramError::NotEnoughAccountKeys`] if the list is shorter.
    pub fn account(&self, position: usize) -> Result<&AccountInput, ProgramError> {
        let entry = self.entries.get(position);
        let entry = entry.ok_or(ProgramError::NotEnoughAccountKeys)?;
        Ok(&self.accounts[*entry])
    }

    /// The account at a position of the list, to change it. Its flags cannot be changed. A position
    /// that repeats an account gives the same account.
    ///
    /// # Errors
    ///
    /// [`ProgramError::NotEnoughAccountKeys`] if the list is shorter.
    pub fn account_mut(&mut self, position: usize) -> Result<&mut Account, ProgramError> {
        let entry = self.entries.get(position);
        let entry = entry.ok_or(ProgramError::NotEnoughAccountKeys)?;
        Ok(&mut self.accounts[*entry].account)
    }

    /// The gas that remains.
    #[must_use]
    pub fn gas(&self) -> u64 {
        self.gas
    }

    /// Takes the price of some work off the gas. Call it before the work.
    ///
    /// # Errors
    ///
    /// [`Failure::OutOfGas`] if the gas that remains does not suffice. None of it remains then.
    pub fn use_gas(&mut self, gas: u64) -> Result<(), Failure> {
        match self.gas.checked_sub(gas) {
            Some(rest) => {
                self.gas = rest;
                Ok(())
            }
            None => {
                self.gas = 0;
                Err(Failure::out_of_gas(self.syscalls.gas_limit()))
            }
        }
    }

    /// Logs a line.
    ///
    /// # Errors
    ///
    /// [`Failure::LogsTooLong`] if the lines of all programs together exceed the limit.
    pub fn log(&mut self, line: impl Into<String>) -> Result<(), Failure> {
        self.syscalls.log(line.into()).map(|_| ())
    }

    /// Replaces the return data.
    ///
    /// # Errors
    ///
    /// [`Failure::ReturnDataTooLong`] if it exceeds the limit.
    pub fn set_return_data(&mut self, data: impl Into<Vec<u8>>) -> Result<(), Failure> {
        self.syscalls.set_return_data(data.into())
    }

    /// What syscalls and the system program cost.
    #[must_use]
    pub fn prices(&self) -> &Prices {
        self.syscalls.prices()
    }

    /// The host, with its sysvars.
    #[must_use]
    pub fn host(&self) -> &dyn Host {
        self.syscalls.host()
    }

    /// The depth of the call: 1 for a program that the host called.
    #[must_use]
    pub fn depth(&self) -> u64 {
        self.syscalls.depth()
    }

    /// The failure of a program that may not change an account. `words` are the runtime's.
    pub(crate) fn broken_rule(
        &mut self,
        position: usize,
        words: &'static str,
        error: fn(usize, Pubkey) -> WriteBackError,
    ) -> Failure {
        self.syscalls.set_broken_rule(Some(words));
        let key = self.account(position).map(|input| input.account.key);
        Failure::WriteBack(error(position, key.unwrap_or_default()))
    }

    /// The accounts as they are now, and the gas that remains.
    pub(crate) fn into_parts(self) -> (Vec<AccountInput>, u64) {
        (self.accounts, self.gas)
    }
}
