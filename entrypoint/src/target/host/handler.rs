//! A host for unit tests of handlers.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::cell::OnceCell;
use core::fmt;

use crate::handler::{Answer, Call};
use crate::host_return::HostReturnError;

/// A host for unit tests: it calls handlers, and replaces host functions.
///
/// It exists only in builds for unit tests, where [`handler!`](crate::handler!) exports nothing.
///
/// ```
/// use entrypoint::handler::{Call, TestHost};
/// use entrypoint::host_return::HostReturnError;
///
/// entrypoint::host_functions! {
///     fn header(name: &str) -> Option<&str>;
/// }
///
/// fn handle(call: Call<'_>) -> Result<Option<&str>, HostReturnError> {
///     header(call, "host")
/// }
///
/// let header = |name: &[u8]| (name == b"host").then(|| b"example.org".to_vec());
/// let host = TestHost::new().function("header", header);
/// assert_eq!(host.call(Some(b"/"), handle), Some(b"example.org".to_vec()));
/// // A missing function returns nothing.
/// assert_eq!(TestHost::new().call(Some(b"/"), handle), None);
/// ```
#[derive(Default)]
pub struct TestHost {
    functions: Vec<(&'static str, Box<Function>)>,
    answers: Answers,
}

type Function = dyn Fn(&[u8]) -> Option<Vec<u8>>;

impl TestHost {
    /// Returns a host without functions.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a function of [`host_functions!`](crate::host_functions!). The last function of a name
    /// counts.
    #[must_use]
    pub fn function(
        mut self,
        name: &'static str,
        function: impl Fn(&[u8]) -> Option<Vec<u8>> + 'static,
    ) -> Self {
        self.functions.push((name, Box::new(function)));
        self
    }

    /// Calls a handler, with bytes or with nothing, and returns its result.
    ///
    /// # Panics
    ///
    /// If the handler panics or returns an error.
    #[track_caller]
    pub fn call<'call, A: Answer>(
        &'call self,
        argument: Option<&'call [u8]>,
        handler: impl FnOnce(Call<'call>) -> A,
    ) -> Option<Vec<u8>> {
        let call = Call::new(Ok(argument), HostReplies(self));
        handler(call).give(|bytes| bytes.map(<[u8]>::to_vec))
    }
}

impl fmt::Debug for TestHost {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.functions.iter().map(|(name, _)| name);
        formatter.debug_list().entries(names).finish()
    }
}

/// The test's host, as a handler sees it.
#[derive(Clone, Copy)]
pub struct HostReplies<'call>(&'call TestHost);

impl<'call> HostReplies<'call> {
    /// Calls the function of this name.
    pub fn call(self, name: &str, given: &[u8]) -> Result<Option<&'call [u8]>, HostReturnError> {
        let Self(host) = self;
        let mut functions = host.functions.iter().rev();
        let Some((_, function)) = functions.find(|(known, _)| *known == name) else {
            return Ok(None);
        };
        Ok(function(given).map(|answer| host.answers.keep(answer)))
    }
}

/// The results of the functions, kept as long as the host: a list whose elements do not move.
#[derive(Default)]
struct Answers(OnceCell<Box<(Vec<u8>, Answers)>>);

impl Answers {
    fn keep(&self, answer: Vec<u8>) -> &[u8] {
        let mut end = self;
        while let Some(kept) = end.0.get() {
            end = &kept.1;
        }
        let kept = end.0.get_or_init(|| Box::new((answer, Self::default())));
        &kept.0
    }
}

impl Drop for Answers {
    /// Drops the elements in a loop. A recursive drop would need stack for each result.
    fn drop(&mut self) {
        let mut next = self.0.take();
        while let Some(mut kept) = next {
            next = kept.1.0.take();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::string::{String, ToString};
    use std::vec::Vec;

    use super::{Answers, TestHost};
    use crate::handler::Call;
    use crate::host_return::HostReturnError;

    crate::host_functions! {
        fn text(name: &str) -> Option<&str>;
        fn bytes(name: &[u8]) -> Option<&[u8]>;
        fn alone() -> Option<&[u8]>;
    }

    fn host() -> TestHost {
        TestHost::new()
            .function("text", |_| Some(b"old".to_vec()))
            .function("text", |name| Some(name.to_vec()))
            .function("bytes", |name| (!name.is_empty()).then(|| name.repeat(2)))
            .function("alone", |given| Some(given.len().to_string().into_bytes()))
    }

    #[test]
    fn what_is_asked_is_answered() {
        host().call(None, |call| {
            assert_eq!(text(call, "a"), Ok(Some("a")));
            assert_eq!(text(call, ""), Ok(Some("")));
            assert_eq!(bytes(call, b"ab"), Ok(Some(&b"abab"[..])));
            assert_eq!(bytes(call, b""), Ok(None));
            assert_eq!(alone(call), Ok(Some(&b"0"[..])));
        });
        TestHost::new().call(None, |call| assert_eq!(text(call, "a"), Ok(None)));
    }

    #[test]
    fn bytes_that_are_no_text_are_told_from_text() {
        let host = TestHost::new().function("text", |_| Some(b"ab\xff".to_vec()));
        host.call(Some(b"\xff"), |call| {
            let not_text = |valid_up_to| Err(HostReturnError::NotUtf8 { valid_up_to });
            assert_eq!(text(call, ""), not_text(2));
            assert_eq!(call.text(), not_text(0));
            assert_eq!(call.bytes(), Ok(Some(&b"\xff"[..])));
        });
    }

    #[test]
    fn every_answer_stays_as_long_as_the_call() {
        let names: Vec<String> = (0..1_000).map(|number| number.to_string()).collect();
        host().call(None, |call| {
            let answers: Vec<_> = names.iter().map(|name| text(call, name)).collect();
            for (name, answer) in names.iter().zip(answers) {
                assert_eq!(answer, Ok(Some(name.as_str())));
            }
        });
    }

    #[test]
    fn so_many_answers_are_freed_that_no_stack_would_do_inside_of_each_other() {
        let answers = Answers::default();
        let mut end = &answers;
        for _ in 0..1_000_000 {
            end = &end.0.get_or_init(Default::default).1;
        }
        drop(answers);
    }

    #[test]
    fn nothing_and_no_bytes_are_two_things() {
        fn echo(call: Call<'_>) -> Result<Option<&[u8]>, HostReturnError> {
            call.bytes()
        }
        let host = TestHost::new();
        assert_eq!(host.call(None, echo), None);
        assert_eq!(host.call(Some(b""), echo), Some(Vec::new()));
        assert_eq!(host.call(Some(b"a"), echo), Some(b"a".to_vec()));
        assert_eq!(host.call(Some(b"a"), drop), None);
        assert_eq!(host.call(None, |_| "text"), Some(b"text".to_vec()));
    }

    #[test]
    #[should_panic(expected = "the host passed bytes that are no UTF-8 from byte 0 on")]
    fn an_error_is_no_answer() {
        TestHost::new().call(Some(b"\xff"), Call::text);
    }
}
