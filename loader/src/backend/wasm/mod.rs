//! Programs for WebAssembly, on `wasmi`.
//!
//! Fuel is gas. Functions are compiled when the module is loaded, because what is compiled while a program runs is charged to it.

mod memory;
mod module;
pub(crate) mod validate;

pub(crate) use memory::{Data, PAGE, Store, View};
pub(crate) use module::{Alloc, Calls, Module, NoRoom};

use std::any::Any;

use abi::entry::ENTRYPOINT_EXPORT;
use abi::heap::BUMP_HEAP_EXPORT;
use abi::imports::Import;
use abi::wasm::HEAP_EXPORT;
use wasmi::{Caller, Error, TrapCode, TypedFunc};

use super::{Context, End, Heap, Instance, Machine, Placement, write_input};
use crate::display::escape_control;
use crate::engine::Engine;
use crate::error::Failure;
use crate::error::{InvocationError, LoadError};
use crate::invocation::Invocation;
use crate::invoke as run;
use crate::invoke::imports::{Arguments, Host};
use crate::invoke::input;
use crate::limits::Limits;
use crate::outcome::Outcome;

/// Fuel for what the loader calls besides the entry: to give room is to move a pointer, or to add pages.
pub(crate) const PREPARATION_FUEL: u64 = 10_000_000;

/// A program that `wasmi` has compiled.
pub(crate) struct Linked {
    module: Module<Running<()>>,
    /// Whether the loader places the heap.
    is_heap_announced: bool,
    /// Whether such a heap keeps the header of [`abi::heap`].
    has_bump_heap: bool,
}

/// What the imports of a running program work with.
pub(crate) struct Running<T> {
    pub host: Host,
    /// There is none before the program is entered.
    pub context: Option<Context>,
    /// Why the program was ended, if it was by an import.
    pub failure: Option<Failure>,
    /// What imports of the embedder's work with; there is none before a handler is called, and while `alloc` is.
    pub state: Option<T>,
    /// The panic by which an import of the embedder's has ended the program.
    pub panic: Option<Box<dyn Any + Send>>,
}

impl<T> Default for Running<T> {
    fn default() -> Self {
        Self {
            host: Host::default(),
            context: None,
            failure: None,
            state: None,
            panic: None,
        }
    }
}

impl Linked {
    pub fn load(bytes: &[u8], limits: &Limits) -> Result<Self, LoadError> {
        let mut module = Module::compile(bytes, limits)?;
        validate::check_program(&module)?;
        let imports = validate::known_imports(&module, |_| None)?;
        define_imports(&mut module, imports);
        Ok(Self {
            is_heap_announced: module.exports(HEAP_EXPORT),
            has_bump_heap: module.exports(BUMP_HEAP_EXPORT),
            module,
        })
    }

    /// Calls the program once. `invocation` is valid.
    pub fn invoke(
        &self,
        limits: &Limits,
        invocation: &Invocation,
    ) -> Result<Outcome, InvocationError> {
        let (view, calls) = self
            .module
            .instantiate(Running::default())
            .map_err(InvocationError::engine)?;
        let mut guest = Guest {
            program: self,
            view,
            calls,
        };
        run::invoke(Engine::Wasm, limits, invocation, &mut guest)
    }
}

/// Defines what the loader offers to programs.
pub(crate) fn define_imports<T: 'static>(
    module: &mut Module<Running<T>>,
    imports: impl IntoIterator<Item = Import>,
) {
    for import in imports {
        module.define(
            import.symbol(),
            validate::type_of(import),
            move |view, arguments| call_import(import, view, arguments),
        );
    }
}

/// Lets the host answer a call of a running program.
fn call_import<T: 'static>(
    import: Import,
    mut view: View<Caller<'_, Data<Running<T>>>>,
    arguments: Arguments,
) -> Result<Option<u64>, Error> {
    let running = &mut view.store.data_mut().user;
    let Some(context) = running.context else {
        // By a program's `alloc`.
        let symbol = import.symbol();
        return Err(Error::new(format!("`{symbol}` is called before the entry")));
    };
    let mut host = std::mem::take(&mut running.host);
    let answer = host.call(import, arguments, &mut view, &context);
    let running = &mut view.store.data_mut().user;
    running.host = host;
    answer.map_err(|failure| {
        let text = failure.to_string();
        running.failure = Some(failure);
        Error::new(text)
    })
}

/// A program in an instance of its own.
struct Guest<'a> {
    program: &'a Linked,
    view: View<Store<Running<()>>>,
    calls: Calls,
}

impl Instance for Guest<'_> {
    type Machine = View<Store<Running<()>>>;

    fn machine(&mut self) -> &mut Self::Machine {
        &mut self.view
    }

    /// The heap, if it is the loader's to place, stands in pages that it adds; the input where the program's `alloc` says.
    fn place(&mut self, invocation: &Invocation) -> Result<Placement, InvocationError> {
        let length = input::serialized_length(invocation);
        let does_not_fit = || InvocationError::DoesNotFit {
            heap: invocation.heap_size,
            input: length,
        };
        let heap_pages = u64::from(invocation.heap_size).div_ceil(PAGE);
        self.view.set_gas(PREPARATION_FUEL);
        let mut heap = Heap {
            base: 0,
            size: invocation.heap_size,
            has_header: false,
        };
        if self.program.is_heap_announced {
            self.view.allow_more(heap_pages);
            let base = self.view.add_pages(heap_pages).ok_or_else(does_not_fit)?;
            heap = Heap {
                base: base.into(),
                size: invocation.announced_heap.unwrap_or(invocation.heap_size),
                has_header: self.program.has_bump_heap,
            };
            let announce = self.function::<(u32, u32), ()>(HEAP_EXPORT)?;
            announce
                .call(&mut self.view.store, (base, heap.size))
                .map_err(|error| refused(HEAP_EXPORT, &error))?;
        }

        let asked = u32::try_from(length).map_err(|_| does_not_fit())?;
        // Whatever manages its room may double it.
        self.view
            .allow_more(2 * u64::from(asked).div_ceil(PAGE) + 2);
        let address = self.view.allocate(self.calls.alloc, asked);
        let address = address.map_err(|error| error.not_called())?;
        let address = address.ok_or_else(does_not_fit)?;
        // That fresh room is zeroed is nothing but the program's word.
        self.view.clear(address, asked);
        let entries = write_input(&mut self.view, invocation, address.into())?;
        // From here on it may have a heap of its own, and one page more for what the host hands in.
        let own_pages = if self.program.is_heap_announced {
            0
        } else {
            heap_pages
        };
        self.view.allow_more(own_pages + 1);
        Ok(Placement {
            heap,
            input: address.into(),
            input_length: asked,
            entries,
        })
    }

    fn enter(
        &mut self,
        placement: &Placement,
        host: &mut Host,
        context: &Context,
    ) -> Result<End, InvocationError> {
        let entry = self.function::<(u32, u32), u64>(ENTRYPOINT_EXPORT)?;
        let running = self.view.store.data_mut();
        running.user.context = Some(*context);
        // An input stands below 4 GiB, where `alloc` has given room.
        let input = placement.input as u32;
        let returned = entry.call(&mut self.view.store, (input, placement.input_length));
        *host = std::mem::take(&mut self.view.store.data_mut().user.host);
        Ok(match returned {
            Ok(status) => End::Returned(status),
            Err(error) => End::Failed(self.view.failure(&error, context.gas_limit)),
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

/// What is said of a program that does not take what it is to be called with.
fn refused(export: &'static str, error: &Error) -> InvocationError {
    InvocationError::SetupFailed {
        export,
        // It may quote the program.
        reason: escape_control(&error.to_string()),
    }
}
