//! Host functions that a handler can call.

use crate::host_return::{HostReturnError, text_of};

/// Declares the host functions that handlers call: bytes in, bytes or nothing out.
///
/// ```
/// use entrypoint::handler::Call;
/// use entrypoint::host_return::HostReturnError;
///
/// entrypoint::host_functions! {
///     /// The value of a header of the request.
///     pub fn header(name: &str) -> Option<&str>;
///
///     /// What was sent with the request.
///     pub fn body() -> Option<&[u8]>;
/// }
///
/// fn is_long(call: Call<'_>) -> Result<bool, HostReturnError> {
///     let announced = header(call, "content-length")?;
///     let sent = body(call)?.unwrap_or_default();
///     Ok(announced.is_some() && sent.len() > 1_000)
/// }
/// # let host = entrypoint::handler::TestHost::new();
/// # assert_eq!(host.call(None, |call| is_long(call).map(drop)), None);
/// ```
///
/// The functions are safe. Each takes the [`Call`](crate::handler::Call) and, if declared, one
/// argument, `&[u8]` or `&str`. It returns `&[u8]` or `&str` that lives as long as the call, or
/// `None` if the host has nothing. The result is a `Result`, because the function checks the host's
/// value: [`HostReturnError`] lists the possible faults.
///
/// On WebAssembly a function is an import of the same name, from the module `env`, of type
/// `(address: i32, length: i32) -> i64`. Without an argument it passes no bytes. In a unit test,
/// `handler::TestHost` replaces the host. On other targets the functions return `None`.
///
/// The handler cannot keep the bytes:
///
/// ```compile_fail,E0521
/// use std::sync::Mutex;
/// use entrypoint::handler::Call;
///
/// entrypoint::host_functions! {
///     fn header(name: &str) -> Option<&str>;
/// }
///
/// static KEPT: Mutex<Option<&'static str>> = Mutex::new(None);
///
/// fn keep(call: Call<'_>) {
///     *KEPT.lock().unwrap() = header(call, "host").unwrap();
/// }
/// ```
#[macro_export]
macro_rules! host_functions {
    ($(
        $(#[$attribute:meta])*
        $visibility:vis fn $name:ident($($argument:ident: & $given:tt)?) -> Option<& $answer:tt>;
    )+) => {$(
        $(#[$attribute])*
        $visibility fn $name<'call>(
            call: $crate::handler::Call<'call>,
            $($argument: & $given,)?
        ) -> ::core::result::Result<
            ::core::option::Option<&'call $answer>,
            $crate::host_return::HostReturnError,
        > {
            let given: &[&[::core::primitive::u8]] =
                &[$($crate::handler::HostBytes::bytes($argument))?];
            let given: &[::core::primitive::u8] = if let [given] = given { given } else { &[] };
            let answer = $crate::__private::macros::call_host!([$crate] call, $name, given);
            $crate::handler::HostBytes::of(answer)
        }
    )+};
    ($($other:tt)*) => {
        ::core::compile_error!(
            "EP0027: expected functions from bytes or text to bytes or text\n\
             help: declare them as in `host_functions! { fn header(name: &str) -> Option<&[u8]>; }`"
        );
    };
}

/// Not part of the public interface: types that pass between a handler and its host.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "EP0044: `{Self}` does not pass between a handler and its host",
    label = "a function of the host takes and answers `&[u8]` or `&str`"
)]
pub trait HostBytes {
    fn bytes(&self) -> &[u8];

    fn of(
        answered: Result<Option<&[u8]>, HostReturnError>,
    ) -> Result<Option<&Self>, HostReturnError>;
}

impl HostBytes for [u8] {
    fn bytes(&self) -> &[u8] {
        self
    }

    fn of(
        answered: Result<Option<&[u8]>, HostReturnError>,
    ) -> Result<Option<&Self>, HostReturnError> {
        answered
    }
}

impl HostBytes for str {
    fn bytes(&self) -> &[u8] {
        self.as_bytes()
    }

    fn of(
        answered: Result<Option<&[u8]>, HostReturnError>,
    ) -> Result<Option<&Self>, HostReturnError> {
        text_of(answered)
    }
}
