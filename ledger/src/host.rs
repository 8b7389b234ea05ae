//! What the programs of a transaction can reach beyond their own input.

use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

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
    pub fn new(context: Arc<Context>, accounts: Vec<Arc<Account>>) -> Self {
        Self {
            context,
            accounts: RwLock::new(accounts),
            processed: RwLock::default(),
            reads: Mutex::default(),
        }
    }

    /// The transaction's accounts. No program may run meanwhile.
    pub fn accounts(&self) -> RwLockReadGuard<'_, Vec<Arc<Account>>> {
        self.accounts.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The same, to change them between instructions.
    pub fn accounts_mut(&self) -> RwLockWriteGuard<'_, Vec<Arc<Account>>> {
        self.accounts
            .write()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds an instruction that was processed, for those after it.
    pub fn add_processed(&self, instruction: ProcessedInstruction) {
        let processed = self.processed.write();
        let mut processed = processed.unwrap_or_else(PoisonError::into_inner);
        processed.push(Arc::new(instruction));
    }

    /// Takes the transaction's accounts, and what was read from the view.
    pub fn take(&self) -> (Vec<Arc<Account>>, Vec<Change>) {
        let mut reads = self.reads.lock().unwrap_or_else(PoisonError::into_inner);
        let accounts = std::mem::take(&mut *self.accounts_mut());
        (accounts, std::mem::take(&mut *reads))
    }

    fn account(&self, key: &Pubkey) -> Option<Arc<Account>> {
        let own = self.accounts();
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
