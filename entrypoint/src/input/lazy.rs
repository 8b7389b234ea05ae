//! The lazy reader: one account at a time.

use core::fmt;
use core::marker::PhantomData;
use core::ptr;

use abi::Pubkey;

use super::{Entries, Entry, Input, InputError, read};
use crate::account::AccountInfo;

/// An item of [`LazyAccounts`].
#[derive(Clone, Copy, Debug)]
pub enum LazyAccount<'input> {
    /// The first occurrence of an account.
    First(AccountInfo<'input>),
    /// A repeat of the account at this position.
    Repeat(usize),
}

/// The accounts of an input, read one at a time.
///
/// It keeps no list, so it returns a repeat as the position of the repeated account. An account
/// that the program does not request costs nothing.
///
/// [`entrypoint_lazy!`](crate::entrypoint_lazy!) passes it to the program's function:
///
/// ```
/// use entrypoint::input::{LazyAccount, LazyAccounts};
/// use entrypoint::{ProgramError, ProgramResult, Pubkey};
///
/// entrypoint::entrypoint_lazy!(process_instruction);
///
/// fn process_instruction(
///     program_id: &Pubkey,
///     mut accounts: LazyAccounts,
///     _instruction_data: &[u8],
/// ) -> ProgramResult {
///     let Some(LazyAccount::First(account)) = accounts.next() else {
///         return Err(ProgramError::NotEnoughAccountKeys);
///     };
///     if !account.is_owned_by(program_id) {
///         return Err(ProgramError::InvalidAccountOwner);
///     }
///     Ok(())
/// }
/// ```
// Not `Clone`: an entry may be resized after it was read, and then no longer leads to the next one.
pub struct LazyAccounts<'input> {
    entries: Entries,
    /// Neither `Send` nor `Sync`, like the views it makes.
    _input: PhantomData<AccountInfo<'input>>,
}

impl LazyAccounts<'_> {
    /// Returns the accounts of a loader's input.
    ///
    /// # Safety
    ///
    /// As for [`open`](super::open), for as long as `'input`; and `entries` are all entries of that
    /// input.
    #[inline(always)]
    pub(crate) unsafe fn new(entries: Entries) -> Self {
        Self {
            entries,
            _input: PhantomData,
        }
    }
}

impl<'input> Iterator for LazyAccounts<'input> {
    type Item = LazyAccount<'input>;

    #[inline(always)]
    fn next(&mut self) -> Option<LazyAccount<'input>> {
        self.entries.count = self.entries.count.checked_sub(1)?;
        // SAFETY: by `new`, the precondition of `open` holds for these entries. The count shows
        // that one is left. It is stepped over only once, and a view that could change it is made
        // only now, so its marker and data length are as the loader wrote them.
        Some(match unsafe { self.entries.step() } {
            Entry::First(start) => {
                // SAFETY: by `new`, a whole first occurrence as the loader wrote it starts there,
                // in an input that is valid for `'input`, whose provenance is exposed, and that is
                // used only through views, on one thread. Its marker means "not borrowed".
                let account = unsafe { AccountInfo::from_address(start.addr() as u64) };
                LazyAccount::First(account)
            }
            Entry::Repeat(index) => LazyAccount::Repeat(usize::from(index)),
        })
    }

    #[inline(always)]
    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.entries.count, Some(self.entries.count))
    }
}

impl ExactSizeIterator for LazyAccounts<'_> {}

impl core::iter::FusedIterator for LazyAccounts<'_> {}

impl fmt::Debug for LazyAccounts<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("LazyAccounts")
            .field("left", &self.entries.count)
            .finish_non_exhaustive()
    }
}

/// Reads an input from any source, like [`read`], and returns its accounts one at a time.
///
/// It is for unit tests of a function for [`entrypoint_lazy!`](crate::entrypoint_lazy!).
///
/// ```
/// use entrypoint::input::{LazyAccount, read_lazily};
///
/// # let mut bytes = entrypoint::testing::one_account(b"abc");
/// let (_program_id, mut accounts, _instruction_data) = read_lazily(&mut bytes)?;
/// assert_eq!(accounts.len(), 1);
/// let Some(LazyAccount::First(account)) = accounts.next() else { panic!("no account") };
/// assert_eq!(account.data_len(), 3);
/// assert!(accounts.next().is_none());
/// # Ok::<(), entrypoint::input::InputError>(())
/// ```
///
/// # Errors
///
/// [`InputError`] names the field, the account and the fault. It checks all accounts before it
/// returns the first.
pub fn read_lazily(input: &mut [u8]) -> Result<(&Pubkey, LazyAccounts<'_>, &[u8]), InputError> {
    let start = input.as_mut_ptr().addr();
    let Input {
        program_id,
        instruction_data,
        ..
    } = read(input)?;
    // `read` has exposed the provenance of the whole input.
    let input = ptr::with_exposed_provenance_mut(start);
    // SAFETY: `read` has checked that these bytes are an input, and found this length. They are
    // borrowed exclusively for as long as the returned values, and their provenance is exposed. The
    // views of `read` are dropped. Views are not `Send`, so one thread uses them.
    let entries = unsafe { Entries::after(input, instruction_data.len()) };
    // SAFETY: the bytes are an input, borrowed exclusively, with exposed provenance, on one thread,
    // and these are all its entries.
    let accounts = unsafe { LazyAccounts::new(entries) };
    Ok((program_id, accounts, instruction_data))
}
