//! The parts of a loader's input, one after the other, without checks.

use core::marker::PhantomData;

use abi::Pubkey;
use abi::input::{
    ALIGNMENT, AccountHeader, FIRST_OCCURRENCE, MAX_PERMITTED_DATA_INCREASE, RepeatEntry,
};

use super::keep::keep;

/// The fields before the number of accounts.
#[derive(Clone, Copy)]
pub(crate) struct Opened<'input> {
    /// The first byte of the instruction data.
    data: *mut u8,
    /// The length of the instruction data.
    length: usize,
    /// The address after the instruction data.
    after_data: *mut u8,
    _input: PhantomData<&'input [u8]>,
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
    // Otherwise the compiler keeps the address of the input in another register.
    let data = keep(input.wrapping_add(size_of::<u64>()));
    Opened {
        data,
        length,
        // Otherwise the compiler adds the two again for the call of the program's function.
        after_data: keep(data.wrapping_add(length)),
        _input: PhantomData,
    }
}

impl<'input> Opened<'input> {
    /// Reads the fields again.
    ///
    /// Volatile: otherwise the compiler keeps the length for the program's function while it lists
    /// the accounts, in a register that it must save first.
    ///
    /// # Safety
    ///
    /// The input is aligned to 8.
    #[inline(always)]
    pub(crate) unsafe fn again(self) -> Self {
        let length = self.data.wrapping_sub(size_of::<u64>()).cast::<u64>();
        // SAFETY: by `open`, an input starts with this word. By the contract, it is aligned for it.
        let length = unsafe { length.read_volatile() } as usize;
        Self {
            length,
            after_data: self.data.wrapping_add(length),
            ..self
        }
    }

    #[inline(always)]
    pub(crate) fn program_id(self) -> &'input Pubkey {
        // SAFETY: by `open`, there are 32 bytes there for `'input`. A `Pubkey` has alignment 1 and
        // no invalid values. Nothing writes these bytes: views write only to the entries of
        // accounts, which are other bytes.
        unsafe { &*self.after_data.cast::<Pubkey>() }
    }

    #[inline(always)]
    pub(crate) fn instruction_data(self) -> &'input [u8] {
        // SAFETY: by `open`, there are that many bytes there for `'input`. Nothing writes them,
        // because they are not an account's entry.
        unsafe { core::slice::from_raw_parts(self.data, self.length) }
    }

    /// Returns all entries of the input.
    ///
    /// # Safety
    ///
    /// The input is aligned to 8; and no view of its accounts exists yet.
    #[inline(always)]
    pub(crate) unsafe fn entries(self) -> Entries {
        let after_id = self.after_data.wrapping_add(size_of::<Pubkey>());
        // By the contract, multiples of 8 from the start of the input are at addresses that are
        // multiples of 8.
        let count = after_id.map_addr(round_up).cast::<u64>();
        // SAFETY: by `open`, the count is there, and it is aligned.
        let number = unsafe { count.read() };
        Entries {
            next: count.wrapping_add(1).cast(),
            count: number as usize,
        }
    }
}

/// The remaining entries of an input.
pub(crate) struct Entries {
    pub next: *mut u8,
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

    /// Steps over an entry. The caller counts.
    ///
    /// # Safety
    ///
    /// As for [`open`]; an entry is left; and its marker and data length are as the loader wrote
    /// them.
    #[inline(always)]
    pub(crate) unsafe fn step(&mut self) -> Entry {
        let entry = self.next;
        // SAFETY: by the contract, an entry starts here.
        let marker = unsafe { marker(entry) };
        if marker != FIRST_OCCURRENCE {
            self.next = after_repeat(entry);
            return Entry::Repeat(marker);
        }
        // SAFETY: by the contract and its marker, a whole first occurrence starts here, as the
        // loader wrote it.
        self.next = unsafe { after_first(entry) };
        Entry::First(entry)
    }
}

/// Returns the marker of the entry at this address.
///
/// # Safety
///
/// As for [`open`]; and an entry starts here.
#[inline(always)]
pub(super) unsafe fn marker(entry: *mut u8) -> u8 {
    // SAFETY: by the contract, an entry starts here, and its first byte is the marker.
    unsafe { entry.read() }
}

/// Returns the address after the repeat at this address.
#[inline(always)]
pub(super) fn after_repeat(entry: *mut u8) -> *mut u8 {
    entry.wrapping_add(size_of::<RepeatEntry>())
}

/// Returns the address after the first occurrence at this address.
///
/// # Safety
///
/// As for [`open`]; a first occurrence starts here; and its data length is as the loader wrote it.
#[inline(always)]
pub(super) unsafe fn after_first(entry: *mut u8) -> *mut u8 {
    let data_length = entry.wrapping_add(AccountHeader::DATA_LENGTH).cast::<u64>();
    // SAFETY: by the contract, a whole first occurrence starts here, and this word is a part of it.
    // The read needs no alignment.
    let data_length = unsafe { data_length.read_unaligned() } as usize;
    // The padding is before the rent epoch. Because that has 8 bytes, padding after it gives the
    // same sum.
    entry.wrapping_add(round_up(data_length.wrapping_add(FIRST_WITHOUT_DATA)))
}
