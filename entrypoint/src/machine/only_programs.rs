//! Handlers on machines where programs run, and nothing else.

use core::marker::PhantomData;

use crate::host_return::HostReturnError;

#[path = "no_handlers.rs"]
mod no_handlers;

/// Nothing: there is nobody to ask.
#[derive(Clone, Copy)]
pub struct Asked<'call>(PhantomData<&'call [u8]>);

impl<'call> Asked<'call> {
    /// The host has nothing.
    pub fn ask(self, _name: &str, _given: &[u8]) -> Result<Option<&'call [u8]>, HostReturnError> {
        Ok(None)
    }
}

/// A module of handlers alone would be a program without an entry.
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

/// There is no test.
pub mod for_tests {}
