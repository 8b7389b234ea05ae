//! The parts of a loader's input, one after the other, without checks.

use abi::Pubkey;
use abi::input::{
    ALIGNMENT, AccountHeader, FIRST_OCCURRENCE, MAX_PERMITTED_DATA_INCREASE, RepeatEntry,
};

use crate::account::AccountInfo;

/// The fields before the number of accounts.
#[derive(Clone, Copy)]
pub(crate) struct Opened<'input> {
    pub program_id: &'input Pubkey,
    pub instruction_data: &'input [u8],
}

/// Reads the fields before the number of accounts.
///
/// # Safety
///
/// For as long as `'input`:
///
/// - `input` points to an input as a loader writes it;
/// - its provenance is exposed;
/// - the input is read and written only through values made from it, on one thread.
#[inline(always)]
pub(crate) unsafe fn open<'input>(input: *mut u8) -> Opened<'input> {
    // SAFETY: by the contract, an input starts with this word. The read needs no alignment.
    let length = unsafe { input.cast::<u64>().read_unaligned() } as usize;
    let instruction_data = input.wrapping_add(size_of::<u64>());
    let program_id = instruction_data.wrapping_add(length);
    Opened {
        // SAFETY: by the contract, there are 32 bytes there for `'input`. A `Pubkey` has alignment
        // 1 and no invalid values. Nothing writes these bytes: views write only to the entries of
        // accounts, which are other bytes.
        program_id: unsafe { &*program_id.cast::<Pubkey>() },
        // SAFETY: by the contract, there are that many bytes there for `'input`. Nothing writes
        // them, because they are not an account's entry.
        instruction_data: unsafe { core::slice::from_raw_parts(instruction_data, length) },
    }
}

/// The remaining entries of an input.
pub(crate) struct Entries {
    next: *mut u8,
    /// The number of remaining entries.
    pub count: usize,
}

/// One entry of an input.
#[derive(Clone, Copy)]
pub(crate) enum Entry {
    /// The first occurrence of an account, with its address.
    First(*mut u8),
    /// A repeat of the account at this position.
    Repeat(u8),
}

/// Length in bytes of a first occurrence without its data and padding.
const FIRST_WITHOUT_DATA: usize =
    AccountHeader::DATA + MAX_PERMITTED_DATA_INCREASE + size_of::<u64>();

/// Rounds up to a multiple of 8.
#[inline(always)]
fn round_up(length: usize) -> usize {
    length.wrapping_add(ALIGNMENT - 1) & !(ALIGNMENT - 1)
}

impl Entries {
    /// Returns all entries of an input.
    ///
    /// # Safety
    ///
    /// As for [`open`]; `input` is aligned to 8; and no view of its accounts exists yet.
    #[inline(always)]
    pub(crate) unsafe fn locate(input: *mut u8) -> Self {
        // Volatile: otherwise the compiler keeps the word for the program's function while it lists
        // the accounts, in a register that it must save first.
        // SAFETY: by the contract, an input starts with this word and is aligned for it.
        let length = unsafe { input.cast::<u64>().read_volatile() } as usize;
        // SAFETY: by the contract, the precondition of `open` holds and no view exists. The length
        // is the first word of the input, which is what `open` reads.
        unsafe { Self::after(input, length) }
    }

    /// Returns all entries of an input whose instruction data has this length.
    ///
    /// # Safety
    ///
    /// As for [`open`], which finds this length; and no view of the input's accounts exists yet.
    #[inline(always)]
    pub(crate) unsafe fn after(input: *mut u8, instruction_data_length: usize) -> Self {
        let before = size_of::<u64>() + instruction_data_length + size_of::<Pubkey>();
        let count = input.wrapping_add(round_up(before));
        // SAFETY: by the contract, the count is there. The read needs no alignment.
        let number = unsafe { count.cast::<u64>().read_unaligned() };
        Self {
            next: count.wrapping_add(size_of::<u64>()),
            count: number as usize,
        }
    }

    /// Returns an empty list of accounts.
    ///
    /// It reuses the address of the count: materializing a constant would cost gas.
    ///
    /// # Safety
    ///
    /// As for [`open`]; the input is aligned to 8; and no entry was stepped over yet.
    #[inline(always)]
    pub(crate) unsafe fn empty<'input>(&self) -> &'input [AccountInfo<'input>] {
        let nowhere = self.next.wrapping_sub(size_of::<u64>()).cast();
        // SAFETY: an empty slice needs an address that is not null and that is aligned to 8. This
        // is the address of the count. By the contract it is in memory, at a multiple of 8 from the
        // start of the input, which is aligned to 8.
        unsafe { core::slice::from_raw_parts(nowhere, 0) }
    }

    /// Steps over an entry. The caller counts.
    ///
    /// # Safety
    ///
    /// As for [`open`]; an entry is left; and its marker and data length are as the loader wrote
    /// them.
    #[inline(always)]
    pub(crate) unsafe fn step(&mut self) -> Entry {
        let entry = self.next;
        // SAFETY: by the contract, an entry starts here with its marker.
        let marker = unsafe { entry.read() };
        if marker != FIRST_OCCURRENCE {
            self.next = entry.wrapping_add(size_of::<RepeatEntry>());
            return Entry::Repeat(marker);
        }
        let data_length = entry.wrapping_add(AccountHeader::DATA_LENGTH).cast::<u64>();
        // SAFETY: by the contract, the marker starts a whole entry, and this word is a part of it.
        // The read needs no alignment.
        let data_length = unsafe { data_length.read_unaligned() } as usize;
        // The padding is before the rent epoch. Because that has 8 bytes, padding after it gives
        // the same sum.
        self.next = entry.wrapping_add(round_up(data_length.wrapping_add(FIRST_WITHOUT_DATA)));
        Entry::First(entry)
    }
}
