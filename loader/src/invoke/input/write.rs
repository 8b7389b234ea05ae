//! Writes the serialized input, in the layout of [`abi::input`].

use std::cell::Cell;
use std::mem::take;
use std::ops::Range;

use abi::Pubkey;
use abi::input::{
    ACCOUNT_TABLE_MAGIC, AccountHeader, AccountTableFooter, FIRST_OCCURRENCE, RepeatEntry,
    account_table_length, entry_length, padding, rent_epoch_offset,
};
use bytemuck::{bytes_of, pod_read_unaligned};

use crate::account::{Account, AccountEntry, AccountInput, Data};
use crate::error::InvocationError;
use crate::invocation::Invocation;
use crate::invoke::guest::{GuestMemory, Inaccessible};

/// Data from this length on is not copied to the other bytes of the input, but lent to the guest's
/// memory.
pub(super) const LONG: usize = 16 << 10;

/// The longest input of which a thread keeps the memory for its next one, in bytes.
const LONGEST_SPARE: usize = 64 << 10;

thread_local! {
    /// The memory of an input whose invocation has ended. Otherwise an invocation of a few
    /// microseconds would spend a part of them on allocations.
    static SPARE: Cell<SerializedInput> = Cell::default();
}

/// The input of one invocation, without most of its zeroes: each account has 10,240 of them, and
/// the memory is zeroed already.
#[derive(Default)]
pub(crate) struct SerializedInput {
    /// The bytes of all segments, one after the other.
    pub(super) bytes: Vec<u8>,
    segments: Vec<Segment>,
    /// The difference between the address of the next byte and its place in `bytes`.
    distance: u64,
    /// Long data between segments, and the address of each.
    long: Vec<(u64, Data)>,
    /// The entry of each account, in order.
    pub(super) entries: Vec<SentEntry>,
    /// What the bytes are after the program has run: see
    /// [`EntriesNow`](super::read_back::EntriesNow). They may be those of an earlier input.
    pub(super) now: Vec<u8>,
}

/// The entry of an account, or a repeat, in an input.
pub(crate) struct SentEntry {
    /// Its address in the guest's memory.
    pub address: u64,
    /// Its start in the bytes of all segments.
    pub start: usize,
    /// The position of its data in the list of long data, if it is there.
    long: Option<usize>,
}

/// Bytes of the input without a gap.
struct Segment {
    /// The start in `bytes`. A segment ends where the next one starts.
    start: usize,
    /// Their address in the guest's memory.
    address: u64,
}

/// Whether the input ends in an account table. A table of no accounts would only cost a program
/// that looks for one.
fn has_account_table(invocation: &Invocation) -> bool {
    invocation.account_table && !invocation.accounts.is_empty()
}

/// Length in bytes of the input, with its account table if it has one; `usize::MAX` if that is too
/// small for it.
pub(crate) fn serialized_length(invocation: &Invocation) -> usize {
    Lengths::of(invocation).input
}

/// Bytes of the input that are written: all but the spare bytes of accounts, and padding.
pub(crate) fn written_length(invocation: &Invocation) -> usize {
    let lengths = Lengths::of(invocation);
    lengths.copied + lengths.lent
}

/// The lengths of an input and of its parts, in bytes; each is `usize::MAX` if that is too small.
#[derive(Clone, Copy)]
pub(crate) struct Lengths {
    /// The input, with its account table if it has one.
    pub input: usize,
    /// The account table; `None` if the input has none.
    table: Option<usize>,
    /// Long data, which the guest's memory borrows.
    pub lent: usize,
    /// What else is written: all but the spare bytes of accounts, and padding.
    copied: usize,
}

impl Lengths {
    pub fn of(invocation: &Invocation) -> Self {
        let sum = usize::saturating_add;
        let fixed = size_of::<u64>() + size_of::<Pubkey>();
        let mut copied = sum(fixed, invocation.data.len());
        let mut input = sum(sum(copied, padding(copied)), size_of::<u64>());
        copied = sum(copied, size_of::<u64>());
        let mut lent = 0;
        for entry in &invocation.accounts {
            let AccountEntry::First(account) = entry else {
                input = sum(input, size_of::<RepeatEntry>());
                copied = sum(copied, size_of::<RepeatEntry>());
                continue;
            };
            let length = account.account.data.len();
            input = sum(input, entry_length(length).unwrap_or(usize::MAX));
            // The rent epoch follows the data.
            copied = sum(copied, size_of::<AccountHeader>() + size_of::<u64>());
            let data = if length >= LONG {
                &mut lent
            } else {
                &mut copied
            };
            *data = sum(*data, length);
        }
        let table = has_account_table(invocation)
            .then(|| account_table_length(invocation.accounts.len()).unwrap_or(usize::MAX));
        Self {
            input: sum(input, table.unwrap_or(0)),
            table,
            lent,
            copied: sum(copied, table.unwrap_or(0)),
        }
    }

    /// The offset of the account table in the input, if it has one. The input fits in memory, or is
    /// not written.
    pub fn account_table_offset(&self) -> Option<usize> {
        self.input.checked_sub(self.table?)
    }
}

/// Writes the input of a valid invocation to zeroed memory at an address, where it fits. `input`,
/// which is empty, gets what it writes.
///
/// # Errors
///
/// [`InvocationError::Engine`] if the backend has mapped too little memory.
pub(crate) fn write(
    guest: &mut impl GuestMemory,
    invocation: &Invocation,
    lengths: &Lengths,
    address: u64,
    input: &mut SerializedInput,
) -> Result<(), InvocationError> {
    serialize(invocation, lengths, address, input);
    let too_little = |Inaccessible| {
        InvocationError::engine("the backend mapped too little memory for the input")
    };
    for (place, (address, range)) in input.segments().enumerate() {
        let bytes = &input.bytes[range];
        // The rent epoch of the last account may be all that is left. Without it, the interpreter
        // need not clear the spare bytes before it.
        if place == 0 && bytes.iter().all(|byte| *byte == 0) {
            continue;
        }
        guest.write(address, bytes).map_err(too_little)?;
    }
    for (address, data) in &input.long {
        guest.lend(*address, data).map_err(too_little)?;
    }
    Ok(())
}

fn serialize(
    invocation: &Invocation,
    lengths: &Lengths,
    address: u64,
    input: &mut SerializedInput,
) {
    let count = invocation.accounts.len();
    // Exactly: otherwise the memory of a usual input might become too long to be kept.
    input.bytes.reserve_exact(lengths.copied);
    input.entries.reserve(count);
    // The first, one after the padding of the instruction data, one after the spare bytes of each
    // account. Few accounts are long.
    input.segments.reserve(count + 2);
    input.distance = address;
    input.segments.push(Segment { start: 0, address });
    input.write(&(invocation.data.len() as u64).to_le_bytes());
    input.write(&invocation.data);
    input.write(invocation.program_id.as_bytes());
    input.skip(padding(input.bytes.len()));
    input.write(&(invocation.accounts.len() as u64).to_le_bytes());

    for entry in &invocation.accounts {
        input.entries.push(SentEntry {
            address: input.address(),
            start: input.bytes.len(),
            long: None,
        });
        match entry {
            AccountEntry::First(account) => input.write_account(account),
            AccountEntry::Repeat(index) => input.write(bytes_of(&RepeatEntry {
                index: *index as u8,
                padding: [0; 7],
            })),
        }
    }

    if has_account_table(invocation) {
        input.write_account_table(invocation);
    }
    debug_assert_eq!(input.bytes.len(), lengths.copied);
}

impl SerializedInput {
    /// An empty one, with the memory that this thread keeps.
    pub fn empty() -> Self {
        // A thread that ends keeps none.
        SPARE.try_with(Cell::take).unwrap_or_default()
    }

    /// Empties it, and keeps the memory for the next input of this thread.
    pub fn give_back(&mut self) {
        if self.bytes.capacity().max(self.now.capacity()) > LONGEST_SPARE {
            return;
        }
        self.bytes.clear();
        self.segments.clear();
        self.long.clear();
        self.entries.clear();
        // A thread that ends needs none.
        let _ = SPARE.try_with(|spare| spare.set(take(self)));
    }

    /// The entries of the accounts, in order.
    pub fn entries(&self) -> &[SentEntry] {
        &self.entries
    }

    /// The account that the entry at this position has; `None` if it is a repeat.
    pub fn account(&self, index: usize) -> Option<AccountInput> {
        let entry = self.entries.get(index)?;
        let bytes = &self.bytes[entry.start..];
        if bytes[AccountHeader::MARKER] != FIRST_OCCURRENCE {
            return None;
        }
        let (header, rest) = bytes.split_at_checked(AccountHeader::DATA)?;
        let header: AccountHeader = pod_read_unaligned(header);
        // The bytes have no spare bytes and no padding.
        let (data, rest) = match entry.long {
            Some(long) => (self.long.get(long)?.1.clone(), rest),
            None => {
                let length = usize::try_from(header.data_length).ok()?;
                let (data, rest) = rest.split_at_checked(length)?;
                (data.into(), rest)
            }
        };
        let rent_epoch = rest.first_chunk()?;
        Some(AccountInput {
            account: Account {
                key: Pubkey::new(header.key),
                owner: Pubkey::new(header.owner),
                kelvins: header.kelvins,
                data,
                executable: header.executable != 0,
                rent_epoch: u64::from_le_bytes(*rent_epoch),
            },
            is_signer: header.is_signer != 0,
            is_writable: header.is_writable != 0,
        })
    }

    /// Whether the account that the entry at this position has signs, and whether the program may
    /// change it. Neither, if it is a repeat.
    pub fn flags(&self, index: usize) -> (bool, bool) {
        let header = self.entries.get(index).and_then(|entry| {
            let bytes = &self.bytes[entry.start..];
            let is_first = bytes[AccountHeader::MARKER] == FIRST_OCCURRENCE;
            bytes.get(..AccountHeader::DATA).filter(|_| is_first)
        });
        header.map_or((false, false), |header| {
            let header: AccountHeader = pod_read_unaligned(header);
            (header.is_signer != 0, header.is_writable != 0)
        })
    }

    /// The key and the length of the data of the account that the entry at this position has;
    /// `None` if it is a repeat.
    pub fn key_and_length(&self, index: usize) -> Option<(Pubkey, usize)> {
        let bytes = &self.bytes[self.entries.get(index)?.start..];
        if bytes[AccountHeader::MARKER] != FIRST_OCCURRENCE {
            return None;
        }
        let header: AccountHeader = pod_read_unaligned(bytes.get(..AccountHeader::DATA)?);
        Some((Pubkey::new(header.key), header.data_length as usize))
    }

    /// The segments with their addresses and their places in the bytes, the last one first: the
    /// VM's memory then grows once.
    fn segments(&self) -> impl Iterator<Item = (u64, Range<usize>)> {
        let mut end = self.bytes.len();
        self.segments.iter().rev().map(move |segment| {
            let range = segment.start..end;
            end = segment.start;
            (segment.address, range)
        })
    }

    /// The address of the next byte.
    fn address(&self) -> u64 {
        self.distance + self.bytes.len() as u64
    }

    fn write(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Leaves `length` zero bytes out.
    fn skip(&mut self, length: usize) {
        if length > 0 {
            self.distance += length as u64;
            let (start, address) = (self.bytes.len(), self.address());
            self.segments.push(Segment { start, address });
        }
    }

    fn write_account(&mut self, input: &AccountInput) {
        let account = &input.account;
        let header = AccountHeader {
            marker: FIRST_OCCURRENCE,
            is_signer: input.is_signer.into(),
            is_writable: input.is_writable.into(),
            executable: account.executable.into(),
            original_data_length: 0,
            key: account.key.to_bytes(),
            owner: account.owner.to_bytes(),
            kelvins: account.kelvins,
            data_length: account.data.len() as u64,
        };
        self.write(bytes_of(&header));
        let rent_epoch = rent_epoch_offset(account.data.len()).unwrap_or(usize::MAX);
        let mut gap = rent_epoch - AccountHeader::DATA;
        if account.data.len() >= LONG {
            if let Some(entry) = self.entries.last_mut() {
                entry.long = Some(self.long.len());
            }
            self.long.push((self.address(), account.data.clone()));
        } else {
            self.write(&account.data);
            gap -= account.data.len();
        }
        self.skip(gap);
        self.write(&account.rent_epoch.to_le_bytes());
    }

    fn write_account_table(&mut self, invocation: &Invocation) {
        for (index, entry) in invocation.accounts.iter().enumerate() {
            let first = match entry {
                AccountEntry::First(_) => index,
                AccountEntry::Repeat(first) => *first,
            };
            let address = self.entries[first].address;
            self.write(&address.to_le_bytes());
        }
        self.write(bytes_of(&AccountTableFooter {
            count: invocation.accounts.len() as u64,
            magic: ACCOUNT_TABLE_MAGIC,
        }));
    }
}
