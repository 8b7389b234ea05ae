//! Views of accounts.

use core::cell::Cell;
use core::fmt;
use core::marker::PhantomData;
use core::mem::{MaybeUninit, offset_of};
use core::ptr;

use abi::call::CAccount;
use abi::input::{
    AccountHeader, FIRST_OCCURRENCE, MAX_PERMITTED_DATA_INCREASE, MAX_PERMITTED_DATA_LENGTH,
    rent_epoch_offset,
};
use abi::{ProgramError, Pubkey};

use crate::borrow::{MUTABLY_BORROWED, Ref, RefMut};

use self::field::Field;

/// The fields of an entry's header.
mod field {
    use core::marker::PhantomData;

    use abi::Pubkey;
    use abi::input::AccountHeader;

    /// The place of a `T` in the header of a first occurrence.
    ///
    /// Only the constants below are fields. Reading and writing a field is sound because of two
    /// properties that each of them has:
    ///
    /// - Its bytes lie inside the header.
    /// - No reference to its bytes is ever made. The key, which a view lends, and the data are
    ///   therefore not fields.
    pub(super) struct Field<T> {
        offset: usize,
        _value: PhantomData<T>,
    }

    impl<T> Field<T> {
        const fn at(offset: usize) -> Self {
            assert!(offset + size_of::<T>() <= AccountHeader::DATA);
            assert!(
                offset + size_of::<T>() <= AccountHeader::KEY || offset >= AccountHeader::OWNER
            );
            Self {
                offset,
                _value: PhantomData,
            }
        }

        /// Returns the offset from the start of the entry.
        #[inline(always)]
        pub(super) const fn offset(&self) -> usize {
            self.offset
        }
    }

    pub(super) const MARKER: Field<u8> = Field::at(AccountHeader::MARKER);
    /// Borrow state, flags and original length, in one word.
    pub(super) const FIRST_WORD: Field<u64> = Field::at(AccountHeader::MARKER);
    pub(super) const IS_SIGNER: Field<u8> = Field::at(AccountHeader::IS_SIGNER);
    pub(super) const IS_WRITABLE: Field<u8> = Field::at(AccountHeader::IS_WRITABLE);
    pub(super) const EXECUTABLE: Field<u8> = Field::at(AccountHeader::EXECUTABLE);
    pub(super) const ORIGINAL_DATA_LENGTH: Field<u32> =
        Field::at(AccountHeader::ORIGINAL_DATA_LENGTH);
    pub(super) const OWNER: Field<Pubkey> = Field::at(AccountHeader::OWNER);
    pub(super) const KELVINS: Field<u64> = Field::at(AccountHeader::KELVINS);
    pub(super) const DATA_LENGTH: Field<u64> = Field::at(AccountHeader::DATA_LENGTH);
}

/// One account of the instruction: a view of its serialized entry, without a copy.
///
/// A view is one u64, the entry's address, and may be copied. All views of an account, through a
/// repeat of it too, see the same bytes and share one borrow state, which is in the entry itself.
///
/// | read | change |
/// |---|---|
/// | [`key`](Self::key) | |
/// | [`is_signer`](Self::is_signer), [`is_writable`](Self::is_writable), [`executable`](Self::executable), [`rent_epoch`](Self::rent_epoch) | |
/// | [`owner`](Self::owner), [`is_owned_by`](Self::is_owned_by) | [`assign`](Self::assign) |
/// | [`kelvins`](Self::kelvins) | [`set_kelvins`](Self::set_kelvins), [`credit`](Self::credit), [`debit`](Self::debit) |
/// | [`data_len`](Self::data_len), [`try_borrow_data`](Self::try_borrow_data) | [`try_borrow_mut_data`](Self::try_borrow_mut_data), [`resize`](Self::resize) |
///
/// A call of another program may change the account too: see [`mod@crate::call`]. A view stores
/// nothing but the address, so it always shows the account as it is.
///
/// No method checks whether the program *may* change the account. The loader checks every change
/// after the program has ended, and rejects all changes if one was not allowed.
///
/// ```
/// use entrypoint::{AccountInfo, ProgramError, ProgramResult};
///
/// fn increment(account: &AccountInfo) -> ProgramResult {
///     let mut data = account.try_borrow_mut_data()?;
///     let count = data.first_chunk_mut::<8>().ok_or(ProgramError::AccountDataTooSmall)?;
///     *count = (u64::from_le_bytes(*count) + 1).to_le_bytes();
///     Ok(())
/// }
/// # let mut input = entrypoint::testing::one_account(&[41, 0, 0, 0, 0, 0, 0, 0]);
/// # let input = entrypoint::input::read(&mut input).unwrap();
/// # increment(&input.accounts[0]).unwrap();
/// # assert_eq!(input.accounts[0].try_borrow_data().unwrap()[0], 42);
/// ```
// The entry reads the loader's account table as a slice of this type, so the type has the layout of
// one u64 address.
#[repr(transparent)]
#[derive(Clone, Copy)]
pub struct AccountInfo<'input> {
    address: u64,
    /// Interior mutability without synchronization: neither `Send` nor `Sync`.
    _entry: PhantomData<&'input Cell<AccountHeader>>,
}

const _: () = assert!(size_of::<AccountInfo<'_>>() == size_of::<u64>());

impl<'input> AccountInfo<'input> {
    /// Returns the view of the entry at `address`.
    ///
    /// # Safety
    ///
    /// For as long as `'input`:
    ///
    /// - `address` is the address of a first occurrence, from header to rent epoch as
    ///   [`abi::input`] lays it out, in memory that is valid for reads and writes and whose
    ///   provenance is exposed;
    /// - the entry has `data_length` bytes of data, at most
    ///   [`abi::input::MAX_PERMITTED_DATA_LENGTH`] as sent, and its `original_data_length` is 0 or
    ///   the value that [`resize`](Self::resize) or [`describe`](Self::describe) wrote; while it is
    ///   0, `data_length` is as sent;
    /// - its `marker` is the state of the live borrows;
    /// - the entry is read and written only through views, on one thread; and by the host during a
    ///   call that passes on a view, as [`mod@crate::call`] describes.
    #[inline(always)]
    pub(crate) unsafe fn from_address(address: u64) -> Self {
        Self {
            address,
            _entry: PhantomData,
        }
    }

    /// Returns the address of the account's entry.
    #[inline(always)]
    pub(crate) fn address(&self) -> u64 {
        self.address
    }

    /// Returns a pointer to the byte at `offset` from the start of the entry.
    ///
    /// Making a pointer is safe. Code that uses it must show that its bytes lie inside the entry.
    #[inline(always)]
    fn pointer(&self, offset: usize) -> *mut u8 {
        // The loader, or the checked reader, has exposed the provenance of the whole input.
        ptr::with_exposed_provenance_mut(self.address as usize + offset)
    }

    #[inline(always)]
    fn read<T: bytemuck::Pod>(&self, field: Field<T>) -> T {
        // SAFETY: a field lies in the header, which is valid for reads by `from_address`. Any bytes
        // are a valid `T`, which is `Pod`. The read needs no alignment. No reference to a field
        // exists, and one thread uses the entry, so nothing writes the bytes at the same time.
        unsafe { self.pointer(field.offset()).cast::<T>().read_unaligned() }
    }

    #[inline(always)]
    fn write<T: bytemuck::Pod>(&self, field: Field<T>, value: T) {
        // SAFETY: a field lies in the header, which is valid for writes by `from_address`. No
        // reference to a field exists, and one thread uses the entry, so nothing reads or writes
        // the bytes at the same time. The write needs no alignment.
        unsafe {
            self.pointer(field.offset())
                .cast::<T>()
                .write_unaligned(value)
        }
    }

    /// Returns the account's address.
    #[inline(always)]
    #[must_use]
    pub fn key(&self) -> &'input Pubkey {
        // SAFETY: by `from_address`, the 32 bytes are readable for `'input`. A `Pubkey` has
        // alignment 1 and no invalid values. No method writes the key.
        unsafe { &*self.pointer(AccountHeader::KEY).cast::<Pubkey>() }
    }

    /// Returns the program that owns the account, by value: [`assign`](Self::assign) may change it.
    #[inline(always)]
    #[must_use]
    pub fn owner(&self) -> Pubkey {
        self.read(field::OWNER)
    }

    /// Returns whether `program_id` owns the account.
    #[inline]
    #[must_use]
    pub fn is_owned_by(&self, program_id: &Pubkey) -> bool {
        self.owner() == *program_id
    }

    /// Assigns the account to another owner.
    ///
    /// The loader allows this only to the owner, and only if the data is all zero.
    #[inline]
    pub fn assign(&self, new_owner: &Pubkey) {
        self.write(field::OWNER, *new_owner);
    }

    /// Returns whether the account signed the transaction.
    #[inline(always)]
    #[must_use]
    pub fn is_signer(&self) -> bool {
        self.read(field::IS_SIGNER) != 0
    }

    /// Returns whether the program may change the account.
    #[inline(always)]
    #[must_use]
    pub fn is_writable(&self) -> bool {
        self.read(field::IS_WRITABLE) != 0
    }

    /// Returns whether the account holds a program.
    #[inline(always)]
    #[must_use]
    pub fn executable(&self) -> bool {
        self.read(field::EXECUTABLE) != 0
    }

    /// Returns the epoch at which the account next owes rent.
    #[inline]
    #[must_use]
    pub fn rent_epoch(&self) -> u64 {
        let Some(offset) = rent_epoch_offset(self.original_data_len()) else {
            return 0;
        };
        let rent_epoch = self.pointer(offset).cast::<u64>();
        // SAFETY: by `from_address`, the entry includes the rent epoch. `rent_epoch_offset` gives
        // its place for the data length as sent, which `original_data_len` returns. Nothing writes
        // it. Any bytes are a valid u64. The read needs no alignment.
        unsafe { rent_epoch.read_unaligned() }
    }

    /// Returns the account's balance.
    #[inline(always)]
    #[must_use]
    pub fn kelvins(&self) -> u64 {
        self.read(field::KELVINS)
    }

    /// Sets the account's balance.
    ///
    /// The loader allows a smaller balance only to the owner. It also checks that the sum over all
    /// accounts stays the same.
    #[inline(always)]
    pub fn set_kelvins(&self, kelvins: u64) {
        self.write(field::KELVINS, kelvins);
    }

    /// Adds to the account's balance.
    ///
    /// # Errors
    ///
    /// [`ProgramError::ArithmeticOverflow`] if the sum does not fit in a u64. The balance then
    /// stays.
    #[inline]
    pub fn credit(&self, kelvins: u64) -> Result<(), ProgramError> {
        let sum = self
            .kelvins()
            .checked_add(kelvins)
            .ok_or(ProgramError::ArithmeticOverflow)?;
        self.set_kelvins(sum);
        Ok(())
    }

    /// Subtracts from the account's balance.
    ///
    /// # Errors
    ///
    /// [`ProgramError::InsufficientFunds`] if the balance is smaller. The balance then stays.
    #[inline]
    pub fn debit(&self, kelvins: u64) -> Result<(), ProgramError> {
        let rest = self
            .kelvins()
            .checked_sub(kelvins)
            .ok_or(ProgramError::InsufficientFunds)?;
        self.set_kelvins(rest);
        Ok(())
    }

    /// Returns the length of the account's data in bytes.
    #[inline(always)]
    #[must_use]
    pub fn data_len(&self) -> usize {
        self.read(field::DATA_LENGTH) as usize
    }

    /// Returns whether the account has no data.
    #[inline(always)]
    #[must_use]
    pub fn data_is_empty(&self) -> bool {
        self.data_len() == 0
    }

    /// Returns the length of the data in bytes when the program was entered.
    #[must_use]
    pub fn original_data_len(&self) -> usize {
        match self.read(field::ORIGINAL_DATA_LENGTH) {
            0 => self.data_len(),
            recorded => !recorded as usize,
        }
    }

    /// Borrows the data for reading. Up to 254 such borrows may live at the same time.
    ///
    /// # Errors
    ///
    /// [`ProgramError::AccountBorrowFailed`] while the data is borrowed for writing, through this
    /// or another view of the account, or if 254 shared borrows are live.
    #[inline]
    pub fn try_borrow_data(&self) -> Result<Ref<'input, [u8]>, ProgramError> {
        let state = self.read(field::MARKER);
        // 1 means 254 borrows. One more could not be distinguished from a mutable borrow.
        if state <= MUTABLY_BORROWED + 1 {
            return Err(ProgramError::AccountBorrowFailed);
        }
        self.write(field::MARKER, state - 1);
        // SAFETY: by `from_address`, `data_len` bytes at the data are readable for `'input`. The
        // state excludes writers and `resize` until the borrow ends.
        let data = unsafe { &*self.data() };
        // SAFETY: by `from_address`, the state byte is readable and writable for `'input`. It
        // counts this borrow since the write above, and it guards the data.
        Ok(unsafe { Ref::new(data, self.pointer(field::MARKER.offset())) })
    }

    /// Borrows the data for writing. No other borrow may live at the same time.
    ///
    /// # Errors
    ///
    /// [`ProgramError::AccountBorrowFailed`] while any borrow of the data lives, through this or
    /// another view of the account.
    #[inline]
    pub fn try_borrow_mut_data(&self) -> Result<RefMut<'input, [u8]>, ProgramError> {
        if self.read(field::MARKER) != FIRST_OCCURRENCE {
            return Err(ProgramError::AccountBorrowFailed);
        }
        self.write(field::MARKER, MUTABLY_BORROWED);
        // SAFETY: by `from_address`, `data_len` bytes at the data are readable and writable for
        // `'input`. The state excludes every other borrow and `resize` until this one ends.
        let data = unsafe { &mut *self.data() };
        // SAFETY: by `from_address`, the state byte is writable for `'input`. It records this
        // borrow since the write above, and it guards the data.
        Ok(unsafe { RefMut::new(data, self.pointer(field::MARKER.offset())) })
    }

    /// Sets the length of the data, into or out of the spare bytes after it. New bytes are zero.
    ///
    /// # Errors
    ///
    /// - [`ProgramError::AccountBorrowFailed`] while the data is borrowed.
    /// - [`ProgramError::InvalidRealloc`] if the data would grow by more than
    ///   [`MAX_PERMITTED_DATA_INCREASE`] bytes over its length when the program was entered.
    pub fn resize(&self, new_len: usize) -> Result<(), ProgramError> {
        if self.read(field::MARKER) != FIRST_OCCURRENCE {
            return Err(ProgramError::AccountBorrowFailed);
        }
        let original = self.original_data_len();
        if new_len.saturating_sub(original) > MAX_PERMITTED_DATA_INCREASE {
            return Err(ProgramError::InvalidRealloc);
        }
        // From here on `data_len` no longer has the length as sent.
        let recorded = !(original as u32);
        self.write(field::ORIGINAL_DATA_LENGTH, recorded);

        let old_len = self.data_len();
        if new_len > old_len {
            // The bytes may be those that the program wrote before it shrank the data.
            let fresh = self.pointer(AccountHeader::DATA + old_len);
            // SAFETY: by the check above, the bytes end at most `MAX_PERMITTED_DATA_INCREASE` after
            // the original data, so they lie in the entry's spare bytes, which are writable by
            // `from_address`. The state shows that no reference to them lives.
            unsafe { fresh.write_bytes(0, new_len - old_len) };
        }
        self.write(field::DATA_LENGTH, new_len as u64);
        Ok(())
    }

    /// Closes the account: moves all its kelvins to another, removes its data, and gives it back to
    /// the system program. No such account remains after the transaction.
    ///
    /// ```
    /// use entrypoint::{AccountInfo, ProgramResult, split_accounts};
    ///
    /// fn close(accounts: &[AccountInfo]) -> ProgramResult {
    ///     let ([vault, recipient], _) = split_accounts(accounts)?;
    ///     vault.close(recipient)
    /// }
    /// # use entrypoint::testing::{AccountInput, Invocation};
    /// # use entrypoint::{ProgramError, Pubkey};
    /// # let id = Pubkey::new([1; 32]);
    /// # let vault = AccountInput::new(Pubkey::new([2; 32])).owner(id).kelvins(5).data([7; 3]);
    /// # let recipient = AccountInput::new(Pubkey::new([3; 32])).kelvins(1).writable();
    /// # let invocation = Invocation::new(id).account(vault.writable());
    /// # let outcome = invocation.clone().account(recipient).run(|_, accounts, _| close(accounts));
    /// # assert_eq!(outcome.result, Ok(()));
    /// # assert_eq!(outcome.accounts[0].kelvins, 0);
    /// # assert_eq!(outcome.accounts[0].data, []);
    /// # assert_eq!(outcome.accounts[0].owner, entrypoint::system::ID);
    /// # assert_eq!(outcome.accounts[1].kelvins, 6);
    /// # let outcome = invocation.repeat(0).run(|_, accounts, _| close(accounts));
    /// # assert_eq!(outcome.result, Err(ProgramError::InvalidArgument));
    /// ```
    ///
    /// # Errors
    ///
    /// - [`ProgramError::InvalidArgument`] if the recipient is the account itself.
    /// - [`ProgramError::AccountBorrowFailed`] while the data is borrowed.
    /// - [`ProgramError::ArithmeticOverflow`] if the sum of the kelvins does not fit in a u64.
    pub fn close(&self, recipient: &Self) -> Result<(), ProgramError> {
        if self.address == recipient.address {
            return Err(ProgramError::InvalidArgument);
        }
        self.resize(0)?;
        recipient.credit(self.kelvins())?;
        self.set_kelvins(0);
        self.assign(&abi::ids::SYSTEM_PROGRAM);
        Ok(())
    }

    /// Describes the account for a call, and returns its borrow state in the low byte.
    ///
    /// The host may write another data length during the call, so this first records the one that
    /// the program was entered with, as `resize` does. No program may change an account that is
    /// not writable for the caller, so its length stays as it is, and needs no record.
    #[inline(always)]
    pub(crate) fn describe(&self, description: &mut MaybeUninit<Description>) -> u64 {
        let first_word = self.read(field::FIRST_WORD);
        let length = self.read(field::DATA_LENGTH);
        // With a record, whose complement is negative, the word is negative. Without one, it is at
        // least this if the account is writable: the flags below are less, and another above does
        // no harm.
        if first_word as i64 >= WRITABLE {
            let recorded = !(length as u32);
            self.write(field::ORIGINAL_DATA_LENGTH, recorded);
        }
        description.write(Description {
            key: self.address + AccountHeader::KEY as u64,
            kelvins: self.address + AccountHeader::KELVINS as u64,
            length,
            data: self.address + AccountHeader::DATA as u64,
            owner: self.address + AccountHeader::OWNER as u64,
            rent_epoch: [MaybeUninit::uninit(); 7],
            first_word: first_word.to_le_bytes(),
            padding: MaybeUninit::uninit(),
        });
        first_word
    }

    /// Returns a pointer to the account's data, without a borrow.
    #[inline(always)]
    fn data(&self) -> *mut [u8] {
        ptr::slice_from_raw_parts_mut(self.pointer(AccountHeader::DATA), self.data_len())
    }
}

/// The first word of an entry that is writable and nothing else.
const WRITABLE: i64 = 1 << (8 * AccountHeader::IS_WRITABLE);

/// An account that a call passes on: a [`CAccount`] that is cheap to write.
///
/// In the entry the flags follow the borrow state, and bytes of the recorded length follow the
/// flags. So one store writes the first word of the entry, with its flags at the place of the
/// flags. The borrow state becomes the last byte of the rent epoch, which no host reads, and the
/// other bytes of which are not written at all; the bytes of the length become padding.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Description {
    pub(crate) key: u64,
    pub(crate) kelvins: u64,
    pub(crate) length: u64,
    pub(crate) data: u64,
    pub(crate) owner: u64,
    /// The host does not read it: it knows the account's.
    rent_epoch: [MaybeUninit<u8>; 7],
    /// The first word of the entry. As bytes, because it is not aligned.
    pub(crate) first_word: [u8; 8],
    padding: MaybeUninit<u8>,
}

const _: () = assert!(
    size_of::<Description>() == size_of::<CAccount>()
        && offset_of!(Description, length) == offset_of!(CAccount, data_length)
        && offset_of!(Description, data) == offset_of!(CAccount, data)
        && offset_of!(Description, owner) == offset_of!(CAccount, owner)
        && offset_of!(Description, first_word) + AccountHeader::IS_SIGNER
            == offset_of!(CAccount, is_signer)
);
const _: () = assert!(
    offset_of!(CAccount, is_writable) == offset_of!(CAccount, is_signer) + 1
        && offset_of!(CAccount, executable) == offset_of!(CAccount, is_signer) + 2
        && offset_of!(CAccount, padding) == offset_of!(CAccount, is_signer) + 3
);
// `describe` finds a recorded length by the sign of the first word, and in the same comparison
// whether the account is writable.
const _: () = assert!(
    AccountHeader::ORIGINAL_DATA_LENGTH == 4
        && MAX_PERMITTED_DATA_LENGTH + MAX_PERMITTED_DATA_INCREASE <= i32::MAX as usize
);
const _: () = assert!(
    AccountHeader::IS_SIGNER == 1
        && AccountHeader::IS_WRITABLE == 2
        && AccountHeader::EXECUTABLE == 3
);

impl fmt::Debug for AccountInfo<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("AccountInfo")
            .field("key", self.key())
            .field("owner", &self.owner())
            .field("kelvins", &self.kelvins())
            .field("data_len", &self.data_len())
            .field("is_signer", &self.is_signer())
            .field("is_writable", &self.is_writable())
            .field("executable", &self.executable())
            .finish_non_exhaustive()
    }
}
