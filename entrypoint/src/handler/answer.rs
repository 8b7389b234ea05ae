//! The return types of handlers.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Display;

/// A type that a handler may return.
///
/// | type | the host gets |
/// |---|---|
/// | `Vec<u8>`, `String`, `&[u8]`, `&str` | the bytes, of which there may be none |
/// | `()` | nothing |
/// | `Option` of such a type | the value, or nothing |
/// | `Result` of such a type | the value; with an error the call fails, like a panic whose message is the error's text |
///
/// After a failed call a host makes a new instance, so use an error only for what should not
/// happen. Return bytes for whatever a request may cause.
///
/// A handler may return a type of its own:
///
/// ```
/// use entrypoint::handler::{Answer, Call};
///
/// entrypoint::handler!(is_empty);
///
/// struct Flag(bool);
///
/// impl Answer for Flag {
///     fn give<R>(&self, take: impl FnOnce(Option<&[u8]>) -> R) -> R {
///         take(Some(&[u8::from(self.0)]))
///     }
/// }
///
/// fn is_empty(call: Call<'_>) -> Flag {
///     Flag(matches!(call.bytes(), Ok(Some([]))))
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "EP0043: `{Self}` is not an answer of a handler",
    label = "a handler answers bytes or text, nothing, or a `Result` of these whose error can be displayed",
    note = "implement `entrypoint::handler::Answer` for a type of your own"
)]
pub trait Answer {
    /// Calls `take` with the bytes, or with `None` if there are none to return.
    ///
    /// # Panics
    ///
    /// If the value is an error.
    #[track_caller]
    fn give<R>(&self, take: impl FnOnce(Option<&[u8]>) -> R) -> R;
}

impl Answer for () {
    fn give<R>(&self, take: impl FnOnce(Option<&[u8]>) -> R) -> R {
        take(None)
    }
}

macro_rules! bytes {
    ($($type:ty),*) => {$(
        impl Answer for $type {
            fn give<R>(&self, take: impl FnOnce(Option<&[u8]>) -> R) -> R {
                take(Some(self.as_ref()))
            }
        }
    )*};
}

bytes!(Vec<u8>, String, &[u8], &str);

impl<const N: usize> Answer for [u8; N] {
    fn give<R>(&self, take: impl FnOnce(Option<&[u8]>) -> R) -> R {
        take(Some(self))
    }
}

impl<const N: usize> Answer for &[u8; N] {
    fn give<R>(&self, take: impl FnOnce(Option<&[u8]>) -> R) -> R {
        take(Some(*self))
    }
}

impl<A: Answer> Answer for Option<A> {
    #[track_caller]
    fn give<R>(&self, take: impl FnOnce(Option<&[u8]>) -> R) -> R {
        match self {
            Some(answer) => answer.give(take),
            None => take(None),
        }
    }
}

impl<A: Answer, E: Display> Answer for Result<A, E> {
    #[track_caller]
    fn give<R>(&self, take: impl FnOnce(Option<&[u8]>) -> R) -> R {
        match self {
            Ok(answer) => answer.give(take),
            Err(error) => panic!("{error}"),
        }
    }
}
