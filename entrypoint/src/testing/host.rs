//! What a function can ask for in a unit test: the sysvars, other programs, other accounts.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;
use std::rc::Rc;
use std::string::String;
use std::thread_local;
use std::vec::Vec;

use abi::host::{Account, Sysvars};
use abi::imports::MAX_ARGUMENTS;
use abi::{ProgramResult, Pubkey};

use super::{ProcessedInstruction, system};
use crate::AccountInfo;

/// The host of a unit test: what a function can ask for, and a record of what it did.
///
/// Without one, a test has [`Host::new`]: its sysvars, and no program to call but the system
/// program.
///
/// ```
/// use entrypoint::sysvar::{Clock, Sysvar};
/// use entrypoint::testing::{AccountInput, Host, Invocation, Sysvars};
/// use entrypoint::{
///     AccountInfo, AccountMeta, Instruction, ProgramError, ProgramResult, Pubkey, invoke,
/// };
///
/// /// Asks the program of the second account to count the seconds into the first.
/// fn process_instruction(_: &Pubkey, accounts: &[AccountInfo], _: &[u8]) -> ProgramResult {
///     let [counter, program] = accounts else { return Err(ProgramError::NotEnoughAccountKeys) };
///     let seconds = Clock::get()?.unix_timestamp_ms / 1_000;
///     let instruction = Instruction {
///         program_id: program.key(),
///         accounts: &[AccountMeta::writable(counter.key())],
///         data: &[seconds as u8],
///     };
///     invoke(&instruction, &[counter])
/// }
///
/// /// The function of the other program: its own, or one that stands in for it.
/// fn count(_: &Pubkey, accounts: &[AccountInfo], data: &[u8]) -> ProgramResult {
///     accounts[0].try_borrow_mut_data()?[0] += data[0];
///     Ok(())
/// }
///
/// let counter = Pubkey::new([8; 32]);
/// let clock = Clock { unix_timestamp_ms: 7_000, ..Clock::default() };
/// let host = Host::new().sysvars(Sysvars::default().clock(clock)).program(counter, count);
/// let invocation = Invocation::new(Pubkey::new([1; 32]))
///     .account(AccountInput::new(Pubkey::new([2; 32])).data([30]).writable())
///     .account(AccountInput::new(counter).executable());
///
/// let (outcome, record) = host.run(|| invocation.run(process_instruction));
/// assert_eq!(outcome.result, Ok(()));
/// assert_eq!(outcome.accounts[0].data, [37]);
/// assert_eq!(record.calls[0].data, [7]);
/// ```
#[derive(Clone)]
pub struct Host {
    pub(crate) sysvars: Sysvars,
    /// The instructions before the invocation, the oldest first.
    pub(super) processed: Vec<ProcessedInstruction>,
    own_sysvars: HashMap<Pubkey, Vec<u8>>,
    accounts: HashMap<Pubkey, Account>,
    programs: HashMap<Pubkey, Function>,
    syscalls: HashMap<String, Syscall>,
}

/// The function of a program that others call.
pub(super) type Function =
    Rc<dyn for<'a> Fn(&'a Pubkey, &'a [AccountInfo<'a>], &'a [u8]) -> ProgramResult>;

/// A syscall of an embedder's.
type Syscall = Rc<dyn Fn([u64; MAX_ARGUMENTS]) -> u64>;

/// What a function did during [`Host::run`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Record {
    /// The calls of other programs, in order; those of called programs too.
    pub calls: Vec<RecordedCall>,
    /// The events of [`log_data`](crate::log_data) and [`emit`](crate::emit): the parts of each.
    pub events: Vec<Vec<Vec<u8>>>,
    /// The log lines, which go to standard output too.
    pub logs: Vec<String>,
}

/// A call of another program.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecordedCall {
    /// The program that called.
    pub caller: Pubkey,
    /// The program that was called.
    pub program_id: Pubkey,
    /// The accounts that it got.
    pub accounts: Vec<RecordedAccount>,
    /// The instruction data.
    pub data: Vec<u8>,
    /// The derived addresses that signed by their seeds.
    pub signers: Vec<Pubkey>,
}

/// An account of a recorded call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecordedAccount {
    /// The key of the account.
    pub key: Pubkey,
    /// Whether the instruction lists it as a signer.
    pub is_signer: bool,
    /// Whether the instruction lets the called program change it.
    pub is_writable: bool,
}

/// The host of the current thread, and its record.
#[derive(Default)]
pub(crate) struct Current {
    pub(crate) host: Host,
    pub(crate) record: Record,
    /// The programs that wait for the current one, the first one first.
    pub(super) callers: Vec<Pubkey>,
    /// The calls that have ended, those of the current program last: one list for each that waits.
    pub(super) processed: Vec<Vec<ProcessedInstruction>>,
}

impl Current {
    /// Returns the depth of the current call.
    pub(crate) fn depth(&self) -> u64 {
        self.callers.len() as u64 + 1
    }
}

thread_local! {
    static CURRENT: RefCell<Current> = RefCell::default();
}

/// Calls `function` with the host of this thread. It must not call the author's code.
pub(crate) fn with_current<R>(function: impl FnOnce(&mut Current) -> R) -> R {
    CURRENT.with_borrow_mut(function)
}

impl Host {
    /// A host with the default [`Sysvars`] and the system program. There are no other programs and
    /// no accounts.
    #[must_use]
    pub fn new() -> Self {
        Self {
            sysvars: Sysvars::default(),
            processed: Vec::new(),
            own_sysvars: HashMap::new(),
            accounts: HashMap::new(),
            programs: HashMap::new(),
            syscalls: HashMap::new(),
        }
        .program(crate::system::ID, system::process_instruction)
    }

    /// Sets the sysvars that have a type.
    ///
    /// ```
    /// use entrypoint::sysvar::{Clock, Sysvar, random_seed};
    /// use entrypoint::testing::{Host, Sysvars};
    ///
    /// let sysvars = Sysvars::default()
    ///     .clock(Clock { slot: 5, ..Clock::default() })
    ///     .random_seed(6);
    /// Host::new().sysvars(sysvars).run(|| {
    ///     assert_eq!(Clock::get().unwrap().slot, 5);
    ///     assert_eq!(random_seed(), Ok(6));
    /// });
    /// ```
    #[must_use]
    pub fn sysvars(mut self, sysvars: Sysvars) -> Self {
        self.sysvars = sysvars;
        self
    }

    /// Adds an instruction of the transaction that was processed before, for
    /// [`processed_sibling`](crate::instructions::processed_sibling). Add the oldest one first.
    #[must_use]
    pub fn processed(mut self, instruction: ProcessedInstruction) -> Self {
        self.processed.push(instruction);
        self
    }

    /// Sets the data of a sysvar that [`get_sysvar`](crate::sysvar::get_sysvar) reads: one without a
    /// type of its own, or another text than that of the typed value.
    #[must_use]
    pub fn sysvar(mut self, id: Pubkey, data: impl Into<Vec<u8>>) -> Self {
        self.own_sysvars.insert(id, data.into());
        self
    }

    /// Lets functions load this account with [`load_account`](crate::load_account).
    #[must_use]
    pub fn account(mut self, account: Account) -> Self {
        self.accounts.insert(account.key, account);
        self
    }

    /// Lets functions call this program by its id. The function gets accounts of its own, and the
    /// host writes its changes into those of the caller if it succeeds.
    ///
    /// It may be the program's own function, or a closure that checks what it gets.
    #[must_use]
    pub fn program(
        mut self,
        program_id: Pubkey,
        function: impl for<'a> Fn(&'a Pubkey, &'a [AccountInfo<'a>], &'a [u8]) -> ProgramResult
        + 'static,
    ) -> Self {
        self.programs.insert(program_id, Rc::new(function));
        self
    }

    /// Lets functions make this syscall of an embedder's, which they declare with
    /// [`declare_syscalls!`](crate::declare_syscalls!). The closure gets the arguments as numbers,
    /// and zeroes after them. What it returns has no meaning if the syscall returns nothing.
    #[must_use]
    pub fn syscall(
        mut self,
        name: &str,
        function: impl Fn([u64; MAX_ARGUMENTS]) -> u64 + 'static,
    ) -> Self {
        self.syscalls.insert(name.into(), Rc::new(function));
        self
    }

    /// Makes this the host of the thread while `function` runs. Returns its result, and what it
    /// did.
    ///
    /// # Panics
    ///
    /// If `function` panics. In it, [`invoke`](crate::invoke) panics for a call that the loader
    /// would not make: of a program that the host does not have, with an account that is not
    /// passed on, or with rights that the caller does not have.
    pub fn run<R>(&self, function: impl FnOnce() -> R) -> (R, Record) {
        /// Brings the previous host back, after a panic too.
        struct Restore(Option<Current>);
        impl Drop for Restore {
            fn drop(&mut self) {
                if let Some(previous) = self.0.take() {
                    CURRENT.set(previous);
                }
            }
        }

        let current = Current {
            host: self.clone(),
            ..Current::default()
        };
        let restore = Restore(Some(CURRENT.replace(current)));
        let result = function();
        let record = CURRENT.with_borrow_mut(|current| core::mem::take(&mut current.record));
        drop(restore);
        (result, record)
    }

    /// Returns the data of a sysvar's account.
    pub(crate) fn sysvar_data(&self, id: &Pubkey) -> Option<Vec<u8>> {
        let own = self.own_sysvars.get(id).cloned();
        own.or_else(|| self.sysvars.data(id))
    }

    /// Returns the syscall of an embedder's with this name.
    pub(crate) fn find_syscall(&self, name: &str) -> Option<Syscall> {
        self.syscalls.get(name).cloned()
    }

    /// Returns the account with this key.
    pub(crate) fn find_account(&self, key: &Pubkey) -> Option<&Account> {
        self.accounts.get(key)
    }

    /// Returns the program with this id.
    pub(super) fn find_program(&self, program_id: &Pubkey) -> Option<Function> {
        self.programs.get(program_id).cloned()
    }
}

impl Default for Host {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Host")
            .field("sysvars", &self.sysvars)
            .field("accounts", &self.accounts)
            .field("programs", &self.programs.keys())
            .finish_non_exhaustive()
    }
}
