//! The system program: it creates accounts, and moves the kelvins of accounts without a program.

use std::fmt;

use abi::Pubkey;
use abi::system::{self, AccountState, Accounts};

use crate::builtin::{Builtin, BuiltinCall};
use crate::error::Failure;

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

/// The accounts of a call. The loader rejects what the system program may not do with another
/// program's account.
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

    fn set_kelvins(&mut self, position: usize, kelvins: u64) -> Result<(), Failure> {
        self.0.account_mut(position)?.kelvins = kelvins;
        Ok(())
    }

    fn set_owner(&mut self, position: usize, owner: &Pubkey) -> Result<(), Failure> {
        self.0.account_mut(position)?.owner = *owner;
        Ok(())
    }

    fn allocate(&mut self, position: usize, length: usize) -> Result<(), Failure> {
        self.0.account_mut(position)?.data = vec![0; length];
        Ok(())
    }

    fn log(&mut self, reason: fmt::Arguments<'_>) -> Result<(), Failure> {
        self.0.log(reason.to_string())
    }
}
