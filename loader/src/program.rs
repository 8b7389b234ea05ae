//! Loaders and programs.

use std::fmt;
use std::sync::Arc;

use abi::entry::ENTRYPOINT_EXPORT;
use abi::imports::Import;
use polkavm::{
    ArcBytes, BackendKind, CompileError, Config, CostModel, CostModelKind, GasMeteringKind, Module,
    ModuleConfig, ProgramBlob, ProgramCounter,
};
use rayon::prelude::*;

use crate::error::{InvocationError, LoadError};
use crate::inspect::Inspection;
use crate::invocation::Invocation;
use crate::limits::Limits;
use crate::outcome::Outcome;
use crate::pool::{Instances, Pool};
use crate::{rules, run};

/// How many instances of a [`Loader`] on the interpreter wait for their next invocation at most, unless
/// [`Loader::idle_instances`] says otherwise.
pub const DEFAULT_IDLE_INSTANCES: usize = 64;

/// The VM's smallest page in bytes: what memory is rounded up to.
pub(crate) const PAGE_SIZE: u32 = 4_096;

/// About how many bytes the interpreter makes of one byte of code.
const TRANSLATED_BYTES: u64 = 32;

/// How the VM executes a program. Outcomes are the same, gas included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
pub enum Engine {
    /// Interprets instructions: runs everywhere, starts at once.
    #[default]
    Interpreter,
    /// Compiles the program to the machine's own code and runs it in a sandboxed process of its own:
    /// x86-64 Linux only.
    Compiler,
}

impl Engine {
    /// Both engines.
    pub const ALL: [Self; 2] = [Self::Interpreter, Self::Compiler];
}

impl fmt::Display for Engine {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Interpreter => "interpreter",
            Self::Compiler => "compiler",
        })
    }
}

/// Loads programs: an engine, and the limits of every program and invocation.
///
/// A clone is a handle on the same engine, and may be used on any thread.
#[derive(Clone)]
pub struct Loader {
    engine: Engine,
    vm: Arc<polkavm::Engine>,
    limits: Limits,
    pool: Arc<Pool>,
}

impl Loader {
    /// A loader on this engine with [`Limits::default`].
    ///
    /// # Errors
    ///
    /// [`LoadError::EngineUnavailable`] if this machine cannot run the engine.
    pub fn new(engine: Engine) -> Result<Self, LoadError> {
        let mut config = Config::new();
        config.set_backend(Some(match engine {
            Engine::Interpreter => BackendKind::Interpreter,
            Engine::Compiler => BackendKind::Compiler,
        }));
        let vm = polkavm::Engine::new(&config).map_err(|error| LoadError::EngineUnavailable {
            engine,
            reason: error.to_string(),
        })?;
        Ok(Self {
            engine,
            vm: Arc::new(vm),
            limits: Limits::default(),
            pool: Pool::new(match engine {
                Engine::Interpreter => DEFAULT_IDLE_INSTANCES,
                // The VM itself keeps the processes; see `idle_instances`.
                Engine::Compiler => 0,
            }),
        })
    }

    /// Sets the limits of every program and invocation.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets how many instances wait for their next invocation at most, those of all programs that this loader loads from now on
    /// together. The default is [`DEFAULT_IDLE_INSTANCES`] on the interpreter and 0 on the compiler; with 0 every invocation has an
    /// instance of its own.
    ///
    /// An instance waits after its invocation, reset, so there are never more than were in use at once. The one that has waited
    /// longest goes if there are too many, or if they hold more than 256 MiB; those of a program go with the last handle on it.
    ///
    /// With [`Engine::Compiler`] an instance is a process with some open files, and the VM binds the thread that has made it to one
    /// core, and with it the threads that this one starts, until the instance goes. The VM keeps the processes of instances that
    /// are gone, so there is less to save than on the interpreter.
    #[must_use]
    pub fn idle_instances(mut self, most: usize) -> Self {
        self.pool = Pool::new(most);
        self
    }

    /// Links a blob, as `cargo entrypoint build` makes it.
    ///
    /// # Errors
    ///
    /// [`LoadError`] if the bytes are no blob, or not that of a program for this loader.
    pub fn load(&self, blob: &[u8]) -> Result<Program, LoadError> {
        let blob = self.parse(blob)?;
        if let Some(refusal) = rules::refusals(&blob, &self.limits).next() {
            return Err(refusal);
        }
        let entry = rules::exports_named(&blob, ENTRYPOINT_EXPORT)
            .next()
            .expect("a rule asks for it");
        let module = self.compile(&blob, ModuleConfig::new())?;
        Ok(Program(Arc::new(Linked {
            engine: self.engine,
            limits: self.limits,
            module,
            instances: self.pool.instances(),
            entry,
            has_bump_heap: rules::has_bump_heap(&blob),
            // The rules leave no unknown one, so the numbers are the blob's.
            imports: rules::imports(&blob)
                .filter_map(|(_, import)| import)
                .collect(),
            blob,
        })))
    }

    /// Parses a blob and says all that can be known of it without running it.
    ///
    /// Unlike [`load`](Self::load) this takes a blob that the loader refuses, and names every rule that refuses it:
    /// see [`Inspection::refusals`].
    ///
    /// # Errors
    ///
    /// [`LoadError::InvalidBlob`] if the bytes are no blob, [`LoadError::BlobTooLong`] if they are more than the loader
    /// looks at.
    pub fn inspect(&self, blob: &[u8]) -> Result<Inspection, LoadError> {
        let parsed = self.parse(blob)?;
        let mut refusals: Vec<LoadError> = rules::refusals(&parsed, &self.limits).collect();
        if refusals.is_empty() {
            // The VM is shown only what passes the rules: they bound what it takes.
            refusals.extend(self.compile(&parsed, ModuleConfig::new()).err());
        }
        Ok(Inspection::new(blob, &parsed, &self.limits, refusals))
    }

    /// Parses a blob that is not too long: nothing of a longer one is looked at.
    fn parse(&self, blob: &[u8]) -> Result<ProgramBlob, LoadError> {
        let (length, limit) = (blob.len(), self.limits.blob);
        if length > limit {
            return Err(LoadError::BlobTooLong { length, limit });
        }
        ProgramBlob::parse(ArcBytes::from(blob)).map_err(|error| LoadError::InvalidBlob {
            reason: error.to_string(),
        })
    }

    /// Makes the VM's module of a blob that passes the rules.
    fn compile(&self, blob: &ProgramBlob, mut config: ModuleConfig) -> Result<Module, LoadError> {
        config.set_page_size(PAGE_SIZE);
        config.set_gas_metering(Some(GasMeteringKind::Sync));
        // One unit an instruction, said openly, because the VM's default may change.
        config.set_cost_model(Some(CostModelKind::Simple(CostModel::naive_ref())));
        Module::from_blob(&self.vm, &config, blob.clone()).map_err(|error| match error {
            CompileError::Error(error) => LoadError::EngineUnavailable {
                engine: self.engine,
                reason: error.to_string(),
            },
            other => LoadError::InvalidBlob {
                reason: other.to_string(),
            },
        })
    }
}

impl fmt::Debug for Loader {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Loader")
            .field("engine", &self.engine)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

/// A linked program, ready to be called any number of times.
///
/// A clone is a handle on the same program, and may be used on any thread. Invocations share nothing but the code: each starts
/// with the memory of the blob and a zeroed heap.
#[derive(Clone)]
pub struct Program(Arc<Linked>);

pub(crate) struct Linked {
    pub engine: Engine,
    pub limits: Limits,
    pub module: Module,
    /// Those of the module that wait.
    pub instances: Instances,
    /// For its debug information; it shares the module's bytes.
    pub blob: ProgramBlob,
    pub entry: ProgramCounter,
    /// Whether the heap keeps the header of [`abi::heap`].
    pub has_bump_heap: bool,
    /// What the VM's number of an import stands for.
    pub imports: Vec<Import>,
}

impl Linked {
    /// Bytes that an instance may hold besides heap and input.
    pub fn fixed_bytes(&self) -> u64 {
        let map = self.module.memory_map();
        let code = self.blob.code().len() as u64 * TRANSLATED_BYTES;
        code + u64::from(map.rw_data_size()) + u64::from(map.stack_size())
    }
}

impl Program {
    /// Calls the program once.
    ///
    /// An outcome is returned whenever the program was called, also if it failed, ran out of gas or did
    /// what it may not do: see [`Outcome::failure`].
    ///
    /// # Errors
    ///
    /// [`InvocationError`] if the program was not called, because the invocation makes no sense or passes
    /// a limit.
    pub fn invoke(&self, invocation: &Invocation) -> Result<Outcome, InvocationError> {
        run::invoke(&self.0, invocation, &mut ())
    }

    /// Calls the program once for each invocation, on all cores, and gives the outcomes in the order of the invocations: the same
    /// that [`invoke`](Self::invoke) gives one after the other.
    ///
    /// The threads are those of the current `rayon` pool.
    ///
    /// ```no_run
    /// # fn example(program: &loader::Program, invocations: &[loader::Invocation]) {
    /// let outcomes = program.run_batch(invocations);
    /// for (invocation, outcome) in invocations.iter().zip(outcomes) {
    ///     match outcome {
    ///         Ok(outcome) => println!("{} of {} gas", outcome.gas_used, invocation.gas),
    ///         Err(error) => eprintln!("not called: {error}"),
    ///     }
    /// }
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// For each invocation as for [`invoke`](Self::invoke); one that is in error is nothing to the others.
    #[must_use]
    pub fn run_batch(&self, invocations: &[Invocation]) -> Vec<Result<Outcome, InvocationError>> {
        invocations
            .par_iter()
            .map(|invocation| self.invoke(invocation))
            .collect()
    }

    /// The same program, compiled so that the VM stops before each instruction.
    pub(crate) fn for_step_tracing(&self) -> Result<Linked, LoadError> {
        let mut config = ModuleConfig::new();
        config.set_step_tracing(true);
        let loader = Loader::new(Engine::Interpreter)?;
        let program = &self.0;
        Ok(Linked {
            engine: loader.engine,
            limits: program.limits,
            module: loader.compile(&program.blob, config)?,
            instances: loader.pool.instances(),
            blob: program.blob.clone(),
            entry: program.entry,
            has_bump_heap: program.has_bump_heap,
            imports: program.imports.clone(),
        })
    }

    /// The engine that runs the program.
    #[must_use]
    pub fn engine(&self) -> Engine {
        self.0.engine
    }
}

impl fmt::Debug for Program {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Program")
            .field("engine", &self.0.engine)
            .finish_non_exhaustive()
    }
}
