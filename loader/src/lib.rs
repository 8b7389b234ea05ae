//! Places, runs, meters, checks and reports programs on PolkaVM.
//!
//! | type | what it is |
//! |---|---|
//! | [`Loader`] | an engine, and the limits of every invocation |
//! | [`Program`] | a linked blob, ready to be called any number of times |
//! | [`Invocation`] | program id, accounts, instruction data, heap size, gas |
//! | [`Outcome`] | status, failure, gas, heap, logs, return data, accounts afterwards |
//! | [`Program::run_batch`] | many invocations at once, on all cores |
//! | [`profile`] | where the gas of an invocation goes, and how its heap fills |
//!
//! ```no_run
//! use loader::{AccountInput, Engine, Invocation, Loader, Pubkey};
//!
//! let blob = std::fs::read("target/guest/counter.polkavm")?;
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
//! println!("{} gas, logs: {:?}", outcome.gas_used, outcome.logs);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What an invocation is
//!
//! The program gets fresh memory: its own data as linked, a zeroed heap right above it, the serialized input on
//! the next page, a stack. Nothing is left of earlier invocations, although instances are used again: each is reset as soon as
//! its invocation has ended. Instructions cost one unit of gas each, imports
//! more by the bytes they touch; both engines count the same.
//!
//! # What is kept
//!
//! A program that fails, traps, panics or runs out of gas changes nothing. After a success every change is checked
//! before any is kept:
//!
//! - only writable accounts change;
//! - only an account's owner changes its data, takes kelvins from it or gives it to another program, and the last
//!   only if its data is all zero;
//! - data grows by 10,240 bytes at most, and is 10 MiB long at most;
//! - key, flags and rent epoch stay, and a repeat stays the repeat it was;
//! - the sum of all kelvins stays.
//!
//! One change that is not allowed refuses them all: [`Failure::Refused`] names the rule and the account.
//!
//! # What a blob is
//!
//! [`Loader::inspect`] says what is in a blob, and what the program needs, without running it: see [`inspect`].
//!
//! # Errors
//!
//! [`LoadError`] and [`InvocationError`] say why a program was not called, [`Failure`] why a call came to nothing.
//! All are data, with a stable [`kind`](Failure::kind) and a text for people.
//!
//! # Features
//!
//! | feature | |
//! |---|---|
//! | `serde` | `Serialize` for what JSON shows of an outcome |
//! | `fixture` (on by default) | [`fixture`]: invocations, and what is expected of them, from TOML |
#![forbid(unsafe_code)]

// Both are handles that any thread may have.
const _: () = {
    const fn is_shared<T: Clone + Send + Sync>() {}
    is_shared::<Loader>();
    is_shared::<Program>();
};

mod account;
mod debug_info;
mod diagnosis;
mod error;
mod failure;
#[cfg(feature = "fixture")]
pub mod fixture;
mod guest_memory;
mod imports;
mod input;
pub mod inspect;
mod invocation;
mod limits;
mod outcome;
mod pool;
pub mod profile;
mod program;
mod rules;
mod run;
#[cfg(feature = "serde")]
mod text;
mod write_back;

pub use abi::{ParsePubkeyError, ProgramError, Pubkey};

pub use crate::account::{Account, AccountEntry, AccountInput};
pub use crate::error::{InvocationError, LoadError};
pub use crate::failure::{Access, Failure, SourceLocation};
pub use crate::invocation::Invocation;
pub use crate::limits::{DEFAULT_GAS, Limits};
pub use crate::outcome::{HeapUse, Outcome};
pub use crate::program::{DEFAULT_IDLE_INSTANCES, Engine, Loader, Program};
pub use crate::write_back::WriteBackError;
