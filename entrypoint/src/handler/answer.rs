//! What a handler may answer.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Display;

/// What a handler may answer.
///
/// | type | the host gets |
/// |---|---|
/// | `Vec<u8>`, `String`, `&[u8]`, `&str` | the bytes, of which there may be none |
/// | `()` | nothing |
/// | `Option` of an answer | that, or nothing |
/// | `Result` of an answer | that; with an error the call fails, as with a panic whose message is the error's text |
///
/// After a call that has failed a host takes a new instance, so an error is for what should not happen. What a request may bring
/// about has an answer of bytes.
///
/// A handler may answer a type of its own:
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
    message = "`{Self}` is no answer of a handler",
    label = "a handler answers bytes or text, nothing, or a `Result` of these whose error can be displayed",
    note = "implement `entrypoint::handler::Answer` for a type of your own"
)]
pub trait Answer {
    /// Calls `take` with the bytes, or with `None` if there is nothing to answer.
    ///
    /// # Panics
    ///
    /// If the answer is an error: then there are none.
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
