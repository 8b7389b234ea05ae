//! What to measure.

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use cargo_entrypoint::bench::baseline::{FILE_NAME, Scope};
use cargo_entrypoint::bench::programs::Subject;
use cargo_entrypoint::bench::{allocators, entry, size};
use program_build::options::CargoOptions;
use program_build::package::{self, Here, Program, ProgramPackage};

/// The advice if a suite's guest is not found.
const WRONG_PLACE: &str =
    "run the command in the folder of the entrypoint project, where the package is";

/// The suites' names, as they are typed.
const SUITES: [&str; 3] = ["entry", "allocators", "size"];

/// What to measure, and the path of the baseline. All of it is checked.
pub struct Plan {
    /// The guests of the suite `entry`.
    pub entry: Option<entry::Guests>,
    /// The guest of the suite `allocators`.
    pub allocators: Option<ProgramPackage>,
    /// The guest of the suite `size`.
    pub size: Option<ProgramPackage>,
    /// The programs; `None` if the command line names a suite.
    pub programs: Option<Vec<Subject>>,
    /// Which of the programs that a baseline may know are measured.
    pub scope: Scope,
    /// The baseline where none is named: the first of these that there is, or else the first.
    baselines: Vec<PathBuf>,
}

impl Plan {
    /// Finds what the command line names, which is built with these options.
    pub fn new(what: Option<&str>, options: &CargoOptions) -> Result<Self> {
        let mut plan = match what {
            Some(name) if SUITES.contains(&name) => Self::suite(name),
            Some(name) => Self::program(name),
            None => Self::here(),
        }?;
        for guest in plan.guests_mut() {
            guest.options = options.clone();
        }
        for subject in plan.programs.iter_mut().flatten() {
            subject.set_options(options.clone());
        }
        Ok(plan)
    }

    /// The guests of the suites.
    fn guests_mut(&mut self) -> impl Iterator<Item = &mut ProgramPackage> {
        let (ours, peers) = match &mut self.entry {
            Some(guests) => (Some(&mut guests.ours), guests.peers.as_mut()),
            None => (None, None),
        };
        let others = [self.allocators.as_mut(), self.size.as_mut()];
        [ours, peers].into_iter().chain(others).flatten()
    }

    /// The baseline's file where none is named, whether there is one or not.
    pub fn default_baseline(&self) -> PathBuf {
        let found = self.baselines.iter().find(|path| path.exists());
        found
            .or(self.baselines.first())
            .cloned()
            .unwrap_or_default()
    }

    /// The folder of one of the packages that are measured: there the compiler is looked for.
    pub fn any_package(&self) -> Option<&ProgramPackage> {
        let program = self.programs.iter().flatten().next();
        let entry = self.entry.as_ref().map(|guests| &guests.ours);
        entry
            .or(self.allocators.as_ref())
            .or(self.size.as_ref())
            .or(program.map(Subject::package))
    }

    fn suite(name: &str) -> Result<Self> {
        let mut plan = Self::empty();
        match name {
            "entry" => plan.entry = Some(entry_guests()?),
            "allocators" => plan.allocators = Some(guest(allocators::PACKAGE, name)?),
            _ => plan.size = Some(guest(size::PACKAGE, name)?),
        }
        plan.baselines = plan
            .any_package()
            .map(|package| package.workspace_folder.join(FILE_NAME))
            .into_iter()
            .collect();
        Ok(plan)
    }

    fn program(name: &str) -> Result<Self> {
        let program = package::locate(Some(name))
            .with_context(|| format!("`{name}` is not one of the suites {}", SUITES.join(", ")))?;
        match program {
            Program::Package(package) => Self::of_program(package),
            Program::Blob(file) => bail!(
                "{} is a file and has no fixtures; pass the folder of its crate",
                file.display()
            ),
        }
    }

    fn of_program(package: ProgramPackage) -> Result<Self> {
        let subject = Subject::read(package)?;
        let package = subject.package();
        if subject.is_empty() {
            bail!(
                "`{}` has no fixtures; add one, such as {}",
                package.name,
                package.fixture_path("default").display()
            );
        }
        Ok(Self {
            scope: Scope::Programs(BTreeSet::from([package.name.clone()])),
            baselines: vec![
                package.folder.join(FILE_NAME),
                package.workspace_folder.join(FILE_NAME),
            ],
            programs: Some(vec![subject]),
            ..Self::empty()
        })
    }

    fn here() -> Result<Self> {
        let (folder, programs) = match Here::find()? {
            Here::Program(package) => return Self::of_program(package),
            Here::Workspace { folder, programs } => (folder, programs),
        };
        let names: Vec<String> = programs
            .iter()
            .map(|package| format!("`{}`", package.name))
            .collect();
        let subjects = programs.into_iter().map(Subject::read);
        let mut subjects = subjects.collect::<Result<Vec<_>>>()?;
        subjects.retain(|subject| !subject.is_empty());
        // Only this project has the guests.
        let is_this_project = package::member_folder(entry::PACKAGE)?.is_some();
        if subjects.is_empty() && !is_this_project {
            match names.as_slice() {
                [] => bail!(
                    "there is nothing to measure: no default member of this workspace is a program"
                ),
                names => bail!(
                    "there is nothing to measure: no program of this workspace has fixtures; its programs are {}",
                    names.join(", ")
                ),
            }
        }
        let mut plan = Self {
            programs: Some(subjects),
            baselines: vec![folder.join(FILE_NAME)],
            ..Self::empty()
        };
        if is_this_project {
            plan.entry = Some(entry_guests()?);
            plan.allocators = Some(guest(allocators::PACKAGE, "allocators")?);
            plan.size = Some(guest(size::PACKAGE, "size")?);
        }
        Ok(plan)
    }

    fn empty() -> Self {
        Self {
            entry: None,
            allocators: None,
            size: None,
            programs: None,
            scope: Scope::All,
            baselines: Vec::new(),
        }
    }
}

fn entry_guests() -> Result<entry::Guests> {
    Ok(entry::Guests {
        ours: guest(entry::PACKAGE, "entry")?,
        peers: Some(guest(entry::PEERS_PACKAGE, "peers")?),
    })
}

/// The guest of a suite, whose folder is `benches/{folder}`.
fn guest(package: &str, folder: &str) -> Result<ProgramPackage> {
    let found = package::member_folder(package)
        .and_then(|folder| folder.context("the workspace has no such package"))
        .with_context(|| {
            let program = if SUITES.contains(&folder) {
                format!("; write a program of that name as `./{folder}`")
            } else {
                String::new()
            };
            format!(
                "there is no package `{package}` to measure; {WRONG_PLACE} `benches/{folder}`{program}"
            )
        })?;
    ProgramPackage::in_folder(&found)
}
