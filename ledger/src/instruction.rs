//! Instructions: which program to call, with which accounts and bytes.

use loader::Pubkey;

/// One call of a program in a [`Transaction`](crate::Transaction).
///
/// ```
/// use ledger::{AccountMeta, Instruction, Pubkey};
///
/// let [program, alice, bob] = [[1; 32], [2; 32], [3; 32]].map(Pubkey::new);
/// let transfer = Instruction::new(program)
///     .account(AccountMeta::writable_signer(alice))
///     .account(AccountMeta::writable(bob))
///     .data(30_u64.to_le_bytes());
/// assert_eq!(transfer.accounts.len(), 2);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Instruction {
    /// The program to call.
    pub program_id: Pubkey,
    /// The accounts that it gets, in order. An account may be there more than once.
    pub accounts: Vec<AccountMeta>,
    /// The instruction data.
    pub data: Vec<u8>,
}

impl Instruction {
    /// A call without accounts and data.
    #[must_use]
    pub fn new(program_id: Pubkey) -> Self {
        Self {
            program_id,
            ..Self::default()
        }
    }

    /// Adds an account.
    #[must_use]
    pub fn account(mut self, account: AccountMeta) -> Self {
        self.accounts.push(account);
        self
    }

    /// Adds accounts.
    #[must_use]
    pub fn accounts(mut self, accounts: impl IntoIterator<Item = AccountMeta>) -> Self {
        self.accounts.extend(accounts);
        self
    }

    /// Sets the instruction data.
    #[must_use]
    pub fn data(mut self, data: impl Into<Vec<u8>>) -> Self {
        self.data = data.into();
        self
    }
}

/// An account of an instruction, and what the program may do with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AccountMeta {
    /// The account's address.
    pub key: Pubkey,
    /// Whether the account signs the transaction.
    pub is_signer: bool,
    /// Whether the program may change the account.
    pub is_writable: bool,
}

impl AccountMeta {
    /// An account that the program only reads.
    #[must_use]
    pub const fn readonly(key: Pubkey) -> Self {
        Self::new(key, false, false)
    }

    /// An account that signs, and that the program only reads.
    #[must_use]
    pub const fn readonly_signer(key: Pubkey) -> Self {
        Self::new(key, true, false)
    }

    /// An account that the program may change.
    #[must_use]
    pub const fn writable(key: Pubkey) -> Self {
        Self::new(key, false, true)
    }

    /// An account that signs, and that the program may change.
    #[must_use]
    pub const fn writable_signer(key: Pubkey) -> Self {
        Self::new(key, true, true)
    }

    /// An account with these flags.
    #[must_use]
    pub const fn new(key: Pubkey, is_signer: bool, is_writable: bool) -> Self {
        Self {
            key,
            is_signer,
            is_writable,
        }
    }
}
