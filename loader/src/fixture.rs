//! Invocations from TOML files, and what is expected of them.
//!
//! ```
//! use loader::fixture::Fixture;
//!
//! let fixture = Fixture::parse(
//!     r#"
//!     data = [{ u8 = 1 }, { u8 = 0xff }]  # or in hexadecimal: "0x01ff"
//!     gas = 50_000                        # 1,000,000 if not given
//!     heap = "64 KiB"                     # what the program needs, if not given
//!     account_table = false               # true if not given; the Rialo runtime writes none
//!     # as = "rialo"                      # limits, prices and log lines of that runtime
//!
//!     [[accounts]]
//!     key = "Counter111111111111111111111111111111111111"
//!     kelvins = 100
//!     data = [{ u64 = 42 }]
//!     writable = true                     # false if not given; so are `signer` and `executable`
//!     owner = "11111111111111111111111111111111" # the program, if not given
//!     [[accounts]]
//!     repeat = 0                          # the first account again
//!
//!     [expect]
//!     status = 0
//!     logs = ["count: 43"]
//!
//!     [[expect.accounts]]
//!     key = "Counter111111111111111111111111111111111111"
//!     data = [{ u64 = 43 }]
//!     "#,
//! )?;
//! assert_eq!(fixture.invocation.data, [0x01, 0xff]);
//! assert_eq!(fixture.invocation.heap_size, 64 * 1024);
//! assert!(!fixture.invocation.account_table);
//! # Ok::<(), loader::fixture::FixtureError>(())
//! ```

use std::fmt;
use std::path::{Path, PathBuf};

use abi::Pubkey;
use bytesize::ByteSize;
use serde::Deserialize;
use serde::de::{self, Deserializer, Visitor};
use toml::Spanned;

use crate::account::{Account, AccountEntry, AccountInput};
use crate::display::{escape_control, escape_control_in_lines};
use crate::invocation::Invocation;
use crate::invoke::input::validate::validate;
use crate::runtime::Runtime;
use expectation::FileExpectation;
use surroundings::{FileClock, FileInstruction, FileProgram, FileSurroundings};

mod bounded;
mod expectation;
mod field;
mod names;
mod place;
mod reader;
mod status;
mod surroundings;
#[cfg(test)]
mod tests;
mod time;
mod value;
mod written;

pub use crate::text::parse_hex;
#[doc(hidden)]
pub use bounded::{read_at_most, read_text};
pub use expectation::{Expectation, ExpectedAccount};
pub use field::{Field, Fields};
pub use names::{Derived, Names, advice};
pub use reader::{Layouts, Purpose, Reader};
pub use status::ExpectedStatus;
pub use surroundings::{OtherProgram, Surroundings};
pub use time::time_text;
pub use value::{Value, group_digits, quoted};
pub use written::{Entries, WrittenFields, WrittenKey, WrittenLayout, WrittenValue};

/// The program's address in a fixture that does not give one.
pub const DEFAULT_PROGRAM_ID: Pubkey = Pubkey::new([1; 32]);

/// A call, and what is expected of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Fixture {
    /// The call.
    pub invocation: Invocation,
    /// Whose limits, prices and log lines the program gets.
    pub runtime: Runtime,
    /// What the program can reach beyond its own input.
    pub surroundings: Surroundings,
    /// The expectation.
    pub expect: Expectation,
}

/// Why a fixture cannot be used. The text names the file, the line and the column.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FixtureError {
    /// The file cannot be read.
    #[error("cannot read the fixture {}: {reason}", shown(path))]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's error.
        reason: String,
    },
    /// The text is not a valid fixture.
    #[error(
        "invalid fixture{}: {}",
        in_file(path),
        escape_control_in_lines(reason)
    )]
    Invalid {
        /// The file, if it came from one.
        path: Option<PathBuf>,
        /// The reason, and its place in the text.
        reason: String,
    },
}

fn in_file(path: &Option<PathBuf>) -> String {
    path.as_ref()
        .map_or_else(String::new, |path| format!(" {}", shown(path)))
}

fn shown(path: &Path) -> String {
    escape_control(&path.display().to_string())
}

impl Fixture {
    /// Reads a fixture from a file.
    ///
    /// # Errors
    ///
    /// [`FixtureError`] if the file cannot be read or is not a valid fixture.
    pub fn read(path: &Path) -> Result<Self, FixtureError> {
        Self::read_as_on(path, None)
    }

    /// Reads a fixture from a file, for this runtime instead of the fixture's own, if there is one.
    /// What the fixture does not give is then as on that runtime, and log lines and gas are not
    /// expected to be as the fixture says.
    ///
    /// # Errors
    ///
    /// As for [`read`](Self::read).
    pub fn read_as_on(path: &Path, runtime: Option<Runtime>) -> Result<Self, FixtureError> {
        let text = read_text(path).map_err(|error| FixtureError::Unreadable {
            path: path.to_owned(),
            reason: error.to_string(),
        })?;
        let folder = path.parent().unwrap_or(Path::new(""));
        Self::parse_in(&text, folder, runtime).map_err(|reason| FixtureError::Invalid {
            path: Some(path.to_owned()),
            reason,
        })
    }

    /// Reads a fixture from a text. Files that it names are those of the current folder.
    ///
    /// # Errors
    ///
    /// [`FixtureError::Invalid`] if the text is not a valid fixture.
    pub fn parse(text: &str) -> Result<Self, FixtureError> {
        Self::parse_in(text, Path::new(""), None)
            .map_err(|reason| FixtureError::Invalid { path: None, reason })
    }

    /// Reads a fixture for this runtime instead of its own, if there is one.
    fn parse_in(text: &str, folder: &Path, runtime: Option<Runtime>) -> Result<Self, String> {
        let mut file: File = toml::from_str(text).map_err(|error| error.to_string())?;
        if runtime.is_some_and(|runtime| runtime != file.runtime.0) {
            file.expect.ignore_runtime();
        }
        let runtime = runtime.unwrap_or(file.runtime.0);
        let names = Names::default();
        let layouts = Layouts::read(&file.layouts, text)?;
        let reader = Reader {
            text,
            folder,
            names: &names,
            layouts: &layouts,
        };
        let program_id = match &file.program_id {
            Some(key) => reader.key(key)?,
            None => DEFAULT_PROGRAM_ID,
        };
        let data = reader.optional_fields(file.data.as_ref(), Purpose::Content)?;
        let mut invocation =
            Invocation::as_on(runtime, program_id).data(data.unwrap_or_default().bytes());
        if let Some(gas) = file.gas {
            invocation.gas = gas;
        }
        if let Some(Size(size)) = file.heap {
            invocation = invocation.heap_size(size);
        }
        if let Some(account_table) = file.account_table {
            invocation.account_table = account_table;
        }
        let mut places = Vec::with_capacity(file.accounts.len());
        for (index, account) in file.accounts.into_iter().enumerate() {
            let place = account.span().start;
            places.push(place);
            let account = account.into_inner();
            account
                .check()
                .map_err(|reason| reader.error(place, &format!("account {index}: {reason}")))?;
            invocation
                .accounts
                .push(account.entry(program_id, &reader)?);
        }
        // Errors that the loader would report are reported here, where the line is known.
        if let Err(error) = validate(&invocation) {
            let place = error.account().and_then(|index| places.get(index));
            let reason = error.to_string();
            return Err(match place {
                Some(place) => reader.error(*place, &reason),
                None => reason,
            });
        }
        let surroundings = FileSurroundings {
            programs: file.programs,
            other_accounts: file.other_accounts,
            processed: file.processed,
            clock: file.clock,
            random_seed: file.random_seed,
        };
        let surroundings = surroundings.read(program_id, &reader)?;
        surroundings.fill_sysvar(&mut invocation)?;
        Ok(Self {
            invocation,
            runtime,
            surroundings,
            expect: file.expect.read(&reader)?,
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    program_id: Option<WrittenKey>,
    #[serde(default, rename = "as")]
    runtime: FileRuntime,
    data: Option<Spanned<WrittenFields>>,
    heap: Option<Size>,
    gas: Option<u64>,
    account_table: Option<bool>,
    #[serde(default)]
    accounts: Vec<Spanned<FileAccount>>,
    #[serde(default)]
    programs: Vec<FileProgram>,
    #[serde(default)]
    other_accounts: Vec<FileAccount>,
    #[serde(default)]
    processed: Vec<FileInstruction>,
    #[serde(default)]
    clock: FileClock,
    #[serde(default)]
    random_seed: u64,
    #[serde(default)]
    layouts: Entries<Entries<WrittenValue>>,
    #[serde(default)]
    expect: FileExpectation,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileAccount {
    repeat: Option<usize>,
    key: Option<WrittenKey>,
    owner: Option<WrittenKey>,
    kelvins: Option<u64>,
    data: Option<Spanned<WrittenFields>>,
    signer: Option<bool>,
    writable: Option<bool>,
    executable: Option<bool>,
    rent_epoch: Option<u64>,
}

impl FileAccount {
    /// Checks that it has the fields of an account, or of a repeat.
    fn check(&self) -> Result<(), String> {
        match (self.repeat, &self.key) {
            (Some(_), _) if self.describes_account() => {
                Err("a repeat has no other fields; remove all except `repeat`".to_owned())
            }
            (None, None) => Err("an account needs `key` or `repeat`".to_owned()),
            _ => Ok(()),
        }
    }

    /// Reads it. Errors have their line.
    fn entry(self, program_id: Pubkey, reader: &Reader<'_>) -> Result<AccountEntry, String> {
        let Some(key) = &self.key else {
            return Ok(AccountEntry::Repeat(self.repeat.unwrap_or_default()));
        };
        let owner = self.owner.as_ref().map(|owner| reader.key(owner));
        let data = reader.optional_fields(self.data.as_ref(), Purpose::Content)?;
        Ok(AccountEntry::First(AccountInput {
            account: Account {
                key: reader.key(key)?,
                owner: owner.transpose()?.unwrap_or(program_id),
                kelvins: self.kelvins.unwrap_or(0),
                data: data.unwrap_or_default().bytes().into(),
                executable: self.executable.unwrap_or(false),
                rent_epoch: self.rent_epoch.unwrap_or(0),
            },
            is_signer: self.signer.unwrap_or(false),
            is_writable: self.writable.unwrap_or(false),
        }))
    }

    fn describes_account(&self) -> bool {
        self.key.is_some()
            || self.owner.is_some()
            || self.kelvins.is_some()
            || self.data.is_some()
            || self.signer.is_some()
            || self.writable.is_some()
            || self.executable.is_some()
            || self.rent_epoch.is_some()
    }
}

/// The name of a runtime.
#[derive(Default)]
struct FileRuntime(Runtime);

impl<'de> Deserialize<'de> for FileRuntime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        name.parse().map(Self).map_err(de::Error::custom)
    }
}

/// A number of bytes of a file: a number, or a text such as `"64 KiB"`.
#[derive(Clone, Copy, Debug)]
pub struct Size(pub u32);

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct SizeVisitor;

        impl Visitor<'_> for SizeVisitor {
            type Value = Size;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a number of bytes, such as 65536 or \"64 KiB\"")
            }

            fn visit_i64<E: de::Error>(self, value: i64) -> Result<Size, E> {
                u32::try_from(value)
                    .map(Size)
                    .map_err(|_| E::custom(format!("{value} is not a valid heap size in bytes")))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Size, E> {
                parse_size(text).map(Size).map_err(E::custom)
            }
        }

        deserializer.deserialize_any(SizeVisitor)
    }
}

/// Reads a number of bytes, such as `65536`, `64KiB` or `1 MiB`.
///
/// # Errors
///
/// A message that names the text and shows how a size is written.
pub fn parse_size(text: &str) -> Result<u32, String> {
    let size: ByteSize = text
        .parse()
        .map_err(|_| format!("{text:?} is not a size; write for example 65536, 64KiB or 1MiB"))?;
    u32::try_from(size.as_u64())
        .map_err(|_| format!("{text:?} is too large: guest addresses have 32 bits"))
}
