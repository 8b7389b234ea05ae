//! Reads from cargo what a workspace consists of.

use std::env;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use anyhow::Result;
use cargo_metadata::{Metadata, MetadataCommand, Package};

use crate::files;
use crate::memo::Memo;

/// The root folder of the workspace that the package of a manifest belongs to. It is the package's
/// own folder if no workspace has the package as a member.
///
/// # Errors
///
/// If cargo rejects the manifest or the workspace, or does not run.
pub fn folder(manifest: &Path) -> Result<PathBuf> {
    let metadata = read(manifest)?;
    Ok(metadata.workspace_root.into_std_path_buf())
}

/// The workspace or the package of the current folder. A process asks cargo once for each folder.
///
/// # Errors
///
/// If there is none, or as for [`read`].
pub(crate) fn current() -> Result<Arc<Metadata>> {
    static METADATA: Memo<Option<PathBuf>, Arc<Metadata>> = Memo::new();

    METADATA.get(env::current_dir().ok(), || {
        let metadata = MetadataCommand::new().no_deps().exec();
        let metadata = metadata.map_err(|error| describe(error, "the current folder"))?;
        Ok(Arc::new(metadata))
    })
}

/// The workspace of a package. Cargo runs only if it has not described the workspace yet, or if the
/// manifest of the package or of the workspace has changed since.
///
/// # Errors
///
/// As for [`read`].
pub(crate) fn with(manifest: &Path) -> Result<Arc<Metadata>> {
    static ANSWERS: Mutex<Vec<(SystemTime, Arc<Metadata>)>> = Mutex::new(Vec::new());
    let answers = || ANSWERS.lock().unwrap_or_else(PoisonError::into_inner);

    let known = answers().iter().rev().find_map(|(asked, metadata)| {
        let root = metadata.workspace_root.as_std_path().join("Cargo.toml");
        let is_current = package_of(metadata, manifest).is_some()
            && [manifest, &root]
                .into_iter()
                .all(|path| files::is_older(path, *asked));
        is_current.then(|| Arc::clone(metadata))
    });
    if let Some(metadata) = known {
        return Ok(metadata);
    }
    let asked = SystemTime::now();
    let metadata = Arc::new(read(manifest)?);
    answers().push((asked, Arc::clone(&metadata)));
    Ok(metadata)
}

/// The package of a manifest.
pub(crate) fn package_of<'a>(metadata: &'a Metadata, manifest: &Path) -> Option<&'a Package> {
    let mut packages = metadata.packages.iter();
    packages.find(|package| package.manifest_path.as_std_path() == manifest)
}

/// The workspace or the package of a manifest.
///
/// # Errors
///
/// If cargo rejects the manifest or the workspace, or does not run.
pub(crate) fn read(manifest: &Path) -> Result<Metadata> {
    MetadataCommand::new()
        .manifest_path(manifest)
        .no_deps()
        .exec()
        .map_err(|error| describe(error, &manifest.display().to_string()))
}

fn describe(error: cargo_metadata::Error, what: &str) -> anyhow::Error {
    match error {
        cargo_metadata::Error::CargoMetadata { stderr } => {
            let said = stderr.trim().trim_start_matches("error: ");
            anyhow::anyhow!("cannot read the package in {what}: {said}")
        }
        cargo_metadata::Error::Io(error) => {
            let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
            let cargo = Path::new(&cargo).display();
            anyhow::Error::new(error).context(format!("cannot run {cargo} to read {what}"))
        }
        other => anyhow::Error::new(other).context(format!("cannot read the package in {what}")),
    }
}

/// The target folder of the package or the workspace in a folder, or above it.
///
/// # Errors
///
/// If there is none.
pub fn target_folder(folder: &Path) -> Result<PathBuf> {
    let metadata = MetadataCommand::new().current_dir(folder).no_deps().exec();
    let metadata = metadata.map_err(|error| describe(error, &folder.display().to_string()))?;
    Ok(metadata.target_directory.into_std_path_buf())
}

/// The target folder of this project, for builds that belong to no program.
///
/// # Errors
///
/// If the folder that this command was built in does not have the project's crates.
pub fn own_target_folder() -> Result<PathBuf> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    let metadata = read(&manifest)?;
    Ok(metadata.target_directory.into_std_path_buf())
}
