//! Instructions of a transaction, as a host keeps them.

use alloc::vec;
use alloc::vec::Vec;

use super::Account;
use crate::Pubkey;
use crate::call::AccountMeta;
use crate::ids;
use crate::instructions::{self, Instruction, WriteError};

/// An instruction of a transaction: one that was processed before, or any, for the [instructions
/// sysvar](Self::sysvar).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProcessedInstruction {
    /// The program that it calls.
    pub program_id: Pubkey,
    /// The accounts that the program gets, repeats included.
    pub accounts: Vec<AccountMeta>,
    /// The instruction data.
    pub data: Vec<u8>,
}

impl ProcessedInstruction {
    /// Returns the account of the instructions sysvar of a transaction with these instructions,
    /// while the instruction `current` is processed.
    ///
    /// A program reads it if the instruction lists it. Its key is [`ids::INSTRUCTIONS`]. After each
    /// instruction, [`instructions::set_current_index`] sets the next index in its data.
    ///
    /// ```
    /// use abi::host::ProcessedInstruction;
    /// use abi::instructions::Instructions;
    ///
    /// let pay = ProcessedInstruction { data: b"pay".to_vec(), ..ProcessedInstruction::default() };
    /// let account = ProcessedInstruction::sysvar([&pay, &pay], 1)?;
    /// assert_eq!(Instructions::new(&account.data).current_index(), Ok(1));
    /// # Ok::<(), abi::instructions::WriteError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`WriteError::TooLong`] if the instructions do not fit in the layout, which counts in 16
    /// bits.
    pub fn sysvar<'a>(
        transaction: impl IntoIterator<Item = &'a Self>,
        current: u16,
    ) -> Result<Account, WriteError> {
        let instructions = transaction.into_iter().map(|instruction| Instruction {
            program_id: &instruction.program_id,
            accounts: &instruction.accounts,
            data: &instruction.data,
        });
        let instructions: Vec<_> = instructions.collect();
        let mut data = vec![0; instructions::length(&instructions)?];
        instructions::write(&instructions, current, &mut data)?;
        Ok(Account {
            key: ids::INSTRUCTIONS,
            owner: ids::SYSVAR_OWNER,
            data: data.into(),
            ..Account::default()
        })
    }
}
