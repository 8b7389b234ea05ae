//! The dependencies of a program, which the author's own cargo resolves and fetches.
//!
//! The author's cargo knows the proxies and the registries of their configuration. Debian's cannot
//! clone a git dependency at all: it is built against another version of the git library. And a
//! build without dev-dependencies, as that of a guest, writes no lock file.
//!
//! An unneeded `cargo fetch` takes as long as an unchanged build. So after a fetch, a record lists
//! the files that determine the dependencies. Cargo fetches again after one of them has changed.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, bail};
use cargo_metadata::{Metadata, MetadataCommand};
use serde::{Deserialize, Serialize};

use crate::files;
use crate::package::ProgramPackage;
use crate::settings;
use crate::toolchain::{self, Toolchain};

/// A file's length in bytes and the time of its last change.
type State = (u64, SystemTime);

/// The files that determined the dependencies at the last fetch: manifests, the lock file, and
/// cargo's configuration.
#[derive(Debug, Serialize, Deserialize)]
struct Record(BTreeMap<PathBuf, Option<State>>);

/// The time of a file that was just written may be behind the system's clock by this much.
const CLOCK_STEP: Duration = Duration::from_millis(10);

/// The dependencies of a package, which cargo has fetched.
#[derive(Debug)]
pub(crate) struct Dependencies<'a> {
    package: &'a ProgramPackage,
    toolchain: &'a Toolchain,
    /// The file of the record.
    path: PathBuf,
    /// Whether the record made a fetch unnecessary.
    were_recorded: bool,
}

impl<'a> Dependencies<'a> {
    /// Lets the author's own cargo resolve and fetch the dependencies of a package, unless the
    /// record below a folder makes that unnecessary. With `--locked` or `--frozen`, cargo always
    /// does it, because it checks the lock file.
    ///
    /// # Errors
    ///
    /// If the author's cargo cannot resolve or fetch a dependency.
    pub fn fetch(
        package: &'a ProgramPackage,
        toolchain: &'a Toolchain,
        folder: &Path,
    ) -> Result<Self> {
        let mut dependencies = Self {
            package,
            toolchain,
            path: folder
                .join("fetched")
                .join(format!("{}.json", package.name)),
            were_recorded: false,
        };
        let checks_lock = package.options.locked || package.options.frozen;
        dependencies.were_recorded = !checks_lock && dependencies.are_recorded();
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

    /// Whether the record is about this package, and no file of it has changed.
    fn are_recorded(&self) -> bool {
        let record = fs::read(&self.path).ok();
        let record = record.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let (Some(Record(files)), Some(own)) = (record, self.own_files()) else {
            return false;
        };
        own.iter().all(|path| files.contains_key(path))
            && files.iter().all(|(path, known)| state(path) == *known)
    }

    fn fetch_and_record(&self) -> Result<()> {
        let start = SystemTime::now() - CLOCK_STEP;
        // If it cannot be written, cargo fetches again.
        let _ = fs::remove_file(&self.path);
        self.run_cargo()?;
        let Some(files) = self.files() else {
            return Ok(());
        };
        let lock = self.lock_file();
        let record = files.into_iter().map(|path| (state(&path), path));
        let record: BTreeMap<_, _> = record.map(|(state, path)| (path, state)).collect();
        // Cargo may have read a file before it was changed. Only the lock file is cargo's own.
        let is_older = |(path, state): (&PathBuf, &Option<State>)| {
            *path == lock || state.is_none_or(|(_, changed)| changed < start)
        };
        if record.iter().all(is_older)
            && let Ok(bytes) = serde_json::to_vec(&Record(record))
            && let Some(folder) = self.path.parent()
            && fs::create_dir_all(folder).is_ok()
        {
            let _ = files::write_whole(&self.path, bytes);
        }
        Ok(())
    }

    /// All files that determine the dependencies; `None` if they are not known.
    fn files(&self) -> Option<Vec<PathBuf>> {
        let mut files = self.own_files()?;
        let metadata = fetched(&self.package.folder, &self.toolchain.rustc)?;
        for package in metadata.packages {
            let manifest = package.manifest_path.into_std_path_buf();
            if package.source.is_none() {
                // It may inherit from the manifest of its workspace.
                let above = manifest.ancestors().skip(2);
                files.extend(above.map(|folder| folder.join("Cargo.toml")));
            }
            files.push(manifest);
        }
        Some(files)
    }

    /// The files that determine the dependencies of every program in the package's folder; `None`
    /// if cargo's configuration may be in further files.
    fn own_files(&self) -> Option<Vec<PathBuf>> {
        let mut files = settings::configuration_files(&self.package.folder)?;
        let includes = |path: &PathBuf| {
            fs::read(path).is_ok_and(|text| String::from_utf8_lossy(&text).contains("include"))
        };
        if files.iter().any(includes) {
            return None;
        }
        files.push(self.package.folder.join("Cargo.toml"));
        files.push(self.package.workspace_folder.join("Cargo.toml"));
        files.push(self.lock_file());
        Some(files)
    }

    fn lock_file(&self) -> PathBuf {
        self.package.workspace_folder.join("Cargo.lock")
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

/// The systems whose dependencies cargo fetches: this computer's, for the tests, and those of the
/// guests. The compiler knows PolkaVM's target only by a file, so the third one stands for it.
fn systems(rustc: &Path, folder: &Path) -> Result<[String; 3]> {
    Ok([
        toolchain::host(rustc, folder)?,
        "wasm32-unknown-unknown".to_owned(),
        "riscv64imac-unknown-none-elf".to_owned(),
    ])
}

/// The packages that cargo has fetched for the package in a folder; `None` if one of them is
/// missing.
pub(crate) fn fetched(folder: &Path, rustc: &Path) -> Option<Metadata> {
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
