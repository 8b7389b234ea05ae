//! The other instructions of the transaction.
//!
//! | | |
//! |---|---|
//! | the instructions that were processed before this one, at the same depth | [`processed_sibling`] |
//! | all instructions of the transaction, later ones too | the account of the instructions sysvar: [`data`] and [`Instructions`] |
//!
//! The first needs no account. The second is for an instruction that lists the sysvar's account: a
//! flash loan, for example, looks for the later instruction that pays it back.
//!
//! ```
//! use entrypoint::instructions::{self, Instructions};
//! use entrypoint::{AccountInfo, ProgramError, ProgramResult, Pubkey};
//!
//! const PAYMENTS: Pubkey = Pubkey::new([9; 32]);
//!
//! /// Succeeds if the instruction before this one is a payment.
//! fn process_instruction(_: &Pubkey, accounts: &[AccountInfo], _: &[u8]) -> ProgramResult {
//!     let account = accounts.first().ok_or(ProgramError::NotEnoughAccountKeys)?;
//!     let data = instructions::data(account)?;
//!     let before = Instructions::new(&data).relative(-1)?;
//!     if before.program_id != &PAYMENTS || before.data != b"pay" {
//!         return Err(ProgramError::InvalidArgument);
//!     }
//!     Ok(())
//! }
//! # use entrypoint::testing::{Invocation, ProcessedInstruction};
//! # let pay = ProcessedInstruction {
//! #     program_id: PAYMENTS,
//! #     data: b"pay".to_vec(),
//! #     ..ProcessedInstruction::default()
//! # };
//! # let this = ProcessedInstruction::default();
//! # for (current, expected) in [(1, Ok(())), (2, Err(ProgramError::InvalidArgument))] {
//! #     let transaction = [pay.clone(), this.clone(), this.clone()];
//! #     let sysvar = ProcessedInstruction::sysvar(&transaction, current).unwrap();
//! #     let invocation = Invocation::new(Pubkey::new([1; 32])).account(sysvar.into());
//! #     assert_eq!(invocation.run(process_instruction).result, expected);
//! # }
//! ```

pub use abi::call::AccountMeta as SiblingAccount;
pub use abi::ids::INSTRUCTIONS as ID;
pub use abi::instructions::{Instructions, SiblingLengths, StoredAccount, StoredInstruction};
use abi::{ProgramError, Pubkey};
use bytemuck::Zeroable;

use crate::target::syscalls as raw;
use crate::{AccountInfo, Ref};

/// An instruction that was processed before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProcessedSibling<'buffer> {
    /// The program that it called.
    pub program_id: Pubkey,
    /// The instruction data.
    pub data: &'buffer [u8],
    /// The accounts that the program got, repeats included.
    pub accounts: &'buffer [SiblingAccount],
}

/// Copies an instruction that was processed before this one into the buffers; `None` if there are
/// not so many. It needs no heap.
///
/// `index` counts back from the newest one, which is 0. For a program that the host called, these
/// are the transaction's instructions before its own. For one that a program called, they are the
/// calls which that program made before, and not those that these made.
///
/// The buffers may be longer than what is copied. If both are exactly as long, there is one syscall
/// instead of two.
///
/// ```
/// use entrypoint::instructions::{SiblingAccount, processed_sibling};
/// use entrypoint::testing::{Host, ProcessedInstruction};
/// use entrypoint::{ProgramError, Pubkey};
///
/// /// Returns the amount of the payment before this instruction.
/// fn paid() -> Result<u8, ProgramError> {
///     let (mut data, mut accounts) = ([0; 8], [SiblingAccount::default(); 4]);
///     let before = processed_sibling(0, &mut data, &mut accounts)?;
///     let before = before.ok_or(ProgramError::InvalidArgument)?;
///     match before.data {
///         [amount] if before.program_id == Pubkey::new([9; 32]) => Ok(*amount),
///         _ => Err(ProgramError::InvalidInstructionData),
///     }
/// }
///
/// let payment = ProcessedInstruction {
///     program_id: Pubkey::new([9; 32]),
///     data: vec![42],
///     ..ProcessedInstruction::default()
/// };
/// assert_eq!(Host::new().processed(payment).run(paid).0, Ok(42));
/// assert_eq!(Host::new().run(paid).0, Err(ProgramError::InvalidArgument));
/// ```
///
/// # Errors
///
/// [`ProgramError::AccountDataTooSmall`] if a buffer is too short. [`processed_sibling_lengths`]
/// returns the lengths.
pub fn processed_sibling<'buffer>(
    index: u64,
    data: &'buffer mut [u8],
    accounts: &'buffer mut [SiblingAccount],
) -> Result<Option<ProcessedSibling<'buffer>>, ProgramError> {
    let room = SiblingLengths {
        data_length: data.len() as u64,
        account_count: accounts.len() as u64,
    };
    let mut lengths = room;
    let mut program_id = Pubkey::zeroed();
    // SAFETY: the lengths are those of the buffers.
    if !unsafe { ask(index, &mut lengths, &mut program_id, data, accounts) } {
        return Ok(None);
    }
    if lengths != room {
        if lengths.data_length > room.data_length || lengths.account_count > room.account_count {
            return Err(ProgramError::AccountDataTooSmall);
        }
        // SAFETY: the lengths are at most those of the buffers, by the check above.
        if !unsafe { ask(index, &mut lengths, &mut program_id, data, accounts) } {
            return Ok(None);
        }
    }
    Ok(Some(ProcessedSibling {
        program_id,
        data: &data[..lengths.data_length as usize],
        accounts: &accounts[..lengths.account_count as usize],
    }))
}

/// Returns the lengths of an instruction that was processed before this one; `None` if there are
/// not so many. [`processed_sibling`] describes the index.
///
/// ```
/// use entrypoint::instructions::processed_sibling_lengths;
/// use entrypoint::testing::{Host, ProcessedInstruction};
///
/// let before = ProcessedInstruction { data: vec![1, 2, 3], ..ProcessedInstruction::default() };
/// let (lengths, _) = Host::new().processed(before).run(|| processed_sibling_lengths(0));
/// assert_eq!(lengths.map(|lengths| lengths.data_length), Some(3));
/// ```
#[must_use]
pub fn processed_sibling_lengths(index: u64) -> Option<SiblingLengths> {
    // No instruction is so long, so the host writes nothing but the lengths.
    let mut lengths = SiblingLengths {
        data_length: u64::MAX,
        account_count: u64::MAX,
    };
    let mut program_id = Pubkey::zeroed();
    // SAFETY: no instruction has these lengths.
    let is_found = unsafe { ask(index, &mut lengths, &mut program_id, &mut [], &mut []) };
    is_found.then_some(lengths)
}

/// Makes the syscall. Returns whether there is such an instruction.
///
/// # Safety
///
/// If the instruction has these lengths, the buffers are at least as long.
#[inline]
unsafe fn ask(
    index: u64,
    lengths: &mut SiblingLengths,
    program_id: &mut Pubkey,
    data: &mut [u8],
    accounts: &mut [SiblingAccount],
) -> bool {
    // SAFETY: the lengths and 32 bytes of the id are readable and writable. If the instruction has
    // these lengths, as many bytes and accounts are writable, by the contract. Otherwise the
    // syscall does not write them.
    let found = unsafe {
        raw::rlo_get_processed_sibling_instruction(
            index,
            core::ptr::from_mut(lengths).cast(),
            core::ptr::from_mut(program_id).cast(),
            data.as_mut_ptr(),
            accounts.as_mut_ptr().cast(),
        )
    };
    found == 1
}

/// Borrows the data of the instructions sysvar, for [`Instructions::new`].
///
/// The module has an example.
///
/// # Errors
///
/// - [`ProgramError::UnsupportedSysvar`] if the account is another one: only the host writes the
///   account with the address [`ID`].
/// - [`ProgramError::AccountBorrowFailed`] as for [`AccountInfo::try_borrow_data`].
#[inline]
pub fn data<'input>(account: &AccountInfo<'input>) -> Result<Ref<'input, [u8]>, ProgramError> {
    if account.key() != &ID {
        return Err(ProgramError::UnsupportedSysvar);
    }
    account.try_borrow_data()
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use abi::{ProgramError, Pubkey};

    use super::{SiblingAccount, processed_sibling, processed_sibling_lengths};
    use crate::testing::{AccountInput, Host, Invocation, ProcessedInstruction};
    use crate::{AccountMeta, Instruction, invoke};

    fn processed(byte: u8) -> ProcessedInstruction {
        let key = Pubkey::new([byte; 32]);
        ProcessedInstruction {
            program_id: key,
            accounts: (0..byte)
                .map(|_| SiblingAccount::writable_signer(&key))
                .collect(),
            data: (0..2 * byte).collect(),
        }
    }

    #[test]
    fn buffers_may_be_longer_but_not_shorter() {
        let host = Host::new().processed(processed(1)).processed(processed(3));
        host.run(|| {
            for (index, expected) in [(0, processed(3)), (1, processed(1))] {
                let (length, count) = (expected.data.len(), expected.accounts.len());
                for (room, places) in [(length, count), (length + 1, count), (90, 9)] {
                    let mut data = std::vec![7; room];
                    let mut accounts = std::vec![SiblingAccount::default(); places];
                    let found = processed_sibling(index, &mut data, &mut accounts);
                    let found = found.unwrap().expect("an instruction");
                    assert_eq!(found.program_id, expected.program_id);
                    assert_eq!(found.data, expected.data);
                    assert_eq!(found.accounts, expected.accounts);
                    assert_eq!(data[length..], std::vec![7; room - length]);
                }
                for (room, places) in [(length - 1, 9), (90, count - 1), (0, 0)] {
                    let mut data = std::vec![7; room];
                    let mut accounts = std::vec![SiblingAccount::default(); places];
                    let found = processed_sibling(index, &mut data, &mut accounts);
                    assert_eq!(found, Err(ProgramError::AccountDataTooSmall));
                }
            }
            for index in [2, u64::MAX] {
                assert_eq!(processed_sibling(index, &mut [], &mut []), Ok(None));
                assert_eq!(processed_sibling_lengths(index), None);
            }
        });
    }

    /// The first call has no sibling, and the second has the first; nor are calls of another
    /// invocation siblings.
    #[test]
    fn siblings_of_a_called_program_are_the_calls_before_it() {
        const CALLEE: Pubkey = Pubkey::new([5; 32]);
        let callee = |_: &Pubkey, _: &[crate::AccountInfo], number: &[u8]| {
            let mut data = [0; 1];
            let mut accounts = [SiblingAccount::default(); 2];
            let newest = processed_sibling(0, &mut data, &mut accounts)?;
            match number {
                [0] => assert_eq!(newest, None),
                [number] => {
                    let newest = newest.expect("a sibling");
                    assert_eq!(
                        (newest.program_id, newest.data),
                        (CALLEE, &[number - 1][..])
                    );
                    // A repeat has all rights of the account.
                    let flags: Vec<_> = newest
                        .accounts
                        .iter()
                        .map(|account| (account.is_signer, account.is_writable))
                        .collect();
                    assert_eq!(flags, [(0, 1), (0, 1)]);
                    assert!(processed_sibling_lengths(u64::from(*number)).is_none());
                }
                _ => unreachable!(),
            }
            Ok(())
        };
        let host = Host::new().processed(processed(2)).program(CALLEE, callee);
        let account = AccountInput::new(Pubkey::new([6; 32])).writable();
        let invocation = Invocation::new(Pubkey::new([1; 32])).account(account);
        host.run(|| {
            for _ in 0..2 {
                let outcome = invocation.run(|_, accounts, _| {
                    for number in 0..3 {
                        let key = accounts[0].key();
                        let instruction = Instruction {
                            program_id: &CALLEE,
                            accounts: &[AccountMeta::readonly(key), AccountMeta::writable(key)],
                            data: &[number],
                        };
                        invoke(&instruction, accounts)?;
                        // Its own sibling is that of the transaction.
                        let lengths = processed_sibling_lengths(0).expect("a sibling");
                        assert_eq!((lengths.data_length, lengths.account_count), (4, 2));
                    }
                    Ok(())
                });
                assert_eq!(outcome.result, Ok(()));
            }
        });
    }
}
