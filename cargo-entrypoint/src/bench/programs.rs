//! Programs, each called with its fixtures. Every program has this bench.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use loader::fixture::{ExpectedStatus, Fixture};
use loader::{Engine, Loader, ProgramError, Runtime, status_text};
use serde::{Deserialize, Serialize};

use super::results::Results;
use super::{Figure, Measured};
use program_build::custom_errors::CustomErrors;
use program_build::guest::{self, DebugInfo};
use program_build::machine::{BuiltHost, Machine};
use program_build::options::CargoOptions;
use program_build::package::ProgramPackage;

/// The results of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProgramResults {
    /// The version text of the guests' compiler.
    pub compiler: String,
    /// A row for every fixture.
    pub programs: Vec<Row>,
}

impl Results for ProgramResults {
    fn compiler(&self) -> &str {
        &self.compiler
    }

    fn rows(&self) -> Vec<&dyn Measured> {
        let rows = self.programs.iter();
        rows.map(|row| -> &dyn Measured { row }).collect()
    }

    fn retain(&mut self, is_kept: impl Fn(&str) -> bool) {
        self.programs.retain(|row| is_kept(&row.program));
    }

    fn extend(&mut self, others: Self) {
        self.programs.extend(others.programs);
        self.programs.sort_by(|one, other| {
            (&one.program, &one.fixture).cmp(&(&other.program, &other.fixture))
        });
    }
}

/// The cost of one invocation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// The program's package.
    pub program: String,
    /// The fixture's name.
    pub fixture: String,
    /// The status that the program returned; `None` if it ended without returning.
    pub status: Option<u64>,
    /// The kind of failure, as [`loader::Failure::kind`] names it; `None` after a success.
    pub failure: Option<String>,
    /// Gas of the whole call.
    pub gas: u64,
    /// The most bytes of heap in use at once; `None` if the program's heap does not report it.
    pub heap_peak: Option<u32>,
    /// Length of the stripped blob in bytes.
    pub blob: u64,
}

impl Row {
    /// The status, and why nothing was kept if the status does not tell.
    #[must_use]
    pub fn status_text(&self) -> String {
        let text = status_text(self.status);
        match (&self.failure, self.status) {
            (Some(failure), None) => format!("{text} ({failure})"),
            (Some(failure), Some(0)) => format!("{text}, rejected: {failure}"),
            // The status is the error, or there is none.
            (Some(_), Some(_)) | (None, _) => text,
        }
    }
}

impl Measured for Row {
    fn subject(&self) -> String {
        format!("{}/{}", self.program, self.fixture)
    }

    fn is_ours(&self) -> bool {
        true
    }

    fn figures(&self) -> Vec<Figure> {
        vec![
            Figure::new(self.subject(), "gas", self.gas),
            Figure::new(self.subject(), "heap peak", self.heap_peak.map(u64::from)),
            Figure::new(&self.program, "blob", self.blob),
        ]
    }

    fn behaviour(&self) -> Option<String> {
        Some(format!("status {}", self.status_text()))
    }
}

/// The differences between an outcome and its fixture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotMet {
    /// Program and fixture, for people.
    pub subject: String,
    /// The differences, one line each.
    pub differences: Vec<String>,
}

/// A program and its fixtures. The fixtures are read before the program is built, because building
/// takes longer than finding a mistake in them.
#[derive(Debug)]
pub struct Subject {
    package: ProgramPackage,
    fixtures: Vec<(String, Fixture)>,
}

impl Subject {
    /// Reads the fixtures of a program. There may be none.
    ///
    /// # Errors
    ///
    /// If the fixtures cannot be listed, one cannot be read, or the loader rejects its invocation.
    pub fn read(package: ProgramPackage) -> Result<Self> {
        let read = |name: String| {
            let path: PathBuf = package.fixture_path(&name);
            let fixture = Fixture::read(&path)?;
            fixture
                .invocation
                .validate(&fixture.runtime.limits())
                .with_context(|| format!("{} is not a valid invocation", path.display()))?;
            Ok((name, fixture))
        };
        let fixtures = package.fixtures()?.into_iter().map(read);
        let fixtures = fixtures.collect::<Result<_>>()?;
        Ok(Self { package, fixtures })
    }

    /// The program's package.
    #[must_use]
    pub fn package(&self) -> &ProgramPackage {
        &self.package
    }

    /// Builds the program with these options of cargo's.
    pub fn set_options(&mut self, options: CargoOptions) {
        self.package.options = options;
    }

    /// Whether there is nothing to call the program with.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.fixtures.is_empty()
    }
}

/// Builds the programs and calls each with all its fixtures. Returns a row for every fixture, and
/// the differences from the fixtures. Progress goes to the standard error.
///
/// # Errors
///
/// If a program does not build.
pub fn measure(subjects: &[Subject]) -> Result<(Vec<Row>, Vec<NotMet>)> {
    let mut rows = Vec::new();
    let mut not_met = Vec::new();
    for Subject { package, fixtures } in subjects {
        package
            .options
            .progress(&format!("building `{}`", package.name));
        let blob = guest::build(package, DebugInfo::Strip)?;
        let machine = Machine::new(Engine::Interpreter);
        let loader = Loader::new(Engine::Interpreter)?;
        let load = |runtime| {
            let loader = loader.clone().as_on(runtime);
            let program = loader
                .load(&blob)
                .with_context(|| format!("cannot load `{}`", package.name))?;
            anyhow::Ok((loader, program))
        };
        let own = load(Runtime::Own)?;
        for (name, fixture) in fixtures {
            let (loader, program) = match fixture.runtime {
                Runtime::Own => own.clone(),
                other => load(other)?,
            };
            let path = package.fixture_path(name);
            let built = BuiltHost::new(
                &program,
                fixture.invocation.program_id,
                &fixture.surroundings,
                path.parent().unwrap_or(Path::new("")),
                |path| machine.load(&loader, path),
            )?;
            let outcome = program.invoke_with(&built.host, &fixture.invocation)?;
            let row = Row {
                program: package.name.clone(),
                fixture: name.clone(),
                status: outcome.status,
                failure: outcome
                    .failure
                    .as_ref()
                    .map(|failure| failure.kind().to_owned()),
                gas: outcome.gas_used,
                heap_peak: outcome.heap.peak,
                blob: blob.len() as u64,
            };
            let own_error = outcome.status.and_then(ProgramError::from_status);
            let errors = match (&fixture.expect.status, own_error) {
                // The measured blob has no names.
                (Some(ExpectedStatus::Name(_)), Some(ProgramError::Custom(_))) => {
                    let named = guest::build(package, DebugInfo::Keep)?;
                    built.errors_of(&outcome, CustomErrors::of(&named))
                }
                _ => CustomErrors::default(),
            };
            let differences = fixture.expect.differences_with(&outcome, errors.all());
            if !differences.is_empty() {
                not_met.push(NotMet {
                    subject: row.subject(),
                    differences,
                });
            }
            rows.push(row);
        }
    }
    Ok((rows, not_met))
}
