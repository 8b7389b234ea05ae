//! A module: compiled once, and instantiated for each invocation or handler.

use abi::imports::MAX_ARGUMENTS;
use abi::wasm::{ALLOC_EXPORT, IMPORT_MODULE, MEMORY_EXPORT};
use wasmi::{
    AsContextMut, Caller, CompilationMode, Config, Engine, Error, ExternType, FuncType, Global,
    Instance, Linker, TypedFunc, Val,
};

use super::memory::{Data, PAGE, Store, View, store_limits};
use super::{globals, setup_failed, weight};
use crate::backend::Arguments;
use crate::error::{InvocationError, LoadError};
use crate::limits::Limits;

/// The limit of the call depth. A program's own stack of 64 KiB has the same depth if each call
/// uses 16 bytes of it.
const MAX_RECURSION_DEPTH: usize = 4_096;

/// A compiled module, and the functions that it imports.
pub(crate) struct Module<U> {
    compiled: wasmi::Module,
    linker: Linker<Data<U>>,
    /// Bytes that the memory of a new instance has at most.
    initial_memory: u64,
    /// The exports of all globals that a function can change; `None` if an instance cannot be set
    /// back to a state that it had before.
    globals: Option<Vec<String>>,
}

/// The functions that the loader calls in an instance.
pub(crate) struct Calls {
    pub instance: Instance,
    pub alloc: Alloc,
}

/// The export that allocates scratch memory in an instance.
pub(crate) type Alloc = TypedFunc<u32, u32>;

impl<U: 'static> Module<U> {
    /// Compiles a module whose instances can be set back, if that is possible.
    pub fn compile_for_reuse(bytes: &[u8], limits: &Limits) -> Result<Self, LoadError> {
        Self::compile_any(bytes, limits, true)
    }

    pub fn compile(bytes: &[u8], limits: &Limits) -> Result<Self, LoadError> {
        Self::compile_any(bytes, limits, false)
    }

    fn compile_any(bytes: &[u8], limits: &Limits, is_reused: bool) -> Result<Self, LoadError> {
        // If the engine is built for it, it accepts text as well.
        if !bytes.starts_with(b"\0asm") {
            return Err(invalid("bad magic number"));
        }
        let mut config = Config::default();
        config
            .consume_fuel(true)
            .compilation_mode(CompilationMode::Eager)
            .allow_start_fn(false)
            .wasm_multi_memory(false)
            // `weight` says why.
            .wasm_multi_value(false)
            .wasm_extended_const(false)
            .set_max_recursion_depth(MAX_RECURSION_DEPTH);
        let can_be_set_back = weight::check(bytes, limits)?;
        // One for each module: an engine keeps the code of its modules as long as it lives.
        let engine = Engine::new(&config);
        let exported = (is_reused && can_be_set_back)
            .then(|| globals::export(bytes))
            .flatten();
        let exported = exported.and_then(|exported| {
            let compiled = wasmi::Module::new(&engine, &exported.module).ok()?;
            Some((compiled, exported.names))
        });
        let (compiled, globals) = match exported {
            Some((compiled, names)) => (compiled, Some(names)),
            // The error of an invalid module is that of its own bytes.
            None => (wasmi::Module::new(&engine, bytes).map_err(invalid)?, None),
        };
        let initial_memory = match compiled.get_export(MEMORY_EXPORT) {
            Some(ExternType::Memory(memory)) if !memory.is_64() => {
                memory.minimum().saturating_mul(PAGE)
            }
            _ => return Err(invalid("no export `memory` that is a 32-bit memory")),
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
            globals,
        })
    }

    /// Bytes that the memory of a new instance has at most.
    pub fn initial_memory(&self) -> u64 {
        self.initial_memory
    }

    /// Whether an instance can be set back to a state that it had before.
    pub fn can_be_set_back(&self) -> bool {
        self.globals.is_some()
    }

    /// The globals of an instance that a function can change; `None` if it cannot be set back.
    pub fn globals(&self, instance: &Instance, store: &Store<U>) -> Option<Vec<Global>> {
        let names = self.globals.as_ref()?.iter();
        names.map(|name| instance.get_global(store, name)).collect()
    }

    /// The module as the engine has compiled it.
    pub fn compiled(&self) -> &wasmi::Module {
        &self.compiled
    }

    /// Whether the module exports a function of this name.
    pub fn exports(&self, name: &str) -> bool {
        matches!(self.compiled.get_export(name), Some(ExternType::Func(_)))
    }

    /// Defines the function that the module imports by this name. Define each name once.
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
            // An import that returns nothing has no place for a value.
            if let (Some(value), Some(place)) = (value, answer.first_mut()) {
                *place = Val::I64(value.cast_signed());
            }
            Ok(())
        };
        self.linker
            .func_new(IMPORT_MODULE, name, type_, function)
            .expect("a name is defined once");
    }

    /// Rejects a module of which the engine can make no instance, because a segment lies outside of
    /// its memory or its table, or because its table is too large. That is the same for every
    /// instance. So if one cannot be made later, the fault is the engine's.
    pub fn check_instance(&self, user: U) -> Result<(), LoadError> {
        match self.instantiate(user) {
            Ok(_) => Ok(()),
            // Not the engine's text, which has numbers of the store.
            Err(_) => Err(invalid(
                "a segment does not fit into the memory or the table, or the table is too large",
            )),
        }
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
            // No import has parameters of another type.
            _ => 0,
        };
    }
    arguments
}

/// Why an instance has allocated no scratch memory.
pub(crate) enum ScratchError {
    /// Its `alloc` failed.
    Failed(Error),
    /// Its `alloc` returned a range that is not in its memory, or not aligned.
    Invalid {
        /// The address that it returned.
        address: u32,
        /// Number of bytes.
        length: u32,
    },
}

impl ScratchError {
    /// The error of a program that was not called because of it.
    pub fn not_called(self) -> InvocationError {
        match self {
            Self::Failed(error) => setup_failed(ALLOC_EXPORT, &error),
            Self::Invalid { address, length } => {
                InvocationError::InvalidAllocation { address, length }
            }
        }
    }
}

impl<U: 'static, C: AsContextMut<Data = Data<U>>> View<C> {
    /// The address of scratch memory that the module's `alloc` has allocated for so many bytes;
    /// `None` if it has none.
    ///
    /// `alloc` may return any number, so the range is checked: it is in the memory, and aligned.
    pub fn alloc_scratch(
        &mut self,
        alloc: Alloc,
        length: u32,
    ) -> Result<Option<u32>, ScratchError> {
        let address = alloc
            .call(&mut self.store, length)
            .map_err(ScratchError::Failed)?;
        if address == 0 {
            return Ok(None);
        }
        if !address.is_multiple_of(8) || !self.has(address.into(), length.into()) {
            return Err(ScratchError::Invalid { address, length });
        }
        Ok(Some(address))
    }
}

/// The error of an invalid module. The reason may quote names of the module.
pub(super) fn invalid(reason: impl ToString) -> LoadError {
    LoadError::InvalidModule {
        reason: reason.to_string(),
    }
}
