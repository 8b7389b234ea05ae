//! The rules by which a program's changes are kept.
//!
//! They are checked for the whole invocation before anything is kept; one change that is not allowed
//! refuses them all.
//!
//! Where several rules are broken, the refusal is that of the first account in the list, repeats included, and of the
//! first rule in this order: length, because nothing is read before it is known to be there; then what never changes, in
//! the order of the fields; then what a read-only account keeps; then what a foreign one keeps: owner, data, kelvins;
//! then the data of an account that is given away. The sum of the kelvins comes last of all: it is no account's.

use abi::Pubkey;
use abi::input::{
    AccountHeader, MAX_PERMITTED_DATA_INCREASE, MAX_PERMITTED_DATA_LENGTH, RepeatEntry,
};

use crate::account::{Account, AccountInput};
use crate::grouped::grouped;

/// A change that a program may not make. `index` is the account's position in the invocation, `key` its address.
///
/// Where a program breaks several rules, this is the first that it breaks of the first account of the list; the variants
/// do not stand in the order in which they are checked: see [the crate's documentation](crate#what-is-kept).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(tag = "kind"))]
#[expect(missing_docs, reason = "`index` and `key` are the account, everywhere")]
#[non_exhaustive]
pub enum WriteBackError {
    /// A read-only account was changed.
    #[error("account {index} ({key}) was changed, but is not writable")]
    AccountNotWritable {
        index: usize,
        #[cfg_attr(feature = "serde", serde(serialize_with = "crate::text::as_text"))]
        key: Pubkey,
    },
    /// The data of another program's account was changed.
    #[error("the data of account {index} ({key}) was changed, but the program does not own it")]
    DataChangedByNonOwner {
        index: usize,
        #[cfg_attr(feature = "serde", serde(serialize_with = "crate::text::as_text"))]
        key: Pubkey,
    },
    /// Another program's account lost kelvins.
    #[error("account {index} ({key}) lost kelvins, but the program does not own it")]
    DebitedByNonOwner {
        index: usize,
        #[cfg_attr(feature = "serde", serde(serialize_with = "crate::text::as_text"))]
        key: Pubkey,
    },
    /// Another program's account was given a new owner.
    #[error("account {index} ({key}) was reassigned, but the program does not own it")]
    ReassignedByNonOwner {
        index: usize,
        #[cfg_attr(feature = "serde", serde(serialize_with = "crate::text::as_text"))]
        key: Pubkey,
    },
    /// An account was given a new owner while it had data.
    #[error("account {index} ({key}) was reassigned, but its data is not all zero")]
    ReassignedWithData {
        index: usize,
        #[cfg_attr(feature = "serde", serde(serialize_with = "crate::text::as_text"))]
        key: Pubkey,
    },
    /// The data grew by more than an invocation may add.
    #[error(
        "the data of account {index} ({key}) grew from {} to {} bytes; one invocation may add {}",
        grouped(from),
        grouped(to),
        grouped(MAX_PERMITTED_DATA_INCREASE)
    )]
    DataGrewTooMuch {
        index: usize,
        #[cfg_attr(feature = "serde", serde(serialize_with = "crate::text::as_text"))]
        key: Pubkey,
        /// Length before, in bytes.
        from: u64,
        /// Length after, in bytes.
        to: u64,
    },
    /// The data is longer than an account's may be.
    #[error(
        "the data of account {index} ({key}) is {} bytes long, the most is {}",
        grouped(length),
        grouped(MAX_PERMITTED_DATA_LENGTH)
    )]
    DataTooLong {
        index: usize,
        #[cfg_attr(feature = "serde", serde(serialize_with = "crate::text::as_text"))]
        key: Pubkey,
        /// Length after, in bytes.
        length: u64,
    },
    /// The address was changed. `key` is the address as it was.
    #[error("the key of account {index} ({key}) was changed; it never may be")]
    KeyChanged {
        index: usize,
        #[cfg_attr(feature = "serde", serde(serialize_with = "crate::text::as_text"))]
        key: Pubkey,
    },
    /// The flag was changed that says whether the account signed.
    #[error("the signer flag of account {index} ({key}) was changed; it never may be")]
    SignerFlagChanged {
        index: usize,
        #[cfg_attr(feature = "serde", serde(serialize_with = "crate::text::as_text"))]
        key: Pubkey,
    },
    /// The flag was changed that says whether the program may change the account.
    #[error("the writable flag of account {index} ({key}) was changed; it never may be")]
    WritableFlagChanged {
        index: usize,
        #[cfg_attr(feature = "serde", serde(serialize_with = "crate::text::as_text"))]
        key: Pubkey,
    },
    /// The flag was changed that says whether the account holds a program.
    #[error("the executable flag of account {index} ({key}) was changed; it never may be")]
    ExecutableChanged {
        index: usize,
        #[cfg_attr(feature = "serde", serde(serialize_with = "crate::text::as_text"))]
        key: Pubkey,
    },
    /// The epoch was changed at which the account next owes rent.
    #[error("the rent epoch of account {index} ({key}) was changed; it never may be")]
    RentEpochChanged {
        index: usize,
        #[cfg_attr(feature = "serde", serde(serialize_with = "crate::text::as_text"))]
        key: Pubkey,
    },
    /// A repeat says something else than before.
    #[error("account {index} was account {first} ({key}) again, and no longer is")]
    RepeatChanged {
        index: usize,
        #[cfg_attr(feature = "serde", serde(serialize_with = "crate::text::as_text"))]
        key: Pubkey,
        /// Position of the first occurrence.
        first: usize,
    },
    /// The kelvins of all accounts do not add up to what they were.
    #[error(
        "the accounts held {} kelvins together, and hold {} now",
        grouped(before),
        grouped(after)
    )]
    KelvinsNotConserved {
        /// Sum before. In JSON a text, because it may not fit in 64 bits.
        #[cfg_attr(feature = "serde", serde(serialize_with = "crate::text::as_text"))]
        before: u128,
        /// Sum after. In JSON a text.
        #[cfg_attr(feature = "serde", serde(serialize_with = "crate::text::as_text"))]
        after: u128,
    },
}

impl WriteBackError {
    /// The stable name of the rule: that of the variant.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::AccountNotWritable { .. } => "AccountNotWritable",
            Self::DataChangedByNonOwner { .. } => "DataChangedByNonOwner",
            Self::DebitedByNonOwner { .. } => "DebitedByNonOwner",
            Self::ReassignedByNonOwner { .. } => "ReassignedByNonOwner",
            Self::ReassignedWithData { .. } => "ReassignedWithData",
            Self::DataGrewTooMuch { .. } => "DataGrewTooMuch",
            Self::DataTooLong { .. } => "DataTooLong",
            Self::KeyChanged { .. } => "KeyChanged",
            Self::SignerFlagChanged { .. } => "SignerFlagChanged",
            Self::WritableFlagChanged { .. } => "WritableFlagChanged",
            Self::ExecutableChanged { .. } => "ExecutableChanged",
            Self::RentEpochChanged { .. } => "RentEpochChanged",
            Self::RepeatChanged { .. } => "RepeatChanged",
            Self::KelvinsNotConserved { .. } => "KelvinsNotConserved",
        }
    }
}

/// Checks how much data an account claims to have, before anybody reads it.
pub(crate) fn check_length(
    index: usize,
    before: &AccountInput,
    header: &AccountHeader,
) -> Result<usize, WriteBackError> {
    let key = before.account.key;
    let from = before.account.data.len() as u64;
    let to = header.data_length;
    if to > from + MAX_PERMITTED_DATA_INCREASE as u64 {
        return Err(WriteBackError::DataGrewTooMuch {
            index,
            key,
            from,
            to,
        });
    }
    if to > MAX_PERMITTED_DATA_LENGTH as u64 {
        return Err(WriteBackError::DataTooLong {
            index,
            key,
            length: to,
        });
    }
    // At most 10 MiB.
    Ok(to as usize)
}

/// Checks one account, and returns it as it is to be kept.
pub(crate) fn check_account(
    index: usize,
    program_id: &Pubkey,
    before: &AccountInput,
    header: &AccountHeader,
    data: Vec<u8>,
    rent_epoch: u64,
) -> Result<Account, WriteBackError> {
    let account = &before.account;
    let key = account.key;
    if header.key != key.to_bytes() {
        return Err(WriteBackError::KeyChanged { index, key });
    }
    if header.is_signer != u8::from(before.is_signer) {
        return Err(WriteBackError::SignerFlagChanged { index, key });
    }
    if header.is_writable != u8::from(before.is_writable) {
        return Err(WriteBackError::WritableFlagChanged { index, key });
    }
    if header.executable != u8::from(account.executable) {
        return Err(WriteBackError::ExecutableChanged { index, key });
    }
    if rent_epoch != account.rent_epoch {
        return Err(WriteBackError::RentEpochChanged { index, key });
    }

    let owner = Pubkey::new(header.owner);
    let data_changed = data != account.data;
    let reassigned = owner != account.owner;
    if !before.is_writable && (data_changed || reassigned || header.kelvins != account.kelvins) {
        return Err(WriteBackError::AccountNotWritable { index, key });
    }
    if account.owner != *program_id {
        if reassigned {
            return Err(WriteBackError::ReassignedByNonOwner { index, key });
        }
        if data_changed {
            return Err(WriteBackError::DataChangedByNonOwner { index, key });
        }
        if header.kelvins < account.kelvins {
            return Err(WriteBackError::DebitedByNonOwner { index, key });
        }
    }
    if reassigned && data.iter().any(|byte| *byte != 0) {
        return Err(WriteBackError::ReassignedWithData { index, key });
    }
    Ok(Account {
        key,
        owner,
        kelvins: header.kelvins,
        data,
        executable: account.executable,
        rent_epoch,
    })
}

/// Checks that a repeat still says what it said.
pub(crate) fn check_repeat(
    index: usize,
    first: usize,
    key: Pubkey,
    entry: &RepeatEntry,
) -> Result<(), WriteBackError> {
    if usize::from(entry.index) != first || entry.padding != [0; 7] {
        return Err(WriteBackError::RepeatChanged { index, key, first });
    }
    Ok(())
}

/// Checks that no kelvins were made or lost.
pub(crate) fn check_kelvins<'a>(
    before: impl Iterator<Item = &'a Account>,
    after: impl Iterator<Item = &'a Account>,
) -> Result<(), WriteBackError> {
    let before: u128 = before.map(|account| u128::from(account.kelvins)).sum();
    let after: u128 = after.map(|account| u128::from(account.kelvins)).sum();
    if before != after {
        return Err(WriteBackError::KelvinsNotConserved { before, after });
    }
    Ok(())
}
