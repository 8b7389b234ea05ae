//! Invocations from TOML files, and what is expected of them.
//!
//! ```
//! use loader::fixture::Fixture;
//!
//! let fixture = Fixture::parse(
//!     r#"
//!     data = "0x01ff"                     # in hexadecimal, with `0x` or without
//!     gas = 50_000                        # 1,000,000 if not given
//!     heap = "64 KiB"                     # 32 KiB if not given
//!     account_table = false               # true if not given; the Rialo runtime writes none
//!
//!     [[accounts]]
//!     key = "Counter111111111111111111111111111111111111"
//!     kelvins = 100
//!     data = "2a00000000000000"
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
//!     data = "2b00000000000000"
//!     "#,
//! )?;
//! assert_eq!(fixture.invocation.data, [0x01, 0xff]);
//! assert_eq!(fixture.invocation.heap_size, 64 * 1024);
//! assert!(!fixture.invocation.account_table);
//! # Ok::<(), loader::fixture::FixtureError>(())
//! ```

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use abi::Pubkey;
use abi::status::SUCCESS;
use bytesize::ByteSize;
use serde::Deserialize;
use serde::de::{self, Deserializer, Visitor};
use toml::Spanned;

use crate::account::{Account, AccountEntry, AccountInput};
use crate::display::{escape_control, escape_control_in_lines};
use crate::engine::Target;
use crate::error::Failure;
use crate::invocation::Invocation;
use crate::invoke::input::validate::validate;
use crate::outcome::{Outcome, status_text};
use surroundings::{FileClock, FileInstruction, FileSurroundings};

mod place;
mod surroundings;

pub use crate::text::parse_hex;
pub use surroundings::{OtherProgram, Surroundings};

/// The program's address in a fixture that does not give one.
pub const DEFAULT_PROGRAM_ID: Pubkey = Pubkey::new([1; 32]);

/// A call, and what is expected of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Fixture {
    /// The call.
    pub invocation: Invocation,
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
        let text = std::fs::read_to_string(path).map_err(|error| FixtureError::Unreadable {
            path: path.to_owned(),
            reason: error.to_string(),
        })?;
        Self::parse(&text).map_err(|error| match error {
            FixtureError::Invalid { reason, .. } => FixtureError::Invalid {
                path: Some(path.to_owned()),
                reason,
            },
            other => other,
        })
    }

    /// Reads a fixture from a text.
    ///
    /// # Errors
    ///
    /// [`FixtureError::Invalid`] if the text is not a valid fixture.
    pub fn parse(text: &str) -> Result<Self, FixtureError> {
        let invalid = |reason: String| FixtureError::Invalid { path: None, reason };
        let file: File = toml::from_str(text).map_err(|error| invalid(error.to_string()))?;
        let program_id = file.program_id.map_or(DEFAULT_PROGRAM_ID, |key| key.0);
        let mut invocation = Invocation::new(program_id).data(file.data.0);
        if let Some(gas) = file.gas {
            invocation.gas = gas;
        }
        if let Some(Size(size)) = file.heap {
            invocation.heap_size = size;
        }
        if let Some(account_table) = file.account_table {
            invocation.account_table = account_table;
        }
        let mut places = Vec::with_capacity(file.accounts.len());
        for (index, account) in file.accounts.into_iter().enumerate() {
            let place = account.span().start;
            places.push(place);
            let entry = account.into_inner().entry(program_id);
            let entry = entry.map_err(|reason| {
                let reason = format!("account {index}: {reason}");
                invalid(place::show(text, place, &reason))
            })?;
            invocation.accounts.push(entry);
        }
        // Errors that the loader would report are reported here, where the line is known.
        if let Err(error) = validate(&invocation) {
            let place = error.account().and_then(|index| places.get(index));
            let reason = error.to_string();
            return Err(invalid(match place {
                Some(place) => place::show(text, *place, &reason),
                None => reason,
            }));
        }
        let surroundings = FileSurroundings {
            programs: file.programs,
            other_accounts: file.other_accounts,
            processed: file.processed,
            clock: file.clock,
            random_seed: file.random_seed,
        };
        let surroundings = surroundings.read(program_id).map_err(invalid)?;
        surroundings.fill_sysvar(&mut invocation).map_err(invalid)?;
        Ok(Self {
            invocation,
            surroundings,
            expect: file.expect,
        })
    }
}

/// The expected outcome. Fields that are `None` are not compared.
///
/// An expectation with any field expects success, unless it has a `failure` or a `status` other
/// than 0. An empty one, as of a fixture without `[expect]`, expects nothing.
///
/// ```
/// use loader::fixture::Expectation;
///
/// assert!(Expectation::default().is_empty());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Expectation {
    /// The status that the program returns.
    pub status: Option<u64>,
    /// The kind of failure, as [`Failure::kind`](crate::Failure::kind) names it.
    pub failure: Option<String>,
    /// The gas used on PolkaVM. Other engines count differently, so it is not compared there.
    pub gas_used: Option<u64>,
    /// The log lines, all of them.
    pub logs: Option<Vec<String>>,
    /// The return data.
    #[serde(deserialize_with = "optional_hex")]
    pub return_data: Option<Vec<u8>>,
    /// Accounts by their addresses.
    pub accounts: Vec<ExpectedAccount>,
}

/// The expected state of an account after the call.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ExpectedAccount {
    /// The account's address.
    #[serde(deserialize_with = "key")]
    pub key: Pubkey,
    /// The owner.
    #[serde(default, deserialize_with = "optional_key")]
    pub owner: Option<Pubkey>,
    /// The balance.
    pub kelvins: Option<u64>,
    /// The data.
    #[serde(default, deserialize_with = "optional_hex")]
    pub data: Option<Vec<u8>>,
}

impl Expectation {
    /// Whether nothing is expected.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Returns the differences between an outcome and this expectation, one line each.
    #[must_use]
    pub fn differences(&self, outcome: &Outcome) -> Vec<String> {
        let mut differences = Differences(Vec::new());
        if self.is_empty() {
            return differences.0;
        }
        if self.status.is_some() && self.status != outcome.status {
            let [expected, found] = [self.status, outcome.status].map(status_text);
            differences.add("status", &expected, &found);
        }
        let expected = self.failure.as_deref();
        let found = outcome.failure.as_ref().map(Failure::kind);
        // A fixture that expects success need not have this field.
        let is_compared = expected.is_some() || self.status.is_none_or(|status| status == SUCCESS);
        if is_compared && expected != found {
            let [expected, found] = [expected, found].map(|kind| kind.unwrap_or("none"));
            differences.add("failure", expected, found);
        }
        if let Some(gas_used) = &self.gas_used
            && outcome.engine.target() == Target::Riscv64
        {
            differences.compare("gas used", gas_used, &outcome.gas_used);
        }
        if let Some(logs) = &self.logs {
            differences.compare("logs", logs, &outcome.logs);
        }
        if let Some(return_data) = &self.return_data {
            differences.compare(
                "return data",
                &hex::encode(return_data),
                &hex::encode(&outcome.return_data),
            );
        }
        for expected in &self.accounts {
            match outcome
                .accounts
                .iter()
                .find(|account| account.key == expected.key)
            {
                Some(account) => expected.compare(account, &mut differences),
                None => differences
                    .0
                    .push(format!("there is no account {}", expected.key)),
            }
        }
        differences.0
    }
}

impl ExpectedAccount {
    fn compare(&self, account: &Account, differences: &mut Differences) {
        let key = self.key;
        if let Some(owner) = &self.owner {
            differences.compare(&format!("owner of {key}"), owner, &account.owner);
        }
        if let Some(kelvins) = &self.kelvins {
            differences.compare(&format!("kelvins of {key}"), kelvins, &account.kelvins);
        }
        if let Some(data) = &self.data {
            differences.compare(
                &format!("data of {key}"),
                &hex::encode(data),
                &hex::encode(&account.data),
            );
        }
    }
}

struct Differences(Vec<String>);

impl Differences {
    fn compare<T: PartialEq + fmt::Debug>(&mut self, what: &str, expected: &T, found: &T) {
        if expected != found {
            self.add(what, &format!("{expected:?}"), &format!("{found:?}"));
        }
    }

    fn add(&mut self, what: &str, expected: &str, found: &str) {
        self.0
            .push(format!("{what}: expected {expected}, found {found}"));
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    program_id: Option<Key>,
    #[serde(default)]
    data: Hex,
    heap: Option<Size>,
    gas: Option<u64>,
    account_table: Option<bool>,
    #[serde(default)]
    accounts: Vec<Spanned<FileAccount>>,
    #[serde(default)]
    programs: Vec<OtherProgram>,
    #[serde(default)]
    other_accounts: Vec<FileAccount>,
    #[serde(default)]
    processed: Vec<FileInstruction>,
    #[serde(default)]
    clock: FileClock,
    #[serde(default)]
    random_seed: u64,
    #[serde(default)]
    expect: Expectation,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileAccount {
    repeat: Option<usize>,
    key: Option<Key>,
    owner: Option<Key>,
    kelvins: Option<u64>,
    data: Option<Hex>,
    signer: Option<bool>,
    writable: Option<bool>,
    executable: Option<bool>,
    rent_epoch: Option<u64>,
}

impl FileAccount {
    fn entry(self, program_id: Pubkey) -> Result<AccountEntry, String> {
        if let Some(index) = self.repeat {
            if self.describes_account() {
                return Err("a repeat has no other fields; remove all except `repeat`".to_owned());
            }
            return Ok(AccountEntry::Repeat(index));
        }
        let Some(Key(key)) = self.key else {
            return Err("an account needs `key` or `repeat`".to_owned());
        };
        Ok(AccountEntry::First(AccountInput {
            account: Account {
                key,
                owner: self.owner.map_or(program_id, |key| key.0),
                kelvins: self.kelvins.unwrap_or(0),
                data: self.data.unwrap_or_default().0,
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

/// A key in base58.
struct Key(Pubkey);

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Pubkey::from_str(&text)
            .map(Self)
            .map_err(|error| de::Error::custom(format!("{text:?} is not a key: {error}")))
    }
}

fn key<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Pubkey, D::Error> {
    Key::deserialize(deserializer).map(|key| key.0)
}

fn optional_key<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Pubkey>, D::Error> {
    key(deserializer).map(Some)
}

/// Bytes in hexadecimal.
#[derive(Default)]
struct Hex(Vec<u8>);

impl<'de> Deserialize<'de> for Hex {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        parse_hex(&text).map(Self).map_err(de::Error::custom)
    }
}

fn optional_hex<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<u8>>, D::Error> {
    Hex::deserialize(deserializer).map(|hex| Some(hex.0))
}

/// A number of bytes: a number, or a text such as `"64 KiB"`.
struct Size(u32);

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
