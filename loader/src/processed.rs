//! Instructions of a transaction that were processed before.

use abi::call::AccountMeta;
pub use abi::host::ProcessedInstruction;

use crate::account::AccountEntry;
use crate::invocation::Invocation;

/// The instruction of a call that has ended.
pub(crate) fn instruction_of(invocation: Invocation) -> ProcessedInstruction {
    ProcessedInstruction {
        program_id: invocation.program_id,
        accounts: metas(&invocation),
        data: invocation.data,
    }
}

/// The instruction that an invocation is.
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
