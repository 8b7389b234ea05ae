//! An example of each error of a ledger.

use std::path::PathBuf;

use ledger::{DeployError, StorageError, TransactionError};
use loader::{Engine, Failure, InvocationError, LoadError, Pubkey};

const KEY: Pubkey = Pubkey::new([10; 32]);

pub fn transaction_errors() -> Vec<TransactionError> {
    vec![
        TransactionError::NoInstructions,
        TransactionError::TooManyInstructions {
            count: 65,
            limit: 64,
        },
        TransactionError::InstructionsTooLong,
        TransactionError::GasTooLarge {
            gas: 1_400_001,
            limit: 1_400_000,
        },
        TransactionError::InsufficientFundsForFee {
            payer: KEY,
            kelvins: 4_999,
            fee: 5_000,
        },
        TransactionError::InvalidPayer {
            payer: KEY,
            owner: Pubkey::new([11; 32]),
            length: 8,
        },
        TransactionError::UnknownProgram {
            index: 1,
            program_id: KEY,
        },
        TransactionError::InvalidProgram {
            index: 1,
            program_id: KEY,
            error: LoadError::Not64Bit,
        },
        TransactionError::InvalidInstruction {
            index: 1,
            error: InvocationError::TooManyAccounts { count: 256 },
        },
        TransactionError::InstructionFailed {
            index: 1,
            program_id: KEY,
            failure: Box::new(Failure::Aborted),
        },
        TransactionError::InsufficientFundsForRent {
            key: KEY,
            kelvins: 1,
            minimum: 946_560,
            length: 8,
        },
        TransactionError::NotStored {
            reason: "No space left on device".to_owned(),
            error: None,
        },
        TransactionError::NotStored {
            reason: "No space left on device".to_owned(),
            error: Some(Box::new(TransactionError::NoInstructions)),
        },
    ]
}

pub fn deploy_errors() -> Vec<DeployError> {
    vec![
        DeployError::InvalidProgram(LoadError::Not64Bit),
        DeployError::AddressInUse { program_id: KEY },
        DeployError::Storage(StorageError::InUse { path: path() }),
    ]
}

fn path() -> PathBuf {
    PathBuf::from("ledger.redb")
}

pub fn storage_errors() -> Vec<StorageError> {
    vec![
        StorageError::ReservedAddress { key: KEY },
        StorageError::Open {
            path: path(),
            reason: "Permission denied".to_owned(),
        },
        StorageError::Invalid {
            path: path(),
            reason: "it has no format".to_owned(),
        },
        StorageError::InUse { path: path() },
        StorageError::OtherFormat {
            path: path(),
            found: 2,
            supported: 1,
        },
        StorageError::OtherTarget {
            path: path(),
            found: "riscv64".to_owned(),
            engine: Engine::Wasm,
        },
        StorageError::Write {
            path: PathBuf::from("a\nline/ledger.redb"),
            reason: "No space left on device".to_owned(),
        },
    ]
}
