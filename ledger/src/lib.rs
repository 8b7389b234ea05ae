//! A ledger to test programs against: accounts, deployed programs, a clock, and transactions.
//!
//! ```
//! use ledger::{Account, AccountMeta, Instruction, Ledger, Pubkey};
//!
//! let mut ledger = Ledger::new();
//!
//! // A file that `cargo entrypoint build` has written, or, as here, a program that is built now.
//! let file = program_test::build("../examples/counter");
//! let program_id = Pubkey::new([1; 32]);
//! ledger.deploy(program_id, &file)?;
//!
//! let counter = Pubkey::new([2; 32]);
//! ledger.set_account(Account {
//!     key: counter,
//!     owner: program_id,
//!     kelvins: 1_000_000,
//!     data: 41_u64.to_le_bytes().into(),
//!     ..Account::default()
//! })?;
//!
//! let count = Instruction::new(program_id).account(AccountMeta::writable(counter));
//! let outcome = ledger.send([count.clone(), count]);
//!
//! assert!(outcome.is_success());
//! assert_eq!(ledger.account(&counter).unwrap().data, 43_u64.to_le_bytes());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | for | see |
//! |---|---|
//! | instructions and transactions | [`Instruction`], [`Transaction`], [`system`] |
//! | what a transaction did | [`TransactionOutcome`], and its text for people, [`Report`] |
//! | accounts by their names | [`key`], [`parse_key`], [`Names`] |
//! | a ledger in a file, and its history | [`Ledger::open`], [`Ledger::history`] |
//! | a moment to come back to | [`Ledger::snapshot`] |
//! | time, rent and the other sysvars | [`Ledger::warp_by`], [`Ledger::sysvars`] |
//! | files with steps | [`scenario`] |
//!
//! The tests of programs use `program_test::TestLedger`, which builds programs and has assertions.
//! `docs/ledger.md` is the manual, and `cargo entrypoint ledger` a ledger at the terminal.
#![forbid(unsafe_code)]

mod batch;
mod error;
mod execute;
mod history;
mod host;
mod instruction;
mod ledger;
mod message;
mod names;
mod outcome;
mod programs;
mod report;
pub mod scenario;
mod settings;
mod state;
mod storage;
pub mod system;
mod transaction;

pub use abi::program_address::{create_program_address, find_program_address};
pub use loader::{Account, Data, Pubkey};

pub use crate::error::{DeployError, StorageError, TransactionError};
pub use crate::history::TransactionRecord;
pub use crate::instruction::{AccountMeta, Instruction};
pub use crate::ledger::{Deployment, Ledger, Snapshot};
pub use crate::names::{Names, ParseKeyError, key, name_of, parse_key};
pub use crate::outcome::{AccountChange, InstructionOutcome, TransactionOutcome};
pub use crate::report::{Describe, Report};
pub use crate::settings::Fee;
pub use crate::transaction::Transaction;
