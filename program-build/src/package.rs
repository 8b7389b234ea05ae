//! Which program is meant.

use std::env;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use cargo_metadata::{DependencyKind, Metadata, Package};
use loader::Target;

use crate::metadata::ProgramMetadata;
use crate::options::CargoOptions;
use crate::{files, sources, workspace};

/// A program crate.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ProgramPackage {
    /// The package's name.
    pub name: String,
    /// The folder of its manifest.
    pub folder: PathBuf,
    /// The workspace's target folder.
    pub target_folder: PathBuf,
    /// The workspace's own folder; that of the package, if it is in no workspace.
    pub workspace_folder: PathBuf,
    /// The name by which the manifest depends on the package `program-entrypoint`; `None` if it
    /// does not depend on it directly.
    pub entrypoint: Option<String>,
    /// Whether the package depends on `program-test`: its tests may run the program.
    pub depends_on_program_test: bool,
    /// The stack of the program in bytes: `stack` of the table `package.metadata.entrypoint`, or
    /// 64 KiB. A native program has the stack of its process instead.
    pub stack: u32,
    /// The options that cargo builds it with.
    pub options: CargoOptions,
}

/// The program for a command: a crate or a file.
#[derive(Clone, Debug)]
pub enum Program {
    /// A crate that is to be built.
    Package(ProgramPackage),
    /// A file that contains a program.
    Blob(PathBuf),
}

/// The program that is run when none is named and none is here.
const DEFAULT_PROGRAM: &str = "counter";

/// The package that programs link.
const ENTRYPOINT: &str = "program-entrypoint";

/// The package that the tests of programs use.
const PROGRAM_TEST: &str = "program-test";

impl ProgramPackage {
    /// The program crate in this folder. A process asks cargo once for each workspace, unless a
    /// manifest changes.
    ///
    /// # Errors
    ///
    /// If there is no package in the folder, or it is not a program.
    pub fn in_folder(folder: &Path) -> Result<Self> {
        // Through a link, cargo would look for the workspace in the wrong place.
        let manifest = folder
            .join("Cargo.toml")
            .canonicalize()
            .with_context(|| format!("there is no Cargo.toml in {}", folder.display()))?;
        let metadata = workspace::with(&manifest)?;
        let package = workspace::package_of(&metadata, &manifest).with_context(|| {
            let programs = list_programs(&metadata);
            format!(
                "{} is a workspace and not a program; {programs}",
                folder.display()
            )
        })?;
        Self::new(package, &metadata)
    }

    fn new(package: &Package, metadata: &Metadata) -> Result<Self> {
        let name = package.name.to_string();
        if !may_be_program(package) {
            bail!(
                "the package `{name}` is not a program: a program is a library crate with `#![no_std]` that \
                 invokes `entrypoint!`"
            );
        }
        let folder = package
            .manifest_path
            .parent()
            .context("a manifest is in a folder")?;
        Ok(Self {
            name,
            folder: folder.as_std_path().to_owned(),
            target_folder: metadata.target_directory.as_std_path().to_owned(),
            workspace_folder: metadata.workspace_root.as_std_path().to_owned(),
            entrypoint: entrypoint_key(package),
            depends_on_program_test: package
                .dependencies
                .iter()
                .any(|dependency| dependency.name == PROGRAM_TEST),
            stack: ProgramMetadata::read(&package.name, &package.metadata)?.stack,
            options: CargoOptions::default(),
        })
    }

    /// The cargo feature of the package `program-entrypoint` with this name, as the program's own
    /// package calls it: `program-entrypoint/native`.
    ///
    /// # Errors
    ///
    /// If the program does not depend on `program-entrypoint` directly.
    pub fn entrypoint_feature(&self, feature: &str) -> Result<String> {
        let key = self.entrypoint.as_ref().with_context(|| {
            format!(
                "the package `{}` does not depend on `program-entrypoint` directly, and this build needs \
                 the feature `{feature}` of it; type `cargo add program-entrypoint` in {}",
                self.name,
                self.folder.display()
            )
        })?;
        Ok(format!("{key}/{feature}"))
    }

    /// The folder for everything that is built for guests.
    pub(crate) fn guest_folder(&self) -> PathBuf {
        self.target_folder.join("guest")
    }

    /// Whether a source file of the package invokes a macro that makes a program or a handler.
    #[must_use]
    pub fn invokes_entry_macro(&self) -> bool {
        sources::invoke_entry_macro(&self.folder.join("src"))
    }

    /// The fixture that is meant by a name or a path.
    ///
    /// # Errors
    ///
    /// If there is no such file; the message lists the existing fixtures. Also if they cannot be
    /// listed.
    pub fn fixture(&self, name: &str) -> Result<PathBuf> {
        self.find("fixture", name)
    }

    /// The scenario that is meant by a name or a path.
    ///
    /// # Errors
    ///
    /// If there is no such file; the message lists the existing scenarios. Also if they cannot be
    /// listed.
    pub fn scenario(&self, name: &str) -> Result<PathBuf> {
        self.find("scenario", name)
    }

    fn find(&self, what: &str, name: &str) -> Result<PathBuf> {
        let as_path = PathBuf::from(name);
        if as_path.is_file() {
            return Ok(as_path);
        }
        let in_package = self.file_of(what, name);
        if in_package.is_file() {
            return Ok(in_package);
        }
        let known = self.names_of(what)?;
        bail!(
            "there is no {what} `{name}`: neither {} nor {} is a file; {}",
            as_path.display(),
            in_package.display(),
            if known.is_empty() {
                format!("the program has no {what}s")
            } else {
                format!("the program's {what}s are {}", known.join(", "))
            }
        );
    }

    /// The default fixture: `default`, or the only one; `None` if there are none.
    ///
    /// # Errors
    ///
    /// If there are several and none is `default`, or they cannot be listed.
    pub fn default_fixture(&self) -> Result<Option<PathBuf>> {
        let known = self.fixtures()?;
        let name = match known.as_slice() {
            [] => return Ok(None),
            [only] => only,
            many => many
                .iter()
                .find(|name| *name == "default")
                .with_context(|| {
                    format!(
                        "choose a fixture with --fixture; the program has {}",
                        many.join(", ")
                    )
                })?,
        };
        Ok(Some(self.fixture_path(name)))
    }

    /// The file of one of the program's own fixtures.
    #[must_use]
    pub fn fixture_path(&self, name: &str) -> PathBuf {
        self.file_of("fixture", name)
    }

    /// The file of one of the program's own scenarios.
    #[must_use]
    pub fn scenario_path(&self, name: &str) -> PathBuf {
        self.file_of("scenario", name)
    }

    fn file_of(&self, what: &str, name: &str) -> PathBuf {
        let folder = self.folder.join(format!("{what}s"));
        folder.join(format!("{name}.toml"))
    }

    /// The names of the program's fixtures, sorted: the files `fixtures/NAME.toml`.
    ///
    /// Hidden files do not count. Editors and file systems put some of their own beside a file,
    /// such as `.#default.toml` and `._default.toml`.
    ///
    /// # Errors
    ///
    /// If the folder `fixtures` exists and cannot be read.
    pub fn fixtures(&self) -> Result<Vec<String>> {
        self.names_of("fixture")
    }

    /// The names of the program's scenarios, sorted: the files `scenarios/NAME.toml`. Hidden files
    /// do not count.
    ///
    /// # Errors
    ///
    /// If the folder `scenarios` exists and cannot be read.
    pub fn scenarios(&self) -> Result<Vec<String>> {
        self.names_of("scenario")
    }

    fn names_of(&self, what: &str) -> Result<Vec<String>> {
        let folder = self.folder.join(format!("{what}s"));
        let listed = files::list(&folder).or_else(|error| match error.kind() {
            ErrorKind::NotFound => Ok(Vec::new()),
            _ => Err(error),
        });
        let listed = listed.with_context(|| format!("cannot read {}", folder.display()))?;
        let mut names: Vec<String> = listed
            .iter()
            .filter(|path| path.is_file())
            .filter_map(|path| path.file_name()?.to_str()?.strip_suffix(".toml"))
            .map(str::to_owned)
            .collect();
        names.sort();
        Ok(names)
    }
}

/// The program that is meant by a name, a folder or a file; without one, the program in the current
/// folder, or the counter example.
///
/// # Errors
///
/// If no program is meant; the message lists those that there are.
pub fn locate(program: Option<&str>) -> Result<Program> {
    if let Some(name) = program {
        let path = Path::new(name);
        if path.is_file() {
            return Ok(Program::Blob(path.to_owned()));
        }
        if path.join("Cargo.toml").is_file() {
            return ProgramPackage::in_folder(path).map(Program::Package);
        }
        if path.is_dir() && !is_plain_name(name) {
            bail!("there is no Cargo.toml in {}", path.display());
        }
        if path
            .extension()
            .and_then(|extension| extension.to_str())
            .is_some_and(|extension| Target::ALL.map(Target::extension).contains(&extension))
        {
            bail!("there is no file {}", path.display());
        }
        if !path.exists() && !is_plain_name(name) {
            bail!("there is no file or folder {}", path.display());
        }
    }
    let metadata = workspace::current().with_context(|| match program {
        Some(name) if Path::new(name).exists() => {
            format!("{name} is neither a program's file nor the folder of a crate")
        }
        Some(name) => {
            format!(
                "`{name}` is neither a file nor a folder, and the current folder is not in a \
                 workspace that could have it as a package"
            )
        }
        None => "no program is named".to_owned(),
    })?;
    let find = |name: &str| {
        metadata
            .packages
            .iter()
            .find(|package| package.name == name)
    };
    let package = match program {
        Some(name) => find(name),
        None => here(&metadata)
            .or_else(|| find(DEFAULT_PROGRAM))
            .or_else(|| innermost(&metadata).filter(|package| may_be_program(package))),
    };
    match package {
        Some(package) => ProgramPackage::new(package, &metadata).map(Program::Package),
        None => {
            let what = match program {
                Some(name) => format!("there is no program `{name}`"),
                None => "there is no program in the current folder".to_owned(),
            };
            bail!(
                "{what}: a program is a package of this workspace, a folder with a program crate, or a \
                 file; {}",
                list_programs(&metadata)
            );
        }
    }
}

/// The programs of the current folder: the program there, or else those of the workspace.
#[derive(Clone, Debug)]
pub enum Here {
    /// The current folder is that of a program, or inside of it.
    Program(ProgramPackage),
    /// It is in a workspace.
    Workspace {
        /// The workspace's own folder.
        folder: PathBuf,
        /// The programs among its default members, sorted by their names.
        programs: Vec<ProgramPackage>,
    },
}

impl Here {
    /// Looks where the current folder is.
    ///
    /// # Errors
    ///
    /// If the current folder is in no workspace and no package.
    pub fn find() -> Result<Self> {
        let metadata = workspace::current()?;
        if let Some(package) = here(&metadata) {
            return ProgramPackage::new(package, &metadata).map(Self::Program);
        }
        let folder = metadata.workspace_root.as_std_path().to_owned();
        // Inside a member's folder, cargo counts only that member as a default member.
        let metadata = workspace::read(&folder.join("Cargo.toml"))?;
        let mut programs = metadata
            .workspace_default_packages()
            .into_iter()
            .filter(|package| is_program(package))
            .map(|package| ProgramPackage::new(package, &metadata))
            .collect::<Result<Vec<_>>>()?;
        programs.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(Self::Workspace { folder, programs })
    }
}

/// The program whose folder the current folder is, or is inside of: the innermost.
fn here(metadata: &Metadata) -> Option<&Package> {
    innermost(metadata).filter(|package| is_program(package))
}

/// The innermost package that the current folder is in.
fn innermost(metadata: &Metadata) -> Option<&Package> {
    let current = env::current_dir().ok()?;
    let contains = |package: &&Package| {
        package
            .manifest_path
            .parent()
            .is_some_and(|folder| current.starts_with(folder))
    };
    let depth = |package: &&Package| package.manifest_path.components().count();
    let packages = metadata.packages.iter();
    packages.filter(contains).max_by_key(depth)
}

/// Whether a package is listed as a program: a library whose sources invoke one of the macros that
/// make a program or a handler. This is what can be known before it is built.
fn is_program(package: &Package) -> bool {
    library(package).is_some_and(|root| root.parent().is_some_and(sources::invoke_entry_macro))
}

/// Whether a package that was named may be a program. The macro may be in the expansion of another
/// macro, so every library for machines without `std` may be one. The build then tells.
fn may_be_program(package: &Package) -> bool {
    is_program(package) || library(package).is_some_and(sources::are_no_std)
}

/// The root file of a package's library.
fn library(package: &Package) -> Option<&Path> {
    // Any crate type but a macro's: the program is compiled as a static library, whatever its
    // manifest lists.
    let library = package.targets.iter().find(|target| {
        target.is_lib()
            || target.is_rlib()
            || target.is_dylib()
            || target.is_cdylib()
            || target.is_staticlib()
    })?;
    Some(library.src_path.as_std_path())
}

/// The name by which a package's manifest depends on `program-entrypoint`.
fn entrypoint_key(package: &Package) -> Option<String> {
    let dependency = package.dependencies.iter().find(|dependency| {
        dependency.name == ENTRYPOINT && dependency.kind == DependencyKind::Normal
    })?;
    Some(
        dependency
            .rename
            .clone()
            .unwrap_or_else(|| dependency.name.clone()),
    )
}

fn is_plain_name(name: &str) -> bool {
    !name.contains(['/', '\\', '.'])
}

fn list_programs(metadata: &Metadata) -> String {
    let names: Vec<String> = metadata
        .packages
        .iter()
        .filter(|package| is_program(package))
        .map(|package| format!("`{}`", package.name))
        .collect();
    if names.is_empty() {
        "there are no programs in this workspace".to_owned()
    } else {
        format!("the programs of this workspace are {}", names.join(", "))
    }
}
