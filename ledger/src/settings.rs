//! What a ledger's transactions may take, and what they cost.

use crate::transaction::Transaction;

/// What all transactions of a ledger have in common.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    /// The gas of a transaction that asks for none, for each of its instructions.
    pub gas_per_instruction: u64,
    /// The most gas of a transaction.
    pub most_gas: u64,
    /// Whether the inputs of programs end in an account table.
    pub account_table: bool,
    pub fee: Fee,
}

impl Default for Settings {
    /// The runtime's.
    fn default() -> Self {
        Self {
            gas_per_instruction: 200_000,
            most_gas: 1_400_000,
            account_table: false,
            fee: Fee::default(),
        }
    }
}

impl Settings {
    /// The gas that the instructions of a transaction have together.
    pub fn gas_limit(&self, transaction: &Transaction) -> u64 {
        transaction.gas.unwrap_or_else(|| {
            let instructions = transaction.instructions.len() as u64;
            let gas = self.gas_per_instruction.saturating_mul(instructions);
            gas.min(self.most_gas)
        })
    }
}

/// What a transaction costs its payer, in kelvins, whether or not it succeeds.
///
/// ```
/// use ledger::Fee;
///
/// let fee = Fee { base: 100, per_signer: 5_000 };
/// assert_eq!(fee.of(2), 10_100);
/// assert_eq!(Fee::default().of(2), 0);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fee {
    /// The part that every transaction costs.
    pub base: u64,
    /// The part for each signer.
    pub per_signer: u64,
}

impl Fee {
    /// The fee of a transaction with this number of signers.
    #[must_use]
    pub fn of(&self, signers: u64) -> u64 {
        self.base
            .saturating_add(self.per_signer.saturating_mul(signers))
    }
}
