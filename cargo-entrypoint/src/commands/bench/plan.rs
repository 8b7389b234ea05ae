//! What to measure.

use std::path::PathBuf;

use anyhow::{Result, bail};
use program_build::options::CargoOptions;
use program_build::package::{self, Here, Program, ProgramPackage};

use crate::bench::baseline::{FILE_NAME, Scope};
use crate::bench::programs::Subject;

/// What to measure, and the path of the baseline. All of it is checked.
pub struct Plan {
    /// The programs, at least one.
    pub programs: Vec<Subject>,
    /// Which of the programs that a baseline may know are measured.
    pub scope: Scope,
    /// The baseline where none is named: the first of these that there is, or else the first.
    baselines: Vec<PathBuf>,
}

impl Plan {
    /// Finds what the command line names, which is built with these options.
    pub fn new(what: Option<&str>, options: &CargoOptions) -> Result<Self> {
        let mut plan = match what {
            Some(name) => Self::program(name),
            None => Self::here(),
        }?;
        for subject in &mut plan.programs {
            subject.set_options(options.clone());
        }
        Ok(plan)
    }

    /// The baseline's file where none is named, whether there is one or not.
    pub fn default_baseline(&self) -> PathBuf {
        let found = self.baselines.iter().find(|path| path.exists());
        found
            .or(self.baselines.first())
            .cloned()
            .unwrap_or_default()
    }

    fn program(name: &str) -> Result<Self> {
        match package::locate(Some(name))? {
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
            scope: Scope::Only(package.name.clone()),
            baselines: vec![
                package.folder.join(FILE_NAME),
                package.workspace_folder.join(FILE_NAME),
            ],
            programs: vec![subject],
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
        if subjects.is_empty() {
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
        Ok(Self {
            programs: subjects,
            scope: Scope::All,
            baselines: vec![folder.join(FILE_NAME)],
        })
    }
}
