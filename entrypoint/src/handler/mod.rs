//! Handlers: WebAssembly exports that take bytes, return bytes, and call host functions.
//!
//! A handler is not a program: it has no accounts and no status. Its module serves any number of
//! calls, and can call functions of its host. The author needs no `unsafe`:
//!
//! ```
//! extern crate alloc;
//!
//! use alloc::format;
//! use alloc::string::String;
//! use entrypoint::handler::Call;
//! use entrypoint::host_return::HostReturnError;
//!
//! entrypoint::handler!(greet);
//!
//! entrypoint::host_functions! {
//!     /// The value of a header of the request.
//!     fn header(name: &str) -> Option<&str>;
//! }
//!
//! /// Greets the named person in the name of the host.
//! fn greet(call: Call<'_>) -> Result<Option<String>, HostReturnError> {
//!     let Some(name) = call.text()? else { return Ok(None) };
//!     let host = header(call, "host")?.unwrap_or("nobody");
//!     Ok(Some(format!("Hello, {name}, from {host}!")))
//! }
//! ```
//!
//! | piece | what it is |
//! |---|---|
//! | [`handler!`](crate::handler!) | exports handlers, and adds what a module has once: heap, panic handler and `alloc` |
//! | [`export_handler!`](crate::export_handler!) | only exports handlers, for a module that has the rest, for example from [`entrypoint!`](crate::entrypoint!) |
//! | [`host_functions!`](crate::host_functions!) | declares functions of the host |
//! | [`Call`] | one call: its argument, and the way to the host |
//! | [`Answer`] | a type that a handler may return |
//!
//! Bytes pass in both directions as a [`PackedSlice`](crate::host_return::PackedSlice). Host and
//! module check it; `docs/abi.md` defines it. The crate `loader` has a host in its module
//! `handler`.
//!
//! # Memory
//!
//! The host writes into scratch memory of the module, which is not part of the heap. At the start
//! of a call the module resets all of it except the argument, and at the end all of it. A handler's
//! result is copied there, and stays until the host calls again. A module that serves one call
//! after the other therefore keeps the scratch memory of its longest call, and takes no more.
//!
//! The heap is that of [`entrypoint!`](crate::entrypoint!) on WebAssembly: it takes back every
//! block, in any order, for the next request of the same size class. A handler that does the same
//! in each call therefore does not grow.
//!
//! # In unit tests
//!
#![cfg_attr(
    not(target_arch = "wasm32"),
    doc = "A unit test has no exports. [`TestHost`] calls a handler and replaces its host functions."
)]
#![cfg_attr(
    target_arch = "wasm32",
    doc = "A unit test has no exports. `TestHost` calls a handler and replaces its host functions."
)]

mod answer;
mod host_functions;

use core::fmt;
use core::marker::PhantomData;

pub use answer::Answer;
#[doc(hidden)]
pub use host_functions::HostBytes;

use crate::host_return::{HostReturnError, text_of};
use crate::target::HostReplies;
#[allow(unused_imports, reason = "where tests run there is something")]
pub use crate::target::for_tests::*;

/// One call of a handler: its argument, and the way to the host for
/// [`host_functions!`](crate::host_functions!).
///
/// The bytes from it live as long as the call, and the handler cannot keep them:
///
/// ```compile_fail,E0521
/// use std::sync::Mutex;
/// use entrypoint::handler::Call;
///
/// static KEPT: Mutex<Option<&'static [u8]>> = Mutex::new(None);
///
/// entrypoint::export_handler!(keep);
///
/// fn keep(call: Call<'_>) {
///     *KEPT.lock().unwrap() = call.bytes().unwrap();
/// }
/// ```
///
/// It stays in its thread:
///
/// ```compile_fail,E0277
/// use entrypoint::handler::Call;
///
/// fn handle(call: Call<'_>) {
///     std::thread::scope(|scope| {
///         scope.spawn(move || call.bytes());
///     });
/// }
/// ```
#[derive(Clone, Copy)]
pub struct Call<'call> {
    argument: Result<Option<&'call [u8]>, HostReturnError>,
    host: HostReplies<'call>,
    /// Neither `Send` nor `Sync`.
    _one_thread: PhantomData<*const ()>,
}

impl<'call> Call<'call> {
    #[allow(dead_code, reason = "where programs run, a handler is not called")]
    pub(crate) fn new(
        argument: Result<Option<&'call [u8]>, HostReturnError>,
        host: HostReplies<'call>,
    ) -> Self {
        Self {
            argument,
            host,
            _one_thread: PhantomData,
        }
    }

    /// Returns the argument, without a copy.
    ///
    /// `None` means that the host passed nothing, which differs from an empty argument.
    ///
    /// # Errors
    ///
    /// [`HostReturnError`] if the host passed bytes that are not in scratch memory of this call.
    #[inline]
    pub fn bytes(self) -> Result<Option<&'call [u8]>, HostReturnError> {
        self.argument
    }

    /// Returns the argument as text, without a copy.
    ///
    /// # Errors
    ///
    /// As for [`bytes`](Self::bytes), and [`HostReturnError::NotUtf8`] if the bytes are not UTF-8.
    #[inline]
    pub fn text(self) -> Result<Option<&'call str>, HostReturnError> {
        text_of(self.argument)
    }

    /// Not part of the public interface: reads the results of host functions.
    #[doc(hidden)]
    #[must_use]
    pub fn __host(self) -> HostReplies<'call> {
        self.host
    }
}

impl fmt::Debug for Call<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Call")
            .field("argument", &self.argument)
            .finish_non_exhaustive()
    }
}
