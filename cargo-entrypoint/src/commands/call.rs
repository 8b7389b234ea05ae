//! A program and its invocation, for `run` and `profile`.

use std::ffi::OsStr;
use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, anyhow, bail};
use loader::display::escape_control;
use loader::fixture::{DEFAULT_PROGRAM_ID, Expectation, Fixture, Surroundings};
use loader::{CustomError, Invocation, Loader, Outcome, Runtime, Target};
use program_build::files;
use program_build::guest;
use program_build::machine::{BuiltHost, Machine};
use program_build::package::{Program, ProgramPackage};
use program_build::workspace;

use crate::arguments::{CallArguments, Data, ProgramCargoArguments};
use crate::profile::inlining::Inlining;
use crate::profile::sources::Sources;
use crate::report::{self, EXIT_FAILED};

/// A program and an invocation, from the command line.
pub struct Call {
    pub program: Program,
    pub fixture: Option<PathBuf>,
    pub invocation: Invocation,
    /// Whose limits, prices and log lines the program gets.
    pub runtime: Runtime,
    /// What the program can reach beyond its own input.
    surroundings: Surroundings,
    /// What the fixture expects, unless that is nothing.
    expect: Option<Expectation>,
    /// The options that replaced a value of the invocation. What the fixture expects holds for its
    /// own invocation only.
    replacing: Vec<&'static str>,
}

impl Call {
    /// Finds the program and reads the fixture. Building takes longer than finding an error in
    /// them.
    pub fn read(arguments: &CallArguments, cargo: &ProgramCargoArguments) -> Result<Self> {
        let program = cargo.locate(arguments.program.as_deref())?;
        let fixture_path = match (&arguments.fixture, &program) {
            (Some(name), Program::Package(package)) => Some(package.fixture(name)?),
            (Some(name), Program::Blob(blob)) => {
                let path = PathBuf::from(name);
                if !path.is_file() {
                    let blob = blob.display();
                    bail!(
                        "{name} is not a file; {blob} has no fixtures, so pass the path of a fixture file"
                    );
                }
                Some(path)
            }
            (None, Program::Package(package)) => package.default_fixture()?,
            (None, Program::Blob(_)) => None,
        };
        let asked = arguments.runtime.map(Runtime::from);
        let read = |path| Fixture::read_as_on(path, asked);
        let fixture = fixture_path.as_deref().map(read).transpose()?;
        let runtime = fixture.as_ref().map(|fixture| fixture.runtime);
        let runtime = runtime.or(asked).unwrap_or_default();
        let (mut invocation, surroundings, expect) = match fixture {
            Some(fixture) => (
                fixture.invocation,
                fixture.surroundings,
                Some(fixture.expect),
            ),
            None => (
                Invocation::as_on(runtime, DEFAULT_PROGRAM_ID),
                Surroundings::default(),
                None,
            ),
        };
        let replacing = apply_options(arguments, &mut invocation)?;
        invocation
            .validate(&runtime.limits())
            .map_err(|error| match &fixture_path {
                Some(path) if replacing.is_empty() => {
                    anyhow::Error::new(error).context(format!("in {}", path.display()))
                }
                _ => error.into(),
            })?;
        Ok(Self {
            program,
            fixture: fixture_path,
            invocation,
            runtime,
            surroundings,
            expect: expect.filter(|expect| !expect.is_empty()),
            replacing,
        })
    }

    /// The host of the program: what it can reach beyond its own input. Builds the programs that
    /// the fixture names.
    pub fn host(
        &self,
        machine: &Machine,
        loader: &Loader,
        program: &loader::Program,
    ) -> Result<BuiltHost> {
        let folder = self.fixture.as_deref().and_then(Path::parent);
        BuiltHost::new(
            program,
            self.invocation.program_id,
            &self.surroundings,
            folder.unwrap_or(Path::new("")),
            |path| machine.load(loader, path),
        )
    }

    /// The program's name, for people.
    pub fn name(&self) -> String {
        match &self.program {
            Program::Package(package) => package.name.clone(),
            Program::Blob(path) => path.display().to_string(),
        }
    }

    /// The program's blob, with debug information if it is built here.
    pub fn blob(&self) -> Result<Vec<u8>> {
        let (_, blob) = guest::blob_of(&self.program)?;
        Ok(blob)
    }

    /// What is known about the source of the program's last build for riscv64: nothing, of a file.
    pub fn debug_info(&self) -> (Inlining, Sources) {
        match &self.program {
            Program::Package(package) => (Inlining::of(package), Sources::of(package)),
            Program::Blob(_) => (Inlining::default(), Sources::unknown()),
        }
    }

    /// The same as the first of [`debug_info`](Self::debug_info), with the programs that the fixture
    /// names.
    pub fn with_called(&self, inlining: Inlining) -> Inlining {
        let folder = self.fixture.as_deref().and_then(Path::parent);
        let folder = folder.unwrap_or(Path::new(""));
        let programs = self.surroundings.programs.iter();
        let packages = programs.filter_map(|program| {
            let package = ProgramPackage::in_folder(&folder.join(&program.path));
            Some((program.id, package.ok()?))
        });
        packages.fold(
            inlining.program(self.invocation.program_id),
            |inlining, (id, package)| inlining.called(id, Inlining::of(&package)),
        )
    }

    /// The program's file, or the result of building its package.
    pub fn file(&self, build: impl FnOnce(&ProgramPackage) -> Result<Vec<u8>>) -> Result<Vec<u8>> {
        match &self.program {
            Program::Package(package) => build(package),
            Program::Blob(path) => files::read_program(path),
        }
    }

    /// The target of the program's file, if it is a file with a known magic number.
    pub fn target_of_file(&self) -> Result<Option<Target>> {
        let Program::Blob(path) = &self.program else {
            return Ok(None);
        };
        let mut magic = Vec::new();
        fs::File::open(path)
            .and_then(|file| file.take(8).read_to_end(&mut magic))
            .with_context(|| format!("cannot read {}", path.display()))?;
        Ok(Target::of(&magic))
    }

    /// Where the process of a native program is compiled, if it is not installed: in the program's
    /// own workspace, or in that of the tool.
    pub fn target_folder(&self, target: Target) -> PathBuf {
        match &self.program {
            Program::Package(package) => package.target_folder.clone(),
            // For other targets nothing is compiled, so neither cargo nor the workspace is needed.
            Program::Blob(_) if target != Target::Native => PathBuf::new(),
            // Without the workspace nothing is compiled: the error comes when the process is looked
            // for.
            Program::Blob(_) => {
                workspace::own_target_folder().unwrap_or_else(|_| PathBuf::from("target"))
            }
        }
    }

    /// Program and fixture, for the heading of a report.
    pub fn title(&self) -> String {
        let name = self.name();
        escape_control(&match &self.fixture {
            Some(path) => format!("{name} · fixture {}", self.fixture_name(path)),
            None => format!("{name} · no fixture"),
        })
    }

    /// The name of the fixture without its folder, if there is one.
    pub fn short_fixture(&self) -> Option<String> {
        let stem = self.fixture.as_deref().and_then(Path::file_stem)?;
        Some(stem.to_string_lossy().into_owned())
    }

    /// The name of one of the program's own fixtures, or else the path.
    fn fixture_name(&self, path: &Path) -> String {
        let stem = path.file_stem().and_then(OsStr::to_str);
        match (&self.program, stem) {
            (Program::Package(package), Some(stem)) if package.fixture_path(stem) == path => {
                stem.to_owned()
            }
            _ => from_here(path).display().to_string(),
        }
    }

    /// Compares an outcome with what the fixture expects. `errors` are the own errors of the
    /// program whose status the outcome has.
    pub fn judge(&self, outcome: &Outcome, errors: &[CustomError]) -> Verdict {
        let expect = self.expect.as_ref();
        let compared = expect.filter(|_| self.replacing.is_empty());
        let is_left_out = expect.is_some() && compared.is_none();
        Verdict {
            differences: compared.map(|expect| expect.differences_with(outcome, errors)),
            replacing: self
                .replacing
                .iter()
                .copied()
                .filter(|_| is_left_out)
                .collect(),
            is_success: outcome.is_success(),
        }
    }
}

/// Whether an outcome is what its fixture expects.
pub struct Verdict {
    /// The differences from what the fixture expects; `None` if nothing was compared.
    differences: Option<Vec<String>>,
    /// The options because of which nothing was compared, although the fixture expects something.
    replacing: Vec<&'static str>,
    is_success: bool,
}

impl Verdict {
    /// A line for the report, if all is as the fixture expects.
    pub fn praise(&self) -> Option<&'static str> {
        let differences = self.differences.as_ref()?;
        let is_good = differences.is_empty();
        is_good.then_some("\nall as the fixture expects\n")
    }

    /// Prints each difference on the standard error, or why none was looked for. Returns the exit
    /// code: of a failure that the fixture expects it is that of a success.
    pub fn report(&self) -> ExitCode {
        for difference in self.differences.iter().flatten() {
            report::error(&anyhow!("not as the fixture expects: {difference}"));
        }
        if !self.replacing.is_empty() {
            let (verb, value) = match self.replacing.len() {
                1 => ("replaces", "its value"),
                _ => ("replace", "its values"),
            };
            let options = self.replacing.join(" and ");
            // A closed standard error cannot be reported.
            let _ = writeln!(
                std::io::stderr(),
                "the fixture's [expect] was not compared, because {options} {verb} {value}"
            );
        }
        let is_good = match &self.differences {
            Some(differences) => differences.is_empty(),
            None => self.is_success,
        };
        match is_good {
            true => ExitCode::SUCCESS,
            false => ExitCode::from(EXIT_FAILED),
        }
    }
}

/// The path as it is shorter to read.
pub fn from_here(path: &Path) -> &Path {
    let here = std::env::current_dir().ok();
    here.and_then(|here| path.strip_prefix(here).ok())
        .unwrap_or(path)
}

/// Replaces values of the fixture by those of the command line; returns the options that did.
fn apply_options(
    arguments: &CallArguments,
    invocation: &mut Invocation,
) -> Result<Vec<&'static str>> {
    match &arguments.data {
        Some(Data::Bytes(bytes)) => invocation.data.clone_from(bytes),
        Some(Data::File(path)) => {
            invocation.data = std::fs::read(path)
                .with_context(|| format!("cannot read the instruction data {}", path.display()))?;
        }
        None => {}
    }
    if let Some(heap) = arguments.heap {
        *invocation = invocation.clone().heap_size(heap);
    }
    if let Some(gas) = arguments.gas {
        invocation.gas = gas;
    }
    let given = [
        ("--data", arguments.data.is_some()),
        ("--heap", arguments.heap.is_some()),
        ("--gas", arguments.gas.is_some()),
    ];
    let given = given.into_iter().filter(|(_, is_given)| *is_given);
    Ok(given.map(|(option, _)| option).collect())
}
