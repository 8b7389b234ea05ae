//! The virtual machine that the published runtime pins, PolkaVM 0.26, as a backend of the loader.
//!
//! The loader writes the input, runs the syscalls and judges the changes, as for its own engines;
//! only the machine is another.

use abi::entry::{ENTRYPOINT_EXPORT, INPUT_ALIGNMENT};
use abi::heap::BUMP_HEAP_EXPORT;
use loader::backend::{
    Arguments, Backend, End, GuestMemory, Heap, Inaccessible, Instance, Mapping, MemoryRequest,
    Syscall, SyscallSet, Syscalls,
};
use loader::{Engine, Failure, InvocationError, Limits, LoadError, Loader};
use polkavm_026::{
    BackendKind, Config, GasMeteringKind, InterruptKind, Module, ModuleConfig, ProgramBlob,
    ProgramCounter, RawInstance, Reg,
};

/// A loader whose machine is PolkaVM 0.26, with the engine of this name.
///
/// # Panics
///
/// If the machine does not run on this computer, or if the engine is not one of PolkaVM's.
pub fn loader(engine: Engine) -> Loader {
    let backend = match engine {
        Engine::Interpreter => BackendKind::Interpreter,
        Engine::Compiler => BackendKind::Compiler,
        other => panic!("PolkaVM does not have the engine {other}"),
    };
    let mut config = Config::new();
    config.set_backend(Some(backend));
    let vm = polkavm_026::Engine::new(&config).expect("an engine of PolkaVM 0.26");
    Loader::with_backend(PublishedVm { engine, vm })
}

struct PublishedVm {
    engine: Engine,
    vm: polkavm_026::Engine,
}

/// A blob that PolkaVM 0.26 has compiled.
struct Loaded {
    module: Module,
    entry: ProgramCounter,
    has_heap_header: bool,
    syscalls: Vec<Syscall>,
}

/// A program in one of the VM's instances.
struct Running<'a> {
    program: &'a Loaded,
    guest: Guest,
    /// The address of the input's account table, or 0.
    account_table: u64,
}

struct Guest(RawInstance);

fn invalid(error: impl ToString) -> LoadError {
    LoadError::InvalidBlob {
        reason: error.to_string(),
    }
}

impl Backend for PublishedVm {
    type Program = Loaded;
    type Instance<'a> = Running<'a>;

    fn engine(&self) -> Engine {
        self.engine
    }

    fn load(
        &self,
        file: &[u8],
        _limits: &Limits,
        syscalls: &SyscallSet,
    ) -> Result<Loaded, LoadError> {
        let blob = ProgramBlob::parse(file.to_vec().into()).map_err(invalid)?;
        let mut config = ModuleConfig::new();
        config.set_gas_metering(Some(GasMeteringKind::Sync));
        let imports = blob.imports();
        let imports = imports.iter().map(|symbol| match symbol {
            Some(symbol) => symbol.as_bytes().to_vec(),
            None => b"?".to_vec(),
        });
        let imports: Vec<Vec<u8>> = imports.collect();
        let syscalls = imports.iter().map(|symbol| syscalls.find(symbol));
        let syscalls = syscalls.collect::<Result<_, _>>()?;
        let export = |symbol: &str| {
            let mut exports = blob.exports();
            let found = exports.find(|export| export.symbol().as_bytes() == symbol.as_bytes());
            found.map(|export| export.program_counter())
        };
        let entry = export(ENTRYPOINT_EXPORT).ok_or_else(|| invalid("no entrypoint"))?;
        let has_heap_header = export(BUMP_HEAP_EXPORT).is_some();
        Ok(Loaded {
            module: Module::from_blob(&self.vm, &config, blob).map_err(invalid)?,
            entry,
            has_heap_header,
            syscalls,
        })
    }

    fn own_memory(&self, program: &Loaded) -> u64 {
        let map = program.module.memory_map();
        u64::from(map.rw_data_size()) + u64::from(map.stack_size())
    }

    fn with_instance<T>(
        &self,
        program: &Loaded,
        _limits: &Limits,
        run: impl FnOnce(&mut Running<'_>) -> Result<T, InvocationError>,
    ) -> Result<T, InvocationError> {
        let instance = program.module.instantiate();
        run(&mut Running {
            program,
            guest: Guest(instance.map_err(InvocationError::engine)?),
            account_table: 0,
        })
    }
}

impl GuestMemory for Guest {
    fn read(&mut self, address: u64, length: u64) -> Result<Vec<u8>, Inaccessible> {
        let (address, length) = range(address, length)?;
        if length == 0 {
            return Ok(Vec::new());
        }
        if !self.0.is_memory_accessible(address, length, false) {
            return Err(Inaccessible);
        }
        self.0
            .read_memory(address, length)
            .map_err(|_| Inaccessible)
    }

    fn write(&mut self, address: u64, bytes: &[u8]) -> Result<(), Inaccessible> {
        let (address, length) = range(address, bytes.len() as u64)?;
        if length == 0 {
            return Ok(());
        }
        self.0
            .write_memory(address, bytes)
            .map_err(|_| Inaccessible)
    }

    fn is_writable(&mut self, address: u64, length: u64) -> bool {
        range(address, length)
            .is_ok_and(|(address, length)| self.0.is_memory_accessible(address, length, true))
    }

    fn gas(&self) -> u64 {
        self.0.gas().max(0) as u64
    }

    fn set_gas(&mut self, gas: u64) {
        self.0.set_gas(i64::try_from(gas).unwrap_or(i64::MAX));
    }
}

/// Addresses have 32 bits, and ranges do not wrap around.
fn range(address: u64, length: u64) -> Result<(u32, u32), Inaccessible> {
    let end = address.checked_add(length).ok_or(Inaccessible)?;
    if end > 1 << 32 {
        return Err(Inaccessible);
    }
    let [address, length] = [address, length].map(u32::try_from);
    Ok((
        address.map_err(|_| Inaccessible)?,
        length.map_err(|_| Inaccessible)?,
    ))
}

impl Instance for Running<'_> {
    type Guest = Guest;

    fn guest(&mut self) -> &mut Guest {
        &mut self.guest
    }

    fn map(&mut self, request: &MemoryRequest) -> Result<Mapping, InvocationError> {
        let base = self.program.module.memory_map().heap_base();
        let end = u64::from(base) + u64::from(request.heap_size);
        let input = end.next_multiple_of(INPUT_ALIGNMENT.into());
        let mapped = input + request.input_length as u64 - u64::from(base);
        let mapped = u32::try_from(mapped).map_err(|_| request.does_not_fit())?;
        let end = self.guest.0.sbrk(mapped).map_err(InvocationError::engine)?;
        end.ok_or_else(|| request.does_not_fit())?;
        let table = request.account_table;
        self.account_table = table.map_or(0, |offset| input + offset as u64);
        Ok(Mapping {
            heap: Heap {
                base: base.into(),
                size: request.announced_heap,
                has_header: self.program.has_heap_header,
            },
            input,
            input_length: request.input_length as u32,
        })
    }

    fn enter(
        &mut self,
        mapping: &Mapping,
        syscalls: &mut Syscalls,
    ) -> Result<End, InvocationError> {
        let arguments = [
            mapping.input,
            mapping.input_length.into(),
            mapping.heap.base,
            mapping.heap.size.into(),
            self.account_table,
        ];
        let guest = &mut self.guest;
        guest.0.prepare_call_untyped(self.program.entry, &arguments);
        loop {
            match guest.0.run().map_err(InvocationError::engine)? {
                InterruptKind::Finished => return Ok(End::Returned(guest.0.reg(Reg::A0))),
                InterruptKind::NotEnoughGas => {
                    return Ok(End::Failed(guest.out_of_gas(syscalls.gas_limit())));
                }
                InterruptKind::Ecalli(number) => {
                    let syscall = &self.program.syscalls[number as usize];
                    let arguments: Arguments =
                        std::array::from_fn(|index| guest.0.reg(Reg::ARG_REGS[index]));
                    match syscalls.call(syscall, arguments, guest) {
                        Ok(Some(value)) => guest.0.set_reg(Reg::A0, value),
                        Ok(None) => {}
                        Err(failure) => return Ok(End::Failed(failure)),
                    }
                }
                InterruptKind::Trap | InterruptKind::Segfault(_) | InterruptKind::Step => {
                    return Ok(End::Failed(Failure::trapped_because("trap")));
                }
            }
        }
    }
}
