//! The reader that walks when it is asked to.

use core::fmt;

use abi::Pubkey;

use super::checked::CheckedCursor;
use super::{Entry, InputError, prefix};
use crate::account::AccountInfo;

/// An entry of a [`LazyAccounts`].
#[derive(Clone, Copy, Debug)]
pub enum LazyAccount<'input> {
    /// An account that has not come before.
    First(AccountInfo<'input>),
    /// The account at this position again.
    Repeat(usize),
}

/// The accounts of an input, read one by one.
///
/// It keeps no list, so a repeat is given as the position of the account it repeats.
pub struct LazyAccounts<'input> {
    cursor: CheckedCursor<'input>,
    position: usize,
    count: usize,
}

/// Reads what stands before the accounts, and the accounts one by one as they are asked for.
///
/// ```
/// use entrypoint::input::{LazyAccount, read_lazily};
///
/// # let mut bytes = entrypoint::input::testing::one_account(b"abc");
/// let (_program_id, _instruction_data, mut accounts) = read_lazily(&mut bytes)?;
/// assert_eq!(accounts.len(), 1);
/// let Some(Ok(LazyAccount::First(account))) = accounts.next() else { panic!("no account") };
/// assert_eq!(account.data_len(), 3);
/// # Ok::<(), entrypoint::input::InputError>(())
/// ```
///
/// # Errors
///
/// [`InputError`] if what stands before the accounts is wrong. What is wrong with an account, the
/// iterator says when it comes to it; after an error it ends.
pub fn read_lazily(input: &mut [u8]) -> Result<(&Pubkey, &[u8], LazyAccounts<'_>), InputError> {
    let mut cursor = CheckedCursor::new(input);
    let prefix = prefix(&mut cursor)?;
    cursor.bound_count(prefix.count)?;
    // SAFETY: the cursor has stepped over 32 bytes there, which live for as long as the input; a
    // `Pubkey` has alignment 1 and no invalid values; nobody writes them, because only the entries of
    // accounts, which are other bytes, are lent for writing.
    let program_id = unsafe { &*prefix.program_id.cast::<Pubkey>() };
    // SAFETY: the cursor has stepped over that many bytes there, and nobody writes them, as above.
    let instruction_data = unsafe {
        core::slice::from_raw_parts(
            prefix.instruction_data,
            prefix.instruction_data_length as usize,
        )
    };
    let accounts = LazyAccounts {
        cursor,
        position: 0,
        count: prefix.count as usize,
    };
    Ok((program_id, instruction_data, accounts))
}

impl<'input> Iterator for LazyAccounts<'input> {
    type Item = Result<LazyAccount<'input>, InputError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.position == self.count {
            return None;
        }
        let entry = self.cursor.entry(self.position);
        self.position += 1;
        Some(match entry {
            Ok(Entry::First(start)) => Ok(LazyAccount::First(self.cursor.view(start))),
            Ok(Entry::Repeat(index)) => Ok(LazyAccount::Repeat(usize::from(index))),
            Err(error) => {
                self.position = self.count;
                Err(error)
            }
        })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let rest = self.count - self.position;
        (rest, Some(rest))
    }
}

impl ExactSizeIterator for LazyAccounts<'_> {}

impl fmt::Debug for LazyAccounts<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("LazyAccounts")
            .field("position", &self.position)
            .field("count", &self.count)
            .finish_non_exhaustive()
    }
}
