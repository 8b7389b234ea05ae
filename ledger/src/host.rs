//! What the programs of a transaction can reach beyond their own input.

use std::sync::{Arc, Mutex, PoisonError};

use loader::{Account, Callee, Host, ProcessedInstruction, Pubkey, Sysvars};

use crate::programs::Programs;
use crate::state::View;

/// What the programs of one instruction can reach.
pub(crate) struct InstructionHost {
    pub view: Arc<dyn View>,
    pub sysvars: Arc<Sysvars>,
    pub programs: Arc<Programs>,
    /// The accounts that earlier instructions of the transaction have changed.
    pub changed: Vec<Arc<Account>>,
    /// The instructions of the transaction that were processed before, the oldest first.
    pub processed: Vec<Arc<ProcessedInstruction>>,
    /// What was read from the view, in addition to the accounts of the transaction.
    pub reads: Arc<Reads>,
}

/// The accounts that a transaction read from its view, as it found them.
#[derive(Debug, Default)]
pub(crate) struct Reads(Mutex<Vec<(Pubkey, Option<Arc<Account>>)>>);

impl Reads {
    pub fn add(&self, key: Pubkey, account: Option<Arc<Account>>) {
        let mut reads = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        reads.push((key, account));
    }

    pub fn take(&self) -> Vec<(Pubkey, Option<Arc<Account>>)> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl InstructionHost {
    fn account(&self, key: &Pubkey) -> Option<Arc<Account>> {
        let changed = self.changed.iter().find(|account| account.key == *key);
        if let Some(account) = changed {
            return Some(Arc::clone(account));
        }
        let account = self.view.account(key);
        self.reads.add(*key, account.clone());
        account
    }
}

impl Host for InstructionHost {
    fn sysvars(&self) -> &Sysvars {
        &self.sysvars
    }

    fn find_program(&self, program_id: &Pubkey) -> Option<Callee> {
        let account = match self.programs.is_builtin(program_id) {
            true => None,
            false => self.account(program_id),
        };
        self.programs.callee(program_id, account)
    }

    fn find_account(&self, key: &Pubkey) -> Option<Account> {
        self.account(key).map(|account| Account::clone(&account))
    }
    fn processed_instruction(&self, index: u64) -> Option<Arc<ProcessedInstruction>> {
        let newest_first = self.processed.iter().rev();
        let index = usize::try_from(index).ok()?;
        newest_first.map(Arc::clone).nth(index)
    }
}
