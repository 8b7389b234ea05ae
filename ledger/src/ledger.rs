//! The ledger: accounts and sysvars, and the operations that change them.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use imbl::ordmap::DiffItem;
use loader::sysvars::{Clock, Sysvars};
use loader::{Account, Builtin, Engine, Loader, Pubkey, Runtime, SystemProgram, ids};

use crate::batch;
use crate::error::{DeployError, StorageError};
use crate::execute::{Context, execute};
use crate::history::{KEPT_IN_MEMORY, Recent, TransactionRecord};
use crate::message::Message;
use crate::outcome::TransactionOutcome;
use crate::programs::{Loaded, Programs, account_data, file_of};
use crate::settings::{Fee, Settings};
use crate::state::{Address, Change, State, View, is_sysvar};
use crate::storage::{AccountWrite, Storage, Write};
use crate::transaction::Transaction;

/// How long a slot takes, in milliseconds.
const SLOT_MS: u64 = 400;

/// Accounts, programs and a clock, and transactions that change them.
///
/// See the [crate's page](crate) for a walk.
///
/// A ledger is in memory, or has a file: see [`open`](Self::open). A clone is a ledger in memory
/// that starts with the same accounts, sysvars and settings. It takes the same short time whatever
/// the number of accounts.
#[derive(Debug)]
pub struct Ledger {
    /// Shared with the executions that read it.
    state: Arc<State>,
    settings: Settings,
    programs: Arc<Programs>,
    /// The transactions, if there is no file that has them.
    recent: Recent,
    /// The number of the last transaction; 0 if there is none.
    last_number: u64,
    storage: Option<Storage>,
    /// The programs that transactions have used last.
    loaded: Loaded,
}

/// The accounts and sysvars of a ledger at one moment: see [`Ledger::snapshot`].
#[derive(Clone, Debug)]
pub struct Snapshot(Arc<State>);

/// A program that was deployed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Deployment {
    /// Its id: the address of its account.
    pub program_id: Pubkey,
    /// The length of its file in bytes.
    pub length: usize,
    /// The kelvins that its account needs, so that it owes no rent.
    pub rent: u64,
}

impl Ledger {
    /// A ledger in memory, whose programs run on PolkaVM's interpreter with the limits, prices and
    /// log lines of the Rialo runtime. It has the system program and no accounts.
    ///
    /// # Panics
    ///
    /// It does not: the interpreter runs on every computer.
    #[must_use]
    pub fn new() -> Self {
        Self::with_loader(interpreter())
    }

    /// A ledger in memory, whose programs run on this loader, with its limits and prices.
    #[must_use]
    pub fn with_loader(loader: Loader) -> Self {
        let mut programs = Programs::new(loader);
        programs.add_builtin(ids::SYSTEM_PROGRAM, Arc::new(SystemProgram));
        Self {
            state: Arc::default(),
            settings: Settings::default(),
            programs: Arc::new(programs),
            recent: Recent::default(),
            last_number: 0,
            storage: None,
            loaded: Loaded::default(),
        }
    }

    /// The ledger in a file, whose programs run as those of [`new`](Self::new). If there is no file at
    /// the path, this makes an empty ledger there. The folder must exist.
    ///
    /// The file has the accounts, the sysvars and the [history](Self::history), and nothing of the
    /// settings. Each operation that changes the ledger has written and synced all of its changes
    /// when it returns. If the process ends before that, the file has all of them or none. All
    /// accounts are in memory too, so reading them does not touch the file.
    ///
    /// One process can have the file open at a time, and a process can open it once at a time.
    ///
    /// ```
    /// use ledger::{Ledger, Pubkey};
    ///
    /// let folder = tempfile::tempdir()?;
    /// let path = folder.path().join("ledger.redb");
    /// let alice = Pubkey::new([2; 32]);
    ///
    /// let mut ledger = Ledger::open(&path)?;
    /// ledger.airdrop(alice, 5_000)?;
    /// drop(ledger);
    ///
    /// assert_eq!(Ledger::open(&path)?.kelvins(&alice), 5_000);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`StorageError`] if the file cannot be opened or made, if it is in use, or if it is not a
    /// ledger of this version and of the engine's target. The file stays as it is then.
    ///
    /// # Panics
    ///
    /// It does not: the interpreter runs on every computer.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StorageError> {
        Self::open_with_loader(path, interpreter())
    }

    /// The ledger in a file, as [`open`](Self::open) opens it, whose programs run on this loader.
    ///
    /// A new file is for the target of the loader's engine. It can be opened with any engine of
    /// this target.
    ///
    /// # Errors
    ///
    /// As for [`open`](Self::open).
    pub fn open_with_loader(path: impl AsRef<Path>, loader: Loader) -> Result<Self, StorageError> {
        let opened = Storage::open(path.as_ref(), loader.engine())?;
        Ok(Self {
            state: Arc::new(opened.state),
            last_number: opened.last_number,
            storage: Some(opened.storage),
            ..Self::with_loader(loader)
        })
    }

    /// The file of the ledger; `None` if it is in memory.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        self.storage.as_ref().map(Storage::path)
    }

    /// Adds a program that is part of the host. It replaces the program that had the id before.
    ///
    /// # Panics
    ///
    /// If the ledger has been cloned: add built-in programs first.
    #[must_use]
    pub fn builtin(mut self, program_id: Pubkey, builtin: impl Builtin) -> Self {
        let programs = Arc::get_mut(&mut self.programs);
        let programs = programs.expect("add built-in programs before the ledger is cloned");
        programs.add_builtin(program_id, Arc::new(builtin));
        self
    }

    /// Sets what each transaction costs its payer. By default it is nothing.
    #[must_use]
    pub fn fee(mut self, fee: Fee) -> Self {
        self.settings.fee = fee;
        self
    }

    /// What each transaction costs its payer: see [`fee`](Self::fee).
    #[must_use]
    pub fn transaction_fee(&self) -> Fee {
        self.settings.fee
    }

    /// Sets the gas of a transaction that asks for none, for each of its instructions, and the most
    /// that a transaction may ask for. By default they are 200,000 and 1,400,000, as on the
    /// runtime.
    #[must_use]
    pub fn gas(mut self, per_instruction: u64, most: u64) -> Self {
        self.settings.gas_per_instruction = per_instruction;
        self.settings.most_gas = most;
        self
    }

    /// Sets whether the inputs of programs end in an account table. By default they do not, as on
    /// the runtime.
    #[must_use]
    pub fn account_table(mut self, account_table: bool) -> Self {
        self.settings.account_table = account_table;
        self
    }

    /// The loader of the ledger's programs.
    #[must_use]
    pub fn loader(&self) -> &Loader {
        self.programs.loader()
    }

    // --- Accounts.

    /// The account with this address; `None` if there is none. Sysvars have accounts.
    #[must_use]
    pub fn account(&self, key: &Pubkey) -> Option<Arc<Account>> {
        self.state.account(key)
    }

    /// The kelvins of an account: 0 if there is none.
    #[must_use]
    pub fn kelvins(&self, key: &Pubkey) -> u64 {
        self.account(key).map_or(0, |account| account.kelvins)
    }

    /// All accounts in the order of their addresses, without those of sysvars.
    pub fn accounts(&self) -> impl Iterator<Item = &Arc<Account>> {
        self.state.accounts.values()
    }

    /// Puts an account there as it is. It replaces the account with the same address. As on the
    /// runtime, an account without kelvins does not exist: it is removed.
    ///
    /// # Errors
    ///
    /// [`StorageError::ReservedAddress`] if it is the address of a sysvar or of a built-in program,
    /// and any other [`StorageError`] if the ledger has a file that cannot be written.
    pub fn set_account(&mut self, account: Account) -> Result<(), StorageError> {
        let key = account.key;
        self.check_address(&key)?;
        let account = (account.kelvins > 0).then(|| Arc::new(account));
        self.commit([(key, account)], [], &[])
    }

    /// Gives an account kelvins out of nothing. An account that did not exist belongs to the system
    /// program then. It can hold at most [`u64::MAX`].
    ///
    /// # Errors
    ///
    /// As for [`set_account`](Self::set_account).
    pub fn airdrop(&mut self, key: Pubkey, kelvins: u64) -> Result<(), StorageError> {
        let mut account = match self.state.accounts.get(&Address::from(&key)) {
            Some(account) => Account::clone(account),
            None => Account {
                key,
                ..Account::default()
            },
        };
        account.kelvins = account.kelvins.saturating_add(kelvins);
        self.set_account(account)
    }

    /// Rejects the addresses whose accounts the ledger makes itself.
    fn check_address(&self, key: &Pubkey) -> Result<(), StorageError> {
        if is_sysvar(key) || self.programs.is_builtin(key) {
            return Err(StorageError::ReservedAddress { key: *key });
        }
        Ok(())
    }

    // --- Programs.

    /// Deploys a program: a file that `cargo entrypoint build` makes for the target of the ledger's
    /// loader. It replaces the program that had the id before, and keeps its kelvins. Those that
    /// its account lacks come out of nothing.
    ///
    /// # Errors
    ///
    /// [`DeployError`] if the file is not a program for the loader, if the address has an account
    /// that is not a program or is reserved, or if the ledger has a file that cannot be written.
    pub fn deploy(&mut self, program_id: Pubkey, file: &[u8]) -> Result<Deployment, DeployError> {
        let before = self.state.accounts.get(&Address::from(&program_id));
        self.check_address(&program_id)?;
        if before.is_some_and(|account| file_of(account).is_none()) {
            return Err(DeployError::AddressInUse { program_id });
        }
        let kelvins = before.map_or(0, |account| account.kelvins);
        let data = account_data(self.sysvars().clock.slot, file);
        let rent = self.sysvars().rent.minimum_balance(data.len());
        let account = Arc::new(Account {
            key: program_id,
            owner: ids::PROGRAM_LOADER,
            kelvins: kelvins.max(rent),
            data: data.into(),
            executable: true,
            rent_epoch: 0,
        });
        self.programs.load(&account)?;
        self.commit([(program_id, Some(account))], [], &[])?;
        Ok(Deployment {
            program_id,
            length: file.len(),
            rent,
        })
    }

    /// The file of the program that was deployed with this id; `None` if there is none.
    #[must_use]
    pub fn program_file(&self, program_id: &Pubkey) -> Option<Vec<u8>> {
        let account = self.state.accounts.get(&Address::from(program_id))?;
        file_of(account).map(<[u8]>::to_vec)
    }

    // --- Time and the other sysvars.

    /// The sysvars.
    #[must_use]
    pub fn sysvars(&self) -> &Sysvars {
        &self.state.sysvars
    }

    /// Sets the sysvars.
    ///
    /// # Errors
    ///
    /// [`StorageError`] if the ledger has a file that cannot be written.
    pub fn set_sysvars(&mut self, sysvars: Sysvars) -> Result<(), StorageError> {
        let state = State {
            sysvars: Arc::new(sysvars),
            accounts: self.state.accounts.clone(),
        };
        self.replace(Arc::new(state))
    }

    /// Sets the clock to this time, in milliseconds since 1970. The slot moves with it, by one for
    /// 400 ms. Time that is earlier is set as well; the slot stays then.
    ///
    /// # Errors
    ///
    /// [`StorageError`] if the ledger has a file that cannot be written.
    pub fn warp_to(&mut self, unix_timestamp_ms: i64) -> Result<(), StorageError> {
        let clock = self.sysvars().clock;
        let passed = unix_timestamp_ms.saturating_sub(clock.unix_timestamp_ms);
        let slots = u64::try_from(passed).unwrap_or(0) / SLOT_MS;
        let clock = Clock {
            slot: clock.slot.saturating_add(slots),
            unix_timestamp_ms,
            ..clock
        };
        self.set_sysvars(self.sysvars().clone().clock(clock))
    }

    /// Lets time pass: see [`warp_to`](Self::warp_to).
    ///
    /// # Errors
    ///
    /// [`StorageError`] if the ledger has a file that cannot be written.
    pub fn warp_by(&mut self, time: Duration) -> Result<(), StorageError> {
        let now = self.sysvars().clock.unix_timestamp_ms;
        let time = i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
        self.warp_to(now.saturating_add(time))
    }

    // --- Transactions.

    /// Runs a transaction, and keeps what it did if all its instructions succeeded. Otherwise only
    /// the fee is kept.
    ///
    /// A list of instructions is a transaction without a payer.
    pub fn send(&mut self, transaction: impl Into<Transaction>) -> TransactionOutcome {
        let transaction = transaction.into();
        let message = Message::new(&transaction);
        let before = before(&self.state, &message);
        let context = self.context();
        let executed = execute(&context, &mut self.loaded, &transaction, &message, before);
        // The state can change in its place only while the context does not share it.
        drop(context);
        let mut outcomes = [executed.outcome];
        let changed = outcomes[0].changes();
        let changes = changed.map(|account| (account.key, account.after.clone()));
        let committed = self.commit(changes, [transaction], &outcomes);
        let [outcome] = &mut outcomes;
        if let Err(error) = committed {
            outcome.not_stored(&error);
        }
        let [outcome] = outcomes;
        outcome
    }

    /// The last transactions that the ledger ran, at most this many, the oldest first. Failed
    /// transactions are among them.
    ///
    /// A ledger with a file keeps all of them. A ledger in memory keeps the last 1,000. The history
    /// is not part of a [snapshot](Self::snapshot).
    ///
    /// # Errors
    ///
    /// [`StorageError`] if the ledger has a file that cannot be read.
    pub fn history(&self, most: usize) -> Result<Vec<TransactionRecord>, StorageError> {
        match &self.storage {
            Some(storage) => storage.last_records(most),
            None => Ok(self.recent.last(most)),
        }
    }

    /// Runs transactions on all cores. The outcomes are in the order of the transactions. They are
    /// the same as if [`send`](Self::send) had run one after the other, and so is the ledger after
    /// it.
    ///
    /// Transactions that share no account run at the same time, and so do those that only read an
    /// account that they share. A transaction that lists an account waits for the last one before
    /// it that lists the account as writable.
    ///
    /// If the ledger has a file, it stores all changes at once: all transactions are in the file,
    /// or none.
    ///
    /// The threads are those of the current `rayon` pool.
    ///
    /// ```
    /// use ledger::{AccountMeta, Instruction, Ledger, Pubkey, Transaction};
    ///
    /// let mut ledger = Ledger::new();
    /// let people: Vec<Pubkey> = (1..=10).map(|byte| Pubkey::new([byte; 32])).collect();
    /// for person in &people {
    ///     ledger.airdrop(*person, 1_000_000_000)?;
    /// }
    /// // Each sends 5 kelvins to the next one.
    /// let data = [2_u32.to_le_bytes().as_slice(), &5_u64.to_le_bytes()].concat();
    /// let transfers = people.windows(2).map(|pair| {
    ///     let instruction = Instruction::new(loader::ids::SYSTEM_PROGRAM)
    ///         .account(AccountMeta::writable_signer(pair[0]))
    ///         .account(AccountMeta::writable(pair[1]))
    ///         .data(data.clone());
    ///     Transaction::new([instruction])
    /// });
    /// let outcomes = ledger.run_batch(transfers);
    /// assert!(outcomes.len() == 9 && outcomes.iter().all(|outcome| outcome.is_success()));
    /// assert_eq!(ledger.kelvins(&people[9]), 1_000_000_005);
    /// # Ok::<(), ledger::StorageError>(())
    /// ```
    pub fn run_batch(
        &mut self,
        transactions: impl IntoIterator<Item = Transaction>,
    ) -> Vec<TransactionOutcome> {
        let transactions: Vec<Transaction> = transactions.into_iter().collect();
        let (mut outcomes, changes) = batch::run(&self.context(), &self.state, &transactions);
        if let Err(error) = self.commit(changes, transactions, &outcomes) {
            for outcome in &mut outcomes {
                outcome.not_stored(&error);
            }
        }
        outcomes
    }

    /// Runs a transaction without keeping anything.
    pub fn simulate(&self, transaction: impl Into<Transaction>) -> TransactionOutcome {
        let transaction = transaction.into();
        let message = Message::new(&transaction);
        let before = before(&self.state, &message);
        let loaded = &mut Loaded::default();
        execute(&self.context(), loaded, &transaction, &message, before).outcome
    }

    fn context(&self) -> Arc<Context> {
        Arc::new(Context {
            settings: self.settings,
            programs: Arc::clone(&self.programs),
            sysvars: Arc::clone(&self.state.sysvars),
            view: Arc::clone(&self.state) as Arc<dyn View>,
        })
    }

    // --- Snapshots.

    /// The accounts and sysvars as they are now. It takes the same short time whatever the number
    /// of accounts, because the snapshot shares them with the ledger.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        Snapshot(Arc::clone(&self.state))
    }

    /// Sets the accounts and sysvars to those of a snapshot.
    ///
    /// # Errors
    ///
    /// [`StorageError`] if the ledger has a file that cannot be written.
    pub fn restore(&mut self, snapshot: &Snapshot) -> Result<(), StorageError> {
        self.replace(Arc::clone(&snapshot.0))
    }

    // --- The places where the state changes.

    /// Stores changes of accounts and the transactions that made them, and then applies them.
    fn commit(
        &mut self,
        changes: impl IntoIterator<Item = Change> + Send,
        transactions: impl IntoIterator<Item = Transaction, IntoIter: ExactSizeIterator + Send>,
        outcomes: &[TransactionOutcome],
    ) -> Result<(), StorageError> {
        let first_number = self.last_number + 1;
        let transactions = transactions.into_iter();
        let count = transactions.len();
        let clock = self.state.sysvars.clock;
        let numbered = (first_number..).zip(transactions.zip(outcomes));
        let Some(storage) = &self.storage else {
            // The history forgets the others at once.
            let forgotten = count.saturating_sub(KEPT_IN_MEMORY);
            let Self { recent, state, .. } = self;
            let add = || {
                for (number, (transaction, outcome)) in numbered.skip(forgotten) {
                    recent.add(number, &clock, transaction, outcome);
                }
            };
            let apply = || Arc::make_mut(state).apply(changes);
            match count {
                0 | 1 => (add(), apply()),
                _ => rayon::join(add, apply),
            };
            self.last_number += count as u64;
            return Ok(());
        };
        let records = numbered.map(|(number, (transaction, outcome))| {
            TransactionRecord::new(number, &clock, transaction, outcome)
        });
        let records: Vec<TransactionRecord> = records.collect();
        let changes: Vec<Change> = changes.into_iter().collect();
        let accounts = changes.iter().map(|(key, after)| AccountWrite {
            key: *key,
            before: self
                .state
                .accounts
                .get(&Address::from(key))
                .map(|account| &**account),
            after: after.as_deref(),
        });
        storage.write(&Write {
            accounts: accounts.collect(),
            sysvars: None,
            records: &records,
        })?;
        self.last_number += count as u64;
        Arc::make_mut(&mut self.state).apply(changes);
        Ok(())
    }

    /// Stores what differs in a new state, and then takes it.
    fn replace(&mut self, state: Arc<State>) -> Result<(), StorageError> {
        if let Some(storage) = &self.storage {
            let accounts = self.state.accounts.diff(&state.accounts);
            let accounts = accounts.map(|item| match item {
                DiffItem::Add(_, after) => AccountWrite::new(None, after),
                DiffItem::Update { old, new } => AccountWrite::new(Some(old.1), new.1),
                DiffItem::Remove(_, before) => AccountWrite {
                    key: before.key,
                    before: Some(&**before),
                    after: None,
                },
            });
            storage.write(&Write {
                accounts: accounts.collect(),
                sysvars: Some(&state.sysvars),
                records: &[],
            })?;
        }
        self.state = state;
        Ok(())
    }
}

impl Clone for Ledger {
    fn clone(&self) -> Self {
        Self {
            state: Arc::clone(&self.state),
            settings: self.settings,
            programs: Arc::clone(&self.programs),
            recent: self.recent.clone(),
            last_number: self.last_number,
            storage: None,
            loaded: Loaded::default(),
        }
    }
}

impl Default for Ledger {
    fn default() -> Self {
        Self::new()
    }
}

/// The accounts of a message, before its transaction.
fn before<'a>(
    state: &'a State,
    message: &'a Message,
) -> impl Iterator<Item = Option<Arc<Account>>> + 'a {
    let accounts = message.accounts.iter();
    accounts.map(|account| state.account(&account.key))
}

/// The loader of a ledger that names none.
fn interpreter() -> Loader {
    let loader = Loader::new(Engine::Interpreter).expect("the interpreter runs everywhere");
    loader.as_on(Runtime::Rialo)
}
