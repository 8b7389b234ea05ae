//! Loaders and programs.

#[cfg(feature = "native")]
use std::ffi::OsString;
use std::fmt;
use std::sync::Arc;

use ::polkavm::BackendKind;
use rayon::prelude::*;

#[cfg(feature = "native")]
use crate::backend::native;
use crate::backend::polkavm;
#[cfg(feature = "wasm")]
use crate::backend::wasm;
use crate::engine::{Engine, Target};
use crate::error::{InvocationError, LoadError};
use crate::inspect::Inspection;
use crate::invocation::Invocation;
use crate::limits::Limits;
use crate::outcome::Outcome;

/// How many instances of a [`Loader`] on the interpreter wait for their next invocation at most, unless
/// [`Loader::idle_instances`] says otherwise.
pub const DEFAULT_IDLE_INSTANCES: usize = 64;

/// Loads programs: an engine, and the limits of every program and invocation.
///
/// A clone is a handle on the same engine, and may be used on any thread.
#[derive(Clone)]
pub struct Loader {
    engine: Engine,
    limits: Limits,
    vm: Vm,
}

/// What the engine needs.
#[derive(Clone)]
enum Vm {
    Riscv64(polkavm::Vm),
    #[cfg(feature = "wasm")]
    Wasm32,
    #[cfg(feature = "native")]
    Native(native::Runner),
}

impl Loader {
    /// A loader on this engine with [`Limits::default`].
    ///
    /// # Errors
    ///
    /// [`LoadError::EngineUnavailable`] if this machine cannot run the engine,
    /// [`LoadError::EngineDisabled`] if the loader is built without it, and
    /// [`LoadError::EngineNeedsRunner`] for [`Engine::Native`]: use [`Loader::native`].
    pub fn new(engine: Engine) -> Result<Self, LoadError> {
        let vm = match engine {
            Engine::Interpreter => Vm::Riscv64(polkavm::Vm::new(engine, BackendKind::Interpreter)?),
            Engine::Compiler => Vm::Riscv64(polkavm::Vm::new(engine, BackendKind::Compiler)?),
            #[cfg(feature = "wasm")]
            Engine::Wasm => Vm::Wasm32,
            #[cfg(not(feature = "wasm"))]
            Engine::Wasm => return Err(needs_more(engine)),
            Engine::Native => return Err(needs_more(engine)),
        };
        Ok(Self {
            engine,
            limits: Limits::default(),
            vm,
        })
    }

    /// A loader that runs libraries on the machine itself, each invocation in a process of its own.
    ///
    /// `command` is what starts the process: the path of the project's `native-runner`, which `cargo_entrypoint::guest` builds, and
    /// before it whatever is to run that, such as a debugger and its arguments.
    ///
    /// This is no sandbox: a program can do all that the process's user can. Run your own programs only.
    #[cfg(feature = "native")]
    #[must_use]
    pub fn native(command: impl IntoIterator<Item = OsString>) -> Self {
        Self {
            engine: Engine::Native,
            limits: Limits::default(),
            vm: Vm::Native(native::Runner::new(command)),
        }
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
        // The others have a fresh instance for each invocation.
        match &mut self.vm {
            Vm::Riscv64(vm) => vm.set_idle_instances(most),
            #[cfg(any(feature = "wasm", feature = "native"))]
            _ => {}
        }
        self
    }

    /// Links a program: a blob, a module or a library, as `cargo entrypoint build` makes it for the engine's
    /// [target](Engine::target).
    ///
    /// # Errors
    ///
    /// [`LoadError`] if the bytes are no program, or not one for this loader.
    pub fn load(&self, program: &[u8]) -> Result<Program, LoadError> {
        self.check_file(program)?;
        let code = match &self.vm {
            Vm::Riscv64(vm) => Code::Riscv64(Box::new(vm.load(program, &self.limits)?)),
            #[cfg(feature = "wasm")]
            Vm::Wasm32 => Code::Wasm32(wasm::Linked::load(program, &self.limits)?),
            #[cfg(feature = "native")]
            Vm::Native(runner) => Code::Native(runner.load(program)?),
        };
        Ok(Program(Arc::new(Linked {
            engine: self.engine,
            limits: self.limits,
            code,
        })))
    }

    /// Parses a blob and says all that can be known of it without running it.
    ///
    /// Unlike [`load`](Self::load) this takes a blob that the loader refuses, and names every rule that refuses it:
    /// see [`Inspection::refusals`].
    ///
    /// # Errors
    ///
    /// [`LoadError::NotOnThisEngine`] if the loader's engine is not PolkaVM's,
    /// [`LoadError::BlobTooLong`] if the file is longer than the limit, [`LoadError::WrongTarget`]
    /// if it is a program for another target, [`LoadError::InvalidBlob`] if it is not a blob.
    pub fn inspect(&self, blob: &[u8]) -> Result<Inspection, LoadError> {
        match &self.vm {
            Vm::Riscv64(vm) => {
                self.check_file(blob)?;
                vm.inspect(blob, &self.limits)
            }
            #[cfg(any(feature = "wasm", feature = "native"))]
            _ => Err(LoadError::NotOnThisEngine {
                what: "inspections",
                engine: self.engine,
            }),
        }
    }

    /// Refuses what is too long, of which nothing is looked at, and what is a program for another machine.
    fn check_file(&self, program: &[u8]) -> Result<(), LoadError> {
        let (length, limit) = (program.len(), self.limits.blob);
        if length > limit {
            return Err(LoadError::BlobTooLong { length, limit });
        }
        match Target::of(program) {
            Some(found) if found != self.engine.target() => Err(LoadError::WrongTarget {
                found,
                engine: self.engine,
            }),
            _ => Ok(()),
        }
    }
}

/// Why an engine cannot be opened by its name alone.
fn needs_more(engine: Engine) -> LoadError {
    match engine.disabled_feature() {
        Some(feature) => LoadError::EngineDisabled { engine, feature },
        None => LoadError::EngineNeedsRunner { engine },
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

struct Linked {
    engine: Engine,
    limits: Limits,
    code: Code,
}

/// What the engine has made of the program.
enum Code {
    Riscv64(Box<polkavm::Linked>),
    #[cfg(feature = "wasm")]
    Wasm32(wasm::Linked),
    #[cfg(feature = "native")]
    Native(native::Library),
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
        let Linked {
            engine,
            limits,
            code,
        } = &*self.0;
        invocation.validate(limits)?;
        match code {
            Code::Riscv64(program) => program.invoke(*engine, limits, invocation, &mut ()),
            #[cfg(feature = "wasm")]
            Code::Wasm32(program) => program.invoke(limits, invocation),
            #[cfg(feature = "native")]
            Code::Native(library) => library.invoke(limits, invocation),
        }
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

    /// The program for RISC-V, if it is one.
    pub(crate) fn riscv64(&self) -> Option<&polkavm::Linked> {
        match &self.0.code {
            Code::Riscv64(program) => Some(program),
            #[cfg(any(feature = "wasm", feature = "native"))]
            _ => None,
        }
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.0.limits
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
