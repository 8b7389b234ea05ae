//! `cargo entrypoint new`

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};

use crate::arguments::NewArguments;
use crate::report;

/// The crate's files, with `{name}`, `{entrypoint}` and `{program-test}` to be filled in.
const FILES: [(&str, &str); 5] = [
    ("Cargo.toml", include_str!("../../template/Cargo.toml.txt")),
    (".gitignore", include_str!("../../template/gitignore.txt")),
    ("src/lib.rs", include_str!("../../template/lib.rs.txt")),
    (
        "fixtures/default.toml",
        include_str!("../../template/default.toml.txt"),
    ),
    (
        "tests/fixtures.rs",
        include_str!("../../template/fixtures.rs.txt"),
    ),
];

/// The crates that a program and its test depend on, and those that the compiler brings.
const TAKEN_NAMES: [&str; 18] = [
    "abi",
    "alloc",
    "allocator",
    "bytemuck",
    "core",
    "entrypoint",
    "entrypoint-macros",
    "loader",
    "polkavm",
    "program-abi",
    "program-allocator",
    "program-build",
    "program-entrypoint",
    "program-entrypoint-macros",
    "program-loader",
    "program-test",
    "std",
    "test",
];

pub fn new(arguments: &NewArguments) -> Result<ExitCode> {
    let folder = &arguments.name;
    let name = crate_name(folder)?;
    if folder.exists() {
        bail!(
            "{} exists already; choose another name or remove it",
            folder.display()
        );
    }
    let framework = framework_folder()?;
    fs::create_dir_all(folder)
        .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let absolute = folder
        .canonicalize()
        .context("cannot find the new folder")?;
    for (file, text) in FILES {
        let text = text
            .replace("{name}", &name)
            .replace(
                "{entrypoint}",
                &dependency_path(&absolute, &framework, "entrypoint"),
            )
            .replace(
                "{program-test}",
                &dependency_path(&absolute, &framework, "program-test"),
            );
        write(&folder.join(file), &text)?;
    }
    stand_alone_if_needed(folder)?;
    let manifest = quoted(&folder.join("Cargo.toml").display().to_string());
    report::print(&format!(
        "made the program `{name}` in {folder}\n\
         run it:   cargo entrypoint run {argument}\n\
         test it:  cargo test --manifest-path {manifest}\n\
         \n\
         outside of this project's folder, `cargo entrypoint` is there after\n\
         cargo install --path {command}\n",
        folder = folder.display(),
        argument = quoted(&as_argument(folder)),
        command = quoted(&framework.join("cargo-entrypoint").display().to_string()),
    ))?;
    Ok(ExitCode::SUCCESS)
}

/// A word as a shell takes it for one.
fn quoted(word: &str) -> String {
    let is_plain = |character: char| character.is_alphanumeric() || "-_./+@".contains(character);
    if word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

/// A path that cannot be taken for a package of the workspace.
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
        .with_context(|| format!("`{}` does not end in a name", folder.display()))?;
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

/// The folder of this project, from which the new crate takes its dependencies.
fn framework_folder() -> Result<PathBuf> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    let framework = own
        .parent()
        .context("the command's crate stands in the project's folder")?;
    if !framework.join("entrypoint/Cargo.toml").is_file() {
        bail!(
            "the project's crates are no longer in {}; run `cargo install --path cargo-entrypoint` where \
             they are now",
            framework.display()
        );
    }
    framework
        .canonicalize()
        .context("cannot find the project's folder")
}

/// Where a crate of this project is: relative for a program inside of it, absolute for others.
fn dependency_path(folder: &Path, framework: &Path, name: &str) -> String {
    match folder.strip_prefix(framework) {
        Ok(inside) => {
            let up = "../".repeat(inside.components().count());
            format!("{up}{name}")
        }
        Err(_) => framework.join(name).display().to_string(),
    }
}

/// Makes the crate a workspace of its own where the workspace above does not count it as a member.
fn stand_alone_if_needed(folder: &Path) -> Result<()> {
    let manifest = folder.join("Cargo.toml");
    let output = Command::new("cargo")
        .args([
            "metadata",
            "--no-deps",
            "--format-version",
            "1",
            "--manifest-path",
        ])
        .arg(&manifest)
        .output()
        .context("cannot run cargo")?;
    if output.status.success() {
        return Ok(());
    }
    let mut text = fs::read_to_string(&manifest).context("cannot read the new manifest")?;
    text.push_str("\n# The workspace above does not know this crate.\n[workspace]\n");
    write(&manifest, &text)
}

fn write(path: &Path, text: &str) -> Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)
            .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    }
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}
