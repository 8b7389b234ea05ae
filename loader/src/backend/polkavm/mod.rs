//! Programs for RISC-V, on PolkaVM.

pub(crate) mod control_flow;
pub(crate) mod debug_info;
pub(crate) mod diagnose;
pub(crate) mod pool;
mod trap;
pub(crate) mod validate;

use abi::entry::{ENTRYPOINT_EXPORT, INPUT_ALIGNMENT};
use abi::imports::Import;
use polkavm::{
    ArcBytes, BackendKind, CompileError, Config, CostModel, CostModelKind, GasMeteringKind,
    InterruptKind, MemoryProtection, Module, ModuleConfig, ProgramBlob, ProgramCounter,
    RawInstance, Reg,
};
use std::sync::Arc;

use crate::backend::{Context, End, Heap, Inaccessible, Instance, Machine, Placement, write_input};
use crate::engine::Engine;
use crate::error::Failure;
use crate::error::{InvocationError, LoadError};
use crate::inspect::Inspection;
use crate::invocation::Invocation;
use crate::invoke as run;
use crate::invoke::imports::{Arguments, Host};
use crate::invoke::input;
use crate::limits::Limits;
use crate::outcome::Outcome;
use crate::program::DEFAULT_IDLE_INSTANCES;
use pool::{Instances, Pool};

/// The VM's smallest page in bytes: what memory is rounded up to.
pub(crate) const PAGE_SIZE: u32 = 4_096;

/// About how many bytes the interpreter makes of one byte of code.
const TRANSLATED_BYTES: u64 = 32;

/// The VM, and the instances of its programs that wait.
#[derive(Clone)]
pub(crate) struct Vm {
    engine: Engine,
    vm: Arc<polkavm::Engine>,
    pool: Arc<Pool>,
}

impl Vm {
    pub fn new(engine: Engine, backend: BackendKind) -> Result<Self, LoadError> {
        let mut config = Config::new();
        config.set_backend(Some(backend));
        let vm = polkavm::Engine::new(&config).map_err(|error| LoadError::EngineUnavailable {
            engine,
            reason: error.to_string(),
        })?;
        Ok(Self {
            engine,
            vm: Arc::new(vm),
            pool: Pool::new(match backend {
                BackendKind::Interpreter => DEFAULT_IDLE_INSTANCES,
                // The VM itself keeps the processes; see `Loader::idle_instances`.
                _ => 0,
            }),
        })
    }

    pub fn set_idle_instances(&mut self, most: usize) {
        self.pool = Pool::new(most);
    }

    pub fn load(&self, blob: &[u8], limits: &Limits) -> Result<Linked, LoadError> {
        let blob = parse(blob)?;
        if let Some(refusal) = validate::refusals(&blob, limits).next() {
            return Err(refusal);
        }
        let entry = validate::exports_named(&blob, ENTRYPOINT_EXPORT)
            .next()
            .expect("a rule asks for it");
        let module = self.compile(&blob, ModuleConfig::new())?;
        Ok(Linked {
            module,
            instances: self.pool.instances(),
            entry,
            has_bump_heap: validate::has_bump_heap(&blob),
            // The rules leave no unknown one, so the numbers are the blob's.
            imports: validate::imports(&blob)
                .filter_map(|(_, import)| import)
                .collect(),
            blob,
        })
    }

    pub fn inspect(&self, blob: &[u8], limits: &Limits) -> Result<Inspection, LoadError> {
        let parsed = parse(blob)?;
        let mut refusals: Vec<LoadError> = validate::refusals(&parsed, limits).collect();
        if refusals.is_empty() {
            // The VM is shown only what passes the rules: they bound what it takes.
            refusals.extend(self.compile(&parsed, ModuleConfig::new()).err());
        }
        Ok(Inspection::new(blob, &parsed, limits, refusals))
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

fn parse(blob: &[u8]) -> Result<ProgramBlob, LoadError> {
    ProgramBlob::parse(ArcBytes::from(blob)).map_err(|error| LoadError::InvalidBlob {
        reason: error.to_string(),
    })
}

/// A blob that the VM has taken.
pub(crate) struct Linked {
    pub module: Module,
    /// Those of the module that wait.
    instances: Instances,
    /// For its debug information; it shares the module's bytes.
    pub blob: ProgramBlob,
    pub entry: ProgramCounter,
    /// Whether the heap keeps the header of [`abi::heap`].
    has_bump_heap: bool,
    /// What the VM's number of an import stands for.
    imports: Vec<Import>,
}

impl Linked {
    /// The same program, compiled so that the VM stops before each instruction.
    pub fn for_step_tracing(&self) -> Result<Self, LoadError> {
        let mut config = ModuleConfig::new();
        config.set_step_tracing(true);
        let vm = Vm::new(Engine::Interpreter, BackendKind::Interpreter)?;
        Ok(Self {
            module: vm.compile(&self.blob, config)?,
            instances: vm.pool.instances(),
            blob: self.blob.clone(),
            entry: self.entry,
            has_bump_heap: self.has_bump_heap,
            imports: self.imports.clone(),
        })
    }

    /// Calls the program once. `invocation` is valid.
    pub fn invoke(
        &self,
        engine: Engine,
        limits: &Limits,
        invocation: &Invocation,
        observer: &mut impl Observer,
    ) -> Result<Outcome, InvocationError> {
        // An error of the VM, or a panic, drops the instance; everything else leaves one that can be cleaned.
        let mut instance = self.instances.take(&self.module)?;
        let mut observed = Observed {
            guest: Guest {
                vm: &mut instance.vm,
                program: self,
            },
            holds: 0,
            observer,
        };
        let outcome = run::invoke(engine, limits, invocation, &mut observed)?;
        let holds = observed.holds;
        instance.holds(holds);
        self.instances.give_back(instance);
        Ok(outcome)
    }

    /// Bytes that an instance may hold besides heap and input.
    fn fixed_bytes(&self) -> u64 {
        let map = self.module.memory_map();
        let code = self.blob.code().len() as u64 * TRANSLATED_BYTES;
        code + u64::from(map.rw_data_size()) + u64::from(map.stack_size())
    }
}

/// Somebody who watches a program run. Does nothing to it, and costs nothing if it is nobody.
pub(crate) trait Observer {
    /// An instruction is about to run: the one at the program counter. Only in a module that is compiled for that.
    fn step(&mut self, _guest: &mut Guest<'_>, _context: &Context) {}

    /// An import has been called, and what it did has cost this much gas besides its instruction.
    fn import(&mut self, _import: Import, _price: u64) {}

    /// The instruction that was about to run cannot be paid.
    fn unpaid(&mut self) {}

    /// The program has ended.
    fn ended(&mut self, _guest: &mut Guest<'_>, _context: &Context) {}
}

/// Nobody.
impl Observer for () {}

/// A program in an instance of the VM's.
pub(crate) struct Guest<'a> {
    pub vm: &'a mut RawInstance,
    pub program: &'a Linked,
}

impl Machine for Guest<'_> {
    fn read_into(&mut self, address: u64, buffer: &mut [u8]) -> Result<(), Inaccessible> {
        let (address, _) = range(address, buffer.len() as u64)?;
        self.vm
            .read_memory_into(address, buffer)
            .map(|_| ())
            .map_err(|_| Inaccessible)
    }

    fn read(&mut self, address: u64, length: u64) -> Result<Vec<u8>, Inaccessible> {
        let (address, length) = range(address, length)?;
        if length == 0 {
            return Ok(Vec::new());
        }
        // Asked first, because the buffer is made before the memory is looked at.
        if !self
            .vm
            .is_memory_accessible(address, length, MemoryProtection::Read)
        {
            return Err(Inaccessible);
        }
        self.vm
            .read_memory(address, length)
            .map_err(|_| Inaccessible)
    }

    fn write(&mut self, address: u64, bytes: &[u8]) -> Result<(), Inaccessible> {
        let (address, _) = range(address, bytes.len() as u64)?;
        if bytes.is_empty() {
            return Ok(());
        }
        self.vm
            .write_memory(address, bytes)
            .map_err(|_| Inaccessible)
    }

    fn is_writable(&mut self, address: u64, length: u64) -> bool {
        match (u32::try_from(address), u32::try_from(length)) {
            (Ok(address), Ok(length)) => {
                self.vm
                    .is_memory_accessible(address, length, MemoryProtection::ReadWrite)
            }
            _ => false,
        }
    }

    fn gas(&self) -> u64 {
        // It is negative where a block could not be paid.
        self.vm.gas().max(0) as u64
    }

    fn set_gas(&mut self, gas: u64) {
        // A valid invocation has no more than the VM can count.
        self.vm.set_gas(i64::try_from(gas).unwrap_or(i64::MAX));
    }

    fn out_of_gas(&self, limit: u64) -> Failure {
        diagnose::out_of_gas(&self.program.blob, self.vm, limit)
    }
}

/// Addresses have 32 bits, and no range wraps around.
fn range(address: u64, length: u64) -> Result<(u32, u32), Inaccessible> {
    let end = address.checked_add(length).ok_or(Inaccessible)?;
    if end > 1 << 32 {
        return Err(Inaccessible);
    }
    let address = u32::try_from(address).map_err(|_| Inaccessible)?;
    let length = u32::try_from(length).map_err(|_| Inaccessible)?;
    Ok((address, length))
}

/// A guest that somebody watches.
struct Observed<'a, O> {
    guest: Guest<'a>,
    /// Bytes that the VM's instance may hold.
    holds: u64,
    observer: &'a mut O,
}

impl<'a, O: Observer> Instance for Observed<'a, O> {
    type Machine = Guest<'a>;

    fn machine(&mut self) -> &mut Guest<'a> {
        &mut self.guest
    }

    /// The heap starts right above the program's data, the input on the next page above the heap.
    fn place(&mut self, invocation: &Invocation) -> Result<Placement, InvocationError> {
        let program = self.guest.program;
        let length = input::serialized_length(invocation);
        let does_not_fit = InvocationError::DoesNotFit {
            heap: invocation.heap_size,
            input: length,
        };
        let heap_base = program.module.memory_map().heap_base();
        let address = input_address(heap_base, invocation.heap_size);
        let mapped = address + length as u64 - u64::from(heap_base);
        let Ok(mapped) = u32::try_from(mapped) else {
            return Err(does_not_fit);
        };
        self.holds = program.fixed_bytes() + u64::from(mapped);
        let mapping = self
            .guest
            .vm
            .sbrk(mapped)
            .map_err(InvocationError::engine)?;
        if mapping.is_none() {
            return Err(does_not_fit);
        }
        Ok(Placement {
            heap: Heap {
                base: heap_base.into(),
                size: invocation.announced_heap.unwrap_or(invocation.heap_size),
                has_header: program.has_bump_heap,
            },
            input: address,
            // It is mapped below 2^32.
            input_length: length as u32,
            entries: write_input(&mut self.guest, invocation, address)?,
        })
    }

    fn enter(
        &mut self,
        placement: &Placement,
        host: &mut Host,
        context: &Context,
    ) -> Result<End, InvocationError> {
        self.guest.vm.prepare_call_untyped(
            self.guest.program.entry,
            &[
                placement.input,
                placement.input_length.into(),
                placement.heap.base,
                placement.heap.size.into(),
            ],
        );
        let end = self.run(host, context)?;
        self.observer.ended(&mut self.guest, context);
        Ok(end)
    }
}

impl<O: Observer> Observed<'_, O> {
    fn run(&mut self, host: &mut Host, context: &Context) -> Result<End, InvocationError> {
        let Self {
            guest, observer, ..
        } = self;
        loop {
            match guest.vm.run().map_err(InvocationError::engine)? {
                InterruptKind::Finished => return Ok(End::Returned(guest.vm.reg(Reg::A0))),
                InterruptKind::NotEnoughGas => {
                    observer.unpaid();
                    return Ok(End::Failed(guest.out_of_gas(context.gas_limit)));
                }
                InterruptKind::Ecalli(number) => {
                    let Some(import) = guest.program.imports.get(number as usize) else {
                        return Ok(End::Failed(guest.trapped()));
                    };
                    let before = guest.gas();
                    let answer = host.call(*import, guest.arguments(), guest, context);
                    // An import takes gas and never gives any.
                    observer.import(*import, before - guest.gas());
                    match answer {
                        Ok(Some(value)) => guest.vm.set_reg(Reg::A0, value),
                        Ok(None) => {}
                        Err(failure) => return Ok(End::Failed(failure)),
                    }
                }
                // Only where the module is compiled for it.
                InterruptKind::Step => observer.step(guest, context),
                // Without dynamic paging the last does not happen.
                InterruptKind::Trap | InterruptKind::Segfault(_) => {
                    return Ok(End::Failed(guest.trapped()));
                }
            }
        }
    }
}

impl Guest<'_> {
    fn arguments(&self) -> Arguments {
        std::array::from_fn(|index| self.vm.reg(Reg::ARG_REGS[index]))
    }

    fn trapped(&self) -> Failure {
        diagnose::trapped(&self.program.blob, self.vm)
    }
}

/// Where the input starts above a heap.
pub(crate) fn input_address(heap_base: u32, heap_size: u32) -> u64 {
    let heap_end = u64::from(heap_base) + u64::from(heap_size);
    heap_end.next_multiple_of(INPUT_ALIGNMENT.into())
}
