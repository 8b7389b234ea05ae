//! Reads the accounts back from the input of a program that has returned.

use std::ops::Range;

use abi::Pubkey;
use abi::input::{AccountHeader, RepeatEntry, rent_epoch_offset};
use bytemuck::pod_read_unaligned;

use super::write::{SentEntry, SerializedInput};
use crate::account::{AccountEntry, AccountInput};
use crate::error::Failure;
use crate::invocation::Invocation;
use crate::invoke::guest::{GuestMemory, Inaccessible, read_pod};
use crate::invoke::write_back::{AccountAfter, most_data};

/// Data that is longer is read into the account at once, and not copied there. In bytes.
const LONG: usize = 16 << 10;

/// The entries of all accounts as a program has left them, read together.
pub(crate) struct EntriesNow<'a> {
    sent: &'a [u8],
    /// What the bytes of `sent` are now, at the same places. Only those of entries are read, and
    /// none of [`LONG`] data.
    now: Vec<u8>,
}

impl<'a> EntriesNow<'a> {
    /// Reads the entries. The rent epoch of an account and the header of the next are neighbors, so
    /// this takes one read for each account, and one more.
    pub fn read(
        guest: &mut impl GuestMemory,
        invocation: &Invocation,
        input: &'a SerializedInput,
    ) -> Result<Self, Failure> {
        let mut now = vec![0; input.bytes().len()];
        let mut read = |address, place: Range<usize>| {
            let read = guest.read_into(address, &mut now[place]);
            read.map_err(|Inaccessible| input_is_gone())
        };
        let Some(first) = input.entries().first() else {
            return Ok(Self { sent: &[], now });
        };
        // What is not read yet of the entries so far: its address and its place.
        let (mut address, mut start, mut end) = (first.address, first.start, first.start);
        for (entry, sent) in invocation.accounts.iter().zip(input.entries()) {
            let AccountEntry::First(AccountInput { account, .. }) = entry else {
                end = sent.start + size_of::<RepeatEntry>();
                continue;
            };
            let data = sent.start + AccountHeader::DATA;
            let rent_epoch = data + account.data.len();
            let until = if is_long(account.data.len()) {
                data
            } else {
                rent_epoch
            };
            read(address, start..until)?;
            address = sent.address + offset_of_rent_epoch(account.data.len());
            start = rent_epoch;
            end = rent_epoch + size_of::<u64>();
        }
        read(address, start..end)?;
        let sent = input.bytes();
        Ok(Self { sent, now })
    }

    /// Whether the account in an entry is as it was sent, with data of this length. `false` if the
    /// data was not read.
    pub fn is_as_sent(&self, entry: &SentEntry, length: usize) -> bool {
        let place = place(entry, length);
        !is_long(length) && self.now[place.clone()] == self.sent[place]
    }

    /// The account in an entry, which was sent with data of this length.
    pub fn account(
        &self,
        guest: &mut impl GuestMemory,
        entry: &SentEntry,
        length: usize,
    ) -> Result<AccountAfter, Failure> {
        let bytes = &self.now[place(entry, length)];
        let (header, rest) = bytes.split_at(AccountHeader::DATA);
        let header: AccountHeader = pod_read_unaligned(header);
        let (data, rent_epoch) = rest.split_at(length);
        let data = match is_long(length) || header.data_length != length as u64 {
            true => read_data(guest, entry.address, &header, length)?,
            false => data.to_vec(),
        };
        Ok(after(&header, data, pod_read_unaligned(rent_epoch)))
    }

    /// The index that a repeat refers to; `None` if the entry is not a repeat any more.
    pub fn repeat(&self, entry: &SentEntry) -> Option<usize> {
        let bytes = &self.now[entry.start..entry.start + size_of::<RepeatEntry>()];
        let entry: RepeatEntry = pod_read_unaligned(bytes);
        (entry.padding == [0; 7]).then_some(entry.index.into())
    }
}

/// Where the bytes of an account that was sent with data of this length are: its header, its data
/// and its rent epoch.
fn place(entry: &SentEntry, length: usize) -> Range<usize> {
    entry.start..entry.start + AccountHeader::DATA + length + size_of::<u64>()
}

fn is_long(length: usize) -> bool {
    length > LONG
}

/// Reads the account in the entry at an address, which was sent with data of this length.
pub(crate) fn account(
    guest: &mut impl GuestMemory,
    address: u64,
    sent_length: usize,
) -> Result<AccountAfter, Failure> {
    let header: AccountHeader = value(guest, address)?;
    let data = read_data(guest, address, &header, sent_length)?;
    let rent_epoch = value(guest, address + offset_of_rent_epoch(sent_length))?;
    Ok(after(&header, data, rent_epoch))
}

/// Reads the data of the account in the entry at an address; empty if it is longer than a program
/// may make it.
fn read_data(
    guest: &mut impl GuestMemory,
    address: u64,
    header: &AccountHeader,
    sent_length: usize,
) -> Result<Vec<u8>, Failure> {
    // The length is the program's, so it is checked before so much memory is allocated.
    if header.data_length > most_data(sent_length) {
        return Ok(Vec::new());
    }
    guest
        .read(address + AccountHeader::DATA as u64, header.data_length)
        .map_err(|Inaccessible| input_is_gone())
}

/// The offset in an entry of the rent epoch. It stays where it was when the data becomes longer.
fn offset_of_rent_epoch(sent_length: usize) -> u64 {
    rent_epoch_offset(sent_length).unwrap_or(usize::MAX) as u64
}

fn after(header: &AccountHeader, data: Vec<u8>, rent_epoch: u64) -> AccountAfter {
    AccountAfter {
        key: Pubkey::new(header.key),
        owner: Pubkey::new(header.owner),
        kelvins: header.kelvins,
        is_signer: header.is_signer,
        is_writable: header.is_writable,
        executable: header.executable,
        rent_epoch,
        data_length: header.data_length,
        data,
    }
}

fn value<T: bytemuck::Pod>(guest: &mut impl GuestMemory, address: u64) -> Result<T, Failure> {
    read_pod(guest, address).map_err(|Inaccessible| input_is_gone())
}

/// Only a native program can unmap memory that the loader mapped.
pub(crate) fn input_is_gone() -> Failure {
    Failure::trapped_because("the program unmapped the memory of the input")
}
