//! Handlers on targets that run only programs.

use core::marker::PhantomData;

use crate::host_return::HostReturnError;

#[path = "no_handlers.rs"]
mod no_handlers;

/// Empty: this target has no host functions.
#[derive(Clone, Copy)]
pub struct HostReplies<'call>(PhantomData<&'call [u8]>);

impl<'call> HostReplies<'call> {
    /// Returns `None`: this target has no host functions.
    pub fn call(self, _name: &str, _given: &[u8]) -> Result<Option<&'call [u8]>, HostReturnError> {
        Ok(None)
    }
}

/// Rejects a module with only handlers: it would be a program without an entry.
#[doc(hidden)]
#[macro_export]
macro_rules! __only_handlers {
    ($($name:ident)+) => {
        ::core::compile_error!(::core::concat!(
            "this is no program but a handler, ",
            $("`", ::core::stringify!($name), "`, ",)+
            "for a host on WebAssembly\n\
             help: build it with `cargo entrypoint build --target wasm32`; docs/handlers.md has such a host"
        ));
    };
}

/// Empty: `TestHost` exists only in builds for unit tests.
pub mod for_tests {}
