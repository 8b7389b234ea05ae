//! A module: compiled once, instantiated for each who wants memory of its own.

use abi::imports::MAX_ARGUMENTS;
use abi::wasm::{ALLOC_EXPORT, IMPORT_MODULE, MEMORY_EXPORT};
use wasmi::{
    AsContextMut, Caller, CompilationMode, Config, EnforcedLimits, Engine, Error, ExternType,
    FuncType, Instance, Linker, TypedFunc, Val,
};

use super::memory::{Data, PAGE, Store, View, store_limits};
use super::refused;
use crate::display::escape_control;
use crate::error::{InvocationError, LoadError};
use crate::invoke::imports::Arguments;
use crate::limits::Limits;

/// Calls inside of calls. The stack of a program's own, 64 KiB, is as deep if each takes 16 bytes there.
const MAX_RECURSION_DEPTH: usize = 4_096;

/// A compiled module, and what it imports.
pub(crate) struct Module<U> {
    compiled: wasmi::Module,
    linker: Linker<Data<U>>,
    /// Bytes that the memory of a new instance has at most.
    initial_memory: u64,
}

/// What the loader calls in an instance.
pub(crate) struct Calls {
    pub instance: Instance,
    pub alloc: Alloc,
}

/// What gives the loader room in an instance.
pub(crate) type Alloc = TypedFunc<u32, u32>;

impl<U: 'static> Module<U> {
    pub fn compile(bytes: &[u8], limits: &Limits) -> Result<Self, LoadError> {
        // Where the engine is built for it, it would take text as well.
        if !bytes.starts_with(b"\0asm") {
            return Err(invalid("it does not begin as one"));
        }
        let mut config = Config::default();
        config
            .consume_fuel(true)
            .compilation_mode(CompilationMode::Eager)
            .allow_start_fn(false)
            .wasm_multi_memory(false)
            .set_max_recursion_depth(MAX_RECURSION_DEPTH)
            // Three bytes of a block with a thousand parameters, or seven of a function with thousands of locals, are as much work
            // to compile as kilobytes of other code, and no gas pays for that.
            .enforced_limits(EnforcedLimits::strict());
        // One for each module: an engine keeps the code of its modules as long as it lives.
        let engine = Engine::new(&config);
        let compiled = wasmi::Module::new(&engine, bytes).map_err(invalid)?;
        let initial_memory = match compiled.get_export(MEMORY_EXPORT) {
            Some(ExternType::Memory(memory)) if !memory.is_64() => {
                memory.minimum().saturating_mul(PAGE)
            }
            _ => return Err(invalid("it does not export its memory as `memory`")),
        };
        let limit = limits.program_data.saturating_add(limits.stack);
        if initial_memory > limit.into() {
            return Err(LoadError::MemoryTooLarge {
                what: "data and stack",
                size: initial_memory,
                limit,
            });
        }
        Ok(Self {
            linker: Linker::new(&engine),
            compiled,
            initial_memory,
        })
    }

    /// The module as the engine has compiled it.
    pub fn compiled(&self) -> &wasmi::Module {
        &self.compiled
    }

    /// Whether there is a function of that name for others to call.
    pub fn exports(&self, name: &str) -> bool {
        matches!(self.compiled.get_export(name), Some(ExternType::Func(_)))
    }

    /// Says what is done when the module calls an import of this name. Each name is defined once.
    pub fn define(
        &mut self,
        name: &str,
        type_: FuncType,
        call: impl Fn(View<Caller<'_, Data<U>>>, Arguments) -> Result<Option<u64>, Error>
        + Send
        + Sync
        + 'static,
    ) {
        let function = move |caller: Caller<'_, Data<U>>, given: &[Val], answer: &mut [Val]| {
            let memory = caller.get_export(MEMORY_EXPORT);
            let memory = memory
                .and_then(wasmi::Extern::into_memory)
                .ok_or_else(|| Error::new("there is no memory"))?;
            let view = View {
                store: caller,
                memory,
            };
            let value = call(view, arguments(given))?;
            // An import that answers nothing has no place for it.
            if let (Some(value), Some(place)) = (value, answer.first_mut()) {
                *place = Val::I64(value.cast_signed());
            }
            Ok(())
        };
        self.linker
            .func_new(IMPORT_MODULE, name, type_, function)
            .expect("a name is defined once");
    }

    /// A new instance, with memory as the module declares it.
    pub fn instantiate(&self, user: U) -> Result<(View<Store<U>>, Calls), Error> {
        let data = Data {
            limits: store_limits(self.initial_memory),
            user,
        };
        let mut store = Store::new(self.compiled.engine(), data);
        store.limiter(|data| &mut data.limits);
        let instance = self
            .linker
            .instantiate_and_start(&mut store, &self.compiled)?;
        let memory = instance
            .get_memory(&store, MEMORY_EXPORT)
            .ok_or_else(|| Error::new("there is no memory"))?;
        let alloc = instance.get_typed_func(&store, ALLOC_EXPORT)?;
        Ok((View { store, memory }, Calls { instance, alloc }))
    }
}

/// Pointers are numbers of 32 bits here.
fn arguments(given: &[Val]) -> Arguments {
    let mut arguments = [0; MAX_ARGUMENTS];
    for (argument, value) in arguments.iter_mut().zip(given) {
        *argument = match value {
            Val::I32(value) => value.cast_unsigned().into(),
            Val::I64(value) => value.cast_unsigned(),
            // No import takes any other.
            _ => 0,
        };
    }
    arguments
}

/// Why there is no room in an instance.
pub(crate) enum NoRoom {
    /// Its `alloc` has not returned.
    Failed(Error),
    /// Its `alloc` has answered a place that is not in its memory, or not aligned.
    Invalid {
        /// What it answered.
        address: u32,
        /// Number of bytes.
        length: u32,
    },
}

impl NoRoom {
    /// Where it keeps a program from being called.
    pub fn not_called(self) -> InvocationError {
        match self {
            Self::Failed(error) => refused(ALLOC_EXPORT, &error),
            Self::Invalid { address, length } => {
                InvocationError::InvalidAllocation { address, length }
            }
        }
    }
}

impl<U: 'static, C: AsContextMut<Data = Data<U>>> View<C> {
    /// Room for so many bytes that the loader writes, as the module's `alloc` gives it; `None` if it has none.
    ///
    /// What that answers may be anything: a place is taken only if it is in the memory and aligned.
    pub fn allocate(&mut self, alloc: Alloc, length: u32) -> Result<Option<u32>, NoRoom> {
        let address = alloc
            .call(&mut self.store, length)
            .map_err(NoRoom::Failed)?;
        if address == 0 {
            return Ok(None);
        }
        if !address.is_multiple_of(8) || !self.has(address.into(), length.into()) {
            return Err(NoRoom::Invalid { address, length });
        }
        Ok(Some(address))
    }
}

/// What the engine says may quote names, which are the module's own.
pub(super) fn invalid(reason: impl ToString) -> LoadError {
    LoadError::InvalidModule {
        reason: escape_control(&reason.to_string()),
    }
}
