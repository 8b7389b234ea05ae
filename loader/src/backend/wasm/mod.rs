//! Programs for WebAssembly, on `wasmi`: the engine `wasm`.
//!
//! Fuel is gas. Functions are compiled when the module is loaded, because wasmi charges a program
//! for the functions that it compiles while the program runs.

mod memory;
mod module;
pub(crate) mod validate;
mod weight;

pub(crate) use memory::{Data, PAGE, Store, View};
pub(crate) use module::{Alloc, Calls, Module, ScratchError};

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use abi::entry::ENTRYPOINT_EXPORT;
use abi::heap::BUMP_HEAP_EXPORT;
use abi::wasm::HEAP_EXPORT;
use wasmi::{Caller, Error, TrapCode, TypedFunc};

use super::{
    Arguments, Backend, End, GuestMemory, Heap, Instance, Mapping, MemoryRequest, Syscall,
    SyscallSet, Syscalls,
};
use crate::engine::Engine;
use crate::error::{Failure, InvocationError, LoadError};
use crate::limits::Limits;

/// Fuel for the exports that the loader calls before the entry: they move a pointer, or add pages.
const SETUP_FUEL: u64 = 10_000_000;

/// The engine.
pub(crate) struct Wasmi;

/// A program that `wasmi` has compiled.
pub(crate) struct LoadedModule {
    module: Module<Running<()>>,
    /// Whether the loader maps the heap and announces it.
    is_heap_announced: bool,
    /// Whether such a heap has the header of [`abi::heap`].
    has_heap_header: bool,
}

/// The state of the functions that a running program imports.
pub(crate) struct Running<T> {
    /// The syscalls; `None` before the program is entered.
    pub syscalls: Option<Syscalls>,
    /// The failure by which a syscall has ended the program.
    pub failure: Option<Failure>,
    /// The state of the embedder's functions; `None` before a handler is called, and while its
    /// `alloc` is.
    pub state: Option<T>,
    /// The panic by which code of the embedder's has ended the program.
    pub panic: Option<Box<dyn Any + Send>>,
}

impl<T> Default for Running<T> {
    fn default() -> Self {
        Self {
            syscalls: None,
            failure: None,
            state: None,
            panic: None,
        }
    }
}

impl Backend for Wasmi {
    type Program = LoadedModule;
    type Instance<'a> = Guest<'a>;

    fn engine(&self) -> Engine {
        Engine::Wasm
    }

    fn load(
        &self,
        file: &[u8],
        limits: &Limits,
        syscalls: &SyscallSet,
    ) -> Result<LoadedModule, LoadError> {
        let mut module = Module::compile(file, limits)?;
        validate::check_program(&module)?;
        let syscalls = validate::known_imports(&module, syscalls, |_| None)?;
        define_syscalls(&mut module, syscalls);
        module.check_instance(Running::default())?;
        Ok(LoadedModule {
            is_heap_announced: module.exports(HEAP_EXPORT),
            has_heap_header: module.exports(BUMP_HEAP_EXPORT),
            module,
        })
    }

    fn own_memory(&self, program: &LoadedModule) -> u64 {
        program.module.initial_memory()
    }

    fn with_instance<T>(
        &self,
        program: &LoadedModule,
        _limits: &Limits,
        run: impl FnOnce(&mut Guest<'_>) -> Result<T, InvocationError>,
    ) -> Result<T, InvocationError> {
        let (view, calls) = program
            .module
            .instantiate(Running::default())
            .map_err(InvocationError::engine)?;
        run(&mut Guest {
            program,
            view,
            calls,
            gas_of_map: 0,
        })
    }
}

/// Defines the syscalls that a module imports.
pub(crate) fn define_syscalls<T: 'static>(
    module: &mut Module<Running<T>>,
    syscalls: impl IntoIterator<Item = Syscall>,
) {
    for syscall in syscalls {
        let (symbol, type_) = (syscall.symbol().to_owned(), validate::type_of(&syscall));
        module.define(&symbol, type_, move |view, arguments| {
            call_syscall(&syscall, view, arguments)
        });
    }
}

/// Runs a syscall of a running program.
fn call_syscall<T: 'static>(
    syscall: &Syscall,
    mut view: View<Caller<'_, Data<Running<T>>>>,
    arguments: Arguments,
) -> Result<Option<u64>, Error> {
    let Some(mut syscalls) = view.store.data_mut().user.syscalls.take() else {
        // A program's `alloc` calls it.
        let symbol = syscall.symbol();
        return Err(Error::new(format!("`{symbol}` is called before the entry")));
    };
    // Syscalls run code of the embedder's, and the engine's own code cannot be unwound.
    let returned = catch_unwind(AssertUnwindSafe(|| {
        syscalls.call(syscall, arguments, &mut view)
    }));
    let running = &mut view.store.data_mut().user;
    running.syscalls = Some(syscalls);
    let returned = returned.map_err(|panic| {
        running.panic = Some(panic);
        Error::new("a syscall panicked")
    })?;
    returned.map_err(|failure| {
        let text = failure.to_string();
        running.failure = Some(failure);
        Error::new(text)
    })
}

/// A program in an instance of its own.
pub(crate) struct Guest<'a> {
    program: &'a LoadedModule,
    view: View<Store<Running<()>>>,
    calls: Calls,
    gas_of_map: u64,
}

impl Instance for Guest<'_> {
    type Guest = View<Store<Running<()>>>;

    fn guest(&mut self) -> &mut Self::Guest {
        &mut self.view
    }

    fn gas_of_map(&self) -> u64 {
        self.gas_of_map
    }

    /// Adds pages for the heap, if the program lets the loader map it, and allocates memory for the
    /// input with the program's `alloc`.
    fn map(&mut self, request: &MemoryRequest) -> Result<Mapping, InvocationError> {
        let heap_pages = u64::from(request.heap_size).div_ceil(PAGE);
        self.view.set_gas(SETUP_FUEL);
        let mut heap = Heap {
            base: 0,
            size: request.heap_size,
            has_header: false,
        };
        if self.program.is_heap_announced {
            self.view.allow_more(heap_pages);
            let base = self.view.add_pages(heap_pages);
            let base = base.ok_or_else(|| request.does_not_fit())?;
            heap = Heap {
                base: base.into(),
                size: request.announced_heap,
                has_header: self.program.has_heap_header,
            };
            let announce = self.function::<(u32, u32), ()>(HEAP_EXPORT)?;
            announce
                .call(&mut self.view.store, (base, heap.size))
                .map_err(|error| setup_failed(HEAP_EXPORT, &error))?;
        }

        let length = u32::try_from(request.input_length).map_err(|_| request.does_not_fit())?;
        // An allocator may double the memory that it manages.
        self.view
            .allow_more(2 * u64::from(length).div_ceil(PAGE) + 2);
        let input = self.view.alloc_scratch(self.calls.alloc, length);
        let input = input.map_err(|error| error.not_called())?;
        let input = input.ok_or_else(|| request.does_not_fit())?;
        // The loader does not trust `alloc` to return zeroed memory.
        self.view.clear(input, length);
        // From here on the program may add a heap of its own, and one page for scratch memory.
        let own_pages = if self.program.is_heap_announced {
            0
        } else {
            heap_pages
        };
        self.view.allow_more(own_pages + 1);
        self.gas_of_map = SETUP_FUEL.saturating_sub(self.view.gas());
        Ok(Mapping {
            heap,
            input: input.into(),
            input_length: length,
        })
    }

    fn enter(
        &mut self,
        mapping: &Mapping,
        syscalls: &mut Syscalls,
    ) -> Result<End, InvocationError> {
        let entry = self.function::<(u32, u32), u64>(ENTRYPOINT_EXPORT)?;
        self.view.store.data_mut().user.syscalls = Some(syscalls.take());
        // `alloc` has returned an address below 4 GiB.
        let input = mapping.input as u32;
        let returned = entry.call(&mut self.view.store, (input, mapping.input_length));
        if let Some(used) = self.view.store.data_mut().user.syscalls.take() {
            *syscalls = used;
        }
        if let Some(panic) = self.view.store.data_mut().user.panic.take() {
            resume_unwind(panic);
        }
        Ok(match returned {
            Ok(status) => End::Returned(status),
            Err(error) => End::Failed(self.view.failure(&error, syscalls.gas_limit())),
        })
    }
}

impl Guest<'_> {
    fn function<P: wasmi::WasmParams, R: wasmi::WasmResults>(
        &self,
        name: &str,
    ) -> Result<TypedFunc<P, R>, InvocationError> {
        self.calls
            .instance
            .get_typed_func(&self.view.store, name)
            .map_err(InvocationError::engine)
    }
}

impl<T: 'static> View<Store<Running<T>>> {
    /// Why a call did not return.
    pub fn failure(&mut self, error: &Error, gas_limit: u64) -> Failure {
        if let Some(failure) = self.store.data_mut().user.failure.take() {
            return failure;
        }
        match error.as_trap_code() {
            Some(TrapCode::OutOfFuel) => self.out_of_gas(gas_limit),
            Some(TrapCode::StackOverflow) => Failure::StackOverflow {
                size: None,
                program_counter: None,
                function: None,
                location: None,
            },
            _ => Failure::trapped_because(error.to_string()),
        }
    }
}

/// The error of a program whose export failed before the entry.
fn setup_failed(export: &'static str, error: &Error) -> InvocationError {
    InvocationError::SetupFailed {
        export,
        reason: error.to_string(),
    }
}
