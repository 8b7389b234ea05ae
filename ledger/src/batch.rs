//! Many transactions on all cores, with the result of their order.
//!
//! 1. [`Plan`] finds out on which transactions each one depends: by the accounts that they list.
//! 2. [`Threads`] run each transaction as soon as those are done, with the accounts as they left
//!    them.
//! 3. If a transaction read an account that it does not list, [`Order`] goes through the
//!    transactions in their order. A transaction that found all accounts as they are now is right.
//!    Any other is run again. If no transaction did, all of them are right: each has waited for
//!    those that may change what it reads.

use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, Hash, Hasher, RandomState};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use loader::{Account, Pubkey};
use rayon::Scope;
use rayon::prelude::*;

use crate::execute::{Context, Executed, execute};
use crate::message::Message;
use crate::outcome::TransactionOutcome;
use crate::programs::Loaded;
use crate::state::{Change, State, View};
use crate::transaction::Transaction;

/// Runs transactions. Returns their outcomes, and the accounts that differ after them.
pub(crate) fn run(
    context: &Context,
    state: &State,
    transactions: &[Transaction],
) -> (Vec<TransactionOutcome>, Vec<Change>) {
    let plan = Plan::new(state, transactions);
    let executed = Threads::new(context, transactions, &plan).run();
    let reads_more = |executed: &Executed| !executed.reads.is_empty();
    let (outcomes, mut changes) = match executed.iter().any(reads_more) {
        true => Order::new(context, plan).run(transactions, executed),
        // Each found its accounts as the transactions before have left them, and read no other.
        false => plan.keep(executed),
    };
    // Neighbors in the tree of accounts, and in a file, change together.
    changes.par_sort_unstable_by_key(|(key, _)| *key);
    (outcomes, changes)
}

/// The accounts of a batch, and which transaction waits for which.
struct Plan {
    /// The position of each account in `slots`.
    positions: Positions,
    /// What has hashed the keys.
    hasher: RandomState,
    slots: Vec<Slot>,
    /// A step for each transaction.
    steps: Vec<Step>,
}

/// An account of a batch.
struct Slot {
    key: Pubkey,
    /// The account before the batch.
    before: Option<Arc<Account>>,
    /// The last transaction that may write it.
    writer: Option<Writer>,
}

/// A transaction, and the position of an account in its accounts.
#[derive(Clone, Copy)]
struct Writer {
    transaction: usize,
    position: usize,
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
    /// Where it comes from: the last transaction before that may write it. `None` for the account
    /// before the batch.
    from: Option<Writer>,
}

/// A part of the plan that no other transaction takes part in.
struct Draft {
    message: Message,
    /// Each account of the message, with its hash, as it is before the batch.
    accounts: Vec<(Hashed, Option<Arc<Account>>)>,
    /// Where the plan will put the accounts.
    planned: Vec<PlannedAccount>,
}

impl Plan {
    fn new(state: &State, transactions: &[Transaction]) -> Self {
        let hasher = RandomState::new();
        // What needs no order is done on all cores: the same account may be looked up repeatedly.
        let drafts = transactions.par_iter().map(|transaction| {
            let message = Message::new(transaction);
            let accounts = message.accounts.iter();
            let accounts = accounts.map(|account| {
                let key = Hashed::new(account.key, &hasher);
                (key, state.account(&account.key))
            });
            Draft {
                accounts: accounts.collect(),
                planned: Vec::with_capacity(message.accounts.len()),
                message,
            }
        });
        let drafts: Vec<Draft> = drafts.collect();
        let accounts = drafts.iter().map(|draft| draft.accounts.len()).sum();
        let mut plan = Self {
            positions: Positions::with_capacity_and_hasher(accounts, BuildHasherDefault::default()),
            slots: Vec::with_capacity(accounts),
            steps: Vec::with_capacity(drafts.len()),
            hasher,
        };
        for draft in drafts {
            plan.add(draft);
        }
        plan
    }

    /// Adds the next transaction.
    fn add(&mut self, draft: Draft) {
        let Draft {
            message,
            accounts,
            planned: mut list,
        } = draft;
        let index = self.steps.len();
        let mut dependencies = 0;
        for (key, before) in accounts {
            let slots = &mut self.slots;
            let slot = *self.positions.entry(key).or_insert_with(|| {
                slots.push(Slot {
                    key: key.key,
                    before,
                    writer: None,
                });
                slots.len() - 1
            });
            let from = slots[slot].writer;
            list.push(PlannedAccount { slot, from });
            if let Some(writer) = from {
                let dependents = &mut self.steps[writer.transaction].dependents;
                if dependents.last() != Some(&index) {
                    dependents.push(index);
                    dependencies += 1;
                }
            }
        }
        let accounts = message.accounts.iter().zip(&list).enumerate();
        for (position, (account, planned)) in accounts {
            if account.is_writable {
                self.slots[planned.slot].writer = Some(Writer {
                    transaction: index,
                    position,
                });
            }
        }
        self.steps.push(Step {
            message,
            accounts: list,
            dependencies,
            dependents: Vec::new(),
        });
    }

    /// The outcomes of transactions that are right, and the accounts that differ after them.
    fn keep(self, executed: Vec<Executed>) -> (Vec<TransactionOutcome>, Vec<Change>) {
        let outcomes = executed.into_iter().map(|executed| executed.outcome);
        let outcomes: Vec<TransactionOutcome> = outcomes.collect();
        let changes = self.slots.into_iter().filter_map(|slot| {
            let Writer {
                transaction,
                position,
            } = slot.writer?;
            let after = &outcomes[transaction].accounts[position].after;
            (slot.before != *after).then(|| (slot.key, after.clone()))
        });
        let changes = changes.collect();
        (outcomes, changes)
    }
}

/// The position of each account in a list. The keys bring their hashes.
type Positions = HashMap<Hashed, usize, BuildHasherDefault<Known>>;

/// A key and its hash.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Hashed {
    hash: u64,
    key: Pubkey,
}

impl Hashed {
    fn new(key: Pubkey, hasher: &RandomState) -> Self {
        let hash = hasher.hash_one(key);
        Self { hash, key }
    }
}

impl Hash for Hashed {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        hasher.write_u64(self.hash);
    }
}

/// The hash that a [`Hashed`] brings.
#[derive(Default)]
struct Known(u64);

impl Hasher for Known {
    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    fn write(&mut self, _: &[u8]) {
        unreachable!("a key writes its hash and nothing else");
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// The threads that run the transactions.
struct Threads<'a> {
    context: &'a Context,
    transactions: &'a [Transaction],
    plan: &'a Plan,
    /// For each transaction how many it still waits for.
    waiting: Vec<AtomicUsize>,
    done: Vec<OnceLock<Executed>>,
}

/// What a thread has for itself.
struct Worker {
    context: Arc<Context>,
    loaded: Loaded,
}

impl Worker {
    fn new(context: &Context) -> Self {
        Self {
            context: context.with_view(&context.view),
            loaded: Loaded::default(),
        }
    }
}

impl<'a> Threads<'a> {
    fn new(context: &'a Context, transactions: &'a [Transaction], plan: &'a Plan) -> Self {
        let steps = plan.steps.iter();
        let waiting = steps.map(|step| AtomicUsize::new(step.dependencies));
        Self {
            context,
            transactions,
            plan,
            waiting: waiting.collect(),
            done: transactions.iter().map(|_| OnceLock::new()).collect(),
        }
    }

    fn run(self) -> Vec<Executed> {
        let steps = self.plan.steps.iter().enumerate();
        let first: Vec<usize> = steps
            .filter(|(_, step)| step.dependencies == 0)
            .map(|(index, _)| index)
            .collect();
        rayon::scope(|scope| {
            let worker = || Worker::new(self.context);
            first
                .par_iter()
                .for_each_init(worker, |worker, index| self.run_from(scope, worker, *index));
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
    fn run_from<'scope>(&'scope self, scope: &Scope<'scope>, worker: &mut Worker, index: usize) {
        let mut next = Some(index);
        while let Some(index) = next.take() {
            let executed = self.execute(worker, index);
            let is_first = self.done[index].set(executed).is_ok();
            debug_assert!(is_first, "a transaction is ready once");
            for dependent in &self.plan.steps[index].dependents {
                if self.waiting[*dependent].fetch_sub(1, Ordering::AcqRel) != 1 {
                    continue;
                }
                match next {
                    None => next = Some(*dependent),
                    Some(_) => scope.spawn(move |scope| {
                        let mut worker = Worker::new(self.context);
                        self.run_from(scope, &mut worker, *dependent);
                    }),
                }
            }
        }
    }

    fn execute(&self, worker: &mut Worker, index: usize) -> Executed {
        let Step {
            message, accounts, ..
        } = &self.plan.steps[index];
        let before = accounts.iter().map(|planned| self.before(planned));
        let transaction = &self.transactions[index];
        let Worker { context, loaded } = worker;
        execute(context, loaded, transaction, message, before)
    }

    /// An account as the transactions before have left it.
    fn before(&self, planned: &PlannedAccount) -> Option<Arc<Account>> {
        let Some(writer) = planned.from else {
            return self.plan.slots[planned.slot].before.clone();
        };
        let executed = self.done[writer.transaction].get();
        let executed = executed.expect("a transaction waits for those that it depends on");
        executed.outcome.accounts[writer.position].after.clone()
    }
}

/// Goes through the transactions in their order.
struct Order {
    steps: Vec<Step>,
    /// The accounts after the transactions so far.
    latest: Arc<Latest>,
    /// The context of a transaction that is run again: it has `latest` as its view.
    worker: Worker,
    /// For each account of the batch whether a transaction has changed it.
    is_changed: Vec<bool>,
}

impl Order {
    fn new(context: &Context, plan: Plan) -> Self {
        let slots = plan.slots.into_iter().map(|slot| slot.before);
        let latest = Arc::new(Latest {
            view: Arc::clone(&context.view),
            positions: plan.positions,
            hasher: plan.hasher,
            slots: RwLock::new(slots.collect()),
        });
        let view = Arc::clone(&latest) as Arc<dyn View>;
        let is_changed = vec![false; latest.read().len()];
        Self {
            steps: plan.steps,
            is_changed,
            latest,
            worker: Worker {
                context: context.with_view(&view),
                loaded: Loaded::default(),
            },
        }
    }

    fn run(
        mut self,
        transactions: &[Transaction],
        executed: Vec<Executed>,
    ) -> (Vec<TransactionOutcome>, Vec<Change>) {
        let mut outcomes = Vec::with_capacity(executed.len());
        let steps = std::mem::take(&mut self.steps);
        for ((transaction, step), executed) in transactions.iter().zip(&steps).zip(executed) {
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
            drop(slots);
            outcomes.push(executed.outcome);
        }
        let slots = self.latest.read();
        let positions = self.latest.positions.iter();
        let changed = positions.filter(|(_, slot)| self.is_changed[**slot]);
        let changes = changed.map(|(hashed, slot)| (hashed.key, slots[*slot].clone()));
        (outcomes, changes.collect())
    }

    /// Whether the transaction found all accounts as they are now.
    fn is_right(&self, step: &Step, executed: &Executed) -> bool {
        let slots = self.latest.read();
        let mut listed = step.accounts.iter().zip(&executed.outcome.accounts);
        listed.all(|(planned, change)| slots[planned.slot] == change.before)
            && executed.reads.iter().all(|(key, found)| {
                // No transaction of the batch changes an account that none of them lists.
                let slot = self.latest.slot(key);
                slot.is_none_or(|slot| slots[slot] == *found)
            })
    }

    /// Runs a transaction with the accounts as they are now.
    fn execute(&mut self, transaction: &Transaction, step: &Step) -> Executed {
        let slots = self.latest.read();
        let accounts = step.accounts.iter();
        let before = accounts.map(|planned| slots[planned.slot].clone());
        let before: Vec<_> = before.collect();
        // The transaction may read them.
        drop(slots);
        let Worker { context, loaded } = &mut self.worker;
        execute(
            context,
            loaded,
            transaction,
            &step.message,
            before.into_iter(),
        )
    }
}

/// The accounts of a batch as they are now, above a view of all other accounts.
struct Latest {
    view: Arc<dyn View>,
    positions: Positions,
    hasher: RandomState,
    slots: RwLock<Vec<Option<Arc<Account>>>>,
}

impl Latest {
    /// The position of an account in `slots`.
    fn slot(&self, key: &Pubkey) -> Option<usize> {
        self.positions
            .get(&Hashed::new(*key, &self.hasher))
            .copied()
    }

    fn read(&self) -> RwLockReadGuard<'_, Vec<Option<Arc<Account>>>> {
        self.slots.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Vec<Option<Arc<Account>>>> {
        self.slots.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl View for Latest {
    fn account(&self, key: &Pubkey) -> Option<Arc<Account>> {
        match self.slot(key) {
            Some(slot) => self.read()[slot].clone(),
            None => self.view.account(key),
        }
    }
}
