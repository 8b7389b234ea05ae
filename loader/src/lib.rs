#![doc = include_str!("manual.md")]
#![forbid(unsafe_code)]

mod account;
mod diagnosis;
mod error;
mod failure;
#[cfg(feature = "fixture")]
pub mod fixture;
mod guest_memory;
mod imports;
mod input;
mod invocation;
mod limits;
mod outcome;
mod program;
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
pub use crate::program::{Engine, Loader, Program};
pub use crate::write_back::WriteBackError;
