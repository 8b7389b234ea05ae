//! Many transactions on all cores, with the result of their order.
//!
//! 1. [`Plan`] finds out on which transactions each one depends: by the accounts that they list.
//! 2. [`Threads`] run each transaction as soon as those are done, with the accounts as they left
//!    them.
//! 3. [`Order`] goes through the transactions in their order. A transaction that found all accounts
//!    as they are now is right. Any other is run again. Only here it is decided what is kept, so
//!    the result never depends on the plan or on the threads.
//!
//! A transaction is run again if it read an account that it does not list, and another transaction
//! of the batch changed that account before.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use loader::{Account, Pubkey};
use rayon::Scope;
use rayon::prelude::*;

use crate::execute::{Context, Executed, execute};
use crate::message::Message;
use crate::outcome::TransactionOutcome;
use crate::state::{Change, State, View};
use crate::transaction::Transaction;

/// Runs transactions. Returns their outcomes, and the accounts that differ after them.
pub(crate) fn run(
    context: &Context,
    state: &State,
    view: &Arc<dyn View>,
    transactions: &[Transaction],
) -> (Vec<TransactionOutcome>, Vec<Change>) {
    let plan = Plan::new(state, transactions);
    let threads = Threads {
        context,
        view,
        transactions,
        plan: &plan,
        waiting: plan
            .steps
            .iter()
            .map(|step| AtomicUsize::new(step.dependencies))
            .collect(),
        done: transactions.iter().map(|_| OnceLock::new()).collect(),
    };
    let executed = threads.run();
    Order::new(context, view, &plan).run(transactions, executed)
}

/// The accounts of a batch, and which transaction waits for which.
struct Plan {
    /// The position of each account in `slots`.
    positions: Arc<HashMap<Pubkey, usize>>,
    /// The accounts before the batch.
    slots: Vec<Option<Arc<Account>>>,
    /// A step for each transaction.
    steps: Vec<Step>,
}

/// What the plan has about a transaction.
struct Step {
    message: Message,
    /// Where each account of the message comes from.
    accounts: Vec<PlannedAccount>,
    /// How many transactions it waits for.
    dependencies: usize,
    /// The transactions that wait for it.
    dependents: Vec<usize>,
}

/// An account of a transaction.
struct PlannedAccount {
    /// Its position in the plan's `slots`.
    slot: usize,
    /// Where it comes from: the last transaction before that may write it, and its position in the
    /// accounts of that one. `None` for the account before the batch.
    from: Option<(usize, usize)>,
}

impl Plan {
    fn new(state: &State, transactions: &[Transaction]) -> Self {
        // What needs no order is done on all cores: the same account may be looked up repeatedly.
        let messages = transactions.par_iter().map(|transaction| {
            let message = Message::new(transaction);
            let accounts = message.accounts.iter();
            let before: Vec<_> = accounts
                .map(|account| state.account(&account.key))
                .collect();
            (message, before)
        });
        let messages: Vec<_> = messages.collect();
        let accounts = messages.iter().map(|(message, _)| message.accounts.len());
        let mut positions = HashMap::with_capacity(accounts.sum());
        let mut slots = Vec::new();
        let mut steps: Vec<Step> = Vec::with_capacity(transactions.len());
        // For each slot the last transaction that may write it.
        let mut writers: Vec<Option<(usize, usize)>> = Vec::new();
        for (index, (message, before)) in messages.into_iter().enumerate() {
            let mut accounts = Vec::with_capacity(message.accounts.len());
            let mut dependencies = 0;
            for (account, before) in message.accounts.iter().zip(before) {
                let slot = *positions.entry(account.key).or_insert_with(|| {
                    slots.push(before);
                    writers.push(None);
                    slots.len() - 1
                });
                let from = writers[slot];
                accounts.push(PlannedAccount { slot, from });
                if let Some((writer, _)) = from {
                    let dependents = &mut steps[writer].dependents;
                    if dependents.last() != Some(&index) {
                        dependents.push(index);
                        dependencies += 1;
                    }
                }
            }
            for (position, account) in message.accounts.iter().enumerate() {
                if account.is_writable {
                    writers[accounts[position].slot] = Some((index, position));
                }
            }
            steps.push(Step {
                message,
                accounts,
                dependencies,
                dependents: Vec::new(),
            });
        }
        Self {
            positions: Arc::new(positions),
            slots,
            steps,
        }
    }
}

/// The threads that run the transactions.
struct Threads<'a> {
    context: &'a Context,
    view: &'a Arc<dyn View>,
    transactions: &'a [Transaction],
    plan: &'a Plan,
    /// For each transaction how many it still waits for.
    waiting: Vec<AtomicUsize>,
    done: Vec<OnceLock<Executed>>,
}

impl Threads<'_> {
    fn run(self) -> Vec<Executed> {
        let steps = self.plan.steps.iter().enumerate();
        let first: Vec<usize> = steps
            .filter(|(_, step)| step.dependencies == 0)
            .map(|(index, _)| index)
            .collect();
        rayon::scope(|scope| {
            first
                .par_iter()
                .for_each(|index| self.run_from(scope, *index));
        });
        self.done
            .into_iter()
            .map(|executed| {
                executed
                    .into_inner()
                    .expect("no transaction waits for itself")
            })
            .collect()
    }

    /// Runs a transaction, and then those that waited for nothing else. This thread takes the first
    /// of them itself: a chain of transactions stays on its thread.
    fn run_from<'scope>(&'scope self, scope: &Scope<'scope>, index: usize) {
        let mut next = Some(index);
        while let Some(index) = next.take() {
            let executed = self.execute(index);
            let is_first = self.done[index].set(executed).is_ok();
            debug_assert!(is_first, "a transaction is ready once");
            for dependent in &self.plan.steps[index].dependents {
                if self.waiting[*dependent].fetch_sub(1, Ordering::AcqRel) != 1 {
                    continue;
                }
                match next {
                    None => next = Some(*dependent),
                    Some(_) => scope.spawn(move |scope| self.run_from(scope, *dependent)),
                }
            }
        }
    }

    fn execute(&self, index: usize) -> Executed {
        let Step {
            message, accounts, ..
        } = &self.plan.steps[index];
        let before = accounts
            .iter()
            .map(|planned| self.before(planned))
            .collect();
        execute(
            self.context,
            self.view,
            &self.transactions[index],
            message,
            before,
        )
    }

    /// An account as the transactions before have left it.
    fn before(&self, planned: &PlannedAccount) -> Option<Arc<Account>> {
        let Some((writer, position)) = planned.from else {
            return self.plan.slots[planned.slot].clone();
        };
        let writer = self.done[writer].get();
        let writer = writer.expect("a transaction waits for those that it depends on");
        writer.outcome.accounts[position].after.clone()
    }
}

/// Goes through the transactions in their order.
struct Order<'a> {
    context: &'a Context,
    plan: &'a Plan,
    /// The accounts after the transactions so far.
    latest: Arc<Latest>,
    /// The same, as a view.
    view: Arc<dyn View>,
    /// For each account of the batch whether a transaction has changed it.
    is_changed: Vec<bool>,
}

impl<'a> Order<'a> {
    fn new(context: &'a Context, view: &Arc<dyn View>, plan: &'a Plan) -> Self {
        let latest = Arc::new(Latest {
            view: Arc::clone(view),
            positions: Arc::clone(&plan.positions),
            slots: RwLock::new(plan.slots.clone()),
        });
        let is_changed = vec![false; plan.slots.len()];
        Self {
            context,
            plan,
            view: Arc::clone(&latest) as Arc<dyn View>,
            latest,
            is_changed,
        }
    }

    fn run(
        mut self,
        transactions: &[Transaction],
        executed: Vec<Executed>,
    ) -> (Vec<TransactionOutcome>, Vec<Change>) {
        let mut outcomes = Vec::with_capacity(executed.len());
        let steps = transactions.iter().zip(&self.plan.steps);
        for ((transaction, step), executed) in steps.zip(executed) {
            let executed = match self.is_right(step, &executed) {
                true => executed,
                false => self.execute(transaction, step),
            };
            let mut slots = self.latest.write();
            for (planned, change) in step.accounts.iter().zip(&executed.outcome.accounts) {
                if change.is_changed() {
                    slots[planned.slot].clone_from(&change.after);
                    self.is_changed[planned.slot] = true;
                }
            }
            outcomes.push(executed.outcome);
        }
        let slots = self.latest.read();
        let positions = self.plan.positions.iter();
        let changed = positions.filter(|(_, slot)| self.is_changed[**slot]);
        let changes = changed.map(|(key, slot)| (*key, slots[*slot].clone()));
        let mut changes: Vec<Change> = changes.collect();
        // Neighbors in the tree of accounts, and in a file, change together.
        changes.par_sort_unstable_by_key(|(key, _)| *key);
        (outcomes, changes)
    }

    /// Whether the transaction found all accounts as they are now.
    fn is_right(&self, step: &Step, executed: &Executed) -> bool {
        let slots = self.latest.read();
        let mut listed = step.accounts.iter().zip(&executed.outcome.accounts);
        listed.all(|(planned, change)| slots[planned.slot] == change.before)
            && executed.reads.iter().all(|(key, found)| {
                // No transaction of the batch changes an account that none of them lists.
                let slot = self.plan.positions.get(key);
                slot.is_none_or(|slot| slots[*slot] == *found)
            })
    }

    /// Runs a transaction with the accounts as they are now.
    fn execute(&self, transaction: &Transaction, step: &Step) -> Executed {
        let slots = self.latest.read();
        let accounts = step.accounts.iter();
        let before = accounts
            .map(|planned| slots[planned.slot].clone())
            .collect();
        drop(slots);
        execute(self.context, &self.view, transaction, &step.message, before)
    }
}

/// The accounts of a batch as they are now, above a view of all other accounts.
struct Latest {
    view: Arc<dyn View>,
    positions: Arc<HashMap<Pubkey, usize>>,
    slots: RwLock<Vec<Option<Arc<Account>>>>,
}

impl Latest {
    fn read(&self) -> RwLockReadGuard<'_, Vec<Option<Arc<Account>>>> {
        self.slots.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Vec<Option<Arc<Account>>>> {
        self.slots.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl View for Latest {
    fn account(&self, key: &Pubkey) -> Option<Arc<Account>> {
        match self.positions.get(key) {
            Some(slot) => self.read()[*slot].clone(),
            None => self.view.account(key),
        }
    }
}
