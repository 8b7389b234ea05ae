//! Handlers on targets that run only programs.

use core::marker::PhantomData;

use crate::host_return::HostReturnError;

/// Empty: this target has no host functions.
#[derive(Clone, Copy)]
pub struct HostReplies<'call>(PhantomData<&'call [u8]>);

impl<'call> HostReplies<'call> {
    /// Returns `None`: this target has no host functions.
    pub fn call(self, _name: &str, _given: &[u8]) -> Result<Option<&'call [u8]>, HostReturnError> {
        Ok(None)
    }
}

/// Empty: `TestHost` exists only in builds for unit tests.
pub mod for_tests {}
