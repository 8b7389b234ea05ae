//! The writer of inputs.

use alloc::vec;
use alloc::vec::Vec;
use core::ops::{Deref, DerefMut};

use abi::input::{
    ACCOUNT_TABLE_MAGIC, ALIGNMENT, AccountHeader, AccountTableFooter, FIRST_OCCURRENCE,
    MAX_DISTINCT_ACCOUNTS, MAX_PERMITTED_DATA_LENGTH, RepeatEntry, padding, rent_epoch_offset,
};
use bytemuck::bytes_of;

use super::invocation::{Entry, Invocation};
use abi::host::AccountInput;

/// The bytes of a serialized input, at an address that is a multiple of 8.
///
/// It is made by [`Invocation::input`].
#[derive(Debug)]
pub struct InputBytes {
    // Every part of an input ends at a multiple of 8. Not `Clone`: the account table has addresses
    // in this memory.
    words: Vec<u64>,
    /// The offset of each account's first occurrence, for each entry.
    offsets: Vec<usize>,
}

impl InputBytes {
    /// Returns the offset of the first occurrence for each entry.
    pub(super) fn offsets(&self) -> &[usize] {
        &self.offsets
    }
}

impl Deref for InputBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        bytemuck::cast_slice(&self.words)
    }
}

impl DerefMut for InputBytes {
    fn deref_mut(&mut self) -> &mut [u8] {
        bytemuck::cast_slice_mut(&mut self.words)
    }
}

/// Writes the input of an invocation.
///
/// # Panics
///
/// If an input cannot have these accounts.
pub(super) fn write(invocation: &Invocation) -> InputBytes {
    let mut bytes = Vec::new();
    bytes.extend((invocation.data.len() as u64).to_le_bytes());
    bytes.extend(&invocation.data);
    bytes.extend(invocation.program_id.as_bytes());
    pad(&mut bytes);
    bytes.extend((invocation.entries.len() as u64).to_le_bytes());

    let mut offsets: Vec<usize> = Vec::new();
    let mut distinct = 0;
    for (position, entry) in invocation.entries.iter().enumerate() {
        match entry {
            Entry::First(account) => {
                distinct += 1;
                assert!(
                    distinct <= MAX_DISTINCT_ACCOUNTS,
                    "an input has at most {MAX_DISTINCT_ACCOUNTS} different accounts"
                );
                offsets.push(bytes.len());
                write_account(&mut bytes, account);
            }
            Entry::Repeat(first) => {
                let is_first = matches!(
                    invocation.entries[..position].get(*first),
                    Some(Entry::First(_))
                );
                assert!(
                    is_first && *first < MAX_DISTINCT_ACCOUNTS,
                    "account {position} repeats account {first}, which is not the first occurrence \
                     of an earlier account"
                );
                offsets.push(offsets[*first]);
                bytes.extend(bytes_of(&RepeatEntry {
                    index: *first as u8,
                    padding: [0; 7],
                }));
            }
        }
    }

    let has_table = invocation.account_table && !offsets.is_empty();
    let table = if has_table { offsets.len() + 2 } else { 0 };
    let length = bytes.len() / ALIGNMENT;
    let mut words = vec![0; length + table];
    bytemuck::cast_slice_mut(&mut words)[..bytes.len()].copy_from_slice(&bytes);
    if has_table {
        // The addresses are those in this memory, from which a `Vec` that does not grow is not
        // moved.
        let start = words.as_ptr().addr();
        for (place, offset) in words[length..].iter_mut().zip(&offsets) {
            *place = (start + offset) as u64;
        }
        let footer = AccountTableFooter {
            count: offsets.len() as u64,
            magic: ACCOUNT_TABLE_MAGIC,
        };
        let end = words.len() - 2;
        words[end..].copy_from_slice(bytemuck::cast_slice(bytes_of(&footer)));
    }
    InputBytes { words, offsets }
}

fn write_account(bytes: &mut Vec<u8>, input: &AccountInput) {
    let account = &input.account;
    assert!(
        account.data.len() <= MAX_PERMITTED_DATA_LENGTH,
        "account {} has {} bytes of data, and may have {MAX_PERMITTED_DATA_LENGTH}",
        account.key,
        account.data.len()
    );
    let start = bytes.len();
    bytes.extend(bytes_of(&AccountHeader {
        marker: FIRST_OCCURRENCE,
        is_signer: input.is_signer.into(),
        is_writable: input.is_writable.into(),
        executable: account.executable.into(),
        original_data_length: 0,
        key: account.key.to_bytes(),
        owner: account.owner.to_bytes(),
        kelvins: account.kelvins,
        data_length: account.data.len() as u64,
    }));
    bytes.extend(&account.data);
    // It fits: the length is checked above.
    let rent_epoch = rent_epoch_offset(account.data.len()).unwrap_or_default();
    bytes.resize(start + rent_epoch, 0);
    bytes.extend(account.rent_epoch.to_le_bytes());
}

fn pad(bytes: &mut Vec<u8>) {
    bytes.resize(bytes.len() + padding(bytes.len()), 0);
}
