//! Programs for WebAssembly, on `wasmi`: the engine `wasm`.
//!
//! Fuel is gas. Functions are compiled when the module is loaded, because wasmi charges a program
//! for the functions that it compiles while the program runs.

mod globals;
mod image;
mod memory;
mod module;
mod pool;
pub(crate) mod validate;
mod weight;

pub(crate) use memory::{Data, PAGE, Store, View};
pub(crate) use module::{Alloc, Calls, Module, ScratchError};

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;

use abi::entry::ENTRYPOINT_EXPORT;
use abi::heap::BUMP_HEAP_EXPORT;
use abi::wasm::HEAP_EXPORT;
use wasmi::{Caller, Error, TrapCode, TypedFunc};

use image::Image;
use pool::{Instances, Pool, Taken};

use super::{
    Arguments, Backend, End, GuestMemory, Heap, Instance, Mapping, MemoryRequest, Syscall,
    SyscallSet, Syscalls,
};
use crate::engine::Engine;
use crate::error::{Failure, InvocationError, LoadError};
use crate::limits::Limits;

/// Fuel for the exports that the loader calls before the entry: they move a pointer, or add pages.
const SETUP_FUEL: u64 = 10_000_000;

/// The engine, and the instances of its programs that wait.
pub(crate) struct Wasmi {
    pool: Arc<Pool>,
}

impl Wasmi {
    /// The engine, which keeps at most so many instances.
    pub fn with_idle_instances(most: usize) -> Self {
        Self {
            pool: Pool::new(most),
        }
    }
}

/// A program that `wasmi` has compiled.
pub(crate) struct LoadedModule {
    module: Module<Running<()>>,
    /// Whether the loader maps the heap and announces it.
    is_heap_announced: bool,
    /// Whether such a heap has the header of [`abi::heap`].
    has_heap_header: bool,
    instances: Instances,
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
        let mut module = Module::compile_for_reuse(file, limits)?;
        validate::check_program(&module)?;
        let syscalls = validate::known_imports(&module, syscalls, |_| None)?;
        define_syscalls(&mut module, syscalls);
        module.check_instance(Running::default())?;
        Ok(LoadedModule {
            is_heap_announced: module.exports(HEAP_EXPORT),
            has_heap_header: module.exports(BUMP_HEAP_EXPORT),
            instances: self.pool.instances(),
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
        let mut guest = Guest {
            program,
            ready: None,
            kept_for: None,
            has_returned: false,
        };
        let result = run(&mut guest)?;
        guest.put_back();
        Ok(result)
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

/// A program in an instance of its own, or one that has served another invocation.
pub(crate) struct Guest<'a> {
    program: &'a LoadedModule,
    /// `None` before `map`: an instance that waits may be taken.
    ready: Option<Box<Ready>>,
    /// The request, if the instance is to wait for another one.
    kept_for: Option<MemoryRequest>,
    has_returned: bool,
}

/// An instance whose program can be entered.
pub(crate) struct Ready {
    view: View<Store<Running<()>>>,
    instance: wasmi::Instance,
    entry: TypedFunc<(u32, u32), u64>,
    mapping: Mapping,
    gas_of_map: u64,
    /// To which the instance is set back; `None` if it is not used again.
    image: Option<Image>,
}

impl Ready {
    /// Bytes of its memory, and of the image.
    fn bytes(&self) -> usize {
        let image = self.image.as_ref().map_or(0, Image::bytes);
        self.view.memory.data_size(&self.view.store) + image
    }
}

impl Instance for Guest<'_> {
    type Guest = View<Store<Running<()>>>;

    fn guest(&mut self) -> &mut Self::Guest {
        &mut self.ready().view
    }

    fn gas_of_map(&self) -> u64 {
        self.ready.as_ref().map_or(0, |ready| ready.gas_of_map)
    }

    /// Takes an instance that waits for this request, or makes one: adds pages for the heap, if the
    /// program lets the loader map it, and allocates memory for the input with the program's
    /// `alloc`.
    fn map(&mut self, request: &MemoryRequest) -> Result<Mapping, InvocationError> {
        let is_kept = match self.program.module.can_be_set_back() {
            true => match self.program.instances.take(request) {
                Taken::Ready(ready) => {
                    self.kept_for = Some(*request);
                    return Ok(self.ready.insert(ready).mapping);
                }
                Taken::Keep => true,
                Taken::Drop => false,
            },
            false => false,
        };
        let mut ready = Box::new(self.program.instance_for(request)?);
        if is_kept {
            ready.image = self.program.image(&ready);
            self.kept_for = Some(*request);
        }
        Ok(self.ready.insert(ready).mapping)
    }

    fn enter(
        &mut self,
        mapping: &Mapping,
        syscalls: &mut Syscalls,
    ) -> Result<End, InvocationError> {
        let Ready { view, entry, .. } = self.ready();
        view.store.data_mut().user.syscalls = Some(syscalls.take());
        // `alloc` has returned an address below 4 GiB.
        let input = mapping.input as u32;
        let returned = entry.call(&mut view.store, (input, mapping.input_length));
        if let Some(used) = view.store.data_mut().user.syscalls.take() {
            *syscalls = used;
        }
        if let Some(panic) = view.store.data_mut().user.panic.take() {
            resume_unwind(panic);
        }
        Ok(match returned {
            Ok(status) => {
                self.has_returned = true;
                End::Returned(status)
            }
            Err(error) => End::Failed(view.failure(&error, syscalls.gas_limit())),
        })
    }
}

impl Guest<'_> {
    fn ready(&mut self) -> &mut Ready {
        let ready = self.ready.as_deref_mut();
        ready.expect("the loader calls `map` before anything else")
    }

    /// Sets the instance back, for the next invocation with the same request.
    fn put_back(self) {
        let (Some(request), Some(mut ready), true) = (self.kept_for, self.ready, self.has_returned)
        else {
            return;
        };
        let Some(image) = &ready.image else { return };
        if image.restore(&mut ready.view) {
            self.program.instances.put(request, ready);
        } else {
            self.program.instances.drop_of(request);
        }
    }
}

impl LoadedModule {
    /// A new instance with heap and input.
    fn instance_for(&self, request: &MemoryRequest) -> Result<Ready, InvocationError> {
        let instance = self.module.instantiate(Running::default());
        let (mut view, calls) = instance.map_err(InvocationError::engine)?;
        let heap_pages = u64::from(request.heap_size).div_ceil(PAGE);
        view.set_gas(SETUP_FUEL);
        let mut heap = Heap {
            base: 0,
            size: request.heap_size,
            has_header: false,
        };
        if self.is_heap_announced {
            view.allow_more(heap_pages);
            let base = view.add_pages(heap_pages);
            let base = base.ok_or_else(|| request.does_not_fit())?;
            heap = Heap {
                base: base.into(),
                size: request.announced_heap,
                has_header: self.has_heap_header,
            };
            let announce = function::<(u32, u32), ()>(&calls, &view, HEAP_EXPORT)?;
            announce
                .call(&mut view.store, (base, heap.size))
                .map_err(|error| setup_failed(HEAP_EXPORT, &error))?;
        }

        let length = u32::try_from(request.input_length).map_err(|_| request.does_not_fit())?;
        // An allocator may double the memory that it manages.
        view.allow_more(2 * u64::from(length).div_ceil(PAGE) + 2);
        let input = view.alloc_scratch(calls.alloc, length);
        let input = input.map_err(|error| error.not_called())?;
        let input = input.ok_or_else(|| request.does_not_fit())?;
        // The loader does not trust `alloc` to return zeroed memory.
        view.clear(input, length);
        // From here on the program may add a heap of its own, and one page for scratch memory.
        let own_pages = if self.is_heap_announced {
            0
        } else {
            heap_pages
        };
        view.allow_more(own_pages + 1);
        Ok(Ready {
            entry: function(&calls, &view, ENTRYPOINT_EXPORT)?,
            instance: calls.instance,
            mapping: Mapping {
                heap,
                input: input.into(),
                input_length: length,
            },
            gas_of_map: SETUP_FUEL.saturating_sub(view.gas()),
            image: None,
            view,
        })
    }

    /// The state of an instance to which it can be set back; `None` if its memory is too large to
    /// keep.
    fn image(&self, ready: &Ready) -> Option<Image> {
        let store = &ready.view.store;
        if ready.view.memory.data_size(store) > pool::MOST_MEMORY {
            return None;
        }
        let globals = self.module.globals(&ready.instance, store)?;
        Some(Image::new(&ready.view, &globals))
    }
}

fn function<P: wasmi::WasmParams, R: wasmi::WasmResults>(
    calls: &Calls,
    view: &View<Store<Running<()>>>,
    name: &str,
) -> Result<TypedFunc<P, R>, InvocationError> {
    calls
        .instance
        .get_typed_func(&view.store, name)
        .map_err(InvocationError::engine)
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
