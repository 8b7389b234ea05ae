//! The dependencies of a program, which the author's own cargo resolves and fetches.
//!
//! The author's cargo uses the author's proxies and registries. Debian's cargo, which may build the
//! guest, cannot clone a git dependency: it is built against another version of the git library.
//! And a build without dev-dependencies, as that of a guest, writes no lock file.
//!
//! An unneeded `cargo fetch` takes as long as an unchanged build, and so does an unneeded
//! `cargo metadata`. So after a fetch, this module writes a record: the length and the time of each
//! file that determines the dependencies, and the packages that are in folders. Both commands run
//! again after one of the files has changed.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use anyhow::{Context, Result, bail};
use cargo_metadata::{Metadata, MetadataCommand};
use serde::{Deserialize, Serialize};

use crate::files;
use crate::package::ProgramPackage;
use crate::settings;
use crate::toolchain::{self, Toolchain};

/// A file's length in bytes and the time of its last change.
type State = (u64, SystemTime);

/// What is known from the last fetch.
#[derive(Debug, Serialize, Deserialize)]
struct Record {
    /// The files that determined the dependencies: manifests, the lock file, and cargo's
    /// configuration.
    files: BTreeMap<PathBuf, Option<State>>,
    local: Vec<LocalPackage>,
}

/// A package that is in a folder and not from a registry: what the compiler calls it, by its name
/// and version, and the folder.
type LocalPackage = (String, PathBuf);

/// The dependencies of a package, which cargo has fetched.
#[derive(Debug)]
pub(crate) struct Dependencies<'a> {
    package: &'a ProgramPackage,
    toolchain: &'a Toolchain,
    /// Whether the record made a fetch unnecessary.
    were_recorded: bool,
}

impl<'a> Dependencies<'a> {
    /// Lets the author's own cargo resolve and fetch the dependencies of a package, unless the
    /// record makes that unnecessary. With `--locked` or `--frozen`, cargo always does it, because
    /// it checks the lock file.
    ///
    /// # Errors
    ///
    /// If the author's cargo cannot resolve or fetch a dependency.
    pub fn fetch(package: &'a ProgramPackage, toolchain: &'a Toolchain) -> Result<Self> {
        let checks_lock = package.options.locked || package.options.frozen;
        let dependencies = Self {
            package,
            toolchain,
            were_recorded: !checks_lock && Record::read(package).is_some(),
        };
        if !dependencies.were_recorded {
            dependencies.fetch_and_record()?;
        }
        Ok(dependencies)
    }

    /// Fetches after a build in which cargo has not found a dependency, unless cargo has fetched
    /// for this build. Returns whether it has.
    ///
    /// # Errors
    ///
    /// As for [`Dependencies::fetch`].
    pub fn fetch_missing(&self) -> Result<bool> {
        if self.were_recorded {
            self.fetch_and_record()?;
        }
        Ok(self.were_recorded)
    }

    fn fetch_and_record(&self) -> Result<()> {
        let start = SystemTime::now() - files::CLOCK_STEP;
        // If it cannot be written, cargo fetches again.
        let _ = fs::remove_file(Record::path(self.package));
        self.run_cargo()?;
        if let Some(record) = Record::new(self.package, &self.toolchain.rustc) {
            record.write_if_older(self.package, start);
        }
        Ok(())
    }

    fn run_cargo(&self) -> Result<()> {
        let (folder, rustc) = (&self.package.folder, &self.toolchain.rustc);
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(&cargo);
        command
            // Without a target it fetches the dependencies of other systems, too. Every git
            // dependency is fetched.
            .arg("fetch")
            .args(systems(rustc, folder)?.map(|system| format!("--target={system}")))
            .current_dir(folder)
            .env("RUSTC", rustc)
            .stdout(io::stderr());
        // Cargo asks the compiler for its targets, with these flags and through these wrappers.
        settings::overrule_flags(&mut command);
        self.package.options.add_common(&mut command);
        let status = match command.status() {
            Ok(status) => status,
            // Without the author's cargo there is only the other one, which resolves and fetches by
            // itself.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => {
                return Err(error).with_context(|| format!("cannot run {}", cargo.display()));
            }
        };
        if !status.success() {
            bail!(
                "cargo cannot fetch the dependencies of the program in {}; see cargo's errors above",
                folder.display()
            );
        }
        Ok(())
    }
}

impl Record {
    /// The file of a package's record.
    fn path(package: &ProgramPackage) -> PathBuf {
        let name = format!("{}.json", package.name);
        package.guest_folder().join("fetched").join(name)
    }

    /// The record of a package, if no file of it has changed.
    fn read(package: &ProgramPackage) -> Option<Self> {
        let bytes = fs::read(Self::path(package)).ok()?;
        let record: Self = serde_json::from_slice(&bytes).ok()?;
        let own = own_files(package)?;
        let is_current = own.iter().all(|path| record.files.contains_key(path))
            && record
                .files
                .iter()
                .all(|(path, known)| state(path) == *known);
        is_current.then_some(record)
    }

    /// What cargo says now; `None` if it cannot tell without the network.
    fn new(package: &ProgramPackage, rustc: &Path) -> Option<Self> {
        let mut files = own_files(package)?;
        let metadata = fetched(&package.folder, rustc)?;
        let local = local(&metadata);
        for package in metadata.packages {
            let manifest = package.manifest_path.into_std_path_buf();
            if package.source.is_none() {
                // It may inherit from the manifest of its workspace.
                let above = manifest.ancestors().skip(2);
                files.extend(above.map(|folder| folder.join("Cargo.toml")));
            }
            files.push(manifest);
        }
        let files = files.into_iter().map(|path| (state(&path), path));
        let files = files.map(|(state, path)| (path, state)).collect();
        Some(Self { files, local })
    }

    /// Writes the record of a package, unless a file has changed since a time: cargo may have read
    /// it before. Only the lock file is cargo's own.
    fn write_if_older(&self, package: &ProgramPackage, start: SystemTime) {
        let lock = lock_file(package);
        let is_older = |(path, state): (&PathBuf, &Option<State>)| {
            *path == lock || state.is_none_or(|(_, changed)| changed < start)
        };
        let path = Self::path(package);
        if self.files.iter().all(is_older)
            && let Ok(bytes) = serde_json::to_vec(self)
            && let Some(folder) = path.parent()
            && fs::create_dir_all(folder).is_ok()
        {
            let _ = files::write_whole(&path, bytes);
        }
    }
}

/// The files that determine the dependencies of every program in a package's folder; `None` if
/// cargo's configuration may be in further files.
fn own_files(package: &ProgramPackage) -> Option<Vec<PathBuf>> {
    let mut files = settings::configuration_files(&package.folder)?;
    let includes = |path: &PathBuf| {
        fs::read(path).is_ok_and(|text| String::from_utf8_lossy(&text).contains("include"))
    };
    if files.iter().any(includes) {
        return None;
    }
    files.push(package.folder.join("Cargo.toml"));
    files.push(package.workspace_folder.join("Cargo.toml"));
    files.push(lock_file(package));
    Some(files)
}

fn lock_file(package: &ProgramPackage) -> PathBuf {
    package.workspace_folder.join("Cargo.lock")
}

/// The systems whose dependencies cargo fetches: this computer's, for the tests, and those of the
/// guests. The compiler knows PolkaVM's target only by a file, so the third one stands for it.
fn systems(rustc: &Path, folder: &Path) -> Result<[String; 3]> {
    Ok([
        toolchain::host(rustc, folder)?,
        "wasm32-unknown-unknown".to_owned(),
        "riscv64imac-unknown-none-elf".to_owned(),
    ])
}

/// The packages that a program is built with and that are in folders outside of its workspace: what
/// the compiler calls the folder of each, its name and version, and where it is. The list is empty
/// if cargo cannot make it without the network. Those for other systems than this computer and the
/// guests' are left out.
#[must_use]
pub fn foreign_folders(package: &ProgramPackage) -> Vec<(String, PathBuf)> {
    let local = match Record::read(package) {
        Some(record) => record.local,
        None => {
            let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
            let metadata = fetched(&package.folder, Path::new(&rustc));
            metadata.as_ref().map(local).unwrap_or_default()
        }
    };
    let is_foreign = |folder: &Path| !folder.starts_with(&package.workspace_folder);
    let foreign = local.into_iter().filter(|(_, folder)| is_foreign(folder));
    foreign.collect()
}

fn local(metadata: &Metadata) -> Vec<LocalPackage> {
    let packages = metadata.packages.iter();
    let packages = packages.filter(|package| package.source.is_none());
    let packages = packages.filter_map(|package| {
        let folder = package.manifest_path.parent()?.as_std_path().to_owned();
        Some((format!("{}-{}", package.name, package.version), folder))
    });
    packages.collect()
}

/// The packages that cargo has fetched for the package in a folder; `None` if one of them is
/// missing.
fn fetched(folder: &Path, rustc: &Path) -> Option<Metadata> {
    let systems = systems(rustc, folder).ok()?;
    // Cargo does not fetch packages for other systems, and would fail because they are missing.
    let filters = systems.map(|system| format!("--filter-platform={system}"));
    let mut command = MetadataCommand::new()
        .manifest_path(folder.join("Cargo.toml"))
        .current_dir(folder)
        .other_options([&["--offline".to_owned()], &filters[..]].concat())
        .cargo_command();
    command.env("RUSTC", rustc);
    settings::overrule_flags(&mut command);
    let output = command.output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let json = text.lines().find(|line| line.starts_with('{'))?;
    MetadataCommand::parse(json).ok()
}

/// The state of a file; `None` if it does not exist.
fn state(path: &Path) -> Option<State> {
    let file = fs::metadata(path).ok()?;
    Some((file.len(), file.modified().ok()?))
}
