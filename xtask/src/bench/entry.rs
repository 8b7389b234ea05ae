//! The bench of entries: the gas from the export to the author's function and back. The crate
//! `entry-bench` is the guest for ours, `peers-bench` that for those of other projects. The first
//! explains how to read its figures.

use std::fmt::{self, Write};

use anyhow::{Context, Result, bail};
use cargo_metadata::{CargoOpt, MetadataCommand};
use loader::fixture::DEFAULT_PROGRAM_ID;
use loader::{AccountInput, Engine, Invocation, Loader, Program, Pubkey};
use serde::{Deserialize, Serialize};

use cargo_entrypoint::bench::{Figure, Measured};
use cargo_entrypoint::text::grouped;
use program_build::guest::{self, DebugInfo};
use program_build::package::ProgramPackage;

/// The line of `docs/benchmarking.md` that the table follows.
pub const START: &str = "<!-- written by `cargo xtask bench entry --update` -->";

/// Length in bytes of the data of every account.
pub const DATA_LENGTH: usize = 100;

/// The guests' feature that makes the function return its accounts.
const CHECKED: &str = "checked";

/// An entry to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Entry {
    /// `entrypoint::entrypoint!`.
    Entrypoint,
    /// `entrypoint::entrypoint_no_alloc!`.
    EntrypointNoAlloc,
    /// `pinocchio::entrypoint::process_entrypoint`.
    Pinocchio,
}

impl Entry {
    /// All of them, ours first.
    pub const ALL: [Self; 3] = [Self::Entrypoint, Self::EntrypointNoAlloc, Self::Pinocchio];

    /// The entries of this project, whose build downloads nothing.
    pub const OURS: [Self; 2] = [Self::Entrypoint, Self::EntrypointNoAlloc];

    /// Its name, which is the guest's feature, and for another project's entry that of its crate.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Entrypoint => "entrypoint",
            Self::EntrypointNoAlloc => "entrypoint_no_alloc",
            Self::Pinocchio => "pinocchio",
        }
    }

    /// How it is given its input.
    const fn reads(self) -> Layout {
        match self {
            Self::Entrypoint | Self::EntrypointNoAlloc => Layout::Ours,
            Self::Pinocchio => Layout::Solana,
        }
    }
}

/// Which input an entry reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// The layout of `docs/abi.md`, with an account table or without one.
    Ours,
    /// The layout of the Solana runtime, which the loader passes as instruction data. It has no
    /// account table.
    Solana,
}

/// The accounts of one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Case {
    /// How many accounts there are.
    pub accounts: usize,
    /// How many repeats follow the accounts, of each of them in turn.
    pub repeats: usize,
}

/// The calls that are measured.
pub const CASES: [Case; 7] = [
    Case::different(0),
    Case::different(1),
    Case::different(2),
    Case {
        accounts: 2,
        repeats: 8,
    },
    Case::different(8),
    Case::different(32),
    Case::different(63),
];

impl Case {
    const fn different(accounts: usize) -> Self {
        Self {
            accounts,
            repeats: 0,
        }
    }

    /// The account at each place of the list.
    fn list(self) -> impl Iterator<Item = usize> {
        (0..self.accounts).chain((0..self.repeats).map(move |index| index % self.accounts))
    }
}

/// The cost of one invocation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// The entry's name.
    pub entry: String,
    /// Whether the input ends in an account table.
    pub table: bool,
    /// How many accounts there are.
    pub accounts: usize,
    /// How many repeats follow the accounts.
    pub repeats: usize,
    /// Gas of the whole call.
    pub gas: u64,
}

impl Measured for Row {
    fn subject(&self) -> String {
        let Self {
            entry,
            table,
            accounts,
            repeats,
            ..
        } = self;
        let table = if *table { "table" } else { "no table" };
        format!("{entry} ({table}, {accounts} accounts, {repeats} repeats)")
    }

    fn is_ours(&self) -> bool {
        Entry::OURS.iter().any(|entry| entry.name() == self.entry)
    }

    fn figures(&self) -> Vec<Figure> {
        vec![Figure::new(self.subject(), "gas", self.gas)]
    }
}

/// A fault of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryFailed {
    /// The invocation, for people.
    pub subject: String,
    /// The fault, for people.
    pub reason: String,
}

impl fmt::Display for EntryFailed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.subject, self.reason)
    }
}

impl std::error::Error for EntryFailed {}

/// The guests.
#[derive(Clone, Debug)]
pub struct Guests {
    /// The guest with our entries, `entry-bench`.
    pub ours: ProgramPackage,
    /// The guest with the entries of others, `peers-bench`. Not read if none of them is
    /// measured.
    pub peers: Option<ProgramPackage>,
}

/// The table of `docs/benchmarking.md`. `pinocchio` is the version of that crate, and `compiler`
/// the version text of the compiler.
#[must_use]
pub fn section(rows: &[Row], pinocchio: &str, compiler: &str) -> String {
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = write_section(&mut text, rows, pinocchio, compiler);
    text
}

fn write_section(
    out: &mut String,
    rows: &[Row],
    pinocchio: &str,
    compiler: &str,
) -> std::fmt::Result {
    write!(out, "\n| gas by number of accounts |")?;
    for Case { accounts, repeats } in CASES {
        match repeats {
            0 => write!(out, " {accounts} |")?,
            _ => write!(out, " {accounts}, {repeats} repeats |")?,
        }
    }
    writeln!(out, "\n|---|{}", "--:|".repeat(CASES.len()))?;
    for rows in rows.chunk_by(|one, other| (&one.entry, one.table) == (&other.entry, other.table)) {
        let Row { entry, table, .. } = &rows[0];
        match (rows[0].is_ours(), table) {
            (true, true) => write!(out, "| `{entry}!`, with an account table |")?,
            (true, false) => write!(out, "| `{entry}!`, without one |")?,
            (false, _) => write!(out, "| `{entry}` {pinocchio} |")?,
        }
        for row in rows {
            write!(out, " {} |", grouped(row.gas))?;
        }
        writeln!(out)?;
    }
    writeln!(
        out,
        "\nMeasured by `cargo xtask bench entry` with\n`{compiler}`.\n"
    )
}

/// The version of pinocchio that is built here.
///
/// # Errors
///
/// If cargo does not report it.
pub fn pinocchio_version(peers: &ProgramPackage) -> Result<String> {
    let metadata = MetadataCommand::new()
        .manifest_path(peers.folder.join("Cargo.toml"))
        .features(CargoOpt::AllFeatures)
        .exec()
        .context("cannot read the version of pinocchio")?;
    let package = metadata
        .packages
        .iter()
        .find(|package| package.name == Entry::Pinocchio.name());
    let package = package.context("there is no package `pinocchio`")?;
    Ok(package.version.to_string())
}

/// Builds the guest of each entry and makes every call, without an account table, and with one if
/// the entry reads it. Progress goes to the standard error.
///
/// # Errors
///
/// If a guest does not build. [`EntryFailed`] if a call fails, or its function does not get the
/// accounts.
pub fn measure(guests: &Guests, entries: &[Entry]) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for entry in entries {
        let package = if Entry::OURS.contains(entry) {
            &guests.ours
        } else {
            let peers = guests.peers.as_ref();
            peers.context("there is no package with the entries of other projects")?
        };
        let plain = build(package, &[entry.name()])?;
        let checked = build(package, &[entry.name(), CHECKED])?;
        let tables: &[bool] = match entry.reads() {
            Layout::Ours => &[true, false],
            Layout::Solana => &[false],
        };
        for table in tables {
            for case in CASES {
                let invocation = invocation(entry.reads(), case).account_table(*table);
                let mut row = Row {
                    entry: entry.name().to_owned(),
                    table: *table,
                    accounts: case.accounts,
                    repeats: case.repeats,
                    gas: 0,
                };
                check_seen(&call(&checked, &invocation, &row)?.1, case, &row)?;
                row.gas = call(&plain, &invocation, &row)?.0;
                rows.push(row);
            }
        }
    }
    Ok(rows)
}

fn build(package: &ProgramPackage, features: &[&str]) -> Result<Program> {
    let text = format!("building `{}` with {}", package.name, features.join(", "));
    package.options.progress(&text);
    let blob = guest::build_with_features(package, features, DebugInfo::Strip)?;
    Loader::new(Engine::Interpreter)?
        .load(&blob)
        .with_context(|| {
            format!(
                "cannot load `{}` with {}",
                package.name,
                features.join(", ")
            )
        })
}

/// Checks that the handler has got these accounts, by the first bytes of their keys.
fn check_seen(seen: &[u8], case: Case, row: &Row) -> Result<(), EntryFailed> {
    let expected: Vec<u8> = case.list().map(first_byte_of_key).collect();
    if seen == expected {
        return Ok(());
    }
    Err(EntryFailed {
        subject: row.subject(),
        reason: format!("the function got the accounts {seen:?}, not {expected:?}"),
    })
}

/// Gas and return data of a call that succeeds.
fn call(program: &Program, invocation: &Invocation, row: &Row) -> Result<(u64, Vec<u8>)> {
    let outcome = program.invoke(invocation)?;
    if let Some(failure) = &outcome.failure {
        bail!(EntryFailed {
            subject: row.subject(),
            reason: format!("the call fails: {failure}"),
        });
    }
    Ok((outcome.gas_used, outcome.return_data))
}

/// The first byte of an account's key. It is never zero, so that an account that was not written is
/// noticed.
fn first_byte_of_key(index: usize) -> u8 {
    index as u8 + 1
}

/// Every second account is writable, as in the call of `calls-bench`.
fn account(index: usize) -> AccountInput {
    let account = AccountInput::new(Pubkey::new([first_byte_of_key(index); 32]))
        .owner(DEFAULT_PROGRAM_ID)
        .data([0; DATA_LENGTH]);
    if index.is_multiple_of(2) {
        account.writable()
    } else {
        account
    }
}

/// The invocation of an entry that reads this layout.
pub(super) fn invocation(layout: Layout, case: Case) -> Invocation {
    let invocation = Invocation::new(DEFAULT_PROGRAM_ID);
    match layout {
        Layout::Solana => invocation.data(solana_input(case)),
        Layout::Ours => case
            .list()
            .enumerate()
            .fold(invocation, |invocation, (place, index)| {
                if place < case.accounts {
                    invocation.account(account(index))
                } else {
                    invocation.repeat(index)
                }
            }),
    }
}

/// The input as the Solana runtime writes it: the accounts, each in the same layout as in ours,
/// then the instruction data, which is empty, then the program id.
fn solana_input(case: Case) -> Vec<u8> {
    let mut bytes = Vec::new();
    bytes.extend(((case.accounts + case.repeats) as u64).to_le_bytes());
    for (place, index) in case.list().enumerate() {
        if place < case.accounts {
            let AccountInput {
                account,
                is_writable,
                ..
            } = account(index);
            let start = bytes.len();
            // Marker, flags (signer, writable, executable), four bytes that are the program's.
            bytes.extend([0xFF, 0, is_writable.into(), 0, 0, 0, 0, 0]);
            bytes.extend(account.key.as_bytes());
            bytes.extend(account.owner.as_bytes());
            bytes.extend(account.kelvins.to_le_bytes());
            bytes.extend((account.data.len() as u64).to_le_bytes());
            bytes.extend(&account.data);
            let spare = 10_240;
            bytes.resize((bytes.len() + spare).next_multiple_of(8), 0);
            bytes.extend(account.rent_epoch.to_le_bytes());
            debug_assert!((bytes.len() - start).is_multiple_of(8));
        } else {
            bytes.extend((index as u64).to_le_bytes());
        }
    }
    bytes.extend(0_u64.to_le_bytes());
    bytes.extend(DEFAULT_PROGRAM_ID.as_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::{Case, Entry, Row, check_seen, solana_input};

    const TWICE: Case = Case {
        accounts: 2,
        repeats: 3,
    };

    #[test]
    fn function_must_get_every_account_in_order() {
        let row = Row {
            entry: Entry::Entrypoint.name().to_owned(),
            table: false,
            accounts: 2,
            repeats: 3,
            gas: 0,
        };
        check_seen(&[1, 2, 1, 2, 1], TWICE, &row).expect("all of them");
        for seen in [&[] as &[u8], &[1, 2], &[1, 2, 1, 2, 2], &[1, 2, 1, 2, 1, 0]] {
            let refused = check_seen(seen, TWICE, &row).expect_err("others");
            let refused = refused.to_string();
            assert!(
                refused.starts_with("entrypoint (no table, 2 accounts, 3 repeats): "),
                "{refused}"
            );
        }
    }

    #[test]
    fn solana_input_has_the_solana_layout() {
        let bytes = solana_input(TWICE);
        let account = 8 + 32 + 32 + 8 + 8 + (100 + 10_240 + 4) + 8;
        assert_eq!(bytes.len(), 8 + 2 * account + 3 * 8 + 8 + 32);
        assert_eq!(bytes[..8], 5_u64.to_le_bytes());
        // Every second account is writable, the first one too.
        assert_eq!(bytes[8..17], [0xFF, 0, 1, 0, 0, 0, 0, 0, 1]);
        assert_eq!(bytes[8 + account..][..9], [0xFF, 0, 0, 0, 0, 0, 0, 0, 2]);
        let repeats = &bytes[8 + 2 * account..];
        assert_eq!(repeats[..9], [0, 0, 0, 0, 0, 0, 0, 0, 1]);
    }
}
