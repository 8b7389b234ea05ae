//! Random accounts, and random edits of their serialized input.

use crate::PROGRAM_ID;
use loader::{Account, AccountEntry, AccountInput, Invocation, Pubkey};
use poke::{Ending, script};
use proptest::prelude::*;

/// Selects one of several things, for any number of them.
#[derive(Clone, Copy, Debug)]
pub struct Pick(pub usize);

impl Pick {
    fn index(self, count: usize) -> usize {
        self.0 % count
    }
}

/// The id of another program.
const OTHER: Pubkey = Pubkey::new([9; 32]);

/// A call, and the edits that the program makes to its input before it returns 0.
#[derive(Clone, Debug)]
pub struct Scene {
    accounts: Vec<AccountEntry>,
    account_table: bool,
    edits: Vec<Edit>,
}

/// A change of the input. `account` selects a first occurrence, and `repeat` a repeat. An edit
/// without a target, or of a byte outside its entry, changes nothing.
#[derive(Clone, Debug)]
pub enum Edit {
    /// Any bytes at any place: length of the data, program id, spare bytes, padding, account table,
    /// even the script itself.
    Anywhere { place: Pick, bytes: Vec<u8> },
    /// A byte before the data, by its offset.
    Header {
        account: Pick,
        offset: usize,
        value: u8,
    },
    /// A new owner.
    Owner { account: Pick, owner: Pubkey },
    /// A change of the kelvins.
    Kelvins { account: Pick, change: i64 },
    /// A transfer of kelvins from one account to another.
    Transfer { from: Pick, to: Pick, amount: u64 },
    /// A change of the data's length.
    Length { account: Pick, change: i64 },
    /// A byte of the data, or of the spare bytes after it.
    Data {
        account: Pick,
        place: Pick,
        value: u8,
    },
    /// Zeros all data, up to 64 bytes.
    Clear { account: Pick },
    /// A byte of the rent epoch.
    RentEpoch {
        account: Pick,
        byte: usize,
        value: u8,
    },
    /// A byte of a repeat.
    Repeat {
        repeat: Pick,
        byte: usize,
        value: u8,
    },
}

/// An offset, and the bytes to write there.
pub type Poke = (u32, Vec<u8>);

impl Scene {
    /// Two accounts of another program, with 100 kelvins each and data that is not zero, and these
    /// edits.
    pub fn of_two_foreign(edits: Vec<Edit>) -> Self {
        let account = |number| {
            let account = AccountInput::new(Pubkey::new([number; 32]))
                .owner(OTHER)
                .kelvins(100)
                .data([1, 2, 3])
                .writable();
            AccountEntry::First(account)
        };
        Self {
            accounts: vec![account(10), account(11)],
            account_table: true,
            edits,
        }
    }

    /// A writable account of the program with this many bytes of data, and an edit of the length by
    /// `change`.
    pub fn resized(length: usize, change: i64) -> Self {
        let account = AccountInput::new(Pubkey::new([10; 32]))
            .owner(PROGRAM_ID)
            .data(vec![0; length])
            .writable();
        Self {
            accounts: vec![AccountEntry::First(account)],
            account_table: true,
            edits: vec![Edit::Length {
                account: Pick(0),
                change,
            }],
        }
    }

    /// The call of the program that makes the edits, and the edits in the program's form.
    pub fn call(&self) -> (Invocation, Vec<Poke>) {
        let call = |pokes: &[Poke]| {
            let mut call = Invocation::new(PROGRAM_ID)
                .data(script(Ending::Success, pokes))
                .account_table(self.account_table);
            call.accounts.clone_from(&self.accounts);
            call
        };
        // The script precedes the accounts, so its length moves them; their offsets do not change
        // its length.
        let pokes = self.pokes(&call(&[]));
        let pokes = self.pokes(&call(&pokes));
        (call(&pokes), pokes)
    }

    fn pokes(&self, call: &Invocation) -> Vec<Poke> {
        let (input, offsets) = layout(call);
        let entries = call.accounts.iter().zip(offsets);
        let mut accounts = Vec::new();
        let mut repeats = Vec::new();
        for (entry, offset) in entries {
            match entry {
                AccountEntry::First(input) => accounts.push((offset, &input.account)),
                AccountEntry::Repeat(_) => repeats.push(offset),
            }
        }
        let edits = self.edits.iter();
        let pokes = edits.flat_map(|edit| edit.pokes(input.len(), &accounts, &repeats));
        let pokes = pokes.map(|(offset, bytes)| (u32::try_from(offset).unwrap(), bytes));
        pokes.collect()
    }
}

impl Edit {
    fn pokes(
        &self,
        length: usize,
        accounts: &[(usize, &Account)],
        repeats: &[usize],
    ) -> Vec<(usize, Vec<u8>)> {
        let account =
            |index: &Pick| (!accounts.is_empty()).then(|| accounts[index.index(accounts.len())]);
        let kelvins = |index: &Pick, change: i64| {
            let (entry, account) = account(index)?;
            let kelvins = account.kelvins.wrapping_add_signed(change);
            Some((entry + 72, kelvins.to_le_bytes().to_vec()))
        };
        let one = |poke: Option<(usize, Vec<u8>)>| poke.into_iter().collect();
        match self {
            Self::Anywhere { place, bytes } => {
                vec![(place.index(length - bytes.len()), bytes.clone())]
            }
            Self::Header {
                account: index,
                offset,
                value,
            } => one(account(index).map(|(entry, _)| (entry + offset, vec![*value]))),
            Self::Owner {
                account: index,
                owner,
            } => one(account(index).map(|(entry, _)| (entry + 40, owner.to_bytes().to_vec()))),
            Self::Kelvins { account, change } => one(kelvins(account, *change)),
            Self::Transfer { from, to, amount } => {
                let amount = *amount as i64;
                [kelvins(from, -amount), kelvins(to, amount)]
                    .into_iter()
                    .flatten()
                    .collect()
            }
            Self::Length {
                account: index,
                change,
            } => one(account(index).map(|(entry, account)| {
                let length = (account.data.len() as u64).wrapping_add_signed(*change);
                (entry + 80, length.to_le_bytes().to_vec())
            })),
            Self::Data {
                account: index,
                place,
                value,
            } => one(account(index).map(|(entry, account)| {
                (
                    entry + 88 + place.index(account.data.len() + 3),
                    vec![*value],
                )
            })),
            Self::Clear { account: index } => one(account(index)
                .map(|(entry, account)| (entry + 88, vec![0; account.data.len().min(64)]))),
            Self::RentEpoch {
                account: index,
                byte,
                value,
            } => one(account(index).map(|(entry, account)| {
                let rent_epoch = 88 + (account.data.len() + 10_240).next_multiple_of(8);
                (entry + rent_epoch + byte, vec![*value])
            })),
            Self::Repeat {
                repeat,
                byte,
                value,
            } => one((!repeats.is_empty())
                .then(|| (repeats[repeat.index(repeats.len())] + byte, vec![*value]))),
        }
    }
}

/// The input of a call as `docs/abi.md` draws it, and the offset of each account's entry. The
/// account table has zeros as addresses.
pub fn layout(call: &Invocation) -> (Vec<u8>, Vec<usize>) {
    let mut input = (call.data.len() as u64).to_le_bytes().to_vec();
    input.extend(&call.data);
    input.extend(call.program_id.as_bytes());
    input.resize(input.len().next_multiple_of(8), 0);
    input.extend((call.accounts.len() as u64).to_le_bytes());
    let mut offsets = Vec::new();
    for entry in &call.accounts {
        offsets.push(input.len());
        match entry {
            AccountEntry::First(AccountInput {
                account,
                is_signer,
                is_writable,
            }) => {
                let flags = [
                    255,
                    (*is_signer).into(),
                    (*is_writable).into(),
                    account.executable.into(),
                ];
                input.extend(flags);
                input.extend([0; 4]);
                input.extend(account.key.as_bytes());
                input.extend(account.owner.as_bytes());
                input.extend(account.kelvins.to_le_bytes());
                input.extend((account.data.len() as u64).to_le_bytes());
                input.extend(&account.data);
                input.resize((input.len() + 10_240).next_multiple_of(8), 0);
                input.extend(account.rent_epoch.to_le_bytes());
            }
            AccountEntry::Repeat(first) => input.extend([*first as u8, 0, 0, 0, 0, 0, 0, 0]),
        }
    }
    if call.account_table && !call.accounts.is_empty() {
        input.resize(input.len() + 8 * call.accounts.len() + 16, 0);
    }
    (input, offsets)
}

fn account_data() -> impl Strategy<Value = Vec<u8>> {
    let length = prop::sample::select(vec![0_usize, 0, 1, 4, 7, 8, 33]);
    (length, prop::sample::select(vec![0_u8, 0, 1, 255]))
        .prop_map(|(length, value)| vec![value; length])
}

prop_compose! {
    fn account()(
        is_own in prop::bool::weighted(0.6),
        is_writable in prop::bool::weighted(0.75),
        is_signer: bool,
        executable in prop::bool::weighted(0.2),
        kelvins in prop::sample::select(vec![0, 1, 5, 100, 100, u64::MAX]),
        data in account_data(),
        rent_epoch in prop::sample::select(vec![0, 1, u64::MAX]),
    ) -> AccountInput {
        AccountInput {
            account: Account {
                key: Pubkey::default(),
                owner: if is_own { PROGRAM_ID } else { OTHER },
                kelvins,
                data: data.into(),
                executable,
                rent_epoch,
            },
            is_signer,
            is_writable,
        }
    }
}

fn pick() -> impl Strategy<Value = Pick> {
    any::<usize>().prop_map(Pick)
}

/// Values that a byte of the input often has, and others.
fn byte() -> impl Strategy<Value = u8> {
    prop_oneof![Just(0_u8), Just(1), Just(255), any::<u8>()]
}

fn edit() -> impl Strategy<Value = Edit> {
    let index = pick;
    let owner = prop::sample::select(vec![PROGRAM_ID, OTHER, OTHER, Pubkey::new([3; 32])]);
    let length = prop_oneof![
        3 => -8..9_i64,
        1 => prop::sample::select(vec![10_239_i64, 10_240, 10_241, i64::MAX, i64::MIN]),
    ];
    prop_oneof![
        2 => (index(), prop::collection::vec(any::<u8>(), 1..9))
            .prop_map(|(place, bytes)| Edit::Anywhere { place, bytes }),
        // First the flags, the borrow state and the original length, and then also the keys.
        4 => (index(), 0..8_usize, byte())
            .prop_map(|(account, offset, value)| Edit::Header { account, offset, value }),
        2 => (index(), 0..72_usize, byte())
            .prop_map(|(account, offset, value)| Edit::Header { account, offset, value }),
        3 => (index(), owner).prop_map(|(account, owner)| Edit::Owner { account, owner }),
        3 => (index(), -3..4_i64).prop_map(|(account, change)| Edit::Kelvins { account, change }),
        4 => (index(), index(), 0..3_u64)
            .prop_map(|(from, to, amount)| Edit::Transfer { from, to, amount }),
        3 => (index(), length).prop_map(|(account, change)| Edit::Length { account, change }),
        3 => (index(), index(), byte())
            .prop_map(|(account, place, value)| Edit::Data { account, place, value }),
        1 => index().prop_map(|account| Edit::Clear { account }),
        1 => (index(), 0..8_usize, byte())
            .prop_map(|(account, byte, value)| Edit::RentEpoch { account, byte, value }),
        2 => (index(), 0..8_usize, byte())
            .prop_map(|(repeat, byte, value)| Edit::Repeat { repeat, byte, value }),
    ]
}

prop_compose! {
    fn small_scene()(
        firsts in prop::collection::vec(account(), 0..4),
        repeats in prop::collection::vec((pick(), pick()), 0..3),
        account_table: bool,
        edits in prop::collection::vec(edit(), 0..4),
    ) -> Scene {
        let mut accounts = Vec::new();
        for (number, mut input) in firsts.into_iter().enumerate() {
            input.account.key = Pubkey::new([10 + number as u8; 32]);
            accounts.push(AccountEntry::First(input));
            // Some accounts are followed by a repeat of an earlier one.
            for (position, first) in &repeats {
                if position.index(3) == number {
                    let firsts: Vec<usize> = (0..accounts.len())
                        .filter(|index| matches!(accounts[*index], AccountEntry::First(_)))
                        .collect();
                    accounts.push(AccountEntry::Repeat(firsts[first.index(firsts.len())]));
                }
            }
        }
        Scene { accounts, account_table, edits }
    }
}

prop_compose! {
    /// An account whose data has nearly the maximum length, and may exceed it after the edit.
    fn long_scene()(
        mut input in account(),
        missing in 0..20_usize,
        change in 0..40_i64,
    ) -> Scene {
        input.account.data = vec![0; 10 * 1024 * 1024 - missing].into();
        let account = Pick(0);
        Scene {
            accounts: vec![AccountEntry::First(input)],
            account_table: true,
            edits: vec![Edit::Length { account, change }],
        }
    }
}

/// Calls of up to three accounts with some repeats, most of them small, and up to three edits.
pub fn scenes() -> impl Strategy<Value = Scene> {
    prop_oneof![
        60 => small_scene(),
        1 => long_scene(),
    ]
}
