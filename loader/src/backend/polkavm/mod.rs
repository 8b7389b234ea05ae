//! Programs for RISC-V, on PolkaVM: the engines `interpreter` and `compiler`.

pub(crate) mod control_flow;
mod cores;
pub(crate) mod debug_info;
mod diagnose;
mod guest;
mod instance;
mod jumps;
mod paged;
mod pieces;
mod pool;
mod process;
mod registers;
mod trap;
pub(crate) mod validate;

pub(crate) use guest::Guest;
pub(crate) use instance::{Layout, Observed, Observer};
pub use pool::{DEFAULT_IDLE_INSTANCES, DEFAULT_IDLE_PROCESSES};

use std::mem::take;
use std::sync::{Arc, OnceLock};

use abi::entry::ENTRYPOINT_EXPORT;
use polkavm::{
    ArcBytes, BackendKind, CompileError, Config, CorePinning, CostModel, CostModelKind,
    GasMeteringKind, Module, ModuleConfig, ProgramBlob, ProgramCounter,
};

use super::{Backend, Syscall, SyscallSet};
use crate::coverage::{Counters, CountingObserver, Coverage};
use crate::engine::Engine;
use crate::error::{InvocationError, LoadError};
use crate::limits::Limits;
use pieces::Pieces;
use pool::{Instance, Instances, Pool};

/// The VM's smallest page in bytes: it rounds memory up to pages.
pub(crate) const PAGE_SIZE: u32 = 4_096;

/// About how many bytes the interpreter makes of one byte of code.
const TRANSLATED_BYTES: u64 = 32;

/// The VM, and the idle instances of its programs.
#[derive(Clone)]
pub(crate) struct PolkaVm {
    engine: Engine,
    vm: Arc<polkavm::Engine>,
    pool: Arc<Pool>,
    /// Where the interpreter counts what programs execute.
    coverage: Option<Coverage>,
}

/// A blob that the VM has compiled.
pub(crate) struct LoadedBlob {
    pub module: Module,
    /// The module's idle instances.
    instances: Instances,
    /// The same program for long inputs.
    paged: PagedModule,
    /// For its debug information; it shares the module's bytes.
    pub blob: ProgramBlob,
    pub entry: ProgramCounter,
    /// Whether the heap has the header of [`abi::heap`].
    has_heap_header: bool,
    /// The syscalls by the VM's numbers of the imports.
    pub syscalls: Vec<Syscall>,
    /// The counters of what it executes. Then the VM stops before each instruction.
    counters: Option<Arc<Counters>>,
}

/// A program in memory whose pages it gets when it first looks at them: see [`paged`].
struct PagedModule {
    /// The VM that compiles it, if it can.
    vm: Option<PolkaVm>,
    /// The module and its idle instances, from the first long input on.
    module: OnceLock<Option<(Module, Instances)>>,
}

/// A blob of two instructions, which export `entrypoint` and return 0.
const SMALLEST_BLOB: &[u8] =
    b"PVM\0\x02\x25\0\0\0\0\0\0\0\x05\x0d\x01\0\x0aentrypoint\x06\x06\0\0\x04\x07\x03\0\0";

/// Starts a process of the compiling engine, which the VM keeps for the first program.
fn start_process(vm: &polkavm::Engine) -> Result<(), String> {
    let module = Module::new(
        vm,
        &ModuleConfig::new(),
        ArcBytes::from_static(SMALLEST_BLOB),
    );
    let module = module.map_err(|error| error.to_string())?;
    let instance = module.instantiate();
    instance.map(drop).map_err(|error| error.to_string())
}

impl PolkaVm {
    /// The VM on one of its own two engines: any other means the interpreter.
    pub fn new(engine: Engine) -> Result<Self, LoadError> {
        let backend = match engine {
            Engine::Compiler => BackendKind::Compiler,
            _ => BackendKind::Interpreter,
        };
        let mut config = Config::new();
        config.set_backend(Some(backend));
        // The threads belong to the embedder. See `cores`.
        config.set_core_pinning(CorePinning::Disabled);
        let unavailable = |reason: String| LoadError::EngineUnavailable { engine, reason };
        if backend == BackendKind::Interpreter {
            config.set_allow_dynamic_paging(true);
        }
        let vm = polkavm::Engine::new(&config).map_err(|error| unavailable(error.to_string()))?;
        if backend == BackendKind::Compiler {
            // Some computers refuse what its processes need only when the first of them starts.
            start_process(&vm).map_err(unavailable)?;
        }
        Ok(Self {
            engine,
            vm: Arc::new(vm),
            pool: match backend {
                BackendKind::Interpreter => Pool::of_interpreter(DEFAULT_IDLE_INSTANCES),
                _ => Pool::of_compiler(DEFAULT_IDLE_PROCESSES),
            },
            coverage: None,
        })
    }

    /// The same VM with another pool.
    pub fn with_idle_instances(&self, most: usize) -> Self {
        Self {
            pool: self.pool.with_max_instances(most),
            ..self.clone()
        }
    }

    /// The same VM, whose programs count what they execute. Only the interpreter does so.
    pub fn count_into(&self, coverage: &Coverage) -> Self {
        Self {
            coverage: (self.engine == Engine::Interpreter).then(|| coverage.clone()),
            ..self.clone()
        }
    }

    /// Every reason for which [`Backend::load`] rejects a blob.
    pub fn refusals(
        &self,
        blob: &ProgramBlob,
        limits: &Limits,
        syscalls: &SyscallSet,
    ) -> Vec<LoadError> {
        let mut refusals: Vec<LoadError> = validate::refusals(blob, limits, syscalls).collect();
        if refusals.is_empty() {
            // The VM gets only what passes the rules, because they bound the work that it does.
            refusals.extend(self.compile(blob, ModuleConfig::new()).err());
        }
        refusals
    }

    /// Makes the VM's module of a blob that passes the rules.
    fn compile(&self, blob: &ProgramBlob, mut config: ModuleConfig) -> Result<Module, LoadError> {
        config.set_page_size(PAGE_SIZE);
        config.set_gas_metering(Some(GasMeteringKind::Sync));
        // One unit an instruction, set explicitly, because the VM's default may change.
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

/// Parses a blob.
pub(crate) fn parse(blob: &[u8]) -> Result<ProgramBlob, LoadError> {
    ProgramBlob::parse(ArcBytes::from(blob)).map_err(|error| LoadError::InvalidBlob {
        reason: error.to_string(),
    })
}

impl Backend for PolkaVm {
    type Program = LoadedBlob;
    type Instance<'a> = Observed<'a, Option<CountingObserver>>;

    fn engine(&self) -> Engine {
        self.engine
    }

    fn load(
        &self,
        file: &[u8],
        limits: &Limits,
        syscalls: &SyscallSet,
    ) -> Result<LoadedBlob, LoadError> {
        let blob = parse(file)?;
        if let Some(refusal) = validate::refusals(&blob, limits, syscalls).next() {
            return Err(refusal);
        }
        let entry = validate::exports_named(&blob, ENTRYPOINT_EXPORT)
            .next()
            .expect("a rule demands it");
        let mut config = ModuleConfig::new();
        config.set_step_tracing(self.coverage.is_some());
        let module = self.compile(&blob, config)?;
        let coverage = self.coverage.as_ref();
        Ok(LoadedBlob {
            counters: coverage.map(|coverage| coverage.counters(file, &blob)),
            module,
            instances: self.pool.instances(),
            paged: PagedModule {
                // The compiling engine needs rights for it that not every process has.
                vm: (self.engine == Engine::Interpreter).then(|| self.clone()),
                module: OnceLock::new(),
            },
            entry,
            has_heap_header: validate::has_heap_header(&blob),
            // The rules reject unknown imports.
            syscalls: validate::imports(&blob)
                .map(|symbol| syscalls.find(symbol))
                .collect::<Result<_, _>>()?,
            blob,
        })
    }

    fn own_memory(&self, program: &LoadedBlob) -> u64 {
        program.own_memory()
    }

    fn with_instance<T>(
        &self,
        program: &LoadedBlob,
        _limits: &Limits,
        run: impl FnOnce(&mut Observed<'_, Option<CountingObserver>>) -> Result<T, InvocationError>,
    ) -> Result<T, InvocationError> {
        let mut observer = program.counters.clone().map(CountingObserver::new);
        // One that counts looks at the VM's own memory.
        let may_page = observer.is_none();
        program.lend(&mut observer, may_page, run)
    }
}

impl LoadedBlob {
    /// The same program, compiled so that the VM stops before each instruction.
    pub fn for_step_tracing(&self) -> Result<Self, LoadError> {
        let mut config = ModuleConfig::new();
        config.set_step_tracing(true);
        let vm = PolkaVm::new(Engine::Interpreter)?;
        Ok(Self {
            module: vm.compile(&self.blob, config)?,
            instances: vm.pool.instances(),
            // An observer looks at the VM's own memory.
            paged: PagedModule {
                vm: None,
                module: OnceLock::new(),
            },
            blob: self.blob.clone(),
            entry: self.entry,
            has_heap_header: self.has_heap_header,
            syscalls: self.syscalls.clone(),
            counters: None,
        })
    }

    /// Lends an instance that an observer watches.
    pub fn observe<O: Observer, T>(
        &self,
        observer: &mut O,
        run: impl FnOnce(&mut Observed<'_, O>) -> Result<T, InvocationError>,
    ) -> Result<T, InvocationError> {
        self.lend(observer, false, run)
    }

    /// Lends an instance, whose memory may be one of pages.
    fn lend<O: Observer, T>(
        &self,
        observer: &mut O,
        may_page: bool,
        run: impl FnOnce(&mut Observed<'_, O>) -> Result<T, InvocationError>,
    ) -> Result<T, InvocationError> {
        // An error of the VM, or a panic, drops the instance; all else leaves one that can be
        // reset.
        let mut instance = self.instances.take(&self.module)?;
        let spare = take(&mut instance.known.spare);
        let pieces = self.instances.are_processes();
        let mut observed = Observed {
            guest: Guest {
                vm: &mut instance.vm,
                program: self,
                pieces: pieces.then(|| Pieces::with_spare(spare)),
                pages: None,
            },
            may_page,
            other: None,
            known: &mut instance.known,
            account_table: 0,
            observer,
        };
        let result = run(&mut observed);
        if result.is_ok() {
            let pieces = observed.guest.pieces.take();
            if let Some(other) = observed.other.take() {
                let paged = std::mem::replace(&mut instance, other);
                self.paged.give_back(paged);
            }
            if let Some(pieces) = pieces {
                instance.known.spare = pieces.into_spare();
            }
            self.instances.give_back(instance);
        }
        result
    }

    /// Bytes of an instance's data and stack.
    fn own_memory(&self) -> u64 {
        let map = self.module.memory_map();
        u64::from(map.rw_data_size()) + u64::from(map.stack_size())
    }

    /// The most bytes that an instance keeps besides heap and input.
    fn fixed_bytes(&self) -> u64 {
        self.blob.code().len() as u64 * TRANSLATED_BYTES + self.own_memory()
    }
}

impl PagedModule {
    /// A clean instance; `None` if the program does not have any of this kind.
    fn take(&self, blob: &ProgramBlob) -> Result<Option<Box<Instance>>, InvocationError> {
        let Some(vm) = &self.vm else {
            return Ok(None);
        };
        let module = self.module.get_or_init(|| {
            let mut config = ModuleConfig::new();
            config.set_dynamic_paging(true);
            let module = vm.compile(blob, config).ok()?;
            Some((module, vm.pool.instances()))
        });
        let Some((module, instances)) = module else {
            return Ok(None);
        };
        Ok(Some(instances.take(module)?))
    }

    fn give_back(&self, instance: Box<Instance>) {
        if let Some(Some((_, instances))) = self.module.get() {
            instances.give_back(instance);
        }
    }
}
