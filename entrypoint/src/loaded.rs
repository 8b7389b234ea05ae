//! Accounts that the instruction does not list.

use core::fmt;
use core::mem::{MaybeUninit, offset_of};

use abi::call::LoadedEntry;
use abi::input::AccountHeader;
use abi::{ProgramError, Pubkey};

use crate::target::syscalls as raw;

/// Memory for one account with at most `N` bytes of data, for [`load_account`].
///
/// It may lie on the stack, or on the heap in a `Box`. Making one costs nothing.
#[repr(C, align(8))]
pub struct AccountBuffer<const N: usize> {
    header: MaybeUninit<AccountHeader>,
    data: MaybeUninit<[u8; N]>,
}

impl<const N: usize> AccountBuffer<N> {
    /// Returns memory without an account.
    #[inline(always)]
    #[must_use]
    pub const fn new() -> Self {
        Self {
            header: MaybeUninit::uninit(),
            data: MaybeUninit::uninit(),
        }
    }

    // The host writes an entry from the start of this struct on.
    const LAYOUT: () = assert!(offset_of!(Self, data) == AccountHeader::DATA);
}

impl<const N: usize> Default for AccountBuffer<N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const N: usize> fmt::Debug for AccountBuffer<N> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("AccountBuffer")
            .field("capacity", &N)
            .finish_non_exhaustive()
    }
}

/// An account that the instruction does not list, as it was before the transaction: a copy that the
/// program can only read.
///
/// No method changes it, it cannot be passed to a call, and a call that changes the account does
/// not change the copy.
#[derive(Clone, Copy)]
pub struct LoadedAccount<'buffer> {
    header: &'buffer AccountHeader,
    data: &'buffer [u8],
}

impl<'buffer> LoadedAccount<'buffer> {
    /// Returns the account's address.
    #[inline]
    #[must_use]
    pub fn key(&self) -> &'buffer Pubkey {
        bytemuck::cast_ref(&self.header.key)
    }

    /// Returns the program that owns the account.
    #[inline]
    #[must_use]
    pub fn owner(&self) -> &'buffer Pubkey {
        bytemuck::cast_ref(&self.header.owner)
    }

    /// Returns whether `program_id` owns the account.
    #[inline]
    #[must_use]
    pub fn is_owned_by(&self, program_id: &Pubkey) -> bool {
        self.owner() == program_id
    }

    /// Returns the account's balance.
    #[inline]
    #[must_use]
    pub fn kelvins(&self) -> u64 {
        self.header.kelvins
    }

    /// Returns whether the account holds a program.
    #[inline]
    #[must_use]
    pub fn executable(&self) -> bool {
        self.header.executable != 0
    }

    /// Returns the account's data.
    #[inline]
    #[must_use]
    pub fn data(&self) -> &'buffer [u8] {
        self.data
    }
}

impl fmt::Debug for LoadedAccount<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("LoadedAccount")
            .field("key", self.key())
            .field("owner", self.owner())
            .field("kelvins", &self.kelvins())
            .field("data_len", &self.data.len())
            .field("executable", &self.executable())
            .finish()
    }
}

/// Loads an account that the instruction does not list into the buffer.
///
/// The host has the account as it was before the transaction. What this program, the programs that
/// wait for it and those that it has called have changed since is not in it. So do not add the
/// kelvins of a loaded account to those of accounts of the instruction: kelvins that were moved
/// would count twice.
///
/// The program pays gas for its bytes, even if the buffer is too small. The account may change with
/// the transactions between the author's test and the chain: check its owner before you trust its
/// data.
///
/// ```
/// use entrypoint::testing::{Account, Host};
/// use entrypoint::{AccountBuffer, ProgramError, Pubkey, load_account};
///
/// const PRICES: Pubkey = Pubkey::new([9; 32]);
/// const PUBLISHER: Pubkey = Pubkey::new([8; 32]);
///
/// fn price() -> Result<u64, ProgramError> {
///     let mut buffer = AccountBuffer::<8>::new();
///     let prices = load_account(&PRICES, &mut buffer)?;
///     if !prices.is_owned_by(&PUBLISHER) {
///         return Err(ProgramError::InvalidAccountOwner);
///     }
///     let price = prices.data().first_chunk().ok_or(ProgramError::AccountDataTooSmall)?;
///     Ok(u64::from_le_bytes(*price))
/// }
///
/// let account = Account {
///     key: PRICES,
///     owner: PUBLISHER,
///     data: 42_u64.to_le_bytes().into(),
///     ..Account::default()
/// };
/// assert_eq!(Host::new().account(account).run(price).0, Ok(42));
/// assert_eq!(Host::new().run(price).0, Err(ProgramError::UninitializedAccount));
/// ```
///
/// # Errors
///
/// - [`ProgramError::UninitializedAccount`] if there is no such account.
/// - [`ProgramError::AccountDataTooSmall`] if the account has more than `N` bytes of data.
pub fn load_account<'buffer, const N: usize>(
    key: &Pubkey,
    buffer: &'buffer mut AccountBuffer<N>,
) -> Result<LoadedAccount<'buffer>, ProgramError> {
    const { AccountBuffer::<N>::LAYOUT };
    let mut entry = LoadedEntry {
        address: (&raw mut *buffer).expose_provenance() as u64,
        length: (AccountHeader::DATA + N) as u64,
    };
    // SAFETY: 32 bytes are readable at the key. The entry is readable and writable, and so many
    // bytes as it says are writable at its address: by `LAYOUT` the buffer has at least them.
    let status = unsafe { raw::rlo_load_account(key.as_bytes().as_ptr(), (&raw mut entry).cast()) };
    if let Some(error) = ProgramError::from_status(status) {
        return Err(error);
    }
    // The Rialo runtime writes another address here.
    let header = core::ptr::with_exposed_provenance::<AccountHeader>(entry.address as usize);
    // SAFETY: the syscall has returned 0, so there is a header at the address, aligned to 8. It is
    // in the buffer, which is borrowed for `'buffer`, or in memory of the host's that nothing
    // writes.
    let header = unsafe { &*header };
    // Not from the reference to the header, which covers only that.
    let data = entry.address as usize + AccountHeader::DATA;
    let data = core::ptr::with_exposed_provenance::<u8>(data);
    // SAFETY: the syscall has returned 0, so there is as much data as the header says after it.
    // Nothing writes it for `'buffer`, as above.
    let data = unsafe { core::slice::from_raw_parts(data, header.data_length as usize) };
    Ok(LoadedAccount { header, data })
}
