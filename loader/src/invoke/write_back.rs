//! The rules by which the loader keeps a program's changes.
//!
//! [`RULES`] is the documented order: of the first account that breaks a rule, repeats included,
//! the first rule that it breaks is reported. Lengths come first, because the loader reads no data
//! before it knows that it is there.
//!
//! A program that calls another is judged before each call, and when it ends. What it may do to an
//! account is then measured by the account after the last call, but the room for its data by the
//! length with which the program got it.

use abi::Pubkey;
use abi::input::{MAX_PERMITTED_DATA_INCREASE, MAX_PERMITTED_DATA_LENGTH};

use super::reason;
use crate::account::{Account, AccountInput, Data};
use crate::error::WriteBackError;

/// An account as the program left it in the input: every field may have any value.
pub(crate) struct AccountAfter {
    pub key: Pubkey,
    pub owner: Pubkey,
    pub kelvins: u64,
    /// The byte that was 1 for a signer and 0 for any other account.
    pub is_signer: u8,
    /// The byte that was 1 for a writable account and 0 for any other.
    pub is_writable: u8,
    /// The byte that was 1 for an executable account and 0 for any other.
    pub executable: u8,
    pub rent_epoch: u64,
    pub data_length: u64,
    /// The data; empty if the data is longer than a program may make it.
    pub data: Data,
}

impl AccountAfter {
    /// An account that a program of the host's has left, which cannot change the flags.
    pub fn of(input: AccountInput) -> Self {
        let account = input.account;
        Self {
            key: account.key,
            owner: account.owner,
            kelvins: account.kelvins,
            is_signer: input.is_signer.into(),
            is_writable: input.is_writable.into(),
            executable: account.executable.into(),
            rent_epoch: account.rent_epoch,
            data_length: account.data.len() as u64,
            data: account.data,
        }
    }

    /// The account as the loader keeps it, if no rule is broken.
    #[inline]
    pub fn into_account(self) -> Account {
        Account {
            key: self.key,
            owner: self.owner,
            kelvins: self.kelvins,
            data: self.data,
            executable: self.executable != 0,
            rent_epoch: self.rent_epoch,
        }
    }
}

/// A first occurrence of an account, before and after.
pub(crate) struct AccountChange<'a> {
    index: usize,
    pub before: &'a AccountInput,
    /// The length of the data with which the program got the account.
    sent_length: usize,
    pub after: &'a AccountAfter,
    pub is_owned: bool,
    pub has_new_owner: bool,
    pub has_new_data: bool,
}

/// A repeat of an account, before and after.
pub(crate) struct RepeatChange {
    pub index: usize,
    pub key: Pubkey,
    pub before: usize,
    /// `None` if the entry is not a repeat any more.
    pub after: Option<usize>,
}

/// The kelvins of all accounts together, before and after.
#[derive(Default)]
pub(crate) struct SumChange {
    pub before: u128,
    pub after: u128,
}

/// One rule: what breaks it, and the error.
enum Rule {
    Account {
        is_broken: fn(&AccountChange<'_>) -> bool,
        error: fn(&AccountChange<'_>) -> WriteBackError,
    },
    Repeat {
        is_broken: fn(&RepeatChange) -> bool,
        error: fn(&RepeatChange) -> WriteBackError,
    },
    Sum {
        is_broken: fn(&SumChange) -> bool,
        error: fn(&SumChange) -> WriteBackError,
    },
}

/// A rule about a first occurrence, whose error has the account's index and key and nothing else.
macro_rules! account {
    ($variant:ident, $is_broken:expr) => {
        Rule::Account {
            is_broken: $is_broken,
            error: |change| WriteBackError::$variant {
                index: change.index,
                key: change.before.account.key,
            },
        }
    };
}

/// Every rule, in the order in which they are checked. The table in the crate's documentation has
/// the same order.
const RULES: [Rule; 14] = [
    Rule::Account {
        is_broken: |change| change.after.data_length > most_growth(change.sent_length),
        error: |change| WriteBackError::DataGrewTooMuch {
            index: change.index,
            key: change.before.account.key,
            from: change.sent_length as u64,
            to: change.after.data_length,
        },
    },
    Rule::Account {
        is_broken: |change| change.after.data_length > MAX_PERMITTED_DATA_LENGTH as u64,
        error: |change| WriteBackError::DataTooLong {
            index: change.index,
            key: change.before.account.key,
            length: change.after.data_length,
        },
    },
    account!(KeyChanged, |change| {
        change.after.key != change.before.account.key
    }),
    account!(SignerFlagChanged, |change| {
        change.after.is_signer != u8::from(change.before.is_signer)
    }),
    account!(WritableFlagChanged, |change| {
        change.after.is_writable != u8::from(change.before.is_writable)
    }),
    account!(ExecutableChanged, |change| {
        change.after.executable != u8::from(change.before.account.executable)
    }),
    account!(RentEpochChanged, |change| {
        change.after.rent_epoch != change.before.account.rent_epoch
    }),
    account!(AccountNotWritable, |change| {
        let has_new_kelvins = change.after.kelvins != change.before.account.kelvins;
        let is_changed = change.has_new_data || change.has_new_owner || has_new_kelvins;
        !change.before.is_writable && is_changed
    }),
    account!(ReassignedByNonOwner, |change| {
        !change.is_owned && change.has_new_owner
    }),
    account!(DataChangedByNonOwner, |change| {
        !change.is_owned && change.has_new_data
    }),
    account!(DebitedByNonOwner, |change| {
        !change.is_owned && change.after.kelvins < change.before.account.kelvins
    }),
    account!(ReassignedWithData, |change| {
        change.has_new_owner && change.after.data.iter().any(|byte| *byte != 0)
    }),
    Rule::Repeat {
        is_broken: |change| change.after != Some(change.before),
        error: |change| WriteBackError::RepeatChanged {
            index: change.index,
            key: change.key,
            first: change.before,
        },
    },
    Rule::Sum {
        is_broken: |change| change.before != change.after,
        error: |change| WriteBackError::KelvinsNotConserved {
            before: change.before,
            after: change.after,
        },
    },
];

/// The longest data that a program may leave in an account that it got with data of this length, in
/// bytes.
pub(crate) fn most_data(sent_length: usize) -> u64 {
    most_growth(sent_length).min(MAX_PERMITTED_DATA_LENGTH as u64)
}

fn most_growth(sent_length: usize) -> u64 {
    sent_length as u64 + MAX_PERMITTED_DATA_INCREASE as u64
}

impl<'a> AccountChange<'a> {
    #[inline]
    pub fn new(
        index: usize,
        program_id: &Pubkey,
        before: &'a AccountInput,
        sent_length: usize,
        after: &'a AccountAfter,
    ) -> Self {
        let account = &before.account;
        Self {
            index,
            is_owned: account.owner == *program_id,
            has_new_owner: after.owner != account.owner,
            has_new_data: after.data != account.data,
            before,
            sent_length,
            after,
        }
    }

    /// Whether the data is longer than the program may make it.
    pub fn is_too_long(&self) -> bool {
        self.after.data_length > most_data(self.sent_length)
    }

    /// Whether the data has another length than before.
    pub fn has_new_length(&self) -> bool {
        self.after.data_length != self.before.account.data.len() as u64
    }

    /// Checks all rules about the account. `words` gets the runtime's words for a broken one.
    #[inline]
    pub fn check(&self, words: &mut Option<&'static str>) -> Result<(), WriteBackError> {
        for rule in &RULES {
            if let Rule::Account { is_broken, error } = rule
                && is_broken(self)
            {
                *words = Some(reason::broken_rule(self));
                return Err(error(self));
            }
        }
        Ok(())
    }
}

impl RepeatChange {
    /// Checks that the repeat refers to the same account.
    pub fn check(&self) -> Result<(), WriteBackError> {
        for rule in &RULES {
            if let Rule::Repeat { is_broken, error } = rule
                && is_broken(self)
            {
                return Err(error(self));
            }
        }
        Ok(())
    }
}

impl SumChange {
    /// Counts an account, which has these kelvins before and after.
    #[inline]
    pub fn add(&mut self, before: u64, after: u64) {
        self.before += u128::from(before);
        self.after += u128::from(after);
    }

    /// Checks that the program made no kelvins and lost none. `words` gets the runtime's words, if
    /// it did.
    pub fn check(&self, words: &mut Option<&'static str>) -> Result<(), WriteBackError> {
        for rule in &RULES {
            if let Rule::Sum { is_broken, error } = rule
                && is_broken(self)
            {
                *words = Some(reason::UNBALANCED);
                return Err(error(self));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The kind of a rule's error, for any change.
    fn kind(rule: &Rule) -> &'static str {
        let before = AccountInput::default();
        let after = AccountAfter {
            key: Pubkey::default(),
            owner: Pubkey::default(),
            kelvins: 0,
            is_signer: 0,
            is_writable: 0,
            executable: 0,
            rent_epoch: 0,
            data_length: 0,
            data: Data::new(),
        };
        let error = match rule {
            Rule::Account { error, .. } => error(&AccountChange::new(
                0,
                &Pubkey::default(),
                &before,
                0,
                &after,
            )),
            Rule::Repeat { error, .. } => error(&RepeatChange {
                index: 1,
                key: Pubkey::default(),
                before: 0,
                after: None,
            }),
            Rule::Sum { error, .. } => error(&SumChange {
                before: 0,
                after: 1,
            }),
        };
        error.kind()
    }

    #[test]
    fn documented_table_has_the_rules_order() {
        let documented: Vec<&str> = include_str!("../lib.rs")
            .lines()
            .filter(|line| line.starts_with("//! |"))
            .filter_map(|line| line.split_once("](WriteBackError::"))
            .filter_map(|(_, rest)| rest.split(')').next())
            .collect();
        let checked: Vec<&str> = RULES.iter().map(kind).collect();
        assert_eq!(checked, documented);
    }
}
