//! One call of a handler, and the calls that it makes.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;

use abi::packed::{PackedSlice, Unpacked};
use abi::wasm::ALLOC_EXPORT;
use wasmi::{Caller, Error};

use super::{CallError, Function, Handler, function_type, packed};
use crate::backend::wasm::{Alloc, Calls, Data, Module, PAGE, Running, ScratchError, Store, View};
use crate::backend::{Arguments, GuestMemory, Heap, Syscalls};
use crate::error::InvocationError;
use crate::host::default_host;
use crate::invoke::guest::{NotEnoughGas, pay_for};
use crate::limits::Limits;
use crate::settings::Settings;

/// A handler with memory of its own, which it keeps from call to call.
pub struct Instance<T: 'static> {
    view: View<Store<Running<T>>>,
    calls: Calls,
    limits: Limits,
    gas_limit: u64,
    is_dead: bool,
}

/// The result of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Answer<T> {
    /// The bytes; `None` if the handler returned nothing.
    pub bytes: Option<Vec<u8>>,
    /// The lines that the handler logged.
    pub logs: Vec<String>,
    /// Gas used.
    pub gas_used: u64,
    /// The state that the host functions worked with.
    pub state: T,
}

impl<T: 'static> Handler<T> {
    /// A new instance.
    ///
    /// # Errors
    ///
    /// [`InvocationError`] if the engine cannot create it.
    pub fn instance(&self) -> Result<Instance<T>, InvocationError> {
        let (mut view, calls) = self
            .module
            .instantiate(Running::default())
            .map_err(InvocationError::engine)?;
        view.allow_more(u64::from(self.limits.heap) / PAGE);
        Ok(Instance {
            view,
            calls,
            limits: self.limits,
            gas_limit: self.gas,
            is_dead: false,
        })
    }
}

impl<T: 'static> Instance<T> {
    /// The syscalls of the next call. Handlers have no program id and no heap that the loader maps.
    fn syscalls(&self) -> Syscalls {
        let heap = Heap {
            base: 0,
            size: self.limits.heap,
            has_header: false,
        };
        let settings = Arc::new(Settings {
            limits: self.limits,
            ..Settings::default()
        });
        Syscalls::of_handler(default_host(), &settings, self.gas_limit, heap)
    }

    fn running(&mut self) -> &mut Running<T> {
        &mut self.view.store.data_mut().user
    }

    /// Calls an export, with bytes or with nothing. `state` is what the host's functions work with
    /// meanwhile.
    ///
    /// # Errors
    ///
    /// [`CallError`]. After [`CallError::Failed`] the instance cannot be called any more, because
    /// the handler may have stopped in the middle of a change. After all other errors it can be
    /// called.
    ///
    /// # Panics
    ///
    /// If a function of the embedder's does. Then the instance may not be called any more either.
    pub fn call(
        &mut self,
        export: &str,
        state: T,
        argument: Option<&[u8]>,
    ) -> Result<Answer<T>, CallError> {
        if self.is_dead {
            return Err(CallError::Dead);
        }
        let function = self
            .calls
            .instance
            .get_typed_func::<u64, u64>(&self.view.store, export)
            .map_err(|_| CallError::NoExport {
                export: export.to_owned(),
            })?;
        self.view.set_gas(self.gas_limit);
        let syscalls = self.syscalls();
        *self.running() = Running {
            syscalls: Some(syscalls),
            ..Running::default()
        };
        let argument = self.lend(argument)?;
        // From here on the handler may call functions of the embedder's.
        self.running().state = Some(state);
        let value = match function.call(&mut self.view.store, argument.to_u64()) {
            Ok(value) => value,
            Err(error) => return Err(self.failed(&error)),
        };
        let syscalls = self.running().syscalls.take();
        let mut syscalls = syscalls.expect("each syscall puts it back");
        let results = syscalls.take_results();
        let state = self.running().state.take();
        Ok(Answer {
            bytes: self.read(value)?,
            logs: results.logs,
            gas_used: self.gas_limit - self.view.gas(),
            state: state.expect("each function puts it back"),
        })
    }

    /// Length of the instance's memory in bytes.
    #[must_use]
    pub fn memory_length(&self) -> u64 {
        self.view.memory.size(&self.view.store) * PAGE
    }

    /// Writes the argument to scratch memory of the handler.
    fn lend(&mut self, bytes: Option<&[u8]>) -> Result<PackedSlice, CallError> {
        let Some(bytes) = bytes else {
            return Ok(PackedSlice::NOTHING);
        };
        match give(&mut self.view, self.calls.alloc, bytes) {
            Ok(PackedSlice::NO_ROOM) => Err(CallError::NoRoom {
                length: bytes.len(),
            }),
            Ok(packed) => Ok(packed),
            Err(error) => Err(self.failed(&error)),
        }
    }

    /// The bytes that the handler has returned.
    fn read(&mut self, value: u64) -> Result<Option<Vec<u8>>, CallError> {
        let invalid = CallError::InvalidAnswer { value };
        match PackedSlice::from_u64(value).unpack() {
            Ok(Unpacked::Nothing) => Ok(None),
            Ok(Unpacked::NoRoom) => Err(CallError::NoRoomForAnswer),
            Ok(Unpacked::Slice { length: 0, .. }) => Ok(Some(Vec::new())),
            Ok(Unpacked::Slice { address, length }) => self
                .view
                .read(address.get().into(), length.into())
                .map(Some)
                .map_err(|_| invalid),
            Err(_) => Err(invalid),
        }
    }

    fn failed(&mut self, error: &Error) -> CallError {
        self.is_dead = true;
        if let Some(panic) = self.running().panic.take() {
            resume_unwind(panic);
        }
        let gas_limit = self.gas_limit;
        CallError::Failed(self.view.failure(error, gas_limit))
    }
}

/// Writes bytes to scratch memory that the handler allocates for them.
fn give<T: 'static, C: wasmi::AsContextMut<Data = Data<Running<T>>>>(
    view: &mut View<C>,
    alloc: Alloc,
    bytes: &[u8],
) -> Result<PackedSlice, Error> {
    if bytes.is_empty() {
        return Ok(PackedSlice::EMPTY);
    }
    let Ok(length) = u32::try_from(bytes.len()) else {
        return Ok(PackedSlice::NO_ROOM);
    };
    let scratch = view
        .alloc_scratch(alloc, length)
        .map_err(|error| match error {
            ScratchError::Failed(error) => error,
            ScratchError::Invalid { address, .. } => Error::new(format!(
                "`alloc` returned {address:#x}, where {length} bytes cannot be written"
            )),
        })?;
    let Some(address) = scratch else {
        return Ok(PackedSlice::NO_ROOM);
    };
    // `alloc_scratch` has checked that the range is in the memory.
    let _ = view.write(address.into(), bytes);
    Ok(packed(address, length))
}

/// Defines a function of the embedder's.
pub(super) fn define<T: 'static>(
    module: &mut Module<Running<T>>,
    name: &str,
    function: Arc<Function<T>>,
) {
    module.define(name, function_type(), move |view, arguments| {
        call_function(&*function, view, arguments).map(|answer| Some(answer.to_u64()))
    });
}

/// Runs a host function that a running handler calls.
fn call_function<T: 'static>(
    function: &Function<T>,
    mut view: View<Caller<'_, Data<Running<T>>>>,
    arguments: Arguments,
) -> Result<PackedSlice, Error> {
    let [address, length, ..] = arguments;
    pay(&mut view, length)?;
    let bytes = view.read(address, length).map_err(|_| {
        Error::new(format!(
            "{length} bytes at {address:#x} are not in the handler's memory"
        ))
    })?;
    // The state is taken while `alloc` runs, which may not call a host function: each nested call
    // would use more of the host's own stack.
    let Some(mut state) = view.store.data_mut().user.state.take() else {
        return Err(Error::new("`alloc` calls a host function"));
    };
    // The engine's own code cannot be unwound. What the function has left half done is given up
    // with the state.
    let answered = catch_unwind(AssertUnwindSafe(|| function(&mut state, &bytes)));
    let answer = match answered {
        Ok(answer) => give_answer(&mut view, answer)?,
        Err(panic) => {
            view.store.data_mut().user.panic = Some(panic);
            return Err(Error::new("a host function panicked"));
        }
    };
    view.store.data_mut().user.state = Some(state);
    Ok(answer)
}

/// Writes the embedder's reply to scratch memory that the running handler allocates.
fn give_answer<T: 'static>(
    view: &mut View<Caller<'_, Data<Running<T>>>>,
    answer: Option<Vec<u8>>,
) -> Result<PackedSlice, Error> {
    let Some(answer) = answer else {
        return Ok(PackedSlice::NOTHING);
    };
    pay(view, answer.len() as u64)?;
    let alloc = view
        .store
        .get_export(ALLOC_EXPORT)
        .and_then(wasmi::Extern::into_func)
        .ok_or_else(|| Error::new("there is no `alloc`"))?
        .typed(&view.store)?;
    give(view, alloc, &answer)
}

/// Takes the price of the bytes off the gas, as for the loader's syscalls.
fn pay<T: 'static>(
    view: &mut View<Caller<'_, Data<Running<T>>>>,
    length: u64,
) -> Result<(), Error> {
    pay_for(view, length).map_err(|NotEnoughGas| wasmi::TrapCode::OutOfFuel.into())
}
