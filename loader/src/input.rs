//! Writes the serialized input, as [`abi::input`] lays it out.

use abi::input::{
    ACCOUNT_TABLE_MAGIC, AccountHeader, AccountTableFooter, FIRST_OCCURRENCE,
    MAX_DISTINCT_ACCOUNTS, MAX_PERMITTED_DATA_LENGTH, RepeatEntry, account_table_length,
    entry_length, padding,
};
use bytemuck::bytes_of;

use crate::account::{AccountEntry, AccountInput};
use crate::error::InvocationError;
use crate::invocation::Invocation;

/// The input of one invocation, in bytes.
pub(crate) struct SerializedInput {
    pub bytes: Vec<u8>,
    /// Where each account's entry starts in `bytes`; for a repeat, where the repeat stands.
    pub offsets: Vec<usize>,
}

/// Refuses what no input can say.
pub(crate) fn validate(invocation: &Invocation) -> Result<(), InvocationError> {
    let mut distinct = Vec::new();
    for (index, entry) in invocation.accounts.iter().enumerate() {
        match entry {
            AccountEntry::First(input) => {
                let length = input.account.data.len();
                if length > MAX_PERMITTED_DATA_LENGTH {
                    return Err(InvocationError::DataTooLong { index, length });
                }
                let key = input.account.key;
                if let Some((first, _)) = distinct.iter().find(|(_, known)| *known == key) {
                    return Err(InvocationError::DuplicateKey {
                        index,
                        first: *first,
                        key,
                    });
                }
                distinct.push((index, key));
            }
            AccountEntry::Repeat(refers_to) => {
                // An index of 255 would be the marker of a first occurrence.
                if !distinct.iter().any(|(first, _)| first == refers_to)
                    || *refers_to >= usize::from(FIRST_OCCURRENCE)
                {
                    return Err(InvocationError::InvalidRepeat {
                        index,
                        refers_to: *refers_to,
                    });
                }
            }
        }
    }
    if distinct.len() > MAX_DISTINCT_ACCOUNTS {
        return Err(InvocationError::TooManyAccounts {
            count: distinct.len(),
        });
    }
    Ok(())
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

/// Writes the input that will stand at `address`. `invocation` is valid.
pub(crate) fn serialize(invocation: &Invocation, address: u32) -> SerializedInput {
    let mut bytes = Vec::with_capacity(serialized_length(invocation));
    bytes.extend((invocation.data.len() as u64).to_le_bytes());
    bytes.extend(&invocation.data);
    bytes.extend(invocation.program_id.as_bytes());
    bytes.resize(bytes.len() + padding(bytes.len()), 0);
    bytes.extend((invocation.accounts.len() as u64).to_le_bytes());

    let mut offsets = Vec::with_capacity(invocation.accounts.len());
    let mut table = Vec::with_capacity(invocation.accounts.len());
    for entry in &invocation.accounts {
        let offset = bytes.len();
        offsets.push(offset);
        match entry {
            AccountEntry::First(input) => {
                table.push(u64::from(address) + offset as u64);
                write_account(&mut bytes, input);
            }
            AccountEntry::Repeat(index) => {
                table.push(table[*index]);
                let repeat = RepeatEntry {
                    index: *index as u8,
                    padding: [0; 7],
                };
                bytes.extend(bytes_of(&repeat));
            }
        }
    }

    if has_account_table(invocation) {
        write_account_table(&mut bytes, &table);
    }
    SerializedInput { bytes, offsets }
}

fn write_account_table(bytes: &mut Vec<u8>, addresses: &[u64]) {
    for address in addresses {
        bytes.extend(address.to_le_bytes());
    }
    let footer = AccountTableFooter {
        count: addresses.len() as u64,
        magic: ACCOUNT_TABLE_MAGIC,
    };
    bytes.extend(bytes_of(&footer));
}

fn write_account(bytes: &mut Vec<u8>, input: &AccountInput) {
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
    let start = bytes.len();
    bytes.extend(bytes_of(&header));
    bytes.extend(&account.data);
    let length = entry_length(account.data.len()).unwrap_or(usize::MAX);
    bytes.resize(start + length - size_of::<u64>(), 0);
    bytes.extend(account.rent_epoch.to_le_bytes());
}
