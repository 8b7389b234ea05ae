//! Inputs as values, a writer that shares no code with the project's own, and a reader's results.

use std::ops::Range;

use entrypoint::input::{Field, LazyAccount, LazyAccounts, read, read_lazily};
use entrypoint::{AccountInfo, Pubkey, testing};
use proptest::prelude::*;

pub use crate::rialo::{RialoAccount, rialo_reads};

/// The fields of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    pub is_signer: bool,
    pub is_writable: bool,
    pub executable: bool,
    pub key: [u8; 32],
    pub owner: [u8; 32],
    pub kelvins: u64,
    pub data: Vec<u8>,
    pub rent_epoch: u64,
}

/// An entry of the input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    First(Account),
    /// The position of an earlier entry.
    Repeat(u8),
}

/// The contents of an input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    pub program_id: [u8; 32],
    pub instruction_data: Vec<u8>,
    pub entries: Vec<Entry>,
}

/// The offsets of a field, and the entry that it belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    pub field: Field,
    pub account: Option<usize>,
    pub bytes: Range<usize>,
}

/// The bytes of an input, written field by field.
#[derive(Default)]
struct Writer {
    bytes: Vec<u8>,
    spans: Vec<Span>,
    account: Option<usize>,
}

impl Writer {
    fn field(&mut self, field: Field, bytes: &[u8]) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        self.spans.push(Span {
            field,
            account: self.account,
            bytes: start..self.bytes.len(),
        });
    }

    fn padding(&mut self) {
        let length = self.bytes.len().next_multiple_of(8) - self.bytes.len();
        self.field(Field::Padding, &[0; 7][..length]);
    }

    fn entry(&mut self, entry: &Entry) {
        let account = match entry {
            Entry::First(account) => account,
            Entry::Repeat(index) => {
                return self.field(Field::Marker, &[*index, 0, 0, 0, 0, 0, 0, 0]);
            }
        };
        let flags = [account.is_signer, account.is_writable, account.executable];
        let [is_signer, is_writable, executable] = flags.map(u8::from);
        self.field(
            Field::Marker,
            &[0xFF, is_signer, is_writable, executable, 0, 0, 0, 0],
        );
        let kelvins = account.kelvins.to_le_bytes();
        self.field(
            Field::AccountHeader,
            &[&account.key[..], &account.owner, &kelvins].concat(),
        );
        self.field(
            Field::DataLength,
            &(account.data.len() as u64).to_le_bytes(),
        );
        self.field(Field::Data, &account.data);
        self.field(Field::SpareBytes, &[0; 10_240]);
        self.padding();
        self.field(Field::RentEpoch, &account.rent_epoch.to_le_bytes());
    }
}

impl Expected {
    /// The input in bytes, without an account table, and the offsets of its fields.
    pub fn write(&self) -> (Vec<u8>, Vec<Span>) {
        let mut writer = Writer::default();
        let length = self.instruction_data.len() as u64;
        writer.field(Field::InstructionDataLength, &length.to_le_bytes());
        writer.field(Field::InstructionData, &self.instruction_data);
        writer.field(Field::ProgramId, &self.program_id);
        writer.padding();
        let count = self.entries.len() as u64;
        writer.field(Field::AccountCount, &count.to_le_bytes());
        for (position, entry) in self.entries.iter().enumerate() {
            writer.account = Some(position);
            writer.entry(entry);
        }
        (writer.bytes, writer.spans)
    }

    /// The input in bytes, without an account table.
    pub fn bytes(&self) -> Vec<u8> {
        self.write().0
    }

    /// The input in bytes, with the account table that a loader appends if the input is at
    /// `address` and there are accounts.
    pub fn bytes_with_table(&self, address: u64) -> Vec<u8> {
        let (mut bytes, spans) = self.write();
        self.append_table(&mut bytes, &spans, address);
        bytes
    }

    /// Appends the account table for an input at `address` with these fields.
    pub fn append_table(&self, bytes: &mut Vec<u8>, spans: &[Span], address: u64) {
        if self.entries.is_empty() {
            return;
        }
        for position in 0..self.entries.len() {
            let first = self.first(position);
            let mut entries = spans.iter().filter(|span| span.field == Field::Marker);
            let entry = entries.nth(first).expect("the marker of an entry");
            bytes.extend((address + entry.bytes.start as u64).to_le_bytes());
        }
        bytes.extend((self.entries.len() as u64).to_le_bytes());
        bytes.extend(b"ACCTABLE");
    }

    /// The position of the first occurrence of the account at `position`.
    pub fn first(&self, position: usize) -> usize {
        match self.entries[position] {
            Entry::First(_) => position,
            Entry::Repeat(earlier) => self.first(earlier.into()),
        }
    }

    /// The account at `position`, which may be a repeat.
    pub fn account(&self, position: usize) -> &Account {
        match &self.entries[position] {
            Entry::First(account) => account,
            Entry::Repeat(earlier) => self.account((*earlier).into()),
        }
    }

    /// The account at `position`, mutable; see [`account`](Self::account).
    pub fn account_mut(&mut self, position: usize) -> &mut Account {
        let first = self.first(position);
        match &mut self.entries[first] {
            Entry::First(account) => account,
            Entry::Repeat(_) => unreachable!("`first` returns a first occurrence"),
        }
    }

    /// The accounts in order, repeats resolved.
    pub fn accounts(&self) -> Vec<Account> {
        let positions = 0..self.entries.len();
        positions.map(|at| self.account(at).clone()).collect()
    }
}

impl Expected {
    /// The call that has this input. Its repeats must be those of first occurrences.
    pub fn invocation(&self) -> loader::Invocation {
        let id = Pubkey::new(self.program_id);
        let start = loader::Invocation::new(id).data(self.instruction_data.clone());
        let entries = self.entries.iter().enumerate();
        entries.fold(start, |invocation, (position, entry)| match entry {
            Entry::Repeat(_) => invocation.repeat(self.first(position)),
            Entry::First(account) => {
                let mut input = loader::AccountInput::new(Pubkey::new(account.key))
                    .owner(Pubkey::new(account.owner))
                    .kelvins(account.kelvins)
                    .data(account.data.clone());
                input.is_signer = account.is_signer;
                input.is_writable = account.is_writable;
                input.account.executable = account.executable;
                input.account.rent_epoch = account.rent_epoch;
                invocation.account(input)
            }
        })
    }
}

impl Expected {
    /// The call of a unit test that has this input. Its repeats must be those of first occurrences.
    pub fn unit_test(&self) -> testing::Invocation {
        let id = Pubkey::new(self.program_id);
        let start = testing::Invocation::new(id).data(self.instruction_data.clone());
        let entries = self.entries.iter().enumerate();
        entries.fold(start, |invocation, (position, entry)| match entry {
            Entry::Repeat(_) => invocation.repeat(self.first(position)),
            Entry::First(account) => {
                let mut input = testing::AccountInput::new(Pubkey::new(account.key))
                    .owner(Pubkey::new(account.owner))
                    .kelvins(account.kelvins)
                    .data(account.data.clone())
                    .rent_epoch(account.rent_epoch);
                input.is_signer = account.is_signer;
                input.is_writable = account.is_writable;
                input.account.executable = account.executable;
                invocation.account(input)
            }
        })
    }
}

/// Two accounts and a repeat of the first.
pub fn two_and_a_repeat() -> Expected {
    let account = |number: u8, data: &[u8]| {
        Entry::First(Account {
            is_signer: number == 1,
            is_writable: true,
            executable: false,
            key: [number; 32],
            owner: [9; 32],
            kelvins: u64::from(number) * 100,
            data: data.to_vec(),
            rent_epoch: u64::MAX - u64::from(number),
        })
    };
    Expected {
        program_id: [9; 32],
        instruction_data: vec![1, 2, 3],
        entries: vec![
            account(1, b"first"),
            account(2, b"the second"),
            Entry::Repeat(0),
        ],
    }
}

/// What a reader found. Pointers are offsets from the start of the input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    pub program_id: [u8; 32],
    pub program_id_at: usize,
    pub instruction_data: Vec<u8>,
    pub instruction_data_at: usize,
    pub accounts: Vec<SeenAccount>,
}

/// An account that a reader found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenAccount {
    pub key_at: usize,
    pub data_at: usize,
    pub account: Account,
}

impl Seen {
    pub fn new(input: usize, id: &Pubkey, accounts: &[AccountInfo<'_>], data: &[u8]) -> Self {
        Self {
            program_id: id.to_bytes(),
            program_id_at: id.as_bytes().as_ptr().addr().wrapping_sub(input),
            instruction_data: data.to_vec(),
            instruction_data_at: data.as_ptr().addr().wrapping_sub(input),
            accounts: accounts.iter().map(|view| see(input, view)).collect(),
        }
    }

    /// Every slice that the reader returned, as offsets from the start of the input.
    pub fn slices(&self) -> Vec<Range<usize>> {
        let slice = |at: usize, length: usize| at..at.saturating_add(length);
        let mut slices = vec![
            slice(self.program_id_at, 32),
            slice(self.instruction_data_at, self.instruction_data.len()),
        ];
        for seen in &self.accounts {
            slices.push(slice(seen.key_at, 32));
            slices.push(slice(seen.data_at, seen.account.data.len()));
        }
        slices
    }

    /// Compares it with the written input.
    pub fn check(&self, expected: &Expected) {
        assert_eq!(self.program_id, expected.program_id);
        assert_eq!(self.instruction_data, expected.instruction_data);
        let accounts = self.accounts.iter().map(|seen| seen.account.clone());
        assert_eq!(accounts.collect::<Vec<_>>(), expected.accounts());
        for (position, seen) in self.accounts.iter().enumerate() {
            for (other_position, other) in self.accounts.iter().enumerate() {
                let same = expected.first(position) == expected.first(other_position);
                assert_eq!(
                    seen.key_at == other.key_at,
                    same,
                    "{position} and {other_position}"
                );
            }
        }
    }
}

/// The account of a view, in the input at this address.
pub fn see(input: usize, view: &AccountInfo<'_>) -> SeenAccount {
    let data = view.try_borrow_data().expect("nothing is borrowed");
    assert_eq!(data.len(), view.data_len());
    SeenAccount {
        key_at: view.key().as_bytes().as_ptr().addr().wrapping_sub(input),
        data_at: data.as_ptr().addr().wrapping_sub(input),
        account: Account {
            is_signer: view.is_signer(),
            is_writable: view.is_writable(),
            executable: view.executable(),
            key: view.key().to_bytes(),
            owner: view.owner().to_bytes(),
            kelvins: view.kelvins(),
            data: data.to_vec(),
            rent_epoch: view.rent_epoch(),
        },
    }
}

/// What the checked reader finds, or its error.
pub fn read_checked(bytes: &mut [u8]) -> Result<Seen, entrypoint::input::InputError> {
    let start = bytes.as_ptr().addr();
    let input = read(bytes)?;
    Ok(Seen::new(
        start,
        input.program_id,
        &input.accounts,
        input.instruction_data,
    ))
}

/// What the lazy reader finds when it reads all accounts, or its error.
pub fn read_all_lazily(bytes: &mut [u8]) -> Result<Seen, entrypoint::input::InputError> {
    let start = bytes.as_ptr().addr();
    let (program_id, entries, instruction_data) = read_lazily(bytes)?;
    let accounts = list(entries);
    Ok(Seen::new(start, program_id, &accounts, instruction_data))
}

/// All accounts of a lazy reader, with repeats resolved.
pub fn list(mut entries: LazyAccounts<'_>) -> Vec<AccountInfo<'_>> {
    let announced = entries.len();
    let mut accounts: Vec<AccountInfo<'_>> = Vec::new();
    while let Some(entry) = entries.next() {
        accounts.push(match entry {
            LazyAccount::First(account) => account,
            LazyAccount::Repeat(index) => accounts[index],
        });
        assert_eq!(entries.len(), announced - accounts.len());
    }
    assert_eq!(accounts.len(), announced);
    assert!(entries.next().is_none(), "the iterator stays at its end");
    accounts
}

/// The bytes as words, because the trusted readers need an input that is aligned to 8.
pub fn words(bytes: &[u8]) -> Vec<u64> {
    let mut words = vec![0_u64; bytes.len().div_ceil(8)];
    bytemuck::cast_slice_mut(&mut words)[..bytes.len()].copy_from_slice(bytes);
    words
}

fn accounts() -> impl Strategy<Value = Account> {
    let flags = any::<[bool; 3]>();
    let numbers = any::<[u64; 2]>();
    let keys = any::<[[u8; 32]; 2]>();
    let data = prop::collection::vec(any::<u8>(), 0..200);
    (flags, numbers, keys, data).prop_map(|(flags, numbers, keys, data)| Account {
        is_signer: flags[0],
        is_writable: flags[1],
        executable: flags[2],
        key: keys[0],
        owner: keys[1],
        kelvins: numbers[0],
        data,
        rent_epoch: numbers[1],
    })
}

/// Any input: up to 39 bytes of instruction data and up to five entries. A repeat may refer to a
/// repeat.
pub fn inputs() -> impl Strategy<Value = Expected> {
    let entry = (
        accounts(),
        prop::option::weighted(0.4, any::<prop::sample::Index>()),
    );
    let entries = prop::collection::vec(entry, 0..6).prop_map(|entries| {
        let entries = entries.into_iter().enumerate();
        entries
            .map(|(position, (account, repeats))| match repeats {
                Some(earlier) if position > 0 => Entry::Repeat(earlier.index(position) as u8),
                _ => Entry::First(account),
            })
            .collect()
    });
    let instruction_data = prop::collection::vec(any::<u8>(), 0..40);
    (any::<[u8; 32]>(), instruction_data, entries).prop_map(
        |(program_id, instruction_data, entries)| Expected {
            program_id,
            instruction_data,
            entries,
        },
    )
}
