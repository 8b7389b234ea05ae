//! Runs programs: maps their memory, meters their gas, checks their changes, reports the outcome.
//!
//! | type | what it is |
//! |---|---|
//! | [`Loader`] | an engine, and the [`Limits`] of every program and invocation |
//! | [`Program`] | a loaded program, ready to be called any number of times |
//! | [`Invocation`] | program id, accounts, instruction data, heap size, gas |
//! | [`Outcome`] | status, failure, gas, heap, logs, return data, accounts afterwards, calls |
//! | [`Host`] | the programs, the accounts and the sysvars that a program can reach |
//! | [`sysvars`] | the clock, the rent and what else a program can ask about its chain |
//! | [`SystemProgram`] | the program of the host that creates accounts and moves kelvins |
//! | [`Prices`] | what syscalls cost: see `docs/syscalls.md` |
//! | [`Runtime`] | limits, prices and log lines of a published runtime: see `docs/runtime.md` |
//! | [`Program::run_batch`] | many invocations at once, on all cores |
//! | [`profile`] | where the gas of an invocation goes, and how its heap fills |
//!
//! ```
//! use loader::{AccountInput, Engine, Invocation, Loader, Pubkey};
//!
//! // The bytes of a blob: those of a file that `cargo entrypoint build` has written, or, as here,
//! // of a program crate that is built now.
//! let blob = program_test::build("../examples/counter");
//! let program = Loader::new(Engine::Interpreter)?.load(&blob)?;
//!
//! let program_id = Pubkey::new([1; 32]);
//! let counter = AccountInput::new(Pubkey::new([2; 32]))
//!     .owner(program_id)
//!     .data(41_u64.to_le_bytes())
//!     .writable();
//! let outcome = program.invoke(&Invocation::new(program_id).account(counter).gas(10_000))?;
//!
//! assert!(outcome.is_success());
//! assert_eq!(outcome.accounts[0].data, 42_u64.to_le_bytes());
//! assert_eq!(outcome.logs, ["count: 42"]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! `docs/embedding.md` is a longer walk.
//!
//! # What an invocation is
//!
//! The program gets fresh memory: its own data as linked, a zeroed heap right above it, the
//! serialized input on the next page, a stack. The loader reuses instances, but resets each as soon
//! as its invocation has ended, so nothing is left of earlier invocations. Each instruction costs
//! one unit of gas. Syscalls cost more, by the bytes they touch. Both engines of PolkaVM count the
//! same.
//!
//! # What is kept
//!
//! A program that fails, traps, panics or runs out of gas changes nothing. After a success, the
//! loader checks every change before it keeps any:
//!
//! - only writable accounts change;
//! - only an account's owner changes its data, takes kelvins from it or gives it to another
//!   program, and the last only if its data is all zero;
//! - data grows by 10,240 bytes at most, and is 10 MiB long at most;
//! - key, flags and rent epoch stay, and a repeat stays the repeat it was;
//! - the sum of all kelvins stays.
//!
//! One change that is not allowed rejects them all. [`Failure::WriteBack`] has the
//! [`WriteBackError`] that names the rule, and the account by its index and its key. The loader
//! checks the accounts in the order of the list, and the rules for each account in this order. So
//! if several rules are broken, it always reports the same one:
//!
//! | of | rule | error |
//! |---|---|---|
//! | a first occurrence | data grows by 10,240 bytes at most | [`DataGrewTooMuch`](WriteBackError::DataGrewTooMuch) |
//! | | data is 10 MiB long at most | [`DataTooLong`](WriteBackError::DataTooLong) |
//! | | the key stays | [`KeyChanged`](WriteBackError::KeyChanged) |
//! | | the signer flag stays | [`SignerFlagChanged`](WriteBackError::SignerFlagChanged) |
//! | | the writable flag stays | [`WritableFlagChanged`](WriteBackError::WritableFlagChanged) |
//! | | the executable flag stays | [`ExecutableChanged`](WriteBackError::ExecutableChanged) |
//! | | the rent epoch stays | [`RentEpochChanged`](WriteBackError::RentEpochChanged) |
//! | one that is not writable | data, kelvins and owner stay | [`AccountNotWritable`](WriteBackError::AccountNotWritable) |
//! | one of another program | the owner stays | [`ReassignedByNonOwner`](WriteBackError::ReassignedByNonOwner) |
//! | | the data stays | [`DataChangedByNonOwner`](WriteBackError::DataChangedByNonOwner) |
//! | | kelvins do not become less | [`DebitedByNonOwner`](WriteBackError::DebitedByNonOwner) |
//! | one with a new owner | data is all zero | [`ReassignedWithData`](WriteBackError::ReassignedWithData) |
//! | a repeat | it is the repeat that it was | [`RepeatChanged`](WriteBackError::RepeatChanged) |
//! | all accounts, last | the sum of kelvins stays | [`KelvinsNotConserved`](WriteBackError::KelvinsNotConserved) |
//!
//! # Programs that call programs
//!
//! [`Program::invoke_with`] takes a [`Host`]: what a program can reach beyond its own input. The
//! host finds a [`Callee`] by its id, which is a [`Program`] of any loader and engine, or a
//! [`Builtin`] in Rust. [`Environment`] is a host whose parts are set once.
//!
//! At each call the loader
//!
//! 1. reads the caller's structures, which [`abi::call`] describes, and checks that the caller
//!    gives no rights away that it does not have;
//! 2. judges the caller's changes to the listed accounts by the rules above;
//! 3. runs the callee in an instance of its own, with these accounts as they are now and the gas
//!    that remains;
//! 4. judges the callee's changes by the same rules, with the callee's id;
//! 5. writes them into the caller's input. From here on, the caller is judged by them.
//!
//! A call that breaks a rule ends the caller: [`InvalidCall`] names the rule. A callee that fails
//! ends all its callers, and nothing is kept: [`Failure::Called`] has its id, its depth and its
//! failure. [`Outcome::calls`] lists the calls. `docs/decisions/0022-calls.md` has the reasons.
//!
//! # What a blob is
//!
//! [`Loader::inspect`] reports what a blob contains and what the program needs, without running it:
//! see [`inspect`].
//!
//! # Under every limit
//!
//! [`sweep`] calls a program with every limit of gas and heap, and reports the first limit at which
//! the outcome is neither complete nor a clean error.
//!
//! # Other targets
//!
//! [`backend`] describes how the loader runs programs, and how to add a target of your own.
//!
//! # Errors
//!
//! [`LoadError`] and [`InvocationError`] report why a program was not called, and [`Failure`] why a
//! program that ran changed nothing. All are data, with a stable [`kind`](Failure::kind) and a text
//! for people.
//!
//! # Features
//!
//! | feature | brings |
//! |---|---|
//! | `serde` | `Serialize` for outcomes, in the shape in which `cargo entrypoint run --json` prints them, and for what they consist of; `Serialize` and `Deserialize` for invocations and accounts |
//! | `crypto` (on by default) | the syscalls of cryptography: `rlo_secp256k1_recover`, `rlo_curve_…`, `rlo_alt_bn128_…`, `rlo_poseidon`, `rlo_big_mod_exp` |
//! | `fixture` (on by default) | [`fixture`]: invocations, and what is expected of them, from TOML |
#![forbid(unsafe_code)]

// Any thread may use these handles.
const _: () = {
    const fn is_shared<T: Clone + Send + Sync>() {}
    is_shared::<Loader>();
    is_shared::<Program>();
};

mod account;
pub mod backend;
mod builtin;
mod compare;
mod contract;
pub mod coverage;
mod custom_error;
pub mod debug;
pub mod deploy;
pub mod display;
mod engine;
mod error;
#[cfg(feature = "fixture")]
pub mod fixture;
#[cfg(feature = "wasm")]
pub mod handler;
mod host;
pub mod inspect;
mod invocation;
mod invoke;
mod limits;
mod log_style;
mod outcome;
mod own_syscall;
mod prices;
mod processed;
pub mod profile;
mod program;
mod runtime;
mod settings;
pub mod sweep;
mod syscall_set;
mod system_program;
pub mod sysvars;
#[cfg(feature = "serde")]
mod text;
mod transaction_use;

pub use abi::call::AccountMeta;
pub use abi::contract::Contract;
pub use abi::{ParsePubkeyError, ProgramError, Pubkey, ids};

pub use crate::account::{Account, AccountEntry, AccountInput, Data};
pub use crate::backend::polkavm::{DEFAULT_IDLE_INSTANCES, DEFAULT_IDLE_PROCESSES};
pub use crate::builtin::{Builtin, BuiltinCall};
pub use crate::custom_error::CustomError;
pub use crate::engine::{Engine, Target};
pub use crate::error::{
    Access, Failure, InvalidCall, InvocationError, LoadError, SourceLocation, WriteBackError,
};
pub use crate::host::{Callee, Environment, Host};
pub use crate::invocation::Invocation;
pub use crate::limits::{DEFAULT_GAS, Limits};
pub use crate::log_style::{LogStyle, logged_text};
pub use crate::outcome::{CallRecord, HeapUse, Outcome, status_text};
pub use crate::own_syscall::{Parameter, Signature, SyscallCall};
pub use crate::prices::{AltBn128Prices, BigModExpPrice, CurvePrices, Price, Prices, SquarePrice};
pub use crate::processed::ProcessedInstruction;
pub use crate::program::{Loader, Program};
pub use crate::runtime::{Runtime, UnknownRuntime};
pub use crate::system_program::SystemProgram;
pub use crate::sysvars::Sysvars;
pub use crate::transaction_use::TransactionUse;

/// The examples of `docs/embedding.md` run as doctests of this crate.
#[cfg(doctest)]
#[doc = include_str!("../../docs/embedding.md")]
struct Embedding;

/// The examples of `docs/syscalls.md` run as doctests of this crate.
#[cfg(doctest)]
#[doc = include_str!("../../docs/syscalls.md")]
struct SyscallPage;

/// The example of `docs/handlers.md` runs as a doctest of this crate.
#[cfg(doctest)]
#[doc = include_str!("../../docs/handlers.md")]
struct Handlers;
