//! Transactions: instructions that take effect together.

use loader::Pubkey;

use crate::instruction::Instruction;
use crate::message::Message;

/// Instructions that take effect together or not at all.
///
/// The payer and every account that an instruction marks as a signer sign the transaction. The
/// ledger does not check signatures: the code that sends a transaction decides who signs it.
///
/// As on the runtime, an account has the same flags in all instructions of a transaction: it is a
/// signer, or writable, if any of them says so, or if it pays.
///
/// ```
/// use ledger::{AccountMeta, Instruction, Pubkey, Transaction};
///
/// let [program, alice] = [[1; 32], [2; 32]].map(Pubkey::new);
/// let call = Instruction::new(program).account(AccountMeta::readonly_signer(alice));
/// let transaction = Transaction::new([call]).payer(alice).gas(50_000).heap(64 << 10);
/// assert_eq!(transaction.signers(), [alice]);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Transaction {
    /// The instructions, in order.
    pub instructions: Vec<Instruction>,
    /// The account that pays the fee. Without a payer the transaction is free.
    pub payer: Option<Pubkey>,
    /// The most gas that all instructions together may use, if the transaction asks for an amount.
    pub gas: Option<u64>,
    /// The length of each program's heap in bytes, if the transaction asks for one.
    pub heap: Option<u32>,
}

impl Transaction {
    /// A transaction of these instructions, without a payer.
    #[must_use]
    pub fn new(instructions: impl IntoIterator<Item = Instruction>) -> Self {
        Self {
            instructions: instructions.into_iter().collect(),
            ..Self::default()
        }
    }

    /// Lets this account pay the fee. It signs the transaction.
    #[must_use]
    pub fn payer(mut self, payer: Pubkey) -> Self {
        self.payer = Some(payer);
        self
    }

    /// Asks for this much gas, for all instructions together.
    #[must_use]
    pub fn gas(mut self, gas: u64) -> Self {
        self.gas = Some(gas);
        self
    }

    /// Asks for a heap of this length in bytes, for each program.
    #[must_use]
    pub fn heap(mut self, heap: u32) -> Self {
        self.heap = Some(heap);
        self
    }

    /// The accounts that sign: the payer first, then in the order of the instructions.
    #[must_use]
    pub fn signers(&self) -> Vec<Pubkey> {
        let accounts = Message::new(self).accounts.into_iter();
        let signers = accounts.filter(|account| account.is_signer);
        signers.map(|account| account.key).collect()
    }
}

impl From<Instruction> for Transaction {
    fn from(instruction: Instruction) -> Self {
        Self::new([instruction])
    }
}

impl From<Vec<Instruction>> for Transaction {
    fn from(instructions: Vec<Instruction>) -> Self {
        Self::new(instructions)
    }
}

impl<const N: usize> From<[Instruction; N]> for Transaction {
    fn from(instructions: [Instruction; N]) -> Self {
        Self::new(instructions)
    }
}
