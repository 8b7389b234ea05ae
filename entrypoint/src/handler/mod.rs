//! Handlers: functions that a host calls by their names, on WebAssembly, with bytes, and that answer bytes.
//!
//! A handler is no program: it has no accounts and no status. Its module lives for as many calls as the host likes, and asks the
//! host for what it needs. It is written without `unsafe`:
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
//! /// Greets whoever is named, in the name of the host.
//! fn greet(call: Call<'_>) -> Result<Option<String>, HostReturnError> {
//!     let Some(name) = call.text()? else { return Ok(None) };
//!     let host = header(call, "host")?.unwrap_or("nobody");
//!     Ok(Some(format!("Hello, {name}, from {host}!")))
//! }
//! ```
//!
//! | piece | what it is |
//! |---|---|
//! | [`handler!`](crate::handler!) | exports handlers, and brings what a module has once: heap, panic handler and `alloc` |
//! | [`export_handler!`](crate::export_handler!) | the first of these alone, for a module that has the rest already, as from [`entrypoint!`](crate::entrypoint!) |
//! | [`host_functions!`](crate::host_functions!) | declares what the host can be asked |
//! | [`Call`] | one call: what it was made with, and what the host has answered meanwhile |
//! | [`Answer`] | what a handler may answer |
//!
//! Bytes pass as a [`PackedSlice`](crate::host_return::PackedSlice) both ways, which the host and the module check;
//! `docs/abi.md` says what it may be. The crate `loader` has a host in its module `handler`.
//!
//! # Memory
//!
//! What the host hands in stands in room that is the module's own and no heap's. At the start of a call all of it is taken back but
//! the argument, and at the end all of it; what a handler answers is copied there, and stays until the host calls again. So
//! a module that serves one call after the other keeps the room that its longest call took and takes no more.
//!
//! The heap is as for [`entrypoint!`](crate::entrypoint!) on WebAssembly: it takes back every block of up to 128 bytes, and of the
//! longer ones the newest. A handler that lives long frees those in the reverse order of taking them, as local variables
//! do by themselves, and writes its answer into one `Vec` or `String`.
//!
//! # On the author's machine
//!
#![cfg_attr(
    not(target_arch = "wasm32"),
    doc = "There are no exports there. [`TestHost`] calls a handler in a unit test, and answers what it asks."
)]
#![cfg_attr(
    target_arch = "wasm32",
    doc = "There are no exports there. `TestHost` calls a handler in a unit test, and answers what it asks."
)]

mod answer;
mod exports;
mod host_functions;

use core::fmt;
use core::marker::PhantomData;

pub use answer::Answer;
#[doc(hidden)]
pub use host_functions::HostBytes;

use crate::host_return::{HostReturnError, text_of};
use crate::machine::Asked;
#[allow(unused_imports, reason = "where tests run there is something")]
pub use crate::machine::for_tests::*;

/// One call of a handler: what the host has called it with, and, for the functions of [`host_functions!`](crate::host_functions!),
/// the way to the host.
///
/// What is read from it lives as long as the call and cannot be kept:
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
    asked: Asked<'call>,
    /// Neither `Send` nor `Sync`.
    _one_thread: PhantomData<*const ()>,
}

impl<'call> Call<'call> {
    #[allow(dead_code, reason = "where programs run nobody calls a handler")]
    pub(crate) fn new(
        argument: Result<Option<&'call [u8]>, HostReturnError>,
        asked: Asked<'call>,
    ) -> Self {
        Self {
            argument,
            asked,
            _one_thread: PhantomData,
        }
    }

    /// What the host has called with, without a copy; `None` if it was nothing, which is not the same as no bytes.
    ///
    /// # Errors
    ///
    /// [`HostReturnError`] if the host has passed no bytes that it was given room for.
    #[inline]
    pub fn bytes(self) -> Result<Option<&'call [u8]>, HostReturnError> {
        self.argument
    }

    /// The same, as text.
    ///
    /// # Errors
    ///
    /// As for [`bytes`](Self::bytes), and [`HostReturnError::NotUtf8`] if the bytes are no text.
    #[inline]
    pub fn text(self) -> Result<Option<&'call str>, HostReturnError> {
        text_of(self.argument)
    }

    /// Not part of the public interface: what the host's answers are read through.
    #[doc(hidden)]
    #[must_use]
    pub fn __asked(self) -> Asked<'call> {
        self.asked
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
