//! Accounts as plain values, with the same operations as views.

use entrypoint::input::{Field, read};
use entrypoint::{AccountInfo, ProgramError, Pubkey, Ref, RefMut};
use proptest::prelude::*;
use proptest::sample::Index;

use crate::input::{Account, Expected, read_checked, see};

/// An operation of a program on the account at a position.
#[derive(Clone, Debug)]
pub enum Operation {
    Credit(u64),
    Debit(u64),
    SetKelvins(u64),
    Assign([u8; 32]),
    Resize(usize),
    /// Borrows the data, and keeps the borrow.
    BorrowShared,
    BorrowMutably,
    /// Writes through a kept mutable borrow of the account, or through a short one.
    Write(Index, u8),
    /// Ends one of the kept borrows.
    End(Index),
}

/// Operations on accounts, by position.
pub fn operations() -> impl Strategy<Value = Vec<(Index, Operation)>> {
    let kelvins = || prop_oneof![0..1_000_u64, any::<u64>()];
    let length = prop_oneof![0..250_usize, 0..10_600_usize, any::<usize>()];
    let operation = prop_oneof![
        1 => kelvins().prop_map(Operation::Credit),
        1 => kelvins().prop_map(Operation::Debit),
        1 => kelvins().prop_map(Operation::SetKelvins),
        1 => any::<[u8; 32]>().prop_map(Operation::Assign),
        4 => length.prop_map(Operation::Resize),
        2 => Just(Operation::BorrowShared),
        2 => Just(Operation::BorrowMutably),
        4 => (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Operation::Write(at, byte)),
        5 => any::<Index>().prop_map(Operation::End),
    ];
    prop::collection::vec((any::<Index>(), operation), 0..40)
}

/// A kept borrow, and the position of its account.
enum Borrow<'input> {
    Shared(usize, Ref<'input, [u8]>),
    Mutable(usize, RefMut<'input, [u8]>),
}

impl Borrow<'_> {
    fn account(&self) -> usize {
        match self {
            Self::Shared(account, _) | Self::Mutable(account, _) => *account,
        }
    }
}

pub struct Model {
    sent: Expected,
    now: Expected,
}

impl Model {
    pub fn new(sent: Expected) -> Self {
        let now = sent.clone();
        Self { sent, now }
    }

    /// Applies the operations to the model and to the views, and compares their results and the
    /// final accounts.
    ///
    /// The checked reader takes every data length for the original one. `restore` resets the
    /// lengths first, so that it can read the bytes again.
    pub fn run(&mut self, bytes: &mut [u8], operations: &[(Index, Operation)], restore: bool) {
        let start = bytes.as_ptr().addr();
        let views = read(bytes).expect("a valid input").accounts;
        let mut borrows = Vec::new();
        if !views.is_empty() {
            for (position, operation) in operations {
                let position = position.index(views.len());
                self.step(&views[position], position, operation, &mut borrows);
            }
        }
        drop(borrows);
        for (position, view) in views.iter().enumerate() {
            assert_eq!(see(start, view).account, *self.now.account(position));
            let original = self.sent.account(position).data.len();
            assert_eq!(view.original_data_len(), original);
        }
        if restore {
            for (position, view) in views.iter().enumerate() {
                let original = self.sent.account(position).data.len();
                view.resize(original).expect("nothing is borrowed");
                self.now.account_mut(position).data.resize(original, 0);
            }
        }
        self.check_bytes(bytes);
        if restore {
            let again = read_checked(bytes).expect("still a valid input");
            again.check(&self.now);
        }
    }

    fn step<'input>(
        &mut self,
        view: &AccountInfo<'input>,
        position: usize,
        operation: &Operation,
        borrows: &mut Vec<Borrow<'input>>,
    ) {
        let first = self.now.first(position);
        let most = self.sent.account(position).data.len() + 10_240;
        let account = self.now.account_mut(position);
        let mut kept = borrows
            .iter_mut()
            .filter(|borrow| borrow.account() == first);
        match operation {
            Operation::Credit(kelvins) => match account.kelvins.checked_add(*kelvins) {
                Some(sum) => {
                    assert_eq!(view.credit(*kelvins), Ok(()));
                    account.kelvins = sum;
                }
                None => assert_eq!(view.credit(*kelvins), Err(ProgramError::ArithmeticOverflow)),
            },
            Operation::Debit(kelvins) => match account.kelvins.checked_sub(*kelvins) {
                Some(rest) => {
                    assert_eq!(view.debit(*kelvins), Ok(()));
                    account.kelvins = rest;
                }
                None => assert_eq!(view.debit(*kelvins), Err(ProgramError::InsufficientFunds)),
            },
            Operation::SetKelvins(kelvins) => {
                view.set_kelvins(*kelvins);
                account.kelvins = *kelvins;
            }
            Operation::Assign(owner) => {
                view.assign(&Pubkey::new(*owner));
                account.owner = *owner;
            }
            Operation::Resize(length) => {
                let expected = match kept.next() {
                    Some(_) => Err(ProgramError::AccountBorrowFailed),
                    None if *length > most => Err(ProgramError::InvalidRealloc),
                    None => {
                        account.data.resize(*length, 0);
                        Ok(())
                    }
                };
                assert_eq!(view.resize(*length), expected);
            }
            Operation::BorrowShared => {
                let refused = kept.any(|borrow| matches!(borrow, Borrow::Mutable(..)));
                let borrow = view.try_borrow_data();
                assert_eq!(borrow.is_err(), refused);
                if let Ok(data) = borrow {
                    assert_eq!(*data, account.data);
                    borrows.push(Borrow::Shared(first, data));
                }
            }
            Operation::BorrowMutably => {
                let refused = kept.next().is_some();
                let borrow = view.try_borrow_mut_data();
                assert_eq!(borrow.is_err(), refused);
                if let Ok(data) = borrow {
                    assert_eq!(*data, account.data);
                    borrows.push(Borrow::Mutable(first, data));
                }
            }
            Operation::Write(at, byte) => {
                let mut short = match kept.next() {
                    Some(Borrow::Shared(_, data)) => return assert_eq!(**data, account.data),
                    Some(Borrow::Mutable(_, data)) => return write(data, account, at, *byte),
                    None => view.try_borrow_mut_data().expect("nothing is borrowed"),
                };
                write(&mut short, account, at, *byte);
            }
            Operation::End(which) => {
                drop(kept);
                if !borrows.is_empty() {
                    let which = which.index(borrows.len());
                    borrows.swap_remove(which);
                }
            }
        }
    }

    /// Compares the bytes of the input: every entry must still start and end at its offset.
    fn check_bytes(&self, bytes: &[u8]) {
        let (mut expected, spans) = self.sent.write();
        for span in &spans {
            let Some(position) = span.account else {
                continue;
            };
            let at = span.bytes.start;
            let account = self.now.account(position);
            match span.field {
                Field::AccountHeader => {
                    expected[at + 32..at + 64].copy_from_slice(&account.owner);
                    expected[at + 64..at + 72].copy_from_slice(&account.kelvins.to_le_bytes());
                }
                Field::DataLength => {
                    let length = account.data.len() as u64;
                    expected[at..at + 8].copy_from_slice(&length.to_le_bytes());
                }
                Field::Data => {
                    // The bytes after the data may remain from before the data shrank.
                    let end = at + self.sent.account(position).data.len() + 10_240;
                    expected[at..end].copy_from_slice(&bytes[at..end]);
                    expected[at..at + account.data.len()].copy_from_slice(&account.data);
                }
                Field::Marker if self.now.first(position) == position => {
                    // The reader stores the original length here.
                    expected[at + 4..at + 8].copy_from_slice(&bytes[at + 4..at + 8]);
                }
                _ => {}
            }
        }
        assert!(*bytes == expected, "other bytes have changed");
    }
}

fn write(data: &mut [u8], account: &mut Account, at: &Index, byte: u8) {
    if !data.is_empty() {
        let at = at.index(data.len());
        data[at] = byte;
        account.data[at] = byte;
    }
}
