//! Accounts as the host keeps them.

use abi::Pubkey;

/// An account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Account {
    /// Its address.
    #[cfg_attr(feature = "serde", serde(serialize_with = "crate::text::as_text"))]
    #[cfg_attr(feature = "serde", serde(deserialize_with = "crate::text::from_text"))]
    pub key: Pubkey,
    /// The program that owns it.
    #[cfg_attr(feature = "serde", serde(serialize_with = "crate::text::as_text"))]
    #[cfg_attr(feature = "serde", serde(deserialize_with = "crate::text::from_text"))]
    pub owner: Pubkey,
    /// Its balance.
    pub kelvins: u64,
    /// Its data.
    #[cfg_attr(feature = "serde", serde(serialize_with = "crate::text::as_hex"))]
    #[cfg_attr(feature = "serde", serde(deserialize_with = "crate::text::from_hex"))]
    pub data: Vec<u8>,
    /// Whether it holds a program.
    pub executable: bool,
    /// The epoch at which it next owes rent.
    pub rent_epoch: u64,
}

/// An account as one invocation is given it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct AccountInput {
    /// The account.
    #[cfg_attr(feature = "serde", serde(flatten))]
    pub account: Account,
    /// Whether it signed the transaction.
    pub is_signer: bool,
    /// Whether the program may change it.
    pub is_writable: bool,
}

impl AccountInput {
    /// An empty account with this address: no owner's kelvins or data, read-only, not a signer.
    #[must_use]
    pub fn new(key: Pubkey) -> Self {
        Self {
            account: Account {
                key,
                ..Account::default()
            },
            ..Self::default()
        }
    }

    /// Sets the owner.
    #[must_use]
    pub fn owner(mut self, owner: Pubkey) -> Self {
        self.account.owner = owner;
        self
    }

    /// Sets the balance.
    #[must_use]
    pub fn kelvins(mut self, kelvins: u64) -> Self {
        self.account.kelvins = kelvins;
        self
    }

    /// Sets the data.
    #[must_use]
    pub fn data(mut self, data: impl Into<Vec<u8>>) -> Self {
        self.account.data = data.into();
        self
    }

    /// Lets the account be a signer.
    #[must_use]
    pub fn signer(mut self) -> Self {
        self.is_signer = true;
        self
    }

    /// Lets the program change the account.
    #[must_use]
    pub fn writable(mut self) -> Self {
        self.is_writable = true;
        self
    }
}

/// One entry of the list of accounts.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum AccountEntry {
    /// An account that has not come before.
    First(AccountInput),
    /// The account at this position of the list again.
    Repeat(usize),
}
