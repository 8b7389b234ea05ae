//! Loaders and programs, on whichever backend.

use std::fmt;
use std::sync::Arc;

use abi::contract::Contract;
use rayon::prelude::*;

use crate::backend::Backend;
use crate::backend::object::{self, BackendObject, ProgramObject};
use crate::backend::open::open;
use crate::backend::polkavm::PolkaVm;
#[cfg(feature = "wasm")]
use crate::backend::wasm::Wasmi;
use crate::builtin::Builtin;
use crate::contract;
use crate::engine::{Engine, Target};
use crate::error::{InvocationError, LoadError};
use crate::host::{Host, default_host};
use crate::invocation::Invocation;
use crate::invoke::syscalls::Syscalls;
use crate::invoke::{self, Finished};
use crate::limits::Limits;
use crate::log_style::LogStyle;
use crate::outcome::Outcome;
use crate::prices::Prices;
use crate::settings::Settings;

/// Loads programs: an engine, and the limits of every program and invocation.
///
/// A clone is a handle on the same engine, and may be used on any thread.
#[derive(Clone)]
pub struct Loader {
    pub(crate) settings: Arc<Settings>,
    backend: Arc<dyn BackendObject>,
}

impl Loader {
    /// A loader on this engine with [`Limits::default`].
    ///
    /// # Errors
    ///
    /// [`LoadError::EngineUnavailable`] if the engine cannot run on this computer,
    /// [`LoadError::EngineDisabled`] if the loader is built without it, and
    /// [`LoadError::EngineNeedsRunner`] for [`Engine::Native`]: use `Loader::native`.
    pub fn new(engine: Engine) -> Result<Self, LoadError> {
        open(engine).map(Self::on)
    }

    /// A loader on a backend of your own, with [`Limits::default`]: see [`crate::backend`].
    #[must_use]
    pub fn with_backend(backend: impl Backend) -> Self {
        Self::on(object::share(backend))
    }

    fn on(backend: Arc<dyn BackendObject>) -> Self {
        Self {
            settings: Arc::default(),
            backend,
        }
    }

    /// Sets the limits of every program and invocation.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        Arc::make_mut(&mut self.settings).limits = limits;
        self
    }

    /// Sets what syscalls cost, for the programs that the loader loads from now on.
    #[must_use]
    pub fn prices(mut self, prices: Prices) -> Self {
        Arc::make_mut(&mut self.settings).prices = prices;
        self
    }

    /// Sets in which words log lines are, for the programs that the loader loads from now on. What
    /// a called program logs has the style of the program that the host called.
    #[must_use]
    pub fn log_style(mut self, style: LogStyle) -> Self {
        Arc::make_mut(&mut self.settings).log_style = style;
        self
    }

    /// Sets how many idle instances the loader keeps for the next invocations, those of all
    /// programs together that it loads from now on. The default is
    /// [`DEFAULT_IDLE_INSTANCES`](crate::DEFAULT_IDLE_INSTANCES) on the interpreter and on
    /// [`Engine::Wasm`], and [`DEFAULT_IDLE_PROCESSES`](crate::DEFAULT_IDLE_PROCESSES) on the
    /// compiler. With 0 every invocation has an instance of its own. [`Engine::Native`] and a
    /// backend of your own ignore the number.
    ///
    /// The loader cleans an instance after its invocation, and then keeps it idle. If it keeps too
    /// many, or if they have more than 256 MiB, the loader drops the one that was idle for longest.
    /// It drops those of a program together with the last handle on the program.
    ///
    /// With [`Engine::Wasm`] they have at most 64 MiB. The loader keeps at most eight of a program,
    /// each for invocations with the same lengths of input and heap, and with at most 4 MiB.
    ///
    /// With [`Engine::Compiler`] an instance is a process with some open files, which ends when
    /// the instance is dropped or soon after. A program that is called with inputs of several
    /// lengths has up to four idle processes; one that is called by several threads at once has one
    /// for each of them too. The loader keeps each process off the core of the thread that calls
    /// its program, and leaves the thread as it is.
    #[must_use]
    pub fn idle_instances(mut self, most: usize) -> Self {
        if let Some(vm) = self.backend_of::<PolkaVm>() {
            self.backend = object::share(vm.with_idle_instances(most));
        }
        #[cfg(feature = "wasm")]
        if self.backend_of::<Wasmi>().is_some() {
            self.backend = object::share(Wasmi::with_idle_instances(most));
        }
        self
    }

    /// Loads a program: a blob, a module or a library, as `cargo entrypoint build` makes it for the
    /// engine's [target](Engine::target).
    ///
    /// # Errors
    ///
    /// [`LoadError`] if the bytes are not a program for this loader, or exceed a limit.
    pub fn load(&self, program: &[u8]) -> Result<Program, LoadError> {
        self.check_file(program)?;
        let loaded = self.backend.load(program, &self.settings)?;
        let contract = contract::read(program)?;
        if let Some(contract) = &contract {
            contract::check(contract, &self.settings.limits)?;
        }
        Ok(Program {
            engine: self.engine(),
            settings: Arc::clone(&self.settings),
            loaded,
            contract,
        })
    }

    /// Calls a program that is part of the host, as the outermost program, with the loader's limits
    /// and prices.
    ///
    /// ```
    /// use loader::{
    ///     AccountInput, Engine, Environment, Host, Invocation, Loader, Pubkey, SystemProgram, ids,
    /// };
    ///
    /// let loader = Loader::new(Engine::Interpreter)?;
    /// let host: std::sync::Arc<dyn Host> = std::sync::Arc::new(Environment::new());
    /// let [alice, bob] = [[2; 32], [3; 32]].map(Pubkey::new);
    /// // A transfer of 30 kelvins.
    /// let data = [2_u32.to_le_bytes().as_slice(), &30_u64.to_le_bytes()].concat();
    /// let invocation = Invocation::new(ids::SYSTEM_PROGRAM)
    ///     .account(AccountInput::new(alice).kelvins(100).signer().writable())
    ///     .account(AccountInput::new(bob).writable())
    ///     .data(data);
    /// let outcome = loader.invoke_builtin(&SystemProgram, &host, &invocation)?;
    /// assert_eq!(outcome.accounts[1].kelvins, 30);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`InvocationError`] if the invocation exceeds a limit.
    pub fn invoke_builtin(
        &self,
        builtin: &dyn Builtin,
        host: &Arc<dyn Host>,
        invocation: &Invocation,
    ) -> Result<Outcome, InvocationError> {
        invocation.validate(&self.settings.limits)?;
        let mut syscalls = Syscalls::new(host, &self.settings, invocation);
        syscalls.log_begin();
        let finished = invoke::run_builtin(builtin, &mut syscalls, invocation);
        let engine = self.engine();
        Ok(invoke::outcome(
            engine,
            &mut syscalls,
            invocation,
            finished,
            None,
        ))
    }

    /// Rejects a file that is too long, without looking into it, and a program for another target.
    pub(crate) fn check_file(&self, program: &[u8]) -> Result<(), LoadError> {
        let (length, limit) = (program.len(), self.settings.limits.blob);
        if length > limit {
            return Err(LoadError::BlobTooLong { length, limit });
        }
        let engine = self.engine();
        match Target::of(program) {
            Some(found) if found != engine.target() => {
                Err(LoadError::WrongTarget { found, engine })
            }
            _ => Ok(()),
        }
    }

    /// The loader's engine.
    #[must_use]
    pub fn engine(&self) -> Engine {
        self.backend.engine()
    }

    /// The loader's limits.
    pub(crate) fn current_limits(&self) -> &Limits {
        &self.settings.limits
    }

    /// The same loader on another backend.
    pub(crate) fn replace_backend(mut self, backend: impl Backend) -> Self {
        self.backend = object::share(backend);
        self
    }

    /// The loader's backend, if it is of this type.
    pub(crate) fn backend_of<B: Backend>(&self) -> Option<&B> {
        object::backend(&*self.backend)
    }
}

impl fmt::Debug for Loader {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Loader")
            .field("engine", &self.engine())
            .field("limits", &self.settings.limits)
            .finish_non_exhaustive()
    }
}

/// A loaded program, ready to be called any number of times.
///
/// A clone is a handle on the same program, and may be used on any thread. Invocations share the
/// code and nothing else: each starts with the memory of the program's file and a zeroed heap.
#[derive(Clone)]
pub struct Program {
    engine: Engine,
    settings: Arc<Settings>,
    loaded: Arc<dyn ProgramObject>,
    contract: Option<Contract>,
}

impl Program {
    /// Calls the program once.
    ///
    /// The result is an outcome whenever the program was called, even if the program failed, ran
    /// out of gas, or broke a rule: see [`Outcome::failure`].
    ///
    /// # Errors
    ///
    /// [`InvocationError`] if the program was not called, because the input cannot encode the
    /// invocation, the invocation exceeds a limit or has less heap than the program's
    /// [`contract`](Self::contract) requests, or the engine failed.
    pub fn invoke(&self, invocation: &Invocation) -> Result<Outcome, InvocationError> {
        self.invoke_with(default_host(), invocation)
    }

    /// Calls the program once, with a host: what it can reach beyond its input.
    ///
    /// # Errors
    ///
    /// As for [`invoke`](Self::invoke).
    pub fn invoke_with(
        &self,
        host: &Arc<dyn Host>,
        invocation: &Invocation,
    ) -> Result<Outcome, InvocationError> {
        let invocation = &*contract::with_heap(self.contract(), invocation)?;
        let mut syscalls = Syscalls::new(host, &self.settings, invocation);
        syscalls.log_begin();
        let finished = self.call(&mut syscalls, invocation)?;
        let (engine, gas) = (self.engine, Some(invocation.gas));
        Ok(invoke::outcome(
            engine,
            &mut syscalls,
            invocation,
            finished,
            gas,
        ))
    }

    /// Bytes of memory that an instance has before heap and input.
    pub(crate) fn own_memory(&self) -> u64 {
        self.loaded.own_memory()
    }

    /// Calls the program once, for the host or for another program.
    pub(crate) fn call(
        &self,
        syscalls: &mut Syscalls,
        invocation: &Invocation,
    ) -> Result<Finished, InvocationError> {
        self.loaded
            .invoke(&self.settings.limits, syscalls, invocation)
    }

    /// Calls the program once for each invocation, on all cores. Returns the outcomes in the order
    /// of the invocations: the same that [`invoke`](Self::invoke) returns one after the other.
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
    /// For each invocation as for [`invoke`](Self::invoke). An error in one does not affect the
    /// others.
    #[must_use]
    pub fn run_batch(&self, invocations: &[Invocation]) -> Vec<Result<Outcome, InvocationError>> {
        self.run_batch_with(default_host(), invocations)
    }

    /// As [`run_batch`](Self::run_batch), with a host for all invocations. None of them sees the
    /// changes of another.
    ///
    /// # Errors
    ///
    /// As for [`run_batch`](Self::run_batch).
    #[must_use]
    pub fn run_batch_with(
        &self,
        host: &Arc<dyn Host>,
        invocations: &[Invocation],
    ) -> Vec<Result<Outcome, InvocationError>> {
        invocations
            .par_iter()
            .map(|invocation| self.invoke_with(host, invocation))
            .collect()
    }

    /// What the program declares that it needs; `None` if its file declares nothing.
    ///
    /// ```
    /// use loader::{Engine, Loader};
    ///
    /// let blob = program_test::build("../examples/no_alloc");
    /// let program = Loader::new(Engine::Interpreter)?.load(&blob)?;
    /// let contract = program.contract().expect("every entry macro writes one");
    /// assert_eq!(contract.max_accounts, Some(4));
    /// assert_eq!(contract.heap_size, 32 * 1024);
    /// # Ok::<(), loader::LoadError>(())
    /// ```
    #[must_use]
    pub fn contract(&self) -> Option<&Contract> {
        self.contract.as_ref()
    }

    /// The engine that runs the program.
    #[must_use]
    pub fn engine(&self) -> Engine {
        self.engine
    }

    pub(crate) fn settings(&self) -> &Arc<Settings> {
        &self.settings
    }

    /// Whether this is a handle on the same program.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.loaded, &other.loaded)
    }

    /// The loaded program, if a backend of this type has loaded it.
    pub(crate) fn loaded_by<B: Backend>(&self) -> Option<&B::Program> {
        object::program::<B>(&*self.loaded)
    }
}

impl fmt::Debug for Program {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Program")
            .field("engine", &self.engine)
            .finish_non_exhaustive()
    }
}
