//! The parts of an input that a loader has written, one after the other, without a check.

use abi::Pubkey;
use abi::input::{
    ALIGNMENT, AccountHeader, FIRST_OCCURRENCE, MAX_PERMITTED_DATA_INCREASE, RepeatEntry,
};

use crate::account::AccountInfo;

/// What stands before the number of accounts.
#[derive(Clone, Copy)]
pub(crate) struct Opened<'input> {
    pub program_id: &'input Pubkey,
    pub instruction_data: &'input [u8],
}

/// Reads what stands before the number of accounts.
///
/// # Safety
///
/// For as long as `'input`: `input` points to an input as a loader has written it, whose provenance is
/// exposed, and that is read and written through what is made from it only, on one thread.
#[inline(always)]
pub(crate) unsafe fn open<'input>(input: *mut u8) -> Opened<'input> {
    // SAFETY: by the contract an input starts with this word; the read asks for no alignment.
    let length = unsafe { input.cast::<u64>().read_unaligned() } as usize;
    let instruction_data = input.wrapping_add(size_of::<u64>());
    let program_id = instruction_data.wrapping_add(length);
    Opened {
        // SAFETY: by the contract there are 32 bytes there for `'input`; a `Pubkey` has alignment 1 and
        // no invalid values; nobody writes them, because only the entries of accounts, which are other
        // bytes, are lent for writing.
        program_id: unsafe { &*program_id.cast::<Pubkey>() },
        // SAFETY: by the contract there are that many bytes there, and nobody writes them, as above.
        instruction_data: unsafe { core::slice::from_raw_parts(instruction_data, length) },
    }
}

/// The entries that have not been stepped over yet.
pub(crate) struct Entries {
    next: *mut u8,
    /// How many there are.
    pub count: usize,
}

/// One entry.
#[derive(Clone, Copy)]
pub(crate) enum Entry {
    /// The first occurrence of an account, and where it starts.
    First(*mut u8),
    /// A repeat of the account at this position.
    Repeat(u8),
}

/// Bytes of the entry of a first occurrence, without its data and padding.
const FIRST_WITHOUT_DATA: usize =
    AccountHeader::DATA + MAX_PERMITTED_DATA_INCREASE + size_of::<u64>();

/// The next multiple of 8.
#[inline(always)]
fn round_up(length: usize) -> usize {
    length.wrapping_add(ALIGNMENT - 1) & !(ALIGNMENT - 1)
}

impl Entries {
    /// All entries of an input.
    ///
    /// # Safety
    ///
    /// As for [`open`], and `input` is aligned to 8. No account of it is viewed yet.
    #[inline(always)]
    pub(crate) unsafe fn find(input: *mut u8) -> Self {
        // Volatile, or the compiler remembers it for the handler while it walks, in a register that has to be saved first.
        // SAFETY: by the contract an input starts with this word, and is aligned for it.
        let length = unsafe { input.cast::<u64>().read_volatile() } as usize;
        // SAFETY: the contract is the same, and the input starts with this length.
        unsafe { Self::behind(input, length) }
    }

    /// All entries of an input whose instruction data has this length.
    ///
    /// # Safety
    ///
    /// As for [`open`], which finds this length. No account of the input is viewed yet.
    #[inline(always)]
    pub(crate) unsafe fn behind(input: *mut u8, instruction_data_length: usize) -> Self {
        let before = size_of::<u64>() + instruction_data_length + size_of::<Pubkey>();
        let count = input.wrapping_add(round_up(before));
        // SAFETY: by the contract there are eight bytes there; the read asks for no alignment.
        let number = unsafe { count.cast::<u64>().read_unaligned() };
        Self {
            next: count.wrapping_add(size_of::<u64>()),
            count: number as usize,
        }
    }

    /// A list of no accounts, at an address that is known already, which spares making one up.
    ///
    /// # Safety
    ///
    /// As for [`open`], and the input is aligned to 8. Nothing was stepped over yet.
    #[inline(always)]
    pub(crate) unsafe fn none<'input>(&self) -> &'input [AccountInfo<'input>] {
        let nowhere = self.next.wrapping_sub(size_of::<u64>()).cast();
        // SAFETY: a slice without elements asks for an address that is not null and aligned to 8. This is that of the count's word,
        // which by the contract is in memory and stands at a multiple of 8 from the start of the input, itself aligned to 8.
        unsafe { core::slice::from_raw_parts(nowhere, 0) }
    }

    /// Steps over an entry. It is the caller's to count.
    ///
    /// # Safety
    ///
    /// As for [`open`]. There is an entry left, and its marker and data length are what the loader has written.
    #[inline(always)]
    pub(crate) unsafe fn step(&mut self) -> Entry {
        let entry = self.next;
        // SAFETY: by the contract an entry starts here with its marker.
        let marker = unsafe { entry.read() };
        if marker != FIRST_OCCURRENCE {
            self.next = entry.wrapping_add(size_of::<RepeatEntry>());
            return Entry::Repeat(marker);
        }
        let data_length = entry.wrapping_add(AccountHeader::DATA_LENGTH).cast::<u64>();
        // SAFETY: by the contract the marker starts a whole entry, of which this word is a part; the read asks for no
        // alignment.
        let data_length = unsafe { data_length.read_unaligned() } as usize;
        // The padding stands before the rent epoch. That is 8 bytes long, so it may as well stand behind.
        self.next = entry.wrapping_add(round_up(data_length.wrapping_add(FIRST_WITHOUT_DATA)));
        Entry::First(entry)
    }
}
