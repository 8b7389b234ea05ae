//! `cargo entrypoint new`

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use program_build::workspace;

use crate::arguments::NewArguments;
use crate::report;

/// The crate's files, with `{name}`, `{program-entrypoint}` and `{program-test}` to be filled in.
const FILES: [(&str, &str); 8] = [
    ("Cargo.toml", include_str!("../../template/Cargo.toml.txt")),
    (".gitignore", include_str!("../../template/gitignore.txt")),
    ("src/lib.rs", include_str!("../../template/lib.rs.txt")),
    (
        "fixtures/default.toml",
        include_str!("../../template/default.toml.txt"),
    ),
    (
        "fixtures/overflow.toml",
        include_str!("../../template/overflow.toml.txt"),
    ),
    (
        "scenarios/greetings.toml",
        include_str!("../../template/scenario.toml.txt"),
    ),
    (
        "tests/fixtures.rs",
        include_str!("../../template/fixtures.rs.txt"),
    ),
    (
        ".vscode/launch.json",
        include_str!("../../template/launch.json.txt"),
    ),
];

/// The settings that a workspace needs for fast tests.
const PROFILE: &str = include_str!("../../template/profile.toml.txt");

/// The crates that a program and its test depend on, and those that the compiler brings.
const TAKEN_NAMES: [&str; 20] = [
    "abi",
    "alloc",
    "allocator",
    "bytemuck",
    "core",
    "entrypoint",
    "entrypoint-macros",
    "ledger",
    "loader",
    "polkavm",
    "program-abi",
    "program-allocator",
    "program-build",
    "program-entrypoint",
    "program-entrypoint-macros",
    "program-ledger",
    "program-loader",
    "program-test",
    "std",
    "test",
];

pub fn new(arguments: &NewArguments) -> Result<ExitCode> {
    let folder = &arguments.name;
    let name = crate_name(folder)?;
    // A link that leads nowhere exists too.
    if folder.symlink_metadata().is_ok() {
        bail!(
            "{} exists already; choose another name, or remove the folder",
            folder.display()
        );
    }
    let crates = Crates::find(arguments)?;
    let unfinished = Unfinished::create(folder)?;
    let absolute = folder
        .canonicalize()
        .with_context(|| format!("cannot find the new folder {}", folder.display()))?;
    for (file, text) in FILES {
        let text = text
            .replace("{name}", &name)
            .replace(
                "{program-entrypoint}",
                &crates.dependency(&absolute, "entrypoint"),
            )
            .replace(
                "{program-test}",
                &crates.dependency(&absolute, "program-test"),
            );
        write(&folder.join(file), &text)?;
    }
    let workspace = join_workspace(&absolute).context("no program was created")?;
    let advice = set_profile(&absolute, &workspace)?;
    unfinished.keep();
    let manifest = quoted(&folder.join("Cargo.toml").display().to_string());
    report::print(&format!(
        "created the program `{name}` in {folder}\n\
         run it:   cargo entrypoint run {argument}\n\
         test it:  cargo test --manifest-path {manifest}\n\
         \n\
         to use `cargo entrypoint` in any folder, install it:\n\
         cargo install {command}\n\
         {advice}",
        folder = folder.display(),
        argument = quoted(&as_argument(folder)),
        command = crates.command(),
        advice = advice.unwrap_or_default(),
    ))?;
    Ok(ExitCode::SUCCESS)
}

/// A word, quoted for a shell if necessary.
fn quoted(word: &str) -> String {
    let is_plain = |character: char| character.is_alphanumeric() || "-_./+@".contains(character);
    if word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

/// A path that is not mistaken for a package of the workspace.
fn as_argument(folder: &Path) -> String {
    if folder.components().count() == 1 {
        format!("./{}", folder.display())
    } else {
        folder.display().to_string()
    }
}

fn crate_name(folder: &Path) -> Result<String> {
    let name = folder
        .file_name()
        .and_then(|name| name.to_str())
        .with_context(|| format!("`{}` does not end in a crate's name", folder.display()))?;
    let starts_well = name.starts_with(|first: char| first.is_ascii_alphabetic());
    let is_word = |character: char| character.is_ascii_alphanumeric() || "-_".contains(character);
    if !starts_well || !name.chars().all(is_word) {
        bail!(
            "`{name}` cannot be a crate's name: use ASCII letters, digits, `-` and `_`, and begin with a \
             letter"
        );
    }
    if TAKEN_NAMES.contains(&name) {
        bail!("`{name}` is the name of a crate that the program uses; choose another");
    }
    Ok(name.to_owned())
}

/// Where the new crate takes this project's crates from.
enum Crates {
    /// A checkout of this project.
    Checkout(PathBuf),
    /// A registry, at the version of this command.
    Registry,
}

impl Crates {
    fn find(arguments: &NewArguments) -> Result<Self> {
        if arguments.registry {
            return Ok(Self::Registry);
        }
        if let Some(folder) = &arguments.path {
            return match checkout(folder) {
                Some(folder) => Ok(Self::Checkout(folder)),
                None => bail!(
                    "{} is not a checkout of the entrypoint project: it has no entrypoint/Cargo.toml and \
                     program-test/Cargo.toml",
                    folder.display()
                ),
            };
        }
        let own = Path::new(env!("CARGO_MANIFEST_DIR"));
        if is_from_registry(own) {
            return Ok(Self::Registry);
        }
        let folder = own.parent().unwrap_or(own);
        match checkout(folder) {
            Some(folder) => Ok(Self::Checkout(folder)),
            None => bail!(
                "this command was installed from the checkout {}, which does not exist; pass the folder \
                 of a checkout with `--path FOLDER`, or `--registry` to depend on published crates",
                folder.display()
            ),
        }
    }

    /// What stands behind a crate's name in the manifest of the program in a folder.
    fn dependency(&self, program: &Path, folder: &str) -> String {
        match self {
            Self::Checkout(checkout) => {
                let path = dependency_path(program, checkout, folder);
                format!("{{ path = {path:?} }}")
            }
            Self::Registry => format!("{:?}", env!("CARGO_PKG_VERSION")),
        }
    }

    /// What `cargo install` is called with to install this command.
    fn command(&self) -> String {
        match self {
            Self::Checkout(checkout) => {
                let folder = checkout.join("cargo-entrypoint").display().to_string();
                format!("--path {}", quoted(&folder))
            }
            Self::Registry => "cargo-entrypoint".to_owned(),
        }
    }
}

/// The absolute path of a folder, if it is a checkout of this project.
fn checkout(folder: &Path) -> Option<PathBuf> {
    let is_there = |name: &str| folder.join(name).join("Cargo.toml").is_file();
    let is_checkout = is_there("entrypoint") && is_there("program-test");
    is_checkout.then(|| folder.canonicalize().ok()).flatten()
}

/// Whether a package's folder is one into which cargo unpacks packages of a registry:
/// `registry/src/REGISTRY/PACKAGE`.
fn is_from_registry(folder: &Path) -> bool {
    let mut ancestors = folder.ancestors().skip(2);
    ancestors
        .next()
        .is_some_and(|folder| folder.ends_with("registry/src"))
}

/// The path of a crate of this project: relative for a program inside of it, absolute for others.
fn dependency_path(folder: &Path, framework: &Path, name: &str) -> String {
    match folder.strip_prefix(framework) {
        Ok(inside) => {
            let up = "../".repeat(inside.components().count());
            format!("{up}{name}")
        }
        Err(_) => framework.join(name).display().to_string(),
    }
}

/// The folders that the command has created. They are removed, unless it succeeds.
struct Unfinished(Option<PathBuf>);

impl Unfinished {
    fn create(folder: &Path) -> Result<Self> {
        let is_missing = |folder: &&Path| folder.symlink_metadata().is_err();
        let named = folder.ancestors().filter(|path| *path != Path::new(""));
        let topmost = named.take_while(is_missing).last().map(Path::to_owned);
        let unfinished = Self(topmost);
        fs::create_dir_all(folder)
            .with_context(|| format!("cannot create the folder {}", folder.display()))?;
        Ok(unfinished)
    }

    fn keep(mut self) {
        self.0 = None;
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if let Some(folder) = &self.0 {
            // The error that ended the command is reported, and this one would hide it.
            let _ = fs::remove_dir_all(folder);
        }
    }
}

/// Makes the new crate a workspace of its own, if the workspace above does not count it as a
/// member. Returns the folder of the crate's workspace.
fn join_workspace(folder: &Path) -> Result<PathBuf> {
    let manifest = folder.join("Cargo.toml");
    let rejected = match workspace::folder(&manifest) {
        Ok(workspace) => return Ok(workspace),
        Err(rejected) => rejected,
    };
    // Cargo rejects the crate either because the workspace above does not list it, or because of
    // an error in that workspace, which cargo also reports without the crate.
    let mut above = folder.ancestors().skip(1).map(|up| up.join("Cargo.toml"));
    let Some(above) = above.find(|manifest| manifest.is_file()) else {
        return Err(rejected);
    };
    workspace::folder(&above)?;
    let mut text = fs::read_to_string(&manifest)
        .with_context(|| format!("cannot read {}", manifest.display()))?;
    text.push_str("\n# The workspace above does not list this crate.\n[workspace]\n");
    write(&manifest, &text)?;
    workspace::folder(&manifest)
}

/// Has the tests run on optimized virtual machines. Cargo reads profiles in the manifest of the
/// workspace only: if that is not the new crate's, returns what to add there.
fn set_profile(folder: &Path, workspace: &Path) -> Result<Option<String>> {
    let manifest = workspace.join("Cargo.toml");
    let text = fs::read_to_string(&manifest)
        .with_context(|| format!("cannot read {}", manifest.display()))?;
    if workspace == folder {
        write(&manifest, &format!("{text}\n{PROFILE}"))?;
        return Ok(None);
    }
    // As a table of its own, or in the table of all packages.
    let mut lines = text.lines().map(str::trim_start);
    let is_set = lines.any(|line| line.starts_with("[profile.dev.package"));
    Ok((!is_set).then(|| {
        format!(
            "\nfor fast tests, add this to {}:\n{PROFILE}",
            manifest.display()
        )
    }))
}

fn write(path: &Path, text: &str) -> Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)
            .with_context(|| format!("cannot create the folder {}", folder.display()))?;
    }
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_of_a_registry_is_known_by_its_folder() {
        let index = "some-registry-1949cf8c6b5b557f";
        for folder in [
            format!("/root/.cargo/registry/src/{index}/cargo-entrypoint-0.1.0"),
            format!("/opt/cargo home/registry/src/{index}/cargo-entrypoint-1.0.0"),
        ] {
            assert!(is_from_registry(Path::new(&folder)), "{folder}");
        }
        for folder in [
            "/src/registry/cargo-entrypoint",
            "/registry/src/cargo-entrypoint",
            "/",
        ] {
            assert!(!is_from_registry(Path::new(folder)), "{folder}");
        }
    }
}
