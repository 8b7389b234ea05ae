//! The accounts of a transaction, each once, and which of them each instruction names.

use std::collections::HashMap;

use loader::Pubkey;

use crate::transaction::Transaction;

/// For up to this many entries a list is searched: that is faster than a map.
const FEW: usize = 32;

/// The accounts of a transaction, and which of them each instruction names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    /// Every account with its flags: the payer, the accounts in the order of the instructions, and
    /// after those of each instruction its program.
    pub accounts: Vec<MessageAccount>,
    /// For each instruction the positions of its accounts in `accounts`, and then that of its
    /// program.
    positions: Vec<usize>,
}

/// An account of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MessageAccount {
    pub key: Pubkey,
    pub is_signer: bool,
    pub is_writable: bool,
}

impl Message {
    pub fn new(transaction: &Transaction) -> Self {
        let instructions = transaction.instructions.iter();
        let entries = instructions.map(|instruction| instruction.accounts.len() + 1);
        let entries: usize = entries.sum();
        let mut message = Self {
            accounts: Vec::with_capacity((entries + 1).min(FEW)),
            positions: Vec::with_capacity(entries),
        };
        let mut map = (entries > FEW).then(HashMap::new);
        if let Some(payer) = transaction.payer {
            message.add(payer, true, true, map.as_mut());
        }
        for instruction in &transaction.instructions {
            for meta in &instruction.accounts {
                let position =
                    message.add(meta.key, meta.is_signer, meta.is_writable, map.as_mut());
                message.positions.push(position);
            }
            let position = message.add(instruction.program_id, false, false, map.as_mut());
            message.positions.push(position);
        }
        message
    }

    /// Adds an entry. Returns the position of its account.
    fn add(
        &mut self,
        key: Pubkey,
        is_signer: bool,
        is_writable: bool,
        map: Option<&mut HashMap<Pubkey, usize>>,
    ) -> usize {
        let next = self.accounts.len();
        let known = match map {
            Some(map) => *map.entry(key).or_insert(next),
            None => {
                let known = self.accounts.iter().position(|account| account.key == key);
                known.unwrap_or(next)
            }
        };
        if known == next {
            self.accounts.push(MessageAccount {
                key,
                is_signer: false,
                is_writable: false,
            });
        }
        let account = &mut self.accounts[known];
        account.is_signer |= is_signer;
        account.is_writable |= is_writable;
        known
    }

    /// The position of an account, if the transaction names it.
    pub fn position(&self, key: &Pubkey) -> Option<usize> {
        self.accounts.iter().position(|account| account.key == *key)
    }

    /// For each instruction the positions of its accounts, and that of its program.
    pub fn instructions<'a>(
        &'a self,
        transaction: &'a Transaction,
    ) -> impl Iterator<Item = (&'a [usize], usize)> {
        let mut rest = &*self.positions;
        transaction.instructions.iter().map(move |instruction| {
            let (accounts, others) = rest.split_at(instruction.accounts.len());
            let (program, others) = others
                .split_first()
                .expect("a program for each instruction");
            rest = others;
            (accounts, *program)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AccountMeta, Instruction};

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
        let message = Message::new(&transaction);
        let flags: Vec<_> = message
            .accounts
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
        let instructions: Vec<_> = message.instructions(&transaction).collect();
        assert_eq!(instructions, [(&[1, 2][..], 3), (&[1][..], 3)]);
        assert_eq!(transaction.signers(), [payer, alice]);
    }

    #[test]
    fn a_list_and_a_map_find_the_same() {
        for count in [FEW - 3, FEW - 2, FEW - 1, FEW, FEW + 1, 300] {
            let keys = (0..count).map(|number| Pubkey::new([(number % 7) as u8; 32]));
            let metas = keys.map(AccountMeta::writable);
            let program = Pubkey::new([3; 32]);
            let transaction =
                Transaction::new([Instruction::new(program).accounts(metas)]).payer(program);
            let message = Message::new(&transaction);
            assert_eq!(message.accounts.len(), 7);
            let (accounts, program) = message.instructions(&transaction).next().unwrap();
            let expected = (0..count).map(|number| [1, 2, 3, 0, 4, 5, 6][number % 7]);
            let expected: Vec<usize> = expected.collect();
            assert_eq!((accounts, program), (&*expected, 0));
        }
    }
}
