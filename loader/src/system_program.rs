//! The system program: it creates accounts, and moves the kelvins of accounts without a program.

use std::fmt;

use abi::Pubkey;
use abi::system::{self, AccountState, Accounts};

use crate::builtin::{Builtin, BuiltinCall};
use crate::error::{Failure, WriteBackError};
use crate::invoke::reason;

/// The system program, as a [`Builtin`]: it creates accounts, and moves the kelvins of accounts that
/// belong to no other program.
///
/// [`abi::system`] has its instructions and errors, and [`abi::system::run`] its rules, which the
/// host of unit tests has too. Before it fails, it logs the reason.
///
/// ```
/// use loader::{Environment, SystemProgram};
///
/// let host = Environment::new().builtin(abi::ids::SYSTEM_PROGRAM, SystemProgram);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemProgram;

impl Builtin for SystemProgram {
    fn call(&self, call: &mut BuiltinCall<'_>) -> Result<(), Failure> {
        call.use_gas(call.prices().system_program)?;
        let data = call.data();
        system::run(&mut AccountsOf(call), data)
    }
}

/// The accounts of a call, with the rules of the write-back in the order in which the runtime's
/// program meets them.
struct AccountsOf<'a, 'b>(&'a mut BuiltinCall<'b>);

impl Accounts for AccountsOf<'_, '_> {
    type Error = Failure;

    fn count(&self) -> usize {
        self.0.account_count()
    }

    fn account(&self, position: usize) -> Result<AccountState, Failure> {
        let input = self.0.account(position)?;
        Ok(AccountState {
            key: input.account.key,
            owner: input.account.owner,
            kelvins: input.account.kelvins,
            data_length: input.account.data.len(),
            is_signer: input.is_signer,
        })
    }

    /// As on the runtime, the account must be writable even if its kelvins stay.
    fn set_kelvins(&mut self, position: usize, kelvins: u64) -> Result<(), Failure> {
        let input = self.0.account(position)?;
        let account = &input.account;
        if account.owner != *self.0.program_id() && kelvins < account.kelvins {
            let error = |index, key| WriteBackError::DebitedByNonOwner { index, key };
            return Err(self.0.broken_rule(position, reason::FOREIGN_DEBIT, error));
        }
        if !input.is_writable {
            let error = |index, key| WriteBackError::AccountNotWritable { index, key };
            return Err(self
                .0
                .broken_rule(position, reason::READ_ONLY_KELVINS, error));
        }
        self.0.account_mut(position)?.kelvins = kelvins;
        Ok(())
    }

    fn set_owner(&mut self, position: usize, owner: &Pubkey) -> Result<(), Failure> {
        let input = self.0.account(position)?;
        if input.account.owner != *self.0.program_id() {
            let error = |index, key| WriteBackError::ReassignedByNonOwner { index, key };
            return Err(self.0.broken_rule(position, reason::REASSIGNED, error));
        }
        if !input.is_writable {
            let error = |index, key| WriteBackError::AccountNotWritable { index, key };
            return Err(self.0.broken_rule(position, reason::REASSIGNED, error));
        }
        if input.account.data.iter().any(|byte| *byte != 0) {
            let error = |index, key| WriteBackError::ReassignedWithData { index, key };
            return Err(self.0.broken_rule(position, reason::REASSIGNED, error));
        }
        self.0.account_mut(position)?.owner = *owner;
        Ok(())
    }

    fn check_writable_data(&mut self, position: usize) -> Result<(), Failure> {
        if self.0.account(position)?.is_writable {
            return Ok(());
        }
        let error = |index, key| WriteBackError::AccountNotWritable { index, key };
        Err(self.0.broken_rule(position, reason::READ_ONLY_DATA, error))
    }

    fn allocate(&mut self, position: usize, length: usize) -> Result<(), Failure> {
        self.0.account_mut(position)?.data = vec![0; length].into();
        Ok(())
    }

    fn most_growth(&self) -> u64 {
        match self.0.depth() {
            1 => abi::input::MAX_PERMITTED_DATA_LENGTH as u64,
            _ => abi::input::MAX_PERMITTED_DATA_INCREASE as u64,
        }
    }

    fn log(&mut self, reason: fmt::Arguments<'_>) -> Result<(), Failure> {
        self.0.log(reason.to_string())
    }
}
