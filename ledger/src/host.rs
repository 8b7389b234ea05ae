//! What the programs of a transaction can reach beyond their own input.

use std::sync::{Arc, Mutex, PoisonError, RwLock};

use loader::{Account, Callee, Host, ProcessedInstruction, Pubkey, Sysvars};

use crate::execute::Context;
use crate::state::Change;

/// What the programs of one transaction can reach.
pub(crate) struct TransactionHost {
    context: Arc<Context>,
    /// The transaction's accounts, as the instructions before the current one have left them.
    accounts: RwLock<Vec<Arc<Account>>>,
    /// The instructions that were processed before the current one, the oldest first.
    processed: RwLock<Vec<Arc<ProcessedInstruction>>>,
    /// What was read from the view, in addition to the accounts of the transaction.
    reads: Mutex<Vec<Change>>,
}

impl TransactionHost {
    pub fn new(context: Arc<Context>) -> Self {
        Self {
            context,
            accounts: RwLock::default(),
            processed: RwLock::default(),
            reads: Mutex::default(),
        }
    }

    /// Sets the transaction's accounts, for the next instruction.
    pub fn set_accounts<'a>(&self, accounts: impl Iterator<Item = &'a Arc<Account>>) {
        let mut own = self
            .accounts
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        own.clear();
        own.extend(accounts.cloned());
    }

    /// Adds an instruction that was processed, for those after it.
    pub fn add_processed(&self, instruction: ProcessedInstruction) {
        let processed = self.processed.write();
        let mut processed = processed.unwrap_or_else(PoisonError::into_inner);
        processed.push(Arc::new(instruction));
    }

    /// Takes what was read from the view.
    pub fn take_reads(&self) -> Vec<Change> {
        let mut reads = self.reads.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *reads)
    }

    fn account(&self, key: &Pubkey) -> Option<Arc<Account>> {
        let own = self.accounts.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(account) = own.iter().find(|account| account.key == *key) {
            // One without kelvins does not exist.
            return (account.kelvins > 0).then(|| Arc::clone(account));
        }
        drop(own);
        let account = self.context.view.account(key);
        let mut reads = self.reads.lock().unwrap_or_else(PoisonError::into_inner);
        reads.push((*key, account.clone()));
        account
    }
}

impl Host for TransactionHost {
    fn sysvars(&self) -> &Sysvars {
        &self.context.sysvars
    }

    fn find_program(&self, program_id: &Pubkey) -> Option<Callee> {
        let account = match self.context.programs.is_builtin(program_id) {
            true => None,
            false => self.account(program_id),
        };
        self.context.programs.callee(program_id, account)
    }

    fn find_account(&self, key: &Pubkey) -> Option<Account> {
        self.account(key).map(|account| Account::clone(&account))
    }

    fn processed_instruction(&self, index: u64) -> Option<Arc<ProcessedInstruction>> {
        let processed = self.processed.read();
        let processed = processed.unwrap_or_else(PoisonError::into_inner);
        let mut newest_first = processed.iter().rev();
        newest_first.nth(usize::try_from(index).ok()?).cloned()
    }
}
