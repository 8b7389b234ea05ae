//! Backends and programs as objects: an invocation takes one virtual call, and none inside of it.

use std::any::Any;
use std::sync::Arc;

use super::Backend;
use crate::engine::Engine;
use crate::error::{InvocationError, LoadError};
use crate::invocation::Invocation;
use crate::invoke::syscalls::Syscalls;
use crate::invoke::{self, Finished};
use crate::limits::Limits;
use crate::settings::Settings;

/// A [`Backend`] of any type.
pub(crate) trait BackendObject: Any + Send + Sync {
    fn engine(&self) -> Engine;

    fn load(&self, file: &[u8], settings: &Settings) -> Result<Arc<dyn ProgramObject>, LoadError>;
}

/// A program that a [`Backend`] of any type has loaded.
pub(crate) trait ProgramObject: Any + Send + Sync {
    fn invoke(
        &self,
        limits: &Limits,
        syscalls: &mut Syscalls,
        invocation: &Invocation,
    ) -> Result<Finished, InvocationError>;

    /// Bytes of memory that an instance has before heap and input.
    fn own_memory(&self) -> u64;
}

/// A backend that its programs share.
struct Shared<B>(Arc<B>);

struct Loaded<B: Backend> {
    backend: Arc<B>,
    program: B::Program,
}

impl<B: Backend> BackendObject for Shared<B> {
    fn engine(&self) -> Engine {
        self.0.engine()
    }

    fn load(&self, file: &[u8], settings: &Settings) -> Result<Arc<dyn ProgramObject>, LoadError> {
        let program = self.0.load(file, &settings.limits, &settings.syscalls)?;
        let backend = Arc::clone(&self.0);
        Ok(Arc::new(Loaded { backend, program }))
    }
}

impl<B: Backend> ProgramObject for Loaded<B> {
    fn invoke(
        &self,
        limits: &Limits,
        syscalls: &mut Syscalls,
        invocation: &Invocation,
    ) -> Result<Finished, InvocationError> {
        invoke::invoke(&*self.backend, &self.program, limits, syscalls, invocation)
    }

    fn own_memory(&self) -> u64 {
        self.backend.own_memory(&self.program)
    }
}

/// Makes an object of a backend.
pub(crate) fn share(backend: impl Backend) -> Arc<dyn BackendObject> {
    Arc::new(Shared(Arc::new(backend)))
}

/// The backend, if it is of the type `B`.
pub(crate) fn backend<B: Backend>(object: &dyn BackendObject) -> Option<&B> {
    let shared = (object as &dyn Any).downcast_ref::<Shared<B>>()?;
    Some(&shared.0)
}

/// The program, if a backend of the type `B` has loaded it.
pub(crate) fn program<B: Backend>(object: &dyn ProgramObject) -> Option<&B::Program> {
    let loaded = (object as &dyn Any).downcast_ref::<Loaded<B>>()?;
    Some(&loaded.program)
}
