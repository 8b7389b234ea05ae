//! The system program, for unit tests.

use core::fmt;
use std::string::ToString;
use std::vec::Vec;

use abi::system::{AccountState, Accounts, run};
use abi::{ProgramError, ProgramResult, Pubkey};

use crate::AccountInfo;
use crate::system::ID;

/// Does what the system program does, by the rules that the loader has too.
pub(super) fn process_instruction(
    _program_id: &Pubkey,
    accounts: &[AccountInfo<'_>],
    instruction_data: &[u8],
) -> ProgramResult {
    let mut views = Views(accounts);
    let before = accounts.iter().map(|view| (view.kelvins(), view.owner()));
    let before: Vec<_> = before.collect();
    run(&mut views, instruction_data)?;
    // A loader ends the callers for what no program may do. A unit test gets an error.
    for (view, (kelvins, owner)) in accounts.iter().zip(before) {
        let is_changed = view.kelvins() != kelvins || view.owner() != owner;
        if is_changed && !view.is_writable() {
            return Err(ProgramError::Immutable);
        }
        let needs_owner = view.kelvins() < kelvins || view.owner() != owner;
        if needs_owner && owner != ID {
            return Err(ProgramError::InvalidAccountOwner);
        }
        let has_data = view.try_borrow_data()?.iter().any(|byte| *byte != 0);
        if view.owner() != owner && has_data {
            return Err(ProgramError::InvalidAccountData);
        }
    }
    Ok(())
}

/// The accounts that the call got.
struct Views<'a>(&'a [AccountInfo<'a>]);

impl<'a> Views<'a> {
    fn view(&self, position: usize) -> Result<&'a AccountInfo<'a>, ProgramError> {
        let found = self.0.get(position);
        found.ok_or(ProgramError::NotEnoughAccountKeys)
    }
}

impl Accounts for Views<'_> {
    type Error = ProgramError;

    fn count(&self) -> usize {
        self.0.len()
    }

    fn account(&self, position: usize) -> Result<AccountState, ProgramError> {
        let view = self.view(position)?;
        Ok(AccountState {
            key: *view.key(),
            owner: view.owner(),
            kelvins: view.kelvins(),
            data_length: view.data_len(),
            is_signer: view.is_signer(),
        })
    }

    fn set_kelvins(&mut self, position: usize, kelvins: u64) -> ProgramResult {
        self.view(position)?.set_kelvins(kelvins);
        Ok(())
    }

    fn set_owner(&mut self, position: usize, owner: &Pubkey) -> ProgramResult {
        self.view(position)?.assign(owner);
        Ok(())
    }

    fn allocate(&mut self, position: usize, length: usize) -> ProgramResult {
        let view = self.view(position)?;
        view.require_writable()?.resize(length)
    }

    fn log(&mut self, reason: fmt::Arguments<'_>) -> ProgramResult {
        crate::log(&reason.to_string());
        Ok(())
    }
}
