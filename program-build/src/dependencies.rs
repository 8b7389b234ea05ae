//! The dependencies of a program, which the author's own cargo resolves and fetches.
//!
//! The author's cargo knows the proxies and the registries of their configuration. Debian's cannot
//! clone a git dependency at all: it is built against another version of the git library. And a
//! build without dev-dependencies, as that of a guest, writes no lock file.
//!
//! Cargo takes longer to find out that nothing is to be fetched than a build takes in which nothing
//! has changed. So after a build, a record says which files decided what its dependencies are, and
//! when each was changed. Cargo fetches again after any of them has changed.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use crate::files;
use crate::package::ProgramPackage;
use crate::settings;
use crate::toolchain::{self, Toolchain};

/// What a record says.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Record {
    /// Cargo's options, such as `--offline`.
    options: Vec<String>,
    /// The files, and when each was changed; `None` for one that did not exist.
    files: BTreeMap<PathBuf, Option<SystemTime>>,
}

/// The dependencies of a package, which cargo has fetched.
#[derive(Debug)]
pub(crate) struct Dependencies<'a> {
    package: &'a ProgramPackage,
    options: Vec<String>,
    /// The file of the record.
    path: PathBuf,
    /// When cargo had fetched; `None` if it was not asked, because of the record.
    fetched: Option<SystemTime>,
}

impl<'a> Dependencies<'a> {
    /// Lets the author's own cargo resolve and fetch the dependencies of a package, unless the
    /// record below a folder says that it has, and that nothing has changed since.
    ///
    /// # Errors
    ///
    /// If the author's cargo cannot resolve or fetch a dependency.
    pub fn fetch(
        package: &'a ProgramPackage,
        toolchain: &Toolchain,
        folder: &Path,
    ) -> Result<Self> {
        let mut common = Command::new("");
        package.options.add_common(&mut common);
        let options = common.get_args();
        let options = options.map(|option| option.to_string_lossy().into_owned());
        let mut dependencies = Self {
            package,
            options: options.collect(),
            path: folder
                .join("fetched")
                .join(format!("{}.json", package.name)),
            fetched: None,
        };
        if !dependencies.are_recorded() {
            fetch(package, toolchain)?;
            dependencies.fetched = Some(SystemTime::now());
        }
        Ok(dependencies)
    }

    /// Whether the record is about this package, and all is as it says.
    fn are_recorded(&self) -> bool {
        let record = fs::read(&self.path).ok();
        let record = record.and_then(|bytes| serde_json::from_slice::<Record>(&bytes).ok());
        record.is_some_and(|record| {
            let mut own = self.own_files().into_iter();
            record.options == self.options
                && own.all(|path| record.files.contains_key(&path))
                && record
                    .files
                    .iter()
                    .all(|(path, time)| changed(path) == *time)
        })
    }

    /// Writes the record after a build that used the packages with these manifests.
    ///
    /// It is left out if a file was changed after cargo had fetched, and if it cannot be written:
    /// then cargo fetches again.
    pub fn record(&self, manifests: BTreeSet<PathBuf>) {
        let Some(fetched) = self.fetched else {
            return;
        };
        let files = manifests.into_iter().chain(self.own_files());
        let record = Record {
            options: self.options.clone(),
            files: files.map(|path| (path.clone(), changed(&path))).collect(),
        };
        let is_older = |time: &Option<SystemTime>| time.is_none_or(|time| time <= fetched);
        if record.files.values().all(is_older)
            && let Ok(bytes) = serde_json::to_vec(&record)
            && let Some(folder) = self.path.parent()
        {
            let _ = fs::create_dir_all(folder);
            let _ = files::write_whole(&self.path, bytes);
        }
    }

    /// The files that decide, whatever the package depends on: manifests, lock file, and cargo's
    /// configuration.
    fn own_files(&self) -> Vec<PathBuf> {
        let (package, workspace) = (&self.package.folder, &self.package.workspace_folder);
        [package, workspace]
            .map(|folder| folder.join("Cargo.toml"))
            .into_iter()
            .chain([workspace.join("Cargo.lock")])
            .chain(settings::configuration_files(package))
            .collect()
    }
}

/// When a file was changed; `None` if it does not exist.
fn changed(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|file| file.modified()).ok()
}

fn fetch(package: &ProgramPackage, toolchain: &Toolchain) -> Result<()> {
    let folder = &package.folder;
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(&cargo);
    command
        // Without a target it fetches the dependencies of other systems, too. Every git dependency
        // is fetched.
        .args([
            "fetch",
            "--target",
            &toolchain::host(&toolchain.rustc, folder)?,
        ])
        .current_dir(folder)
        .env("RUSTC", &toolchain.rustc)
        .stdout(io::stderr());
    // Cargo asks the compiler for its targets, with these flags and through these wrappers.
    settings::overrule_flags(&mut command);
    package.options.add_common(&mut command);
    let status = match command.status() {
        Ok(status) => status,
        // Without the author's cargo there is only the other one, which resolves and fetches by
        // itself.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error).with_context(|| format!("cannot run {}", cargo.display())),
    };
    if !status.success() {
        bail!(
            "cargo cannot fetch the dependencies of the program in {}; see cargo's errors above",
            folder.display()
        );
    }
    Ok(())
}
