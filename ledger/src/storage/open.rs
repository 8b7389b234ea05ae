//! Opens a file, or makes a new one.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use imbl::OrdMap;
use loader::sysvars::Sysvars;
use loader::{Engine, Target};
use redb::{Builder, Database, DatabaseError, ReadableDatabase, ReadableTable, TableError};

use super::{ACCOUNTS, DATA, FORMAT, LEDGER, Storage, TRANSACTIONS, account, sysvars};
use crate::error::StorageError;
use crate::state::State;

/// The database's cache in bytes. It is small, because the ledger has all accounts in memory.
const CACHE: usize = 16 << 20;

/// What a file contains.
pub(crate) struct Opened {
    pub storage: Storage,
    pub state: State,
    /// The number of its last transaction; 0 if it has none.
    pub last_number: u64,
}

impl Storage {
    /// Opens the file at this path for an engine. If there is none, makes an empty ledger there.
    pub fn open(path: &Path, engine: Engine) -> Result<Opened, StorageError> {
        if let Err(error) = fs::metadata(path) {
            if error.kind() != io::ErrorKind::NotFound {
                return Err(open_error(path, &error));
            }
            create(path, engine.target())?;
        }
        let storage = Self {
            database: open_database(path)?,
            path: path.to_owned(),
        };
        storage.read(engine)
    }

    fn read(self, engine: Engine) -> Result<Opened, StorageError> {
        let (state, last_number) = self.try_read(engine).map_err(|error| match error {
            ReadError::Ledger(error) => error,
            ReadError::Database(error) => read_error(&self.path, &error),
        })?;
        Ok(Opened {
            storage: self,
            state,
            last_number,
        })
    }

    fn try_read(&self, engine: Engine) -> Result<(State, u64), ReadError> {
        let invalid = |reason: String| ReadError::Ledger(invalid(&self.path, reason));
        let transaction = self.database.begin_read()?;
        let ledger = match transaction.open_table(LEDGER) {
            Err(TableError::TableDoesNotExist(_)) => {
                return Err(invalid("it is another program's database".to_owned()));
            }
            table => table?,
        };
        let value = |name: &str| -> Result<Vec<u8>, ReadError> {
            let value = ledger.get(name)?.map(|value| value.value().to_vec());
            value.ok_or_else(|| invalid(format!("it has no {name}")))
        };
        // The format is first, because it decides how to read everything else.
        let format = value("format")?;
        let format = format.try_into().map(u64::from_le_bytes);
        let found = format.map_err(|bytes| invalid(format!("its format is {bytes:?}")))?;
        if found != FORMAT {
            return Err(ReadError::Ledger(StorageError::OtherFormat {
                path: self.path.clone(),
                found,
                supported: FORMAT,
            }));
        }
        let target = String::from_utf8_lossy(&value("target")?).into_owned();
        if target != engine.target().to_string() {
            return Err(ReadError::Ledger(StorageError::OtherTarget {
                path: self.path.clone(),
                found: target,
                engine,
            }));
        }
        let sysvars = value("sysvars")?;
        let sysvars = sysvars::decode(&sysvars)
            .ok_or_else(|| invalid(format!("it has {} bytes of sysvars", sysvars.len())))?;
        let data = transaction.open_table(DATA)?;
        let mut accounts = OrdMap::new();
        for entry in transaction.open_table(ACCOUNTS)?.iter()? {
            let (key, record) = entry?;
            let account = account::read(key.value(), record.value(), &data)?.map_err(invalid)?;
            accounts.insert(account.key, Arc::new(account));
        }
        let last = transaction.open_table(TRANSACTIONS)?;
        let last_number = last.last()?.map_or(0, |(number, _)| number.value());
        let sysvars = Arc::new(sysvars);
        Ok((State { accounts, sysvars }, last_number))
    }
}

/// Why an open file cannot be read.
enum ReadError {
    Database(redb::Error),
    Ledger(StorageError),
}

impl<E: Into<redb::Error>> From<E> for ReadError {
    fn from(error: E) -> Self {
        Self::Database(error.into())
    }
}

/// Makes an empty ledger. A process that ends in the middle leaves no file at the path.
fn create(path: &Path, target: Target) -> Result<(), StorageError> {
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let file = new_file(folder).map_err(|error| open_error(path, &error))?;
    fill_new(file.path(), target).map_err(|error| StorageError::Write {
        path: path.to_owned(),
        reason: error.to_string(),
    })?;
    match file.persist_noclobber(path) {
        // Another process made one at the same time.
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(open_error(path, &error.error)),
        Ok(_) => {
            // The name is durable when the folder is. Only Unix can open a folder for that.
            if cfg!(unix) {
                let synced = File::open(folder).and_then(|folder| folder.sync_all());
                synced.map_err(|error| open_error(path, &error))?;
            }
            Ok(())
        }
    }
}

/// An empty file with another name in the same folder, which is removed with the handle.
fn new_file(folder: &Path) -> io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".new-ledger-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // Those of any new file: without the bits of the process's mask.
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(folder)
}

fn fill_new(path: &Path, target: Target) -> Result<(), redb::Error> {
    let database = builder().create(path)?;
    let transaction = database.begin_write()?;
    {
        let mut ledger = transaction.open_table(LEDGER)?;
        ledger.insert("format", &FORMAT.to_le_bytes()[..])?;
        ledger.insert("target", target.to_string().as_bytes())?;
        ledger.insert("sysvars", &*sysvars::encode(&Sysvars::default()))?;
        transaction.open_table(ACCOUNTS)?;
        transaction.open_table(DATA)?;
        transaction.open_table(TRANSACTIONS)?;
    }
    transaction.commit()?;
    Ok(())
}

fn builder() -> Builder {
    let mut builder = Builder::new();
    builder.set_cache_size(CACHE);
    // A file that was altered is reported. The ledger reads all accounts anyway.
    builder.set_check_integrity_on_open(true);
    builder
}

fn open_database(path: &Path) -> Result<Database, StorageError> {
    let path = PathBuf::from(path);
    builder().open(&path).map_err(|error| match error {
        DatabaseError::DatabaseAlreadyOpen => StorageError::InUse { path },
        DatabaseError::Storage(redb::StorageError::Io(error)) => match error.kind() {
            io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => invalid(&path, error),
            _ => open_error(&path, &error),
        },
        error => invalid(&path, error),
    })
}

fn open_error(path: &Path, error: &io::Error) -> StorageError {
    StorageError::Open {
        path: path.to_owned(),
        reason: error.to_string(),
    }
}

/// An error while reading an open file.
pub(super) fn read_error(path: &Path, error: &redb::Error) -> StorageError {
    match error {
        redb::Error::Io(error) => open_error(path, error),
        error => invalid(path, error),
    }
}

pub(super) fn invalid(path: &Path, reason: impl ToString) -> StorageError {
    StorageError::Invalid {
        path: path.to_owned(),
        reason: reason.to_string(),
    }
}
