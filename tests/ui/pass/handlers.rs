//! Handlers in a crate without a prelude and without unsafe code, some in a module. Their names
//! also occur in the expansion.

#![no_implicit_prelude]
#![forbid(unsafe_code)]
#![deny(missing_docs, warnings)]

use ::entrypoint::handler::Call;
use ::entrypoint::host_return::HostReturnError;

::entrypoint::handler!(serve, call, take,);
::entrypoint::export_handler!(given);

::entrypoint::host_functions! {
    /// Text to text.
    fn answered(call: &str) -> Option<&str>;
    /// Bytes to bytes.
    pub(crate) fn bytes(given: &[u8]) -> Option<&[u8]>;
}

::entrypoint::host_functions! {
    /// Nothing to bytes.
    pub fn of() -> Option<&[u8]>;
}

fn serve(call: Call<'_>) -> ::core::result::Result<&str, HostReturnError> {
    ::core::result::Result::Ok(answered(call, "")?.unwrap_or(""))
}

fn call(call: Call<'_>) -> ::core::option::Option<&[u8]> {
    bytes(call, b"").ok()?
}

fn take(call: Call<'_>) {
    let _ = of(call);
}

fn given<'call>(call: Call<'call>) -> &'call [u8] {
    call.bytes().ok().flatten().unwrap_or(b"")
}

mod inner {
    use ::entrypoint::handler::Call;

    ::entrypoint::export_handler!(deep);

    fn deep(_: Call) -> [u8; 2] {
        *b"ab"
    }
}

fn main() {}
