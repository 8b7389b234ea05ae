//! Loaders and programs.

use std::fmt;
use std::sync::Arc;

use abi::entry::ENTRYPOINT_EXPORT;
use abi::heap::BUMP_HEAP_EXPORT;
use abi::imports::Import;
use polkavm::program::Instruction;
use polkavm::{
    ArcBytes, BackendKind, CompileError, Config, CostModel, CostModelKind, GasMeteringKind, Module,
    ModuleConfig, ProgramBlob, ProgramCounter,
};

use crate::error::{InvocationError, LoadError};
use crate::invocation::Invocation;
use crate::limits::Limits;
use crate::outcome::Outcome;
use crate::run;

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

/// Loads programs: an engine, and the limits of every invocation.
///
/// A clone is a handle on the same engine.
#[derive(Clone)]
pub struct Loader {
    engine: Engine,
    vm: Arc<polkavm::Engine>,
    limits: Limits,
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
        })
    }

    /// Sets the limits of every invocation.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Links a blob, as `cargo entrypoint build` makes it.
    ///
    /// # Errors
    ///
    /// [`LoadError`] if the bytes are no blob, or not that of a program for this loader.
    pub fn load(&self, blob: &[u8]) -> Result<Program, LoadError> {
        let invalid = |reason: String| LoadError::InvalidBlob { reason };
        let blob =
            ProgramBlob::parse(ArcBytes::from(blob)).map_err(|error| invalid(error.to_string()))?;
        if !blob.is_64_bit() {
            return Err(LoadError::Not64Bit);
        }
        if exports_named(&blob, ENTRYPOINT_EXPORT).count() > 1 {
            return Err(invalid("it exports `entrypoint` more than once".to_owned()));
        }
        let entry =
            find_export(&blob, ENTRYPOINT_EXPORT).ok_or_else(|| LoadError::MissingEntrypoint {
                exports: list_exports(&blob),
            })?;
        self.check_memory(&blob)?;
        refuse_forbidden_instructions(&blob)?;
        let has_bump_heap = find_export(&blob, BUMP_HEAP_EXPORT).is_some();
        let imports = resolve_imports(&blob)?;
        let module_code_length = blob.code().len();
        let module = self.compile(&blob, ModuleConfig::new())?;
        // The compiler's code would run for ever from a place where no block starts.
        let is_code = (entry.0 as usize) < module_code_length;
        if !is_code || module.calculate_gas_cost_for(entry).is_none() {
            return Err(invalid(format!(
                "`entrypoint` is at {:#x}, where no code starts",
                entry.0
            )));
        }
        Ok(Program(Arc::new(Linked {
            engine: self.engine,
            limits: self.limits,
            module,
            blob,
            entry,
            has_bump_heap,
            imports,
        })))
    }
}

impl Loader {
    fn compile(&self, blob: &ProgramBlob, mut config: ModuleConfig) -> Result<Module, LoadError> {
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

    /// The interpreter fills with zeroes what a blob declares, so that must be bounded before anything runs.
    fn check_memory(&self, blob: &ProgramBlob) -> Result<(), LoadError> {
        let data = u64::from(blob.ro_data_size()) + u64::from(blob.rw_data_size());
        let stack = u64::from(blob.stack_size());
        let code = blob.code().len() as u64;
        for (what, size, limit) in [
            ("code", code, self.limits.code),
            ("data", data, self.limits.program_data),
            ("stack", stack, self.limits.stack),
        ] {
            if size > limit.into() {
                return Err(LoadError::MemoryTooLarge { what, size, limit });
            }
        }
        Ok(())
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
/// A clone is a handle on the same program. Invocations share nothing but the code: each starts with the
/// memory of the blob and a zeroed heap.
#[derive(Clone)]
pub struct Program(Arc<Linked>);

#[derive(Clone)]
pub(crate) struct Linked {
    pub engine: Engine,
    pub limits: Limits,
    pub module: Module,
    /// For its debug information; it shares the module's bytes.
    pub blob: ProgramBlob,
    pub entry: ProgramCounter,
    /// Whether the heap keeps the header of [`abi::heap`].
    pub has_bump_heap: bool,
    /// What the VM's number of an import stands for.
    pub imports: Vec<Import>,
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

    /// The same program, compiled so that the VM stops before each instruction.
    pub(crate) fn for_step_tracing(&self) -> Result<Linked, LoadError> {
        let mut config = ModuleConfig::new();
        config.set_step_tracing(true);
        let loader = Loader::new(Engine::Interpreter)?;
        Ok(Linked {
            engine: loader.engine,
            module: loader.compile(&self.0.blob, config)?,
            ..Linked::clone(&self.0)
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

pub(crate) fn find_export(blob: &ProgramBlob, name: &str) -> Option<ProgramCounter> {
    exports_named(blob, name).next()
}

fn exports_named(blob: &ProgramBlob, name: &str) -> impl Iterator<Item = ProgramCounter> {
    blob.exports()
        .filter(move |export| export.symbol().as_bytes() == name.as_bytes())
        .map(|export| export.program_counter())
}

/// A blob's own name for something, short and without what a terminal would obey.
fn shown(symbol: &[u8]) -> String {
    let name = String::from_utf8_lossy(&symbol[..symbol.len().min(64)]);
    name.chars()
        .flat_map(|character| {
            let is_harmless = !character.is_control();
            let plain = is_harmless.then_some(character);
            let escaped = (!is_harmless).then(|| character.escape_default());
            plain.into_iter().chain(escaped.into_iter().flatten())
        })
        .collect()
}

fn list_exports(blob: &ProgramBlob) -> String {
    let names: Vec<String> = blob
        .exports()
        // Enough to see what the blob is.
        .take(10)
        .map(|export| format!("`{}`", shown(export.symbol().as_bytes())))
        .collect();
    if names.is_empty() {
        "nothing".to_owned()
    } else {
        names.join(", ")
    }
}

/// A program's memory is what the loader maps. `sbrk` would map more, past every limit, and the two engines
/// answer it differently.
fn refuse_forbidden_instructions(blob: &ProgramBlob) -> Result<(), LoadError> {
    let is_sbrk = |kind: &Instruction| matches!(kind, Instruction::sbrk(..));
    match blob
        .instructions()
        .find(|instruction| is_sbrk(&instruction.kind))
    {
        Some(instruction) => Err(LoadError::ForbiddenInstruction {
            name: "sbrk",
            program_counter: instruction.offset.0,
        }),
        None => Ok(()),
    }
}

fn resolve_imports(blob: &ProgramBlob) -> Result<Vec<Import>, LoadError> {
    blob.imports()
        .iter()
        .map(|symbol| {
            let symbol = symbol
                .as_ref()
                .map_or(&b"?"[..], |symbol| symbol.as_bytes());
            Import::from_symbol(symbol).ok_or_else(|| LoadError::UnknownImport {
                symbol: shown(symbol),
            })
        })
        .collect()
}
