//! Runs one transaction against the accounts of a view. It changes nothing but the result.

use std::sync::Arc;

use abi::heap::MIN_HEAP_LENGTH;
use loader::{
    Account, AccountEntry, AccountInput, Host, Invocation, Outcome, ProcessedInstruction, Sysvars,
    TransactionUse, ids,
};

use crate::error::TransactionError;
use crate::host::TransactionHost;
use crate::instruction::Instruction;
use crate::message::{FEW, Message, MessageAccount};
use crate::outcome::{AccountChange, InstructionOutcome, TransactionOutcome};
use crate::programs::{Loaded, Programs};
use crate::settings::Settings;
use crate::state::{Change, View, is_sysvar};
use crate::transaction::Transaction;

/// The most instructions of a transaction: those that the runtime keeps a trace of.
const MAX_INSTRUCTIONS: usize = 64;

/// What transactions share that run one after the other.
pub(crate) struct Context {
    pub settings: Settings,
    pub programs: Arc<Programs>,
    pub sysvars: Arc<Sysvars>,
    /// What programs read accounts from that their transaction does not list.
    pub view: Arc<dyn View>,
}

impl Context {
    /// The same for another thread, or with another view. Threads that share one would wait for
    /// each other to count its users.
    pub fn with_view(&self, view: &Arc<dyn View>) -> Arc<Self> {
        Arc::new(Self {
            settings: self.settings,
            programs: Arc::clone(&self.programs),
            sysvars: Arc::clone(&self.sysvars),
            view: Arc::clone(view),
        })
    }
}

/// A transaction that ran.
pub(crate) struct Executed {
    pub outcome: TransactionOutcome,
    /// The accounts that it read in addition to its own, as the view had them.
    pub reads: Vec<Change>,
}

/// Runs a transaction. `before` has the accounts of its message. Its programs read all others from
/// the context's view.
pub(crate) fn execute(
    context: &Arc<Context>,
    loaded: &mut Loaded,
    transaction: &Transaction,
    message: &Message,
    before: impl Iterator<Item = Option<Arc<Account>>>,
) -> Executed {
    let mut run = Run::new(context, loaded, transaction, message, before);
    let error = run.pay_fee().and_then(|()| {
        // What is left if the transaction fails.
        run.paid = run.host.accounts().first().cloned();
        run.instructions()?;
        run.check_rent()
    });
    run.finish(error.err())
}

struct Run<'a> {
    context: &'a Context,
    loaded: &'a mut Loaded,
    transaction: &'a Transaction,
    message: &'a Message,
    /// The accounts of the message. What is after the transaction is set at its end.
    accounts: Vec<AccountChange>,
    /// It has the accounts as they are now.
    host: Arc<TransactionHost>,
    outcomes: Vec<InstructionOutcome>,
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
        context: &'a Arc<Context>,
        loaded: &'a mut Loaded,
        transaction: &'a Transaction,
        message: &'a Message,
        before: impl Iterator<Item = Option<Arc<Account>>>,
    ) -> Self {
        let mut accounts = Vec::with_capacity(message.accounts.len());
        let mut now = Vec::with_capacity(message.accounts.len());
        for (account, before) in message.accounts.iter().zip(before) {
            now.push(before.clone().unwrap_or_else(|| {
                Arc::new(Account {
                    key: account.key,
                    ..Account::default()
                })
            }));
            accounts.push(AccountChange {
                key: account.key,
                before,
                after: None,
            });
        }
        let gas_limit = context.settings.gas_limit(transaction);
        Self {
            context,
            loaded,
            transaction,
            message,
            accounts,
            host: Arc::new(TransactionHost::new(Arc::clone(context), now)),
            outcomes: Vec::with_capacity(transaction.instructions.len()),
            used: TransactionUse::default(),
            gas_limit,
            gas: gas_limit,
            fee: 0,
            paid: None,
        }
    }

    /// Takes the fee from the payer.
    fn pay_fee(&mut self) -> Result<(), TransactionError> {
        if self.transaction.instructions.is_empty() {
            return Err(TransactionError::NoInstructions);
        }
        let (count, limit) = (self.transaction.instructions.len(), MAX_INSTRUCTIONS);
        if count > limit {
            return Err(TransactionError::TooManyInstructions { count, limit });
        }
        let limit = self.context.settings.most_gas;
        if self.gas_limit > limit {
            let gas = self.gas_limit;
            return Err(TransactionError::GasTooLarge { gas, limit });
        }
        let accounts = self.message.accounts.iter();
        let signers = accounts.filter(|account| account.is_signer).count();
        let fee = self.context.settings.fee.of(signers as u64);
        let Some(key) = self.transaction.payer.filter(|_| fee > 0) else {
            return Ok(());
        };
        // The payer is the first account.
        let mut accounts = self.host.accounts_mut();
        let account = &accounts[0];
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
        let paid = Account {
            kelvins: rest,
            ..Account::clone(account)
        };
        accounts[0] = Arc::new(paid);
        drop(accounts);
        // As on the runtime: no fee makes a payer one that owes rent.
        self.check_rent()?;
        self.fee = fee;
        Ok(())
    }

    fn instructions(&mut self) -> Result<(), TransactionError> {
        let (message, transaction) = (self.message, self.transaction);
        let instructions = transaction.instructions.iter();
        let positions = message.instructions(transaction);
        let sysvar = message.position(&ids::INSTRUCTIONS);
        for (index, (instruction, (accounts, program))) in instructions.zip(positions).enumerate() {
            if let Some(sysvar) = sysvar {
                let account = Arc::new(self.instructions_sysvar(index)?);
                self.host.accounts_mut()[sysvar] = account;
            }
            let invocation = self.invocation(instruction, accounts);
            let outcome = self.invoke(index, program, &invocation)?;
            self.gas -= outcome.gas_used;
            self.used = outcome.transaction_use;
            if index + 1 < transaction.instructions.len() {
                self.host.add_processed((&invocation).into());
            }
            self.keep(index, &invocation, accounts, outcome)?;
        }
        Ok(())
    }

    /// The account of the instructions sysvar, while the instruction `current` runs.
    fn instructions_sysvar(&self, current: usize) -> Result<Account, TransactionError> {
        let too_long = TransactionError::InstructionsTooLong;
        let current = u16::try_from(current).map_err(|_| too_long.clone())?;
        let instructions = self.transaction.instructions.iter();
        let positions = self.message.instructions(self.transaction);
        let now = self.host.accounts();
        let all = instructions
            .zip(positions)
            .map(|(instruction, (accounts, _))| {
                let metas = accounts.iter().map(|position| {
                    let MessageAccount { key, is_signer, .. } = &self.message.accounts[*position];
                    let is_writable = self.is_writable(*position, &now[*position]);
                    loader::AccountMeta::new(key, *is_signer, is_writable)
                });
                ProcessedInstruction {
                    program_id: instruction.program_id,
                    accounts: metas.collect(),
                    data: instruction.data.clone(),
                }
            });
        let all: Vec<ProcessedInstruction> = all.collect();
        ProcessedInstruction::sysvar(&all, current).map_err(|_| too_long)
    }

    /// Whether programs may change the account at this position, which is this one.
    fn is_writable(&self, position: usize, now: &Account) -> bool {
        // As on the runtime: nothing can change programs and sysvars.
        let is_fixed = || {
            let programs = &self.context.programs;
            now.executable || is_sysvar(&now.key) || programs.is_builtin(&now.key)
        };
        self.message.accounts[position].is_writable && !is_fixed()
    }

    /// The invocation of an instruction, with all the gas that remains.
    fn invocation(&self, instruction: &Instruction, positions: &[usize]) -> Invocation {
        // As on the runtime, a program gets no more heap than the transaction requests.
        let heap = self.transaction.heap.unwrap_or(MIN_HEAP_LENGTH);
        let mut invocation = Invocation::new(instruction.program_id)
            .data(instruction.data.clone())
            .heap_size(heap)
            .gas(self.gas)
            .account_table(self.context.settings.account_table);
        invocation.transaction_use = self.used;
        invocation.accounts.reserve_exact(positions.len());
        let now = self.host.accounts();
        // Where each account of the transaction occurs first, if there are many.
        let mut map = (positions.len() > FEW).then(|| vec![None; self.accounts.len()]);
        for (entry, position) in positions.iter().enumerate() {
            let first = match &mut map {
                Some(map) => Some(*map[*position].get_or_insert(entry)),
                None => positions[..entry]
                    .iter()
                    .position(|other| other == position),
            };
            let account = &now[*position];
            invocation.accounts.push(match first {
                Some(first) if first < entry => AccountEntry::Repeat(first),
                _ => AccountEntry::First(AccountInput {
                    account: Account::clone(account),
                    is_signer: self.message.accounts[*position].is_signer,
                    is_writable: self.is_writable(*position, account),
                }),
            });
        }
        invocation
    }

    /// Calls the program at this position of the accounts.
    fn invoke(
        &mut self,
        index: usize,
        program: usize,
        invocation: &Invocation,
    ) -> Result<Outcome, TransactionError> {
        let host: Arc<dyn Host> = Arc::clone(&self.host) as Arc<dyn Host>;
        let programs = &self.context.programs;
        let program_id = invocation.program_id;
        let outcome = match programs.builtin(&program_id) {
            Some(builtin) => {
                let loader = programs.loader();
                loader.invoke_builtin(&**builtin, &host, invocation)
            }
            None => {
                let loaded = self.loaded.find(programs, &self.host.accounts()[program]);
                let loaded = loaded.map_err(|error| TransactionError::InvalidProgram {
                    index,
                    program_id,
                    error,
                })?;
                loaded
                    .ok_or(TransactionError::UnknownProgram { index, program_id })?
                    .invoke_with(&host, invocation)
            }
        };
        outcome.map_err(|error| TransactionError::InvalidInstruction { index, error })
    }

    /// Keeps what an instruction did.
    fn keep(
        &mut self,
        index: usize,
        invocation: &Invocation,
        positions: &[usize],
        outcome: Outcome,
    ) -> Result<(), TransactionError> {
        let program_id = invocation.program_id;
        if outcome.is_success() {
            let mut now = self.host.accounts_mut();
            let entries = invocation.accounts.iter().zip(positions);
            let first = entries.filter_map(|(entry, position)| match entry {
                AccountEntry::First(input) => Some((input.is_writable, *position)),
                AccountEntry::Repeat(_) => None,
            });
            for (after, (is_writable, position)) in outcome.accounts.into_iter().zip(first) {
                // An account that stays the same stays shared.
                if is_writable && *now[position] != after {
                    now[position] = Arc::new(after);
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
        let now = self.host.accounts();
        for (AccountChange { key, before, .. }, now) in self.accounts.iter().zip(&*now) {
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
                    key: *key,
                    kelvins: now.kelvins,
                    minimum: rent.minimum_balance(now.data.len()),
                    length: now.data.len(),
                });
            }
        }
        Ok(())
    }

    fn finish(mut self, error: Option<TransactionError>) -> Executed {
        let (now, reads) = self.host.take();
        for (position, (account, now)) in self.accounts.iter_mut().zip(now).enumerate() {
            let pays = position == 0 && self.transaction.payer.is_some();
            let now = match (&error, &self.paid) {
                // That of the instructions was made for this transaction alone.
                _ if is_sysvar(&account.key) => None,
                (None, _) => Some(now),
                (Some(_), Some(paid)) if pays => Some(Arc::clone(paid)),
                (Some(_), _) => None,
            };
            account.after = match now {
                // An account without kelvins does not exist any more.
                Some(now) => (now.kelvins > 0).then_some(now),
                None => account.before.clone(),
            };
        }
        Executed {
            outcome: TransactionOutcome {
                error,
                instructions: self.outcomes,
                gas_used: self.gas_limit - self.gas,
                gas_limit: self.gas_limit,
                fee: self.fee,
                accounts: self.accounts,
            },
            reads,
        }
    }
}
