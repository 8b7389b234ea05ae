//! What a program can reach beyond its own input: other programs, accounts, the sysvars.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, LazyLock};

use abi::Pubkey;

use crate::account::Account;
use crate::builtin::Builtin;
use crate::processed::ProcessedInstruction;
use crate::program::Program;
use crate::sysvars::Sysvars;

/// What programs can reach beyond their own input.
///
/// [`Environment`] is a ready-made one. Implement the trait for a host that finds its programs and
/// accounts in a database. A call that two threads make at once must not block either of them for
/// long, because a program waits for it.
pub trait Host: Send + Sync + 'static {
    /// The sysvars.
    fn sysvars(&self) -> &Sysvars;

    /// Returns the program with this id, for a program that calls it; `None` if there is none, or
    /// if the host does not allow the call.
    ///
    /// The caller need not list the program's account, as on the Rialo runtime.
    ///
    /// By default there is none.
    fn find_program(&self, program_id: &Pubkey) -> Option<Callee> {
        let _ = program_id;
        None
    }

    /// Returns the account with this key, for a program that loads an account which its
    /// instruction does not list; `None` if there is none.
    ///
    /// The program gets it as the host has it. The changes of the current invocation are not in it,
    /// not even if the instruction lists the account.
    ///
    /// By default there is none.
    fn find_account(&self, key: &Pubkey) -> Option<Account> {
        let _ = key;
        None
    }

    /// Returns an instruction of the transaction that was processed before the invocation, for a
    /// program that the host calls and that asks for it; `None` if there are fewer. 0 is the newest
    /// one.
    ///
    /// The loader itself knows the calls that programs make within the invocation.
    ///
    /// By default there is none.
    fn processed_instruction(&self, index: u64) -> Option<Arc<ProcessedInstruction>> {
        let _ = index;
        None
    }
}

/// A program that another can call.
#[derive(Clone)]
#[non_exhaustive]
pub enum Callee {
    /// A program that a loader has loaded, on any engine.
    Program(Program),
    /// A program that is part of the host.
    Builtin(Arc<dyn Builtin>),
}

impl From<Program> for Callee {
    fn from(program: Program) -> Self {
        Self::Program(program)
    }
}

impl fmt::Debug for Callee {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Program(program) => formatter.debug_tuple("Program").field(program).finish(),
            Self::Builtin(_) => formatter.debug_tuple("Builtin").finish_non_exhaustive(),
        }
    }
}

/// A [`Host`] whose parts are set once.
///
/// ```
/// use loader::{Account, Builtin, BuiltinCall, Environment, Failure, Host, Pubkey};
///
/// /// Accepts every call.
/// struct Accept;
///
/// impl Builtin for Accept {
///     fn call(&self, call: &mut BuiltinCall<'_>) -> Result<(), Failure> {
///         call.use_gas(150)
///     }
/// }
///
/// let host = Environment::new()
///     .builtin(Pubkey::new([7; 32]), Accept)
///     .account(Account { key: Pubkey::new([8; 32]), kelvins: 5, ..Account::default() });
/// assert!(host.find_program(&Pubkey::new([7; 32])).is_some());
/// assert_eq!(host.find_account(&Pubkey::new([8; 32])).map(|account| account.kelvins), Some(5));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Environment {
    sysvars: Sysvars,
    programs: HashMap<Pubkey, Callee>,
    accounts: HashMap<Pubkey, Account>,
    /// The oldest first.
    processed: Vec<Arc<ProcessedInstruction>>,
}

impl Environment {
    /// A host without programs and accounts, with default sysvars.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets programs call this one by its id. It replaces the program that had the id before.
    #[must_use]
    pub fn program(mut self, program_id: Pubkey, program: Program) -> Self {
        self.programs.insert(program_id, Callee::Program(program));
        self
    }

    /// Lets programs call a program that is part of the host. It replaces the program that had the
    /// id before.
    #[must_use]
    pub fn builtin(mut self, program_id: Pubkey, builtin: impl Builtin) -> Self {
        let callee = Callee::Builtin(Arc::new(builtin));
        self.programs.insert(program_id, callee);
        self
    }

    /// Lets programs load this account. It replaces the account that had the key before.
    #[must_use]
    pub fn account(mut self, account: Account) -> Self {
        self.accounts.insert(account.key, account);
        self
    }

    /// Adds an instruction of the transaction that was processed before the invocation. Add the
    /// oldest one first.
    ///
    /// ```
    /// use loader::{Environment, Host, ProcessedInstruction};
    ///
    /// let [first, second] = [1, 2].map(|byte| ProcessedInstruction {
    ///     data: vec![byte],
    ///     ..ProcessedInstruction::default()
    /// });
    /// let host = Environment::new().processed(first).processed(second.clone());
    /// assert_eq!(host.processed_instruction(0).as_deref(), Some(&second));
    /// assert_eq!(host.processed_instruction(2), None);
    /// ```
    #[must_use]
    pub fn processed(mut self, instruction: ProcessedInstruction) -> Self {
        self.processed.push(Arc::new(instruction));
        self
    }

    /// Sets the sysvars.
    #[must_use]
    pub fn sysvars(mut self, sysvars: Sysvars) -> Self {
        self.sysvars = sysvars;
        self
    }
}

impl Host for Environment {
    fn sysvars(&self) -> &Sysvars {
        &self.sysvars
    }

    fn find_program(&self, program_id: &Pubkey) -> Option<Callee> {
        self.programs.get(program_id).cloned()
    }

    fn find_account(&self, key: &Pubkey) -> Option<Account> {
        self.accounts.get(key).cloned()
    }

    fn processed_instruction(&self, index: u64) -> Option<Arc<ProcessedInstruction>> {
        let place = usize::try_from(index).ok()?.checked_add(1)?;
        let place = self.processed.len().checked_sub(place)?;
        Some(Arc::clone(&self.processed[place]))
    }
}

/// The host of an invocation that names none.
pub(crate) fn default_host() -> &'static Arc<dyn Host> {
    static HOST: LazyLock<Arc<dyn Host>> = LazyLock::new(|| Arc::new(Environment::default()));
    &HOST
}
