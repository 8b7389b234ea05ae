//! A target and an engine to build programs for and run them on.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use abi::ids::SYSTEM_PROGRAM;
use anyhow::{Context, Result};
use loader::fixture::{OtherProgram, Surroundings};
use loader::{Engine, Failure, Host, Loader, Outcome, Pubkey, Runtime, Target};

use crate::custom_errors::CustomErrors;
use crate::files;
use crate::guest::{self, DebugInfo, Sanitizer};
use crate::options::CargoOptions;
use crate::package::ProgramPackage;

/// An engine, and the command that starts a native program.
///
/// ```no_run
/// use program_build::machine::Machine;
/// use program_build::package::ProgramPackage;
/// use loader::{Engine, Invocation, Pubkey};
///
/// let package = ProgramPackage::in_folder("examples/hello".as_ref())?;
/// let machine = Machine::new(Engine::Wasm);
/// let program = machine.loader(&package.target_folder)?.load(&machine.build(&package)?)?;
/// let outcome = program.invoke(&Invocation::new(Pubkey::default()))?;
/// # anyhow::Ok(())
/// ```
#[derive(Clone, Debug)]
pub struct Machine {
    engine: Engine,
    runtime: Runtime,
    command: Vec<String>,
    sanitizer: Option<Sanitizer>,
    options: CargoOptions,
    library: Option<PathBuf>,
}

/// A host whose programs were built, and what their files say.
#[derive(Clone)]
pub struct BuiltHost {
    /// The host.
    pub host: Arc<dyn Host>,
    /// The custom errors of the programs that the fixture names, by their ids.
    pub errors: HashMap<Pubkey, CustomErrors>,
    /// The id of the fixture's program, which may call itself.
    program_id: Pubkey,
}

impl BuiltHost {
    /// Returns a host for a fixture's program: itself, the programs that the fixture names, its
    /// accounts and its sysvars. `load` gets the path of each program.
    ///
    /// `program_id` is the id of the fixture's program, and `folder` is that of the fixture's file.
    ///
    /// # Errors
    ///
    /// The error of `load`, which then names the program.
    pub fn new(
        program: &loader::Program,
        program_id: Pubkey,
        surroundings: &Surroundings,
        folder: &Path,
        mut load: impl FnMut(&Path) -> Result<(loader::Program, CustomErrors)>,
    ) -> Result<Self> {
        let mut errors = HashMap::new();
        let mut host = surroundings
            .environment()
            .program(program_id, program.clone());
        for OtherProgram { id, path, .. } in &surroundings.programs {
            let path = folder.join(path);
            let (other, others_errors) = load(&path)
                .with_context(|| format!("the fixture's program {id}, {}", path.display()))?;
            host = host.program(*id, other);
            errors.insert(*id, others_errors);
        }
        Ok(Self {
            host: Arc::new(host),
            errors,
            program_id,
        })
    }

    /// Returns the errors of the program whose status an outcome has. `own` are those of the
    /// program that was run.
    #[must_use]
    pub fn errors_of(&self, outcome: &Outcome, own: CustomErrors) -> CustomErrors {
        match &outcome.failure {
            Some(Failure::Called { program_id, .. }) if *program_id == SYSTEM_PROGRAM => {
                CustomErrors::of_system_program()
            }
            Some(Failure::Called { program_id, .. }) if *program_id == self.program_id => own,
            Some(Failure::Called { program_id, .. }) => {
                self.errors.get(program_id).cloned().unwrap_or_default()
            }
            _ => own,
        }
    }
}

impl fmt::Debug for BuiltHost {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("BuiltHost")
            .field("errors", &self.errors)
            .finish_non_exhaustive()
    }
}

impl Machine {
    /// The machine with this engine.
    #[must_use]
    pub fn new(engine: Engine) -> Self {
        Self {
            engine,
            runtime: Runtime::default(),
            command: Vec::new(),
            sanitizer: None,
            options: CargoOptions::default(),
            library: None,
        }
    }

    /// Runs programs with the limits, prices and log lines of this runtime.
    #[must_use]
    pub fn as_on(mut self, runtime: Runtime) -> Self {
        self.runtime = runtime;
        self
    }

    /// Starts the process of a native program with this command, such as `gdb --args`, and without
    /// a time limit.
    #[must_use]
    pub fn command(mut self, command: Vec<String>) -> Self {
        self.command = command;
        self
    }

    /// Builds native programs, and their runner, with a sanitizer.
    #[must_use]
    pub fn sanitizer(mut self, sanitizer: Option<Sanitizer>) -> Self {
        self.sanitizer = sanitizer;
        self
    }

    /// Builds the runner of native programs with these options of cargo's, except the features. The
    /// options of a program are in its package.
    #[must_use]
    pub fn options(mut self, options: CargoOptions) -> Self {
        self.options = options;
        self
    }

    /// The file of the native program that a [`command`](Self::command) runs. Tools such as
    /// `valgrind` and `perf` read a library by the name of its file.
    #[must_use]
    pub fn library(mut self, library: PathBuf) -> Self {
        self.library = Some(library);
        self
    }

    /// Checks whether this computer runs programs on it. Building takes longer.
    ///
    /// # Errors
    ///
    /// As for [`loader`](Self::loader), as far as it can be known before anything is compiled.
    pub fn check(&self) -> Result<()> {
        if self.engine.target() == Target::Native {
            guest::check_native_runner(self.sanitizer)?;
        } else {
            Loader::new(self.engine)?;
        }
        Ok(())
    }

    /// Builds a program, with debug information.
    ///
    /// # Errors
    ///
    /// As for [`check`](Self::check) and [`guest::build_for`].
    pub fn build(&self, package: &ProgramPackage) -> Result<Vec<u8>> {
        self.check()?;
        let target = self.engine.target();
        if target == Target::Native {
            let library = guest::build_native(package, &[], DebugInfo::Keep, self.sanitizer)?;
            return fs::read(&library)
                .with_context(|| format!("cannot read {}", library.display()));
        }
        guest::build_for(package, target, &[], DebugInfo::Keep)
    }

    /// Builds and loads a program that a fixture names: the folder of its package, or its file.
    ///
    /// # Errors
    ///
    /// If the program does not build or load.
    pub fn load(&self, loader: &Loader, path: &Path) -> Result<(loader::Program, CustomErrors)> {
        let file = if path.is_dir() {
            let mut package = ProgramPackage::in_folder(path)?;
            package.options = self.options.clone();
            self.build(&package)?
        } else {
            files::read_program(path)?
        };
        Ok((loader.load(&file)?, CustomErrors::of(&file)))
    }

    /// The loader of the programs. For native ones, it builds the runner below this target folder.
    ///
    /// # Errors
    ///
    /// If this computer does not have the engine, or the runner of native programs does not
    /// compile.
    pub fn loader(&self, target_folder: &Path) -> Result<Loader> {
        if self.engine.target() != Target::Native {
            return Ok(Loader::new(self.engine)?.as_on(self.runtime));
        }
        let runner = guest::native_runner(target_folder, self.sanitizer, &self.options)?;
        if self.command.is_empty() {
            return Ok(Loader::native([runner.into()]).as_on(self.runtime));
        }
        let command = self.command.iter().map(OsString::from);
        let command = command.chain([runner.into()]);
        let loader = match &self.library {
            Some(library) => Loader::native_file(command, library),
            None => Loader::native(command),
        };
        // A debugger waits for its user, so the time is not limited.
        let limits = self.runtime.limits().processor_seconds(0);
        Ok(loader.as_on(self.runtime).limits(limits))
    }
}
