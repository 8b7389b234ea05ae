//! The reader that walks when it is asked to.

use core::fmt;
use core::marker::PhantomData;
use core::ptr;

use abi::Pubkey;

use super::{Entries, Entry, Input, InputError, read};
use crate::account::AccountInfo;

/// What [`LazyAccounts`] gives.
#[derive(Clone, Copy, Debug)]
pub enum LazyAccount<'input> {
    /// An account that has not come before.
    First(AccountInfo<'input>),
    /// The account at this position again.
    Repeat(usize),
}

/// The accounts of an input, read one by one.
///
/// It keeps no list, so a repeat is given as the position of the account it repeats. An account that nobody asks for
/// costs nothing.
///
/// [`entrypoint_lazy!`](crate::entrypoint_lazy!) hands it to the program's function:
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
// Not `Clone`: an entry that was walked over once may have been resized since, and then no longer says where the next
// one is.
pub struct LazyAccounts<'input> {
    entries: Entries,
    /// Neither `Send` nor `Sync`, like the views it makes.
    _input: PhantomData<AccountInfo<'input>>,
}

impl LazyAccounts<'_> {
    /// The accounts of an input that a loader has written.
    ///
    /// # Safety
    ///
    /// As for [`open`](super::open), for as long as `'input`. `entries` are all the entries of that input.
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
        // SAFETY: by `new` these are entries as a loader has written them, and one is left. It is stepped over only once, and a
        // view of it, through which it could be changed, is made only now.
        Some(match unsafe { self.entries.step() } {
            Entry::First(start) => {
                // SAFETY: by `new` a whole entry starts there in an input that lives for `'input`, whose provenance is exposed,
                // and that is used through views only; its marker says that nothing is borrowed.
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

/// Reads an input that anybody may have written, as [`read`] does, and gives its accounts one by one: what a test of a
/// function for [`entrypoint_lazy!`](crate::entrypoint_lazy!) calls it with.
///
/// ```
/// use entrypoint::input::{LazyAccount, read_lazily};
///
/// # let mut bytes = entrypoint::input::testing::one_account(b"abc");
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
/// [`InputError`] says which field of which account is wrong, and how. All of them are looked at before the first is
/// given.
pub fn read_lazily(input: &mut [u8]) -> Result<(&Pubkey, LazyAccounts<'_>, &[u8]), InputError> {
    let start = input.as_mut_ptr().addr();
    let Input {
        program_id,
        instruction_data,
        ..
    } = read(input)?;
    // `read` has exposed the provenance of the whole input.
    let input = ptr::with_exposed_provenance_mut(start);
    // SAFETY: `read` has walked over these bytes as over those of an input, and found this length. They are borrowed
    // exclusively for as long as what is made here; the views that `read` has made are dropped.
    let entries = unsafe { Entries::behind(input, instruction_data.len()) };
    // SAFETY: as above, and these are all of its entries.
    let accounts = unsafe { LazyAccounts::new(entries) };
    Ok((program_id, accounts, instruction_data))
}
