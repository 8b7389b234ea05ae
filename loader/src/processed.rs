//! Instructions of a transaction that were processed before.

use abi::Pubkey;
use abi::call::AccountMeta;
use abi::instructions::{self, Instruction, WriteError};

use crate::account::{Account, AccountEntry};
use crate::invocation::Invocation;

/// An instruction of a transaction: one that was processed before, for
/// [`Host::processed_instruction`](crate::Host::processed_instruction), or any, for the
/// [instructions sysvar](Self::sysvar).
///
/// An [`Invocation`] converts into the instruction that it is.
///
/// ```
/// use loader::{AccountInput, Invocation, ProcessedInstruction, Pubkey};
///
/// let account = AccountInput::new(Pubkey::new([2; 32])).writable();
/// let invocation = Invocation::new(Pubkey::new([1; 32])).account(account).repeat(0).data(*b"pay");
/// let instruction = ProcessedInstruction::from(&invocation);
/// assert_eq!(instruction.data, b"pay");
/// assert_eq!(instruction.accounts.len(), 2);
/// assert_eq!(instruction.accounts[1].is_writable, 1);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProcessedInstruction {
    /// The program that it called.
    pub program_id: Pubkey,
    /// The accounts that the program got, repeats included.
    pub accounts: Vec<AccountMeta>,
    /// The instruction data.
    pub data: Vec<u8>,
}

impl ProcessedInstruction {
    /// Returns the account of the instructions sysvar of a transaction with these instructions,
    /// while the instruction `current` is processed.
    ///
    /// A program reads it if the instruction lists it. Its key is [`abi::ids::INSTRUCTIONS`]. After
    /// each instruction, [`abi::instructions::set_current_index`] sets the next index in its data.
    ///
    /// ```
    /// use abi::instructions::Instructions;
    /// use loader::{ProcessedInstruction, Pubkey};
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
            key: abi::ids::INSTRUCTIONS,
            owner: abi::ids::SYSVAR_OWNER,
            data,
            ..Account::default()
        })
    }

    /// The instruction of a call that has ended.
    pub(crate) fn of(invocation: Invocation) -> Self {
        Self {
            program_id: invocation.program_id,
            accounts: metas(&invocation),
            data: invocation.data,
        }
    }
}

impl From<&Invocation> for ProcessedInstruction {
    fn from(invocation: &Invocation) -> Self {
        Self {
            program_id: invocation.program_id,
            accounts: metas(invocation),
            data: invocation.data.clone(),
        }
    }
}

/// The accounts of an invocation. A repeat has the rights of the account. A repeat of what is not
/// in the list, which the loader rejects, is left out.
fn metas(invocation: &Invocation) -> Vec<AccountMeta> {
    let first = |entry: &AccountEntry| match entry {
        AccountEntry::First(input) => Some(AccountMeta::new(
            &input.account.key,
            input.is_signer,
            input.is_writable,
        )),
        AccountEntry::Repeat(_) => None,
    };
    let entries = invocation.accounts.iter();
    let metas = entries.filter_map(|entry| match entry {
        AccountEntry::First(_) => first(entry),
        AccountEntry::Repeat(index) => invocation.accounts.get(*index).and_then(first),
    });
    metas.collect()
}
