//! Runs a program's fixtures, scenarios and tests, and counts what they execute.

use std::cell::RefCell;
use std::collections::HashMap;
use std::env;
use std::ffi::OsString;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use ledger::Ledger;
use ledger::scenario::{self, ProgramFile, Scenario};
use loader::coverage::Coverage;
use loader::fixture::Fixture;
use loader::{Engine, Loader};
use program_build::coverage::{self as counts, Executed};
use program_build::custom_errors::CustomErrors;
use program_build::files;
use program_build::machine::{BuiltHost, Machine};
use program_build::options::CargoOptions;
use program_build::package::ProgramPackage;

/// A program that is to be run.
pub struct Runs<'a> {
    pub package: &'a ProgramPackage,
    pub blob: &'a [u8],
    pub coverage: &'a Coverage,
    /// The options that other programs are built with.
    pub options: CargoOptions,
    /// The blobs of other programs, by their folders. Asking cargo takes longer than a fixture.
    pub others: RefCell<HashMap<PathBuf, Vec<u8>>>,
}

impl Runs<'_> {
    /// Runs a fixture. Returns what was not as it expects.
    pub fn fixture(&self, name: &str) -> Result<Vec<String>> {
        let path = self.package.fixture_path(name);
        let fixture = Fixture::read(&path)?;
        let loader = Loader::new(Engine::Interpreter)?.as_on(fixture.runtime);
        let loader = loader.count_into(self.coverage);
        let program = loader
            .load(self.blob)
            .with_context(|| format!("cannot load {}", self.package.name))?;
        let built = BuiltHost::new(
            &program,
            fixture.invocation.program_id,
            &fixture.surroundings,
            path.parent().unwrap_or(Path::new("")),
            |path| {
                let file = self.file(path)?;
                Ok((loader.load(&file)?, CustomErrors::of(&file)))
            },
        )
        .with_context(|| format!("in {}", path.display()))?;
        let outcome = program
            .invoke_with(&built.host, &fixture.invocation)
            .with_context(|| format!("in {}", path.display()))?;
        let errors = built.errors_of(&outcome, CustomErrors::of(self.blob));
        let differences = fixture.expect.differences_with(&outcome, errors.all());
        let differences = differences.into_iter();
        Ok(differences
            .map(|difference| format!("not as the fixture `{name}` expects: {difference}"))
            .collect())
    }

    /// Runs a scenario. Returns what was not as it expects.
    pub fn scenario(&self, name: &str) -> Result<Vec<String>> {
        let path = self.package.scenario_path(name);
        let scenario = Scenario::read(&path)?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let loader = Loader::new(Engine::Interpreter)?.count_into(self.coverage);
        let load = |program: &Path| {
            let bytes = self.file(&folder.join(program))?;
            Ok(ProgramFile {
                errors: CustomErrors::of(&bytes).all().to_vec(),
                bytes,
            })
        };
        let outcome = scenario::run(&scenario, Ledger::with_loader(loader), load)?;
        let differences = outcome.differences().into_iter();
        Ok(differences
            .map(|difference| format!("not as the scenario `{name}` expects: {difference}"))
            .collect())
    }

    /// The file of a program that a fixture or a scenario names: the program itself, another
    /// package that is to be built, or a file.
    fn file(&self, path: &Path) -> Result<Vec<u8>> {
        if !path.is_dir() {
            return files::read_program(path);
        }
        let mut package = ProgramPackage::in_folder(path)?;
        if package.folder == self.package.folder {
            return Ok(self.blob.to_vec());
        }
        if let Some(known) = self.others.borrow().get(&package.folder) {
            return Ok(known.clone());
        }
        package.options = self.options.clone();
        let blob = Machine::new(Engine::Interpreter).build(&package)?;
        let mut others = self.others.borrow_mut();
        Ok(others.entry(package.folder).or_insert(blob).clone())
    }

    /// Runs `cargo test` in the folder of the program. Returns whether the tests passed, and what
    /// the programs in them have executed. `folder` is for the files of their processes.
    pub fn tests(&self, arguments: &[OsString], folder: &Path) -> Result<(bool, Vec<Executed>)> {
        // Those of an earlier run.
        match fs::remove_dir_all(folder) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("cannot remove {}", folder.display()));
            }
            _ => {}
        }
        fs::create_dir_all(folder)
            .with_context(|| format!("cannot create the folder {}", folder.display()))?;
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(&cargo);
        command.arg("test");
        self.options.add_build(&mut command);
        command
            .args(arguments)
            .current_dir(&self.package.folder)
            .env(counts::FOLDER, folder)
            // The standard output is for the coverage.
            .stdout(io::stderr());
        let status = command
            .status()
            .with_context(|| format!("cannot run {}", Path::new(&cargo).display()))?;
        Ok((status.success(), counts::read(folder)?))
    }
}
