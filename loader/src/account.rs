//! Accounts as the host keeps them.

pub use abi::host::{Account, AccountInput, Data};

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
