//! The file of a ledger: an embedded database, which has all of a change or nothing of it.
//!
//! | table | key | value |
//! |---|---|---|
//! | `ledger` | `format` | the version of this layout, u64, little endian |
//! | | `target` | the name of the target of the ledger's programs |
//! | | `sysvars` | see [`sysvars`] |
//! | `accounts` | address | see [`account`] |
//! | `data` | address, number of the piece from 1 | a piece of the account's data |
//! | `transactions` | number from 1 | see [`record`] |

mod account;
mod open;
mod record;
mod sysvars;

use std::fmt;
use std::path::{Path, PathBuf};

use loader::sysvars::Sysvars;
use loader::{Account, Pubkey};
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition, WriteTransaction};

use crate::error::StorageError;
use crate::history::TransactionRecord;

/// The version of the layout.
const FORMAT: u64 = 1;

const LEDGER: TableDefinition<&str, &[u8]> = TableDefinition::new("ledger");
const ACCOUNTS: TableDefinition<[u8; 32], &[u8]> = TableDefinition::new("accounts");
const DATA: TableDefinition<([u8; 32], u32), &[u8]> = TableDefinition::new("data");
const TRANSACTIONS: TableDefinition<u64, &[u8]> = TableDefinition::new("transactions");

/// An open file.
pub(crate) struct Storage {
    database: Database,
    path: PathBuf,
}

/// An account before and after a change.
pub(crate) struct AccountWrite<'a> {
    pub key: Pubkey,
    pub before: Option<&'a Account>,
    pub after: Option<&'a Account>,
}

/// What is written at once.
#[derive(Default)]
pub(crate) struct Write<'a> {
    pub accounts: Vec<AccountWrite<'a>>,
    pub sysvars: Option<&'a Sysvars>,
    pub records: &'a [TransactionRecord],
}

impl Storage {
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes all of it. When this returns `Ok`, it is durable. After an error, nothing of it is
    /// in the ledger; whether the file has it is known when it is opened again.
    pub fn write(&self, write: &Write<'_>) -> Result<(), StorageError> {
        self.try_write(write)
            .map_err(|error| self.write_error(&error))
    }

    fn try_write(&self, write: &Write<'_>) -> Result<(), redb::Error> {
        // The default durability is that of `fsync`.
        let transaction = self.database.begin_write()?;
        fill(&transaction, write)?;
        transaction.commit()?;
        Ok(())
    }

    /// The last records, oldest first.
    pub fn last_records(&self, most: usize) -> Result<Vec<TransactionRecord>, StorageError> {
        let mut records = Vec::new();
        for bytes in self
            .read_last_records(most)
            .map_err(|error| open::read_error(&self.path, &error))?
        {
            let (number, bytes) = bytes;
            let record = record::decode(number, &bytes)
                .map_err(|reason| open::invalid(&self.path, reason))?;
            records.push(record);
        }
        records.reverse();
        Ok(records)
    }

    fn read_last_records(&self, most: usize) -> Result<Vec<(u64, Vec<u8>)>, redb::Error> {
        let table = self.database.begin_read()?.open_table(TRANSACTIONS)?;
        let records = table.iter()?.rev().take(most).map(|entry| {
            let (number, bytes) = entry?;
            Ok((number.value(), bytes.value().to_vec()))
        });
        records.collect()
    }

    fn write_error(&self, error: &redb::Error) -> StorageError {
        StorageError::Write {
            path: self.path.clone(),
            reason: error.to_string(),
        }
    }
}

/// Puts everything into a transaction of the database.
fn fill(transaction: &WriteTransaction, write: &Write<'_>) -> Result<(), redb::Error> {
    if !write.accounts.is_empty() {
        let mut accounts = transaction.open_table(ACCOUNTS)?;
        let mut data = transaction.open_table(DATA)?;
        for account in &write.accounts {
            account::write(&mut accounts, &mut data, account)?;
        }
    }
    if let Some(sysvars) = write.sysvars {
        let mut ledger = transaction.open_table(LEDGER)?;
        ledger.insert("sysvars", &*sysvars::encode(sysvars))?;
    }
    if !write.records.is_empty() {
        let mut transactions = transaction.open_table(TRANSACTIONS)?;
        for record in write.records {
            transactions.insert(record.number, &*record::encode(record))?;
        }
    }
    Ok(())
}

impl fmt::Debug for Storage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Storage")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}
