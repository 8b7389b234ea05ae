//! Transactions: instructions that take effect together.

use std::collections::HashMap;

use loader::Pubkey;

use crate::instruction::Instruction;

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
        let accounts = self.accounts().into_iter();
        let signers = accounts.filter(|account| account.is_signer);
        signers.map(|account| account.key).collect()
    }

    /// Every account of the transaction with its flags, each once: the payer, the accounts in the
    /// order of the instructions, and after those of each instruction its program.
    pub(crate) fn accounts(&self) -> Vec<MessageAccount> {
        let mut accounts: Vec<MessageAccount> = Vec::new();
        let mut positions: HashMap<Pubkey, usize> = HashMap::new();
        let mut add = |key: Pubkey, is_signer: bool, is_writable: bool| {
            let position = *positions.entry(key).or_insert_with(|| {
                accounts.push(MessageAccount {
                    key,
                    is_signer: false,
                    is_writable: false,
                });
                accounts.len() - 1
            });
            accounts[position].is_signer |= is_signer;
            accounts[position].is_writable |= is_writable;
        };
        if let Some(payer) = self.payer {
            add(payer, true, true);
        }
        for instruction in &self.instructions {
            for account in &instruction.accounts {
                add(account.key, account.is_signer, account.is_writable);
            }
            add(instruction.program_id, false, false);
        }
        accounts
    }
}

/// An account of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MessageAccount {
    pub key: Pubkey,
    pub is_signer: bool,
    pub is_writable: bool,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::AccountMeta;

    #[test]
    fn flags_are_those_of_all_instructions() {
        let [program, alice, bob, payer] = [1, 2, 3, 4].map(|byte| Pubkey::new([byte; 32]));
        let transaction = Transaction::new([
            Instruction::new(program)
                .account(AccountMeta::readonly(alice))
                .account(AccountMeta::writable(bob)),
            Instruction::new(program).account(AccountMeta::readonly_signer(alice)),
        ])
        .payer(payer);
        let flags: Vec<_> = transaction
            .accounts()
            .iter()
            .map(|account| (account.key, account.is_signer, account.is_writable))
            .collect();
        assert_eq!(
            flags,
            [
                (payer, true, true),
                (alice, true, false),
                (bob, false, true),
                (program, false, false)
            ]
        );
        assert_eq!(transaction.signers(), [payer, alice]);
    }
}
