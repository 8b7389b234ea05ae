//! The invocation of a program.

use abi::Pubkey;
use abi::heap::MIN_HEAP_LENGTH;

use crate::account::{Account, AccountEntry, AccountInput};
use crate::limits::DEFAULT_GAS;
use crate::transaction_use::TransactionUse;

/// One call of a program: its id, its accounts, its instruction data, its heap and its gas.
///
/// ```
/// use loader::{AccountInput, Invocation, Pubkey};
///
/// let program_id = Pubkey::new([1; 32]);
/// let invocation = Invocation::new(program_id)
///     .account(AccountInput::new(Pubkey::new([2; 32])).owner(program_id).data([0; 8]).writable())
///     .data([3])
///     .gas(10_000);
/// assert_eq!(invocation.heap_size, 32 * 1024);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Invocation {
    /// The program's own address.
    #[cfg_attr(feature = "serde", serde(serialize_with = "crate::text::as_text"))]
    #[cfg_attr(feature = "serde", serde(deserialize_with = "crate::text::from_text"))]
    pub program_id: Pubkey,
    /// The accounts, in order.
    pub accounts: Vec<AccountEntry>,
    /// The instruction data.
    #[cfg_attr(feature = "serde", serde(serialize_with = "crate::text::as_hex"))]
    #[cfg_attr(feature = "serde", serde(deserialize_with = "crate::text::from_hex"))]
    pub data: Vec<u8>,
    /// Length of the heap in bytes, at least. If no call of [`heap_size`](Self::heap_size) sets it,
    /// the program gets as much more as its [`Contract`](crate::Contract) requests.
    pub heap_size: u32,
    /// The most gas that the invocation may use.
    pub gas: u64,
    /// Whether the input ends in an account table, if there are accounts. The Rialo runtime writes
    /// none.
    pub account_table: bool,
    /// What the instructions before it in the same transaction have used of the limits. Serde
    /// leaves it out.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub transaction_use: TransactionUse,
    /// How much of the heap the loader announces to the program, if that is not all: see
    /// [`crate::sweep`].
    pub(crate) announced_heap: Option<u32>,
    /// Whether the heap has this size and no other.
    #[cfg_attr(feature = "serde", serde(default))]
    pub(crate) has_given_heap: bool,
}

impl Invocation {
    /// A call without accounts and data, with the least heap that the program runs with,
    /// [`DEFAULT_GAS`] and an account table.
    #[must_use]
    pub fn new(program_id: Pubkey) -> Self {
        Self {
            program_id,
            accounts: Vec::new(),
            data: Vec::new(),
            heap_size: MIN_HEAP_LENGTH,
            gas: DEFAULT_GAS,
            account_table: true,
            transaction_use: TransactionUse::default(),
            announced_heap: None,
            has_given_heap: false,
        }
    }

    /// Adds an account that has not come before.
    #[must_use]
    pub fn account(mut self, account: AccountInput) -> Self {
        self.accounts.push(AccountEntry::First(account));
        self
    }

    /// Adds the account at this position of the list again.
    #[must_use]
    pub fn repeat(mut self, index: usize) -> Self {
        self.accounts.push(AccountEntry::Repeat(index));
        self
    }

    /// Sets the instruction data.
    #[must_use]
    pub fn data(mut self, data: impl Into<Vec<u8>>) -> Self {
        self.data = data.into();
        self
    }

    /// Sets the length of the heap in bytes: 32 KiB at least, and not less than the program's
    /// [`Contract`](crate::Contract) requests.
    #[must_use]
    pub fn heap_size(mut self, heap_size: u32) -> Self {
        self.heap_size = heap_size;
        self.has_given_heap = true;
        self
    }

    /// Sets the most gas that the invocation may use.
    #[must_use]
    pub fn gas(mut self, gas: u64) -> Self {
        self.gas = gas;
        self
    }

    /// Sets whether the input ends in an account table. Without one, a program walks over its
    /// accounts, as on the Rialo runtime, and pays for each.
    #[must_use]
    pub fn account_table(mut self, account_table: bool) -> Self {
        self.account_table = account_table;
        self
    }

    /// How much of the heap the loader announces to the program.
    pub(crate) fn announced_heap(&self) -> u32 {
        self.announced_heap.unwrap_or(self.heap_size)
    }

    /// The accounts as they are before the call, each at its first occurrence.
    pub(crate) fn first_accounts(&self) -> impl Iterator<Item = &Account> {
        self.accounts.iter().filter_map(|entry| match entry {
            AccountEntry::First(input) => Some(&input.account),
            AccountEntry::Repeat(_) => None,
        })
    }
}
