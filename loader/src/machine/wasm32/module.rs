//! A module: compiled once, instantiated for each who wants memory of its own.

use abi::native::MAX_ARGUMENTS;
use abi::wasm::{ALLOC_EXPORT, IMPORT_MODULE, MEMORY_EXPORT};
use wasmi::{
    Caller, CompilationMode, Config, Engine, Error, ExternType, FuncType, Instance, Linker, Val,
};

use super::memory::{Data, PAGE, Store, View, store_limits};
use super::refused;
use crate::error::{InvocationError, LoadError};
use crate::imports::Arguments;
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

/// An instance, as what the loader calls in it.
pub(crate) struct Calls {
    pub instance: Instance,
}

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
            .wasm_memory64(false)
            .wasm_multi_memory(false)
            .set_max_recursion_depth(MAX_RECURSION_DEPTH);
        // One for each module: an engine keeps the code of its modules as long as it lives.
        let engine = Engine::new(&config);
        let compiled = wasmi::Module::new(&engine, bytes).map_err(invalid)?;
        let initial_memory = match compiled.get_export(MEMORY_EXPORT) {
            Some(ExternType::Memory(memory)) => memory.minimum().saturating_mul(PAGE),
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
        Ok((View { store, memory }, Calls { instance }))
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

impl Calls {
    /// Room for so many bytes that the loader writes, as the module's `alloc` gives it; `None` if it has none.
    ///
    /// What it answers is anything: a place is taken only if it is in the memory and aligned.
    pub fn allocate<U: 'static, C: wasmi::AsContextMut<Data = Data<U>>>(
        &self,
        view: &mut View<C>,
        length: u32,
    ) -> Result<Option<u32>, InvocationError> {
        let address: u32 = self
            .instance
            .get_typed_func(&view.store, ALLOC_EXPORT)
            .map_err(InvocationError::vm)?
            .call(&mut view.store, length)
            .map_err(|error| refused(ALLOC_EXPORT, &error))?;
        if address == 0 {
            return Ok(None);
        }
        if !address.is_multiple_of(8) || !view.has(address.into(), length.into()) {
            return Err(InvocationError::InvalidRoom { address, length });
        }
        Ok(Some(address))
    }
}

pub(super) fn invalid(reason: impl ToString) -> LoadError {
    LoadError::InvalidModule {
        reason: reason.to_string(),
    }
}
