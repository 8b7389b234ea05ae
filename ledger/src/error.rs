//! Why a transaction had no effect, and why a ledger could not be changed.

use std::path::PathBuf;

use loader::{Engine, Failure, InvocationError, LoadError, Pubkey};

/// Why a transaction had no effect, apart from its fee.
#[derive(
    Clone, Debug, PartialEq, Eq, thiserror::Error, strum::IntoStaticStr, strum::VariantNames,
)]
#[non_exhaustive]
pub enum TransactionError {
    /// It has no instructions.
    #[error("the transaction has no instructions; add at least one")]
    NoInstructions,
    /// It has too many instructions.
    #[error("the transaction has {count} instructions; it may have at most {limit}")]
    TooManyInstructions {
        /// How many it has.
        count: usize,
        /// How many it may have.
        limit: usize,
    },
    /// It lists the instructions sysvar, and has too many instructions, accounts or bytes for it.
    #[error(
        "the instructions of the transaction do not fit in 64 KiB, as the instructions sysvar needs"
    )]
    InstructionsTooLong,
    /// It asks for too much gas.
    #[error("the transaction asks for {gas} gas; a transaction may have at most {limit}")]
    GasTooLarge {
        /// What it asks for.
        gas: u64,
        /// The most that it may have.
        limit: u64,
    },
    /// The payer has too few kelvins for the fee. There is no fee then.
    #[error("the payer {payer} has {kelvins} kelvins, and the fee is {fee}")]
    InsufficientFundsForFee {
        /// The payer.
        payer: Pubkey,
        /// What it has.
        kelvins: u64,
        /// The fee.
        fee: u64,
    },
    /// The payer is an account of a program, or has data. There is no fee then.
    #[error(
        "the payer {payer} cannot pay a fee: it belongs to {owner} and has {length} bytes of data; \
         take an account of the system program without data"
    )]
    InvalidPayer {
        /// The payer.
        payer: Pubkey,
        /// Its owner.
        owner: Pubkey,
        /// The length of its data in bytes.
        length: usize,
    },
    /// There is no program with the id of an instruction.
    #[error("instruction {index} calls {program_id}, and no program is deployed there")]
    UnknownProgram {
        /// The instruction, from 0.
        index: usize,
        /// The id.
        program_id: Pubkey,
    },
    /// The account with the id of an instruction has a file that the loader does not accept.
    #[error("instruction {index} calls {program_id}, which cannot be loaded: {error}")]
    InvalidProgram {
        /// The instruction, from 0.
        index: usize,
        /// The id.
        program_id: Pubkey,
        /// The loader's error.
        error: LoadError,
    },
    /// The loader does not accept an instruction: its program was not called.
    #[error("instruction {index} was not run: {error}")]
    InvalidInstruction {
        /// The instruction, from 0.
        index: usize,
        /// The loader's error.
        error: InvocationError,
    },
    /// A program failed.
    #[error("instruction {index} of {program_id} failed: {failure}")]
    InstructionFailed {
        /// The instruction, from 0.
        index: usize,
        /// The program of the instruction.
        program_id: Pubkey,
        /// How it failed.
        failure: Box<Failure>,
    },
    /// An account has kelvins, but less than its rent needs, and the transaction made it so.
    #[error(
        "the account {key} would have {kelvins} kelvins; with {length} bytes of data it needs at \
         least {minimum}, or none"
    )]
    InsufficientFundsForRent {
        /// The account.
        key: Pubkey,
        /// What it would have.
        kelvins: u64,
        /// What it needs.
        minimum: u64,
        /// The length of its data in bytes.
        length: usize,
    },
    /// The file of the ledger could not be written, so nothing has changed.
    #[error(
        "the ledger could not store the transaction, so nothing has changed: {reason}{}",
        failed(error)
    )]
    NotStored {
        /// The reason.
        reason: String,
        /// Why the transaction failed before; `None` if it succeeded.
        error: Option<Box<Self>>,
    },
}

fn failed(error: &Option<Box<TransactionError>>) -> String {
    let error = error.as_ref();
    error.map_or_else(String::new, |error| format!("; it had failed: {error}"))
}

impl TransactionError {
    /// The stable name of the kind of error: that of the variant.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        self.into()
    }

    /// The failure of the program that was called last, if a program failed: that of the innermost
    /// program of a chain of calls.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Self::InstructionFailed { failure, .. } => Some(failure.cause()),
            _ => None,
        }
    }
}

/// Why a program was not deployed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DeployError {
    /// The loader does not accept the file.
    #[error(transparent)]
    InvalidProgram(#[from] LoadError),
    /// There is an account with this address that is not a program.
    #[error("cannot deploy at {program_id}: that account exists, and it is not a program")]
    AddressInUse {
        /// The address.
        program_id: Pubkey,
    },
    /// The file of the ledger could not be written.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// Why a ledger could not be changed, or its file not be read. The text names the file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StorageError {
    /// The account is that of a sysvar or of a built-in program.
    #[error(
        "{key} is the address of a sysvar or of a built-in program, whose account the ledger makes \
         itself; set the sysvars, or take another address"
    )]
    ReservedAddress {
        /// The address.
        key: Pubkey,
    },
    /// The file cannot be opened or created.
    #[error("cannot open the ledger {}: {reason}", loader::display::escape_control(&path.display().to_string()))]
    Open {
        /// The file.
        path: PathBuf,
        /// The reason.
        reason: String,
    },
    /// The file is not a ledger, or not one of this version.
    #[error("{} is not a ledger that this version can read: {reason}", loader::display::escape_control(&path.display().to_string()))]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// Another process, or another [`Ledger`](crate::Ledger) of this one, has the file open.
    #[error("the ledger {} is in use: only one process can open it at a time", loader::display::escape_control(&path.display().to_string()))]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// Another version of this crate wrote the file.
    #[error("the ledger {} has format {found}, and this version reads format {supported}; open it with the version that wrote it", loader::display::escape_control(&path.display().to_string()))]
    OtherFormat {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u64,
        /// The format that this version reads.
        supported: u64,
    },
    /// The ledger was made for programs of another target.
    #[error(
        "the ledger {} is for programs of the target {found}, and the {engine} engine runs \
         programs of {}; take an engine for {found}, or another file",
        loader::display::escape_control(&path.display().to_string()), engine.target()
    )]
    OtherTarget {
        /// The file.
        path: PathBuf,
        /// The name of its target.
        found: String,
        /// The engine that it was opened for.
        engine: Engine,
    },
    /// A change cannot be written.
    #[error("cannot write the ledger {}: {reason}", loader::display::escape_control(&path.display().to_string()))]
    Write {
        /// The file.
        path: PathBuf,
        /// The reason.
        reason: String,
    },
}
