//! Tests of programs on a ledger: see [`TestLedger`].

mod account;
pub(crate) mod diff;
mod each_target;
mod outcome;
mod program;

use std::collections::HashMap;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::path::{Path, PathBuf};

use ledger::{Account, Describe, Ledger, Names, Pubkey, Transaction};
use loader::display::thousands;
use loader::{Engine, ProgramError, Runtime};
use program_build::custom_errors::CustomErrors;
use program_build::workspace;

use crate::coverage::WriteOnDrop;
use crate::loaded;
pub use account::AccountAssertion;
pub use each_target::for_each_target;
pub use outcome::TestOutcome;
pub use program::TestProgram;

/// A [`Ledger`] for tests: it builds programs before it deploys them, and outcomes and accounts
/// have assertions. Messages have names instead of keys, and the names of custom errors.
///
/// ```
/// use program_test::{AccountMeta, Instruction, TestLedger, key, program};
///
/// let mut ledger = TestLedger::new();
/// let counter = ledger.deploy(program!("../examples/counter"));
/// let apples = ledger.create(key("apples"), counter, 41_u64);
///
/// let count = Instruction::new(counter).account(AccountMeta::writable(apples));
/// ledger.send([count.clone(), count]).assert_success();
///
/// ledger.assert_account(apples).owner(counter).data_as(43_u64);
/// ```
#[derive(Clone, Debug)]
pub struct TestLedger {
    ledger: Ledger,
    known: Known,
    programs: Vec<DeployedProgram>,
    /// What each transaction did, apart from what depends on the target.
    transcript: Vec<String>,
    /// The last field, so that it is dropped after the ledger.
    _write: WriteOnDrop,
}

/// A program that was built and deployed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeployedProgram {
    /// Its id.
    pub program_id: Pubkey,
    /// The folder of its package.
    pub folder: PathBuf,
}

/// What people call the things in messages.
#[derive(Clone, Default)]
pub(crate) struct Known {
    names: Names,
    errors: HashMap<Pubkey, CustomErrors>,
    /// Shown behind "on the"; `None` if the test runs on one engine only.
    engine: Option<Engine>,
}

impl Describe for Known {
    fn names(&self) -> &Names {
        &self.names
    }

    fn custom_error(&self, program_id: &Pubkey, code: u32) -> Option<String> {
        self.errors_of(program_id)?.describe(code)
    }
}

impl Known {
    fn errors_of(&self, program_id: &Pubkey) -> Option<&CustomErrors> {
        self.errors.get(program_id)
    }

    /// The engine, for the first line of a message.
    fn place(&self) -> String {
        let engine = self
            .engine
            .map(|engine| format!(", on the {engine} engine"));
        engine.unwrap_or_default()
    }

    /// An error of a program, with its name if it is known.
    fn show_error(&self, program_id: &Pubkey, error: ProgramError) -> String {
        let name = match error {
            ProgramError::Custom(code) => self.custom_error(program_id, code),
            _ => None,
        };
        name.map_or_else(|| format!("{error:?}"), |name| format!("{error:?}: {name}"))
    }
}

impl fmt::Debug for Known {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.names.fmt(formatter)
    }
}

impl TestLedger {
    /// A ledger in memory, whose programs run on PolkaVM's interpreter.
    #[must_use]
    pub fn new() -> Self {
        Self::on(Engine::Interpreter)
    }

    /// A ledger in memory, whose programs run on this engine. For the native engine it builds the
    /// runner of native programs, below the target folder of the package in the current folder.
    ///
    /// # Panics
    ///
    /// If the engine does not run on this computer.
    #[must_use]
    pub fn on(engine: Engine) -> Self {
        let target_folder = match engine {
            Engine::Native => workspace::target_folder(Path::new(".")),
            _ => Ok(PathBuf::new()),
        };
        let loader =
            target_folder.and_then(|folder| loaded::loader(engine, Runtime::Rialo, &folder));
        let loader = loader.unwrap_or_else(|error| {
            panic!("programs cannot run on the {engine} engine: {error:?}")
        });
        Self::from(Ledger::with_loader(loader))
    }

    /// Replaces the ledger by what the function makes of it: for its settings, such as
    /// [`Ledger::fee`].
    ///
    /// ```
    /// use ledger::Fee;
    /// use program_test::TestLedger;
    ///
    /// let mut ledger = TestLedger::new();
    /// ledger.configure(|ledger| ledger.fee(Fee { base: 5_000, per_signer: 0 }));
    /// ```
    pub fn configure(&mut self, change: impl FnOnce(Ledger) -> Ledger) {
        self.ledger = change(std::mem::take(&mut self.ledger));
    }

    /// Builds a program and deploys it. Returns its id: the one that the program has been
    /// [given](TestProgram::id), or else the key of its package's name.
    ///
    /// # Panics
    ///
    /// If the package does not build, or the ledger does not accept it.
    #[track_caller]
    pub fn deploy(&mut self, program: impl Into<TestProgram>) -> Pubkey {
        let program = program.into();
        let engine = self.ledger.loader().engine();
        let package = crate::package(program.folder());
        let program_id = program
            .given_id()
            .unwrap_or_else(|| ledger::key(&package.name));
        let file = loaded::file(&package, engine)
            .unwrap_or_else(|error| panic!("cannot build `{}`: {error:?}", package.name));
        if let Err(error) = self.ledger.deploy(program_id, &file) {
            let error = self.known.names.in_text(&error.to_string());
            panic!("cannot deploy `{}`: {error}", package.name);
        }
        self.known.names.add(program_id, &package.name);
        self.known
            .errors
            .insert(program_id, CustomErrors::of(&file));
        self.programs.retain(|known| known.program_id != program_id);
        self.programs.push(DeployedProgram {
            program_id,
            folder: package.folder,
        });
        program_id
    }

    /// Names a key, such as a derived address, in messages. Keys of [`key`](crate::key) have their
    /// names already. Returns the key.
    pub fn name(&mut self, name: &str, key: Pubkey) -> Pubkey {
        self.known.names.add(key, name);
        key
    }

    /// The names of keys.
    #[must_use]
    pub fn names(&self) -> &Names {
        &self.known.names
    }

    /// The programs that were deployed with [`deploy`](Self::deploy).
    #[must_use]
    pub fn deployed_programs(&self) -> &[DeployedProgram] {
        &self.programs
    }

    /// Makes an account that belongs to this owner, has this data, and the kelvins that its
    /// rent needs. Returns its key.
    ///
    /// The data are any value without padding: a number, an array such as `[0_u8; 48]`, or a struct
    /// that derives [`bytemuck::NoUninit`] or [`bytemuck::Pod`]. For data whose length is not known
    /// before, use [`set_account`](Ledger::set_account).
    ///
    /// # Panics
    ///
    /// If there is an account with this key, such as a program that was deployed there; or if the
    /// ledger has a file that cannot be written.
    #[track_caller]
    pub fn create(&mut self, key: Pubkey, owner: Pubkey, data: impl bytemuck::NoUninit) -> Pubkey {
        self.assert_no_account(key);
        let data = bytemuck::bytes_of(&data).to_vec();
        let account = Account {
            key,
            owner,
            kelvins: self.sysvars().rent.minimum_balance(data.len()),
            data: data.into(),
            ..Account::default()
        };
        self.store(|ledger| ledger.set_account(account));
        key
    }

    /// Gives an account of the system program these kelvins out of nothing. Returns its key.
    ///
    /// # Panics
    ///
    /// If the ledger has a file that cannot be written.
    #[track_caller]
    pub fn fund(&mut self, key: Pubkey, kelvins: u64) -> Pubkey {
        self.store(|ledger| ledger.airdrop(key, kelvins));
        key
    }

    #[track_caller]
    fn store(&mut self, change: impl FnOnce(&mut Ledger) -> Result<(), ledger::StorageError>) {
        if let Err(error) = change(&mut self.ledger) {
            panic!("{error}");
        }
    }

    /// Runs a transaction: see [`Ledger::send`].
    pub fn send(&mut self, transaction: impl Into<Transaction>) -> TestOutcome {
        let outcome = self.ledger.send(transaction);
        self.transcript
            .push(each_target::transcript(&outcome, &self.known));
        TestOutcome::new(outcome, self.known.clone())
    }

    /// Runs a transaction without keeping anything: see [`Ledger::simulate`].
    pub fn simulate(&self, transaction: impl Into<Transaction>) -> TestOutcome {
        TestOutcome::new(self.ledger.simulate(transaction), self.known.clone())
    }

    /// Starts assertions about an account.
    ///
    /// # Panics
    ///
    /// If there is no such account.
    #[track_caller]
    pub fn assert_account(&self, key: Pubkey) -> AccountAssertion<'_> {
        let Some(account) = self.ledger.account(&key) else {
            let name = self.known.names.show(&key);
            panic!("there is no account {name}{}", self.known.place());
        };
        AccountAssertion::new(account, &self.known)
    }

    /// Asserts that there is no account with this key.
    ///
    /// # Panics
    ///
    /// If there is one.
    #[track_caller]
    pub fn assert_no_account(&self, key: Pubkey) {
        if let Some(account) = self.ledger.account(&key) {
            let name = self.known.names.show(&key);
            assert!(
                !account.executable,
                "there is an account {name}{}: it is a program; take another name for one of them",
                self.known.place()
            );
            let kelvins = thousands(account.kelvins);
            let length = thousands(account.data.len());
            let owner = self.known.names.show(&account.owner);
            panic!(
                "there is an account {name}{}: it has {kelvins} kelvins and {length} bytes of \
                 data, and belongs to {owner}",
                self.known.place()
            );
        }
    }

    /// The data of an account as a value.
    ///
    /// # Panics
    ///
    /// If there is no such account, or its data do not have the length of the type.
    #[must_use]
    #[track_caller]
    pub fn data_as<T: bytemuck::AnyBitPattern>(&self, key: Pubkey) -> T {
        self.assert_account(key).read()
    }
}

impl Default for TestLedger {
    fn default() -> Self {
        Self::new()
    }
}

impl From<Ledger> for TestLedger {
    fn from(ledger: Ledger) -> Self {
        let mut known = Known::default();
        let errors = CustomErrors::of_system_program();
        known.errors.insert(loader::ids::SYSTEM_PROGRAM, errors);
        Self {
            ledger,
            known,
            programs: Vec::new(),
            transcript: Vec::new(),
            _write: WriteOnDrop,
        }
    }
}

impl Deref for TestLedger {
    type Target = Ledger;

    fn deref(&self) -> &Ledger {
        &self.ledger
    }
}

impl DerefMut for TestLedger {
    fn deref_mut(&mut self) -> &mut Ledger {
        &mut self.ledger
    }
}
