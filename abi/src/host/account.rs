//! Accounts before and after an invocation.

use super::Data;
use crate::Pubkey;

/// An account, as it is before or after an invocation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Account {
    /// Its address.
    #[cfg_attr(feature = "serde", serde(serialize_with = "super::text::as_text"))]
    #[cfg_attr(feature = "serde", serde(deserialize_with = "super::text::from_text"))]
    pub key: Pubkey,
    /// The program that owns it.
    #[cfg_attr(feature = "serde", serde(serialize_with = "super::text::as_text"))]
    #[cfg_attr(feature = "serde", serde(deserialize_with = "super::text::from_text"))]
    pub owner: Pubkey,
    /// Its balance.
    pub kelvins: u64,
    /// Its data.
    #[cfg_attr(feature = "serde", serde(serialize_with = "super::text::as_hex"))]
    #[cfg_attr(feature = "serde", serde(deserialize_with = "super::text::from_hex"))]
    pub data: Data,
    /// Whether it holds a program.
    pub executable: bool,
    /// The epoch at which it next owes rent.
    pub rent_epoch: u64,
}

/// An account as an invocation gets it.
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

/// Read-only, not a signer.
impl From<Account> for AccountInput {
    fn from(account: Account) -> Self {
        Self {
            account,
            ..Self::default()
        }
    }
}

impl AccountInput {
    /// An empty account with this address: no kelvins, no data, read-only, not a signer, owned by
    /// the address of 32 zero bytes.
    ///
    /// ```
    /// use abi::Pubkey;
    /// use abi::host::AccountInput;
    ///
    /// let account = AccountInput::new(Pubkey::new([2; 32])).kelvins(5).signer();
    /// assert_eq!(account.account.kelvins, 5);
    /// assert!(account.is_signer && !account.is_writable);
    /// ```
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
    pub fn data(mut self, data: impl Into<Data>) -> Self {
        self.account.data = data.into();
        self
    }

    /// Lets the account hold a program.
    #[must_use]
    pub fn executable(mut self) -> Self {
        self.account.executable = true;
        self
    }

    /// Sets the epoch at which the account next owes rent.
    #[must_use]
    pub fn rent_epoch(mut self, rent_epoch: u64) -> Self {
        self.account.rent_epoch = rent_epoch;
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
