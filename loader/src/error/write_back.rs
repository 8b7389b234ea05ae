//! Which rule of the write-back a program broke.

use abi::Pubkey;
use abi::input::{MAX_PERMITTED_DATA_INCREASE, MAX_PERMITTED_DATA_LENGTH};

use crate::display::thousands;

/// A change that a program may not make. `index` is the account's position in the invocation, `key`
/// its address.
///
/// If a program breaks several rules, the error names the first rule that it breaks for the first
/// account of the list. [The crate's documentation](crate#what-is-kept) lists the rules in the
/// order in which they are checked.
#[derive(
    Clone, Debug, PartialEq, Eq, thiserror::Error, strum::IntoStaticStr, strum::VariantNames,
)]
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
        thousands(from),
        thousands(to),
        thousands(MAX_PERMITTED_DATA_INCREASE)
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
        "the data of account {index} ({key}) is {} bytes long; the maximum is {}",
        thousands(length),
        thousands(MAX_PERMITTED_DATA_LENGTH)
    )]
    DataTooLong {
        index: usize,
        #[cfg_attr(feature = "serde", serde(serialize_with = "crate::text::as_text"))]
        key: Pubkey,
        /// Length after, in bytes.
        length: u64,
    },
    /// The address was changed. `key` is the address as it was.
    #[error("the key of account {index} ({key}) was changed; a program may not change it")]
    KeyChanged {
        index: usize,
        #[cfg_attr(feature = "serde", serde(serialize_with = "crate::text::as_text"))]
        key: Pubkey,
    },
    /// The account's signer flag was changed.
    #[error("the signer flag of account {index} ({key}) was changed; a program may not change it")]
    SignerFlagChanged {
        index: usize,
        #[cfg_attr(feature = "serde", serde(serialize_with = "crate::text::as_text"))]
        key: Pubkey,
    },
    /// The account's writable flag was changed.
    #[error(
        "the writable flag of account {index} ({key}) was changed; a program may not change it"
    )]
    WritableFlagChanged {
        index: usize,
        #[cfg_attr(feature = "serde", serde(serialize_with = "crate::text::as_text"))]
        key: Pubkey,
    },
    /// The account's executable flag was changed.
    #[error(
        "the executable flag of account {index} ({key}) was changed; a program may not change it"
    )]
    ExecutableChanged {
        index: usize,
        #[cfg_attr(feature = "serde", serde(serialize_with = "crate::text::as_text"))]
        key: Pubkey,
    },
    /// The account's rent epoch was changed.
    #[error("the rent epoch of account {index} ({key}) was changed; a program may not change it")]
    RentEpochChanged {
        index: usize,
        #[cfg_attr(feature = "serde", serde(serialize_with = "crate::text::as_text"))]
        key: Pubkey,
    },
    /// The entry of a repeat was changed.
    #[error("account {index} was a repeat of account {first} ({key}), and no longer is")]
    RepeatChanged {
        index: usize,
        #[cfg_attr(feature = "serde", serde(serialize_with = "crate::text::as_text"))]
        key: Pubkey,
        /// Position of the first occurrence.
        first: usize,
    },
    /// The kelvins of all accounts do not add up to what they were.
    #[error(
        "the sum of all kelvins changed from {} to {}",
        thousands(before),
        thousands(after)
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
        self.into()
    }
}
