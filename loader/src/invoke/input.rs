//! Writes the serialized input, as [`abi::input`] lays it out.

use std::collections::BTreeMap;

use abi::Pubkey;
use abi::input::{
    ACCOUNT_TABLE_MAGIC, AccountHeader, AccountTableFooter, FIRST_OCCURRENCE,
    MAX_DISTINCT_ACCOUNTS, MAX_PERMITTED_DATA_LENGTH, RepeatEntry, account_table_length,
    entry_length, padding, rent_epoch_offset,
};
use bytemuck::bytes_of;

use crate::account::{AccountEntry, AccountInput};
use crate::error::InvocationError;
use crate::invocation::Invocation;

/// The input of one invocation, without most of its zeroes: each account brings 10,240 of them, and stands in memory that is
/// zero already.
pub(crate) struct SerializedInput {
    /// The bytes of all pieces, one behind the other.
    bytes: Vec<u8>,
    pieces: Vec<Piece>,
    /// Address of each account's entry, in order; for a repeat, of the repeat.
    pub entries: Vec<u64>,
}

/// Bytes of the input that stand together.
struct Piece {
    /// Where they start in `bytes`. They end where the next piece starts.
    start: usize,
    /// Where they belong in the guest's memory.
    address: u64,
}

/// Refuses what no input can say.
pub(crate) fn validate(invocation: &Invocation) -> Result<(), InvocationError> {
    let mut positions = Positions::of(invocation);
    let mut distinct = 0;
    for (index, entry) in invocation.accounts.iter().enumerate() {
        match entry {
            AccountEntry::First(input) => {
                let length = input.account.data.len();
                if length > MAX_PERMITTED_DATA_LENGTH {
                    return Err(InvocationError::DataTooLong { index, length });
                }
                let key = &input.account.key;
                distinct += 1;
                if let Some(first) = positions.insert(key, index) {
                    return Err(InvocationError::DuplicateKey {
                        index,
                        first,
                        key: *key,
                    });
                }
            }
            AccountEntry::Repeat(refers_to) => {
                let is_first = invocation.accounts[..index]
                    .get(*refers_to)
                    .is_some_and(|entry| matches!(entry, AccountEntry::First(_)));
                // An index of 255 would be the marker of a first occurrence.
                if !is_first || *refers_to >= usize::from(FIRST_OCCURRENCE) {
                    return Err(InvocationError::InvalidRepeat {
                        index,
                        refers_to: *refers_to,
                    });
                }
            }
        }
    }
    if distinct > MAX_DISTINCT_ACCOUNTS {
        return Err(InvocationError::TooManyAccounts { count: distinct });
    }
    Ok(())
}

/// Where each key occurs first. A list is faster for a few accounts, and would take long for a thousand.
enum Positions<'a> {
    Few(Vec<(&'a Pubkey, usize)>),
    Many(BTreeMap<&'a Pubkey, usize>),
}

impl<'a> Positions<'a> {
    fn of(invocation: &Invocation) -> Self {
        match invocation.accounts.len() {
            count @ 0..=16 => Self::Few(Vec::with_capacity(count)),
            _ => Self::Many(BTreeMap::new()),
        }
    }

    /// Notes where a key occurs; answers where it did before, if it did.
    fn insert(&mut self, key: &'a Pubkey, index: usize) -> Option<usize> {
        match self {
            Self::Few(list) => {
                let known = list.iter().find(|(known, _)| *known == key);
                let first = known.map(|(_, first)| *first);
                list.push((key, index));
                first
            }
            Self::Many(tree) => tree.insert(key, index),
        }
    }
}

/// A table of no accounts would say nothing, and a program that looks for one would look twice.
fn has_account_table(invocation: &Invocation) -> bool {
    invocation.account_table && !invocation.accounts.is_empty()
}

/// Length in bytes of the input, account table included if there is one, or `usize::MAX` if it does not fit there.
pub(crate) fn serialized_length(invocation: &Invocation) -> usize {
    let mut length = 8_usize
        .saturating_add(invocation.data.len())
        .saturating_add(32);
    length = length.saturating_add(padding(length)).saturating_add(8);
    for entry in &invocation.accounts {
        let entry = match entry {
            AccountEntry::First(input) => {
                entry_length(input.account.data.len()).unwrap_or(usize::MAX)
            }
            AccountEntry::Repeat(_) => size_of::<RepeatEntry>(),
        };
        length = length.saturating_add(entry);
    }
    if has_account_table(invocation) {
        let table = account_table_length(invocation.accounts.len()).unwrap_or(usize::MAX);
        length = length.saturating_add(table);
    }
    length
}

/// About how many bytes of an input are not left out.
fn written_length(invocation: &Invocation) -> usize {
    let header = size_of::<AccountHeader>() + 2 * size_of::<u64>();
    let accounts = invocation.accounts.iter().map(|entry| match entry {
        AccountEntry::First(input) => header + input.account.data.len(),
        AccountEntry::Repeat(_) => 2 * size_of::<u64>(),
    });
    64 + invocation.data.len() + accounts.sum::<usize>()
}

/// Writes the input that will stand at `address`, and fits there. `invocation` is valid.
pub(crate) fn serialize(invocation: &Invocation, address: u64) -> SerializedInput {
    let count = invocation.accounts.len();
    // The first, one behind the padding of the instruction data, and one behind the spare bytes of each account.
    let mut pieces = Vec::with_capacity(count + 2);
    pieces.push(Piece { start: 0, address });
    let mut input = SerializedInput {
        bytes: Vec::with_capacity(written_length(invocation)),
        pieces,
        entries: Vec::with_capacity(count),
    };
    input.write(&(invocation.data.len() as u64).to_le_bytes());
    input.write(&invocation.data);
    input.write(invocation.program_id.as_bytes());
    input.skip(padding(input.bytes.len()));
    input.write(&(invocation.accounts.len() as u64).to_le_bytes());

    for entry in &invocation.accounts {
        input.entries.push(input.address());
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
    input
}

impl SerializedInput {
    /// The pieces with their addresses, the last one first: the VM's memory then grows once.
    pub fn pieces(&self) -> impl Iterator<Item = (u64, &[u8])> {
        let mut end = self.bytes.len();
        self.pieces.iter().rev().map(move |piece| {
            let bytes = &self.bytes[piece.start..end];
            end = piece.start;
            (piece.address, bytes)
        })
    }

    /// Where the next byte belongs.
    fn address(&self) -> u64 {
        let last = &self.pieces[self.pieces.len() - 1];
        last.address + (self.bytes.len() - last.start) as u64
    }

    fn write(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Leaves so many zero bytes.
    fn skip(&mut self, length: usize) {
        if length > 0 {
            let address = self.address() + length as u64;
            let start = self.bytes.len();
            self.pieces.push(Piece { start, address });
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
        self.write(&account.data);
        let rent_epoch = rent_epoch_offset(account.data.len()).unwrap_or(usize::MAX);
        self.skip(rent_epoch - AccountHeader::DATA - account.data.len());
        self.write(&account.rent_epoch.to_le_bytes());
    }

    fn write_account_table(&mut self, invocation: &Invocation) {
        for (index, entry) in invocation.accounts.iter().enumerate() {
            let first = match entry {
                AccountEntry::First(_) => index,
                AccountEntry::Repeat(first) => *first,
            };
            let address = self.entries[first];
            self.write(&address.to_le_bytes());
        }
        self.write(bytes_of(&AccountTableFooter {
            count: invocation.accounts.len() as u64,
            magic: ACCOUNT_TABLE_MAGIC,
        }));
    }
}
