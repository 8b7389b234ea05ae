//! Handlers: WebAssembly modules with a request/response interface, which can call host functions.
//!
//! A program is called with accounts, in fresh memory. A handler is called with bytes and returns
//! bytes, in an instance that keeps its memory for as long as the embedder keeps the instance. Both
//! have the loader's syscalls. A handler also has the embedder's host functions, which take bytes
//! and return bytes or nothing.
//!
//! | type | what it is |
//! |---|---|
//! | [`Host`] | the functions that are offered to handlers, and the limits |
//! | [`Handler`] | a compiled module |
//! | [`Instance`] | the module with memory of its own, to be called |
//! | [`Answer`] | what a call answered |
//!
//! ```no_run
//! use loader::handler::Host;
//!
//! struct Request {
//!     user_agent: String,
//! }
//!
//! let host = Host::new().function("header", |request: &mut Request, name: &[u8]| {
//!     (name == b"user-agent").then(|| request.user_agent.clone().into_bytes())
//! });
//! let handler = host.load(&std::fs::read("edge_handler.wasm")?)?;
//! let mut instance = handler.instance()?;
//! let request = Request { user_agent: "a browser".to_owned() };
//! let answer = instance.call("handle", request, Some(b"/index"))?;
//! println!("{:?}, for {} gas", answer.bytes, answer.gas_used);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Bytes
//!
//! Bytes pass as one i64, an [`abi::packed::PackedSlice`]. The host writes its bytes to scratch
//! memory that the handler's export `alloc` allocates, also while the handler runs and has called a
//! host function. The host reads the handler's result before it calls the handler again. It checks
//! each range that a handler returns: the range must be in the handler's memory, and scratch memory
//! must be aligned.
//!
//! # Memory
//!
//! An instance may add at most [`Limits::heap`] bytes of memory in its whole life, because memory
//! does not shrink. A handler that frees what it allocates does not grow after its first calls,
//! because each call reuses the memory of `alloc`.

mod call;
mod error;

use std::sync::Arc;

use abi::packed::PackedSlice;
use wasmi::{FuncType, ValType};

pub use call::{Answer, Instance};
pub use error::CallError;

use crate::backend::wasm::{Module, Running, define_syscalls, validate};
use crate::error::LoadError;
use crate::limits::{DEFAULT_GAS, Limits};
use crate::syscall_set::SyscallSet;

/// A host function: it takes bytes, and returns bytes or nothing.
type Function<T> = dyn Fn(&mut T, &[u8]) -> Option<Vec<u8>> + Send + Sync;

/// The functions and limits that a host offers to handlers.
///
/// `T` is what the functions work with: each call of a handler brings one of its own.
pub struct Host<T> {
    functions: Vec<(String, Arc<Function<T>>)>,
    limits: Limits,
    gas: u64,
}

impl<T: 'static> Default for Host<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: 'static> Host<T> {
    /// A host without functions of its own, with [`Limits::default`] and [`DEFAULT_GAS`] for each
    /// call.
    #[must_use]
    pub fn new() -> Self {
        Self {
            functions: Vec::new(),
            limits: Limits::default(),
            gas: DEFAULT_GAS,
        }
    }

    /// Offers a function to handlers, which import it from the module `env` as `(address: i32,
    /// length: i32) -> i64`. It replaces an earlier function of the same name, but not a syscall of
    /// the loader.
    ///
    /// `None` reports to the handler that there is nothing, which is not the same as no bytes.
    #[must_use]
    pub fn function(
        mut self,
        name: impl Into<String>,
        function: impl Fn(&mut T, &[u8]) -> Option<Vec<u8>> + Send + Sync + 'static,
    ) -> Self {
        let name = name.into();
        self.functions.retain(|(known, _)| *known != name);
        self.functions.push((name, Arc::new(function)));
        self
    }

    /// Sets the limits. Of those of an invocation [`Limits::heap`] and [`Limits::logs`] are heeded,
    /// and [`Limits::return_data`] by the import.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets the most gas that a call may use.
    #[must_use]
    pub fn gas(mut self, gas: u64) -> Self {
        self.gas = gas;
        self
    }

    /// Compiles a module.
    ///
    /// # Errors
    ///
    /// [`LoadError`] if the bytes are not a module, if it imports an unknown function, or if it
    /// does not export `alloc`.
    pub fn load(&self, module: &[u8]) -> Result<Handler<T>, LoadError> {
        let (length, limit) = (module.len(), self.limits.blob);
        if length > limit {
            return Err(LoadError::BlobTooLong { length, limit });
        }
        let mut module = Module::compile(module, &self.limits)?;
        validate::check_alloc(&module)?;
        let is_offered = |name: &str| self.functions.iter().any(|(offered, _)| offered == name);
        let imports = validate::known_imports(&module, &SyscallSet::default(), |name| {
            is_offered(name).then(function_type)
        })?;
        for (name, function) in &self.functions {
            // A syscall of the loader takes precedence.
            if imports.iter().all(|import| import.symbol() != name) {
                call::define(&mut module, name, Arc::clone(function));
            }
        }
        define_syscalls(&mut module, imports);
        module.check_instance(Running::default())?;
        Ok(Handler {
            module: Arc::new(module),
            limits: self.limits,
            gas: self.gas,
        })
    }
}

/// The names of what [`Instance::call`] could call in a module: functions of the type (i64) ->
/// (i64).
///
/// The names are the module's own, and may contain any characters.
///
/// # Errors
///
/// [`LoadError`] if the bytes are not a module.
pub fn exports(module: &[u8]) -> Result<Vec<String>, LoadError> {
    let module = Module::<()>::compile(module, &Limits::default())?;
    let handler = FuncType::new([ValType::I64], [ValType::I64]);
    let exports = module.compiled().exports();
    Ok(exports
        .filter(|export| export.ty().func() == Some(&handler))
        .map(|export| export.name().to_owned())
        .collect())
}

/// Bytes in, a packed value out.
fn function_type() -> FuncType {
    FuncType::new([ValType::I32, ValType::I32], [ValType::I64])
}

/// A compiled module.
///
/// A clone is a handle on the same module, and may be used on any thread.
pub struct Handler<T> {
    module: Arc<Module<Running<T>>>,
    limits: Limits,
    gas: u64,
}

impl<T> Clone for Handler<T> {
    fn clone(&self) -> Self {
        Self {
            module: Arc::clone(&self.module),
            limits: self.limits,
            gas: self.gas,
        }
    }
}

/// The value for bytes at an address.
fn packed(address: u32, length: u32) -> PackedSlice {
    match std::num::NonZeroU32::new(address) {
        Some(address) => PackedSlice::new(address, length),
        None => PackedSlice::NO_ROOM,
    }
}
