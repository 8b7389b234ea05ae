//! Runs one transaction against the accounts of a view. It changes nothing but the result.

use std::collections::HashMap;
use std::sync::Arc;

use loader::{
    Account, AccountEntry, AccountInput, Host, Invocation, Outcome, ProcessedInstruction, Program,
    Pubkey, Sysvars, TransactionUse, ids,
};

use crate::error::TransactionError;
use crate::host::{InstructionHost, Reads};
use crate::instruction::Instruction;
use crate::outcome::{AccountChange, InstructionOutcome, TransactionOutcome};
use crate::programs::Programs;
use crate::settings::Settings;
use crate::state::{Change, View, is_sysvar};
use crate::transaction::{MessageAccount, Transaction};

/// What all transactions of a ledger share.
#[derive(Clone, Debug)]
pub(crate) struct Context {
    pub settings: Settings,
    pub programs: Arc<Programs>,
    pub sysvars: Arc<Sysvars>,
}

/// A transaction that ran.
pub(crate) struct Executed {
    pub outcome: TransactionOutcome,
    /// The accounts that change: all that the transaction changed, or only the payer.
    pub changes: Vec<Change>,
    /// The accounts that it read in addition to its own, as the view had them.
    pub reads: Vec<Change>,
}

/// The accounts of a transaction, before it.
#[derive(Clone, Debug)]
pub(crate) struct Accounts {
    /// Each account of the transaction once, the payer first.
    pub list: Vec<MessageAccount>,
    /// The accounts in the same order; `None` for one that does not exist.
    pub before: Vec<Option<Arc<Account>>>,
}

impl Accounts {
    /// The accounts of a transaction, as a view has them.
    pub fn of(transaction: &Transaction, view: &dyn View) -> Self {
        let list = transaction.accounts();
        let before = list.iter().map(|account| view.account(&account.key));
        Self {
            before: before.collect(),
            list,
        }
    }
}

/// An account of the transaction that runs.
struct Working {
    key: Pubkey,
    is_signer: bool,
    is_writable: bool,
    before: Option<Arc<Account>>,
    now: Arc<Account>,
}

/// Runs a transaction with these accounts. Its programs read all others from the view.
pub(crate) fn execute(
    context: &Context,
    view: &Arc<dyn View>,
    transaction: &Transaction,
    accounts: Accounts,
) -> Executed {
    let mut run = Run::new(context, view, transaction, accounts);
    let error = run.pay_fee(transaction).and_then(|()| {
        // What is left if the transaction fails.
        run.paid = run.accounts.first().map(|payer| Arc::clone(&payer.now));
        run.instructions(transaction)?;
        run.check_rent()
    });
    run.finish(transaction, error.err())
}

struct Run<'a> {
    context: &'a Context,
    view: &'a Arc<dyn View>,
    accounts: Vec<Working>,
    positions: HashMap<Pubkey, usize>,
    reads: Arc<Reads>,
    outcomes: Vec<InstructionOutcome>,
    /// The instructions that were processed, the oldest first, for those after them.
    processed: Vec<Arc<ProcessedInstruction>>,
    /// What the instructions have used of the limits of the transaction.
    used: TransactionUse,
    gas_limit: u64,
    gas: u64,
    fee: u64,
    /// The first account after it has paid the fee.
    paid: Option<Arc<Account>>,
}

impl<'a> Run<'a> {
    fn new(
        context: &'a Context,
        view: &'a Arc<dyn View>,
        transaction: &Transaction,
        accounts: Accounts,
    ) -> Self {
        let accounts = accounts.list.into_iter().zip(accounts.before);
        let accounts = accounts.map(|(account, before)| {
            let now = before.clone().unwrap_or_else(|| {
                Arc::new(Account {
                    key: account.key,
                    ..Account::default()
                })
            });
            // As on the runtime: nothing can change programs and sysvars.
            let is_fixed = now.executable
                || is_sysvar(&account.key)
                || context.programs.is_builtin(&account.key);
            Working {
                key: account.key,
                is_signer: account.is_signer,
                is_writable: account.is_writable && !is_fixed,
                before,
                now,
            }
        });
        let accounts: Vec<Working> = accounts.collect();
        let positions = accounts.iter().enumerate();
        let positions = positions.map(|(position, account)| (account.key, position));
        let gas_limit = context.settings.gas_limit(transaction);
        Self {
            context,
            view,
            positions: positions.collect(),
            accounts,
            reads: Arc::default(),
            outcomes: Vec::with_capacity(transaction.instructions.len()),
            processed: Vec::new(),
            used: TransactionUse::default(),
            gas_limit,
            gas: gas_limit,
            fee: 0,
            paid: None,
        }
    }

    /// Takes the fee from the payer.
    fn pay_fee(&mut self, transaction: &Transaction) -> Result<(), TransactionError> {
        if transaction.instructions.is_empty() {
            return Err(TransactionError::NoInstructions);
        }
        let limit = self.context.settings.most_gas;
        if self.gas_limit > limit {
            let gas = self.gas_limit;
            return Err(TransactionError::GasTooLarge { gas, limit });
        }
        // The payer is the first account.
        let (Some(key), Some(payer)) = (transaction.payer, self.accounts.first_mut()) else {
            return Ok(());
        };
        let signers = transaction.signers().len() as u64;
        let fee = self.context.settings.fee.of(signers);
        if fee == 0 {
            return Ok(());
        }
        let account = &payer.now;
        if account.owner != ids::SYSTEM_PROGRAM || !account.data.is_empty() {
            return Err(TransactionError::InvalidPayer {
                payer: key,
                owner: account.owner,
                length: account.data.len(),
            });
        }
        let Some(rest) = account.kelvins.checked_sub(fee) else {
            return Err(TransactionError::InsufficientFundsForFee {
                payer: key,
                kelvins: account.kelvins,
                fee,
            });
        };
        self.fee = fee;
        payer.now = Arc::new(Account {
            kelvins: rest,
            ..Account::clone(account)
        });
        Ok(())
    }

    fn instructions(&mut self, transaction: &Transaction) -> Result<(), TransactionError> {
        for (index, instruction) in transaction.instructions.iter().enumerate() {
            self.set_instructions_sysvar(index, transaction)?;
            self.instruction(index, instruction, transaction)?;
        }
        Ok(())
    }

    /// Brings the account of the instructions sysvar up to date, if the transaction lists it.
    fn set_instructions_sysvar(
        &mut self,
        index: usize,
        transaction: &Transaction,
    ) -> Result<(), TransactionError> {
        let Some(position) = self.positions.get(&ids::INSTRUCTIONS) else {
            return Ok(());
        };
        let too_long = TransactionError::InstructionsTooLong;
        let current = u16::try_from(index).map_err(|_| too_long.clone())?;
        let all = transaction.instructions.iter();
        let all: Vec<ProcessedInstruction> = all.map(|one| self.with_flags(one)).collect();
        let account = ProcessedInstruction::sysvar(&all, current).map_err(|_| too_long)?;
        self.accounts[*position].now = Arc::new(account);
        Ok(())
    }

    /// An instruction with the flags that its accounts have in the transaction.
    fn with_flags(&self, instruction: &Instruction) -> ProcessedInstruction {
        let accounts = instruction.accounts.iter().map(|meta| {
            let account = &self.accounts[self.positions[&meta.key]];
            loader::AccountMeta::new(&meta.key, account.is_signer, account.is_writable)
        });
        ProcessedInstruction {
            program_id: instruction.program_id,
            accounts: accounts.collect(),
            data: instruction.data.clone(),
        }
    }

    /// Runs an instruction, and keeps its changes for the next one.
    fn instruction(
        &mut self,
        index: usize,
        instruction: &Instruction,
        transaction: &Transaction,
    ) -> Result<(), TransactionError> {
        let invocation = self.invocation(instruction, transaction);
        let host: Arc<dyn Host> = Arc::new(InstructionHost {
            view: Arc::clone(self.view),
            sysvars: Arc::clone(&self.context.sysvars),
            programs: Arc::clone(&self.context.programs),
            changed: self
                .accounts
                .iter()
                .map(|account| Arc::clone(&account.now))
                .collect(),
            processed: self.processed.clone(),
            reads: Arc::clone(&self.reads),
        });
        let program_id = instruction.program_id;
        let outcome = match self.context.programs.builtin(&program_id) {
            Some(builtin) => {
                let loader = self.context.programs.loader();
                loader.invoke_builtin(&**builtin, &host, &invocation)
            }
            None => self
                .program(index, program_id)?
                .invoke_with(&host, &invocation),
        };
        let outcome =
            outcome.map_err(|error| TransactionError::InvalidInstruction { index, error })?;
        self.gas -= outcome.gas_used;
        self.used = outcome.transaction_use;
        if index + 1 < transaction.instructions.len() {
            let processed = ProcessedInstruction::from(&invocation);
            self.processed.push(Arc::new(processed));
        }
        self.keep(index, program_id, outcome)
    }

    /// The invocation of an instruction, with all the gas that remains.
    fn invocation(&self, instruction: &Instruction, transaction: &Transaction) -> Invocation {
        let mut first: HashMap<Pubkey, usize> = HashMap::with_capacity(instruction.accounts.len());
        let mut invocation = Invocation::new(instruction.program_id)
            .data(instruction.data.clone())
            .gas(self.gas)
            .account_table(self.context.settings.account_table);
        invocation.transaction_use = self.used;
        if let Some(heap) = transaction.heap {
            invocation.heap_size = heap;
        }
        for (position, meta) in instruction.accounts.iter().enumerate() {
            let first = *first.entry(meta.key).or_insert(position);
            let entry = if first < position {
                AccountEntry::Repeat(first)
            } else {
                let account = &self.accounts[self.positions[&meta.key]];
                AccountEntry::First(AccountInput {
                    account: Account::clone(&account.now),
                    is_signer: account.is_signer,
                    is_writable: account.is_writable,
                })
            };
            invocation.accounts.push(entry);
        }
        invocation
    }

    /// The program of an instruction.
    fn program(&self, index: usize, program_id: Pubkey) -> Result<Program, TransactionError> {
        let account = &self.accounts[self.positions[&program_id]].now;
        let loaded = self.context.programs.load(account).map_err(|error| {
            TransactionError::InvalidProgram {
                index,
                program_id,
                error,
            }
        })?;
        loaded.ok_or(TransactionError::UnknownProgram { index, program_id })
    }

    /// Keeps what an instruction did.
    fn keep(
        &mut self,
        index: usize,
        program_id: Pubkey,
        outcome: Outcome,
    ) -> Result<(), TransactionError> {
        if outcome.is_success() {
            for after in outcome.accounts {
                let account = &mut self.accounts[self.positions[&after.key]];
                // An account that stays the same stays shared.
                if *account.now != after {
                    account.now = Arc::new(after);
                }
            }
        }
        let failure = outcome.failure.clone();
        self.outcomes.push(InstructionOutcome {
            program_id,
            status: outcome.status,
            failure: outcome.failure,
            gas_used: outcome.gas_used,
            heap: outcome.heap,
            logs: outcome.logs,
            return_data: outcome.return_data,
            calls: outcome.calls,
        });
        match failure {
            None => Ok(()),
            Some(failure) => Err(TransactionError::InstructionFailed {
                index,
                program_id,
                failure: Box::new(failure),
            }),
        }
    }

    /// Rejects an account that has some kelvins, but too few for its data. One that had too few
    /// before may have less.
    fn check_rent(&self) -> Result<(), TransactionError> {
        let rent = &self.context.sysvars.rent;
        let is_too_little = |account: &Account| {
            account.kelvins > 0 && account.kelvins < rent.minimum_balance(account.data.len())
        };
        for account in &self.accounts {
            let (before, now) = (&account.before, &account.now);
            let is_same = before
                .as_ref()
                .is_some_and(|before| Arc::ptr_eq(before, now));
            if is_same || !is_too_little(now) {
                continue;
            }
            let may_stay = before.as_ref().is_some_and(|before| {
                is_too_little(before)
                    && before.data.len() == now.data.len()
                    && now.kelvins <= before.kelvins
            });
            if !may_stay {
                return Err(TransactionError::InsufficientFundsForRent {
                    key: account.key,
                    kelvins: now.kelvins,
                    minimum: rent.minimum_balance(now.data.len()),
                    length: now.data.len(),
                });
            }
        }
        Ok(())
    }

    fn finish(self, transaction: &Transaction, error: Option<TransactionError>) -> Executed {
        let reads = self.reads.take();
        let mut accounts = Vec::with_capacity(self.accounts.len());
        let mut changes = Vec::new();
        for (position, account) in self.accounts.into_iter().enumerate() {
            let pays = position == 0 && transaction.payer.is_some();
            let now = match (&error, &self.paid) {
                (None, _) => Some(account.now),
                (Some(_), Some(paid)) if pays => Some(Arc::clone(paid)),
                (Some(_), _) => None,
            };
            let after = match now {
                // An account without kelvins does not exist any more.
                Some(now) => (now.kelvins > 0).then_some(now),
                None => account.before.clone(),
            };
            let change = AccountChange {
                key: account.key,
                before: account.before,
                after,
            };
            if change.is_changed() {
                changes.push((change.key, change.after.clone()));
            }
            accounts.push(change);
        }
        Executed {
            outcome: TransactionOutcome {
                error,
                instructions: self.outcomes,
                gas_used: self.gas_limit - self.gas,
                gas_limit: self.gas_limit,
                fee: self.fee,
                accounts,
            },
            changes,
            reads,
        }
    }
}
