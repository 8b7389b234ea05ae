//! Reads the accounts back from the input of a program that has returned.

use std::ops::Range;

use abi::Pubkey;
use abi::input::{AccountHeader, RepeatEntry, rent_epoch_offset};
use bytemuck::pod_read_unaligned;

use super::write::{LONG, SentEntry, SerializedInput};
use crate::account::{AccountEntry, AccountInput, Data};
use crate::error::Failure;
use crate::invocation::Invocation;
use crate::invoke::guest::{GuestMemory, Inaccessible, read_pod};
use crate::invoke::write_back::{AccountAfter, most_data};

/// The entries of all accounts as a program has left them, read together.
pub(crate) struct EntriesNow<'a> {
    /// The entries as they were sent, in order.
    pub sent_entries: &'a [SentEntry],
    sent: &'a [u8],
    /// What the bytes of `sent` are now, at the same places. Only those of entries are read, and
    /// none of [`LONG`] data.
    now: &'a [u8],
}

impl<'a> EntriesNow<'a> {
    /// Reads the entries. The rent epoch of an account and the header of the next are neighbors, so
    /// this takes one read for each account, and one more.
    pub fn read(
        guest: &mut impl GuestMemory,
        invocation: &Invocation,
        input: &'a mut SerializedInput,
    ) -> Result<Self, Failure> {
        let SerializedInput {
            bytes: sent,
            entries: sent_entries,
            now,
            ..
        } = input;
        if now.len() < sent.len() {
            now.reserve_exact(sent.len() - now.len());
            now.resize(sent.len(), 0);
        }
        let mut read = |address, place: Range<usize>| {
            let read = guest.read_into(address, &mut now[place]);
            read.map_err(|Inaccessible| input_is_gone())
        };
        let Some(first) = sent_entries.first() else {
            return Ok(Self {
                sent_entries,
                sent,
                now,
            });
        };
        // What is not read yet of the entries so far: its address and its place.
        let (mut address, mut start, mut end) = (first.address, first.start, first.start);
        for (entry, sent) in invocation.accounts.iter().zip(&*sent_entries) {
            let AccountEntry::First(AccountInput { account, .. }) = entry else {
                end = sent.start + size_of::<RepeatEntry>();
                continue;
            };
            let length = account.data.len();
            let rent_epoch = sent.start + AccountHeader::DATA + among_others(length);
            read(address, start..rent_epoch)?;
            address = sent.address + offset_of_rent_epoch(length);
            start = rent_epoch;
            end = rent_epoch + size_of::<u64>();
        }
        read(address, start..end)?;
        Ok(Self {
            sent_entries,
            sent,
            now,
        })
    }

    /// Whether the account in an entry is as it was sent, with data of this length. `false` if the
    /// data was not read.
    pub fn is_as_sent(&self, entry: &SentEntry, length: usize) -> bool {
        let place = place(entry, length);
        !is_long(length) && self.now[place.clone()] == self.sent[place]
    }

    /// The account in an entry, which was sent with data of this length. `before` is the data as
    /// the host knows it.
    pub fn account(
        &self,
        guest: &mut impl GuestMemory,
        entry: &SentEntry,
        length: usize,
        before: &Data,
    ) -> Result<AccountAfter, Failure> {
        let bytes = &self.now[place(entry, length)];
        let (header, rest) = bytes.split_at(AccountHeader::DATA);
        let header: AccountHeader = pod_read_unaligned(header);
        let (data, rent_epoch) = rest.split_at(among_others(length));
        let data = match is_long(length) || header.data_length != length as u64 {
            true => read_data(guest, entry.address, &header, length, before)?,
            false => Data::from(data),
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
/// if that is not long, and its rent epoch.
fn place(entry: &SentEntry, length: usize) -> Range<usize> {
    let length = AccountHeader::DATA + among_others(length) + size_of::<u64>();
    entry.start..entry.start + length
}

/// How many bytes of data are among the other bytes of the input: none if it is long.
fn among_others(length: usize) -> usize {
    if is_long(length) { 0 } else { length }
}

fn is_long(length: usize) -> bool {
    length >= LONG
}

/// Reads the account in the entry at an address, which was sent with data of this length. `before`
/// is the data as the host knows it.
pub(crate) fn account(
    guest: &mut impl GuestMemory,
    address: u64,
    sent_length: usize,
    before: &Data,
) -> Result<AccountAfter, Failure> {
    let header: AccountHeader = value(guest, address)?;
    let data = read_data(guest, address, &header, sent_length, before)?;
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
    before: &Data,
) -> Result<Data, Failure> {
    // The length is the program's, so it is checked before so much memory is allocated.
    if header.data_length > most_data(sent_length) {
        return Ok(Data::new());
    }
    let address = address + AccountHeader::DATA as u64;
    guest
        .read_data(address, header.data_length, before)
        .map_err(|Inaccessible| input_is_gone())
}

/// The offset in an entry of the rent epoch. It stays where it was when the data becomes longer.
fn offset_of_rent_epoch(sent_length: usize) -> u64 {
    rent_epoch_offset(sent_length).unwrap_or(usize::MAX) as u64
}

fn after(header: &AccountHeader, data: Data, rent_epoch: u64) -> AccountAfter {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invoke::input::write::{self, Lengths};

    /// Memory that begins at address 0.
    struct Memory {
        bytes: Vec<u8>,
        reads: usize,
    }

    impl GuestMemory for Memory {
        fn read(&mut self, address: u64, length: u64) -> Result<Vec<u8>, Inaccessible> {
            self.reads += 1;
            let range = address as usize..(address + length) as usize;
            self.bytes
                .get(range)
                .map(<[u8]>::to_vec)
                .ok_or(Inaccessible)
        }

        fn write(&mut self, address: u64, bytes: &[u8]) -> Result<(), Inaccessible> {
            let range = address as usize..address as usize + bytes.len();
            let place = self.bytes.get_mut(range).ok_or(Inaccessible)?;
            place.copy_from_slice(bytes);
            Ok(())
        }

        fn is_writable(&mut self, _: u64, _: u64) -> bool {
            false
        }

        fn gas(&self) -> u64 {
            0
        }

        fn set_gas(&mut self, _: u64) {}
    }

    const ADDRESS: u64 = 4_096;

    /// An invocation whose accounts have data of these lengths; `None` is a repeat of the first.
    fn invocation(lengths: &[Option<usize>], account_table: bool) -> Invocation {
        let invocation = Invocation::new(Pubkey::new([9; 32])).data([1, 2, 3]);
        let invocation = invocation.account_table(account_table);
        lengths
            .iter()
            .enumerate()
            .fold(invocation, |invocation, (index, length)| match length {
                Some(length) => {
                    let mut account = AccountInput::new(Pubkey::new([index as u8 + 1; 32]))
                        .owner(Pubkey::new([9; 32]))
                        .kelvins(index as u64 + 5)
                        .data(vec![index as u8 + 7; *length])
                        .writable();
                    account.account.rent_epoch = index as u64;
                    invocation.account(account)
                }
                None => invocation.repeat(0),
            })
    }

    fn written(invocation: &Invocation) -> (Memory, SerializedInput) {
        let mut memory = Memory {
            bytes: vec![0; ADDRESS as usize + write::serialized_length(invocation)],
            reads: 0,
        };
        let mut input = SerializedInput::empty();
        let lengths = Lengths::of(invocation);
        write::write(&mut memory, invocation, &lengths, ADDRESS, &mut input).unwrap();
        (memory, input)
    }

    type Fields = ([Pubkey; 2], u64, [u8; 3], [u64; 2], Data);

    fn fields(account: AccountAfter) -> Fields {
        let flags = [account.is_signer, account.is_writable, account.executable];
        let numbers = [account.rent_epoch, account.data_length];
        (
            [account.key, account.owner],
            account.kelvins,
            flags,
            numbers,
            account.data,
        )
    }

    /// Checks that the entries are read as each account by itself. Returns which are as sent.
    fn compare(
        invocation: &Invocation,
        input: &mut SerializedInput,
        memory: &mut Memory,
    ) -> Vec<bool> {
        let now = EntriesNow::read(memory, invocation, input).unwrap();
        let mut as_sent = Vec::new();
        for (entry, sent) in invocation.accounts.iter().zip(now.sent_entries) {
            let AccountEntry::First(before) = entry else {
                let index = value::<RepeatEntry>(memory, sent.address).unwrap();
                let expected = (index.padding == [0; 7]).then_some(usize::from(index.index));
                assert_eq!(now.repeat(sent), expected);
                continue;
            };
            let length = before.account.data.len();
            let data = &before.account.data;
            let expected = fields(account(memory, sent.address, length, data).unwrap());
            let found = fields(now.account(memory, sent, length, data).unwrap());
            assert_eq!(found, expected);
            as_sent.push(now.is_as_sent(sent, length));
        }
        as_sent
    }

    #[test]
    fn each_byte_of_an_entry_is_read() {
        let lists: [&[Option<usize>]; 5] = [
            &[Some(3)],
            &[Some(0), None, Some(1), Some(165), None, None],
            &[Some(LONG - 1), Some(8)],
            &[Some(8), Some(LONG), None],
            &[Some(LONG + 1), Some(LONG + 2)],
        ];
        for (lengths, account_table) in lists
            .into_iter()
            .flat_map(|list| [(list, true), (list, false)])
        {
            let invocation = invocation(lengths, account_table);
            let (mut memory, mut input) = written(&invocation);
            // The entries have the same places in each input.
            let (_, same) = written(&invocation);
            let unchanged = compare(&invocation, &mut input, &mut memory);
            let firsts = lengths.iter().flatten();
            assert!(
                unchanged
                    .iter()
                    .copied()
                    .eq(firsts.map(|length| *length < LONG))
            );
            for (place, (entry, sent)) in invocation.accounts.iter().zip(same.entries()).enumerate()
            {
                let start = sent.address as usize;
                // The first and last bytes of each field, and of the data in its new length.
                let offsets = match entry {
                    AccountEntry::Repeat(_) => vec![0, 7],
                    AccountEntry::First(before) => {
                        let length = before.account.data.len();
                        let rent_epoch = offset_of_rent_epoch(length) as usize;
                        let data = [0, length / 2, length.saturating_sub(1)]
                            .map(|offset| AccountHeader::DATA + offset);
                        let ends = [rent_epoch, rent_epoch + 7];
                        (0..AccountHeader::DATA).chain(data).chain(ends).collect()
                    }
                };
                for offset in offsets {
                    let old = memory.bytes[start + offset];
                    memory.bytes[start + offset] ^= 1;
                    let changed = compare(&invocation, &mut input, &mut memory);
                    // A byte after empty data is a spare one.
                    let is_spare = lengths[place] == Some(0) && offset == AccountHeader::DATA;
                    if lengths[place].is_some() && !is_spare {
                        let index = lengths[..place].iter().flatten().count();
                        assert!(!changed[index], "{lengths:?} {place} {offset}");
                    }
                    memory.bytes[start + offset] = old;
                }
            }
            assert_eq!(compare(&invocation, &mut input, &mut memory), unchanged);
        }
    }

    #[test]
    fn memory_of_an_earlier_input_shows_in_no_later_one() {
        let first = invocation(&[Some(165), Some(LONG), None], true);
        let (mut memory, mut input) = written(&first);
        compare(&first, &mut input, &mut memory);
        input.give_back();
        let second = invocation(&[Some(3), None], false);
        let (mut memory, mut input) = written(&second);
        // It is the same memory, and longer than it needs to be.
        assert!(input.now.len() > input.bytes.len());
        assert_eq!(input.entries().len(), 2);
        assert_eq!(compare(&second, &mut input, &mut memory), [true]);
        memory.bytes[input.entries()[0].address as usize + AccountHeader::DATA] ^= 1;
        assert_eq!(compare(&second, &mut input, &mut memory), [false]);
    }

    #[test]
    fn one_read_for_each_account_and_one_more() {
        let invocation = invocation(&[Some(165); 8], true);
        let (mut memory, mut input) = written(&invocation);
        let now = EntriesNow::read(&mut memory, &invocation, &mut input).unwrap();
        let mut entries = now.sent_entries.iter();
        assert!(entries.all(|entry| now.is_as_sent(entry, 165)));
        assert_eq!(memory.reads, 9);
    }

    #[test]
    fn input_that_is_gone_is_a_failure() {
        let invocation = invocation(&[Some(165)], false);
        let (mut memory, mut input) = written(&invocation);
        memory.bytes.truncate(ADDRESS as usize + 100);
        let read = EntriesNow::read(&mut memory, &invocation, &mut input);
        assert_eq!(read.err(), Some(input_is_gone()));
    }
}
