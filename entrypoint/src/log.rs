//! Log lines, formatted without a heap.

use core::fmt;

use crate::syscalls::log;
use crate::text::TextBuffer;

/// The most bytes of a formatted log line. [`msg!`](crate::msg) cuts a longer one, and ends it with
/// an ellipsis, `…`, which comes on top.
///
/// A text without arguments has no such limit.
pub const MAX_FORMATTED_LENGTH: usize = 512;

/// Logs one line: a literal, a `&str`, or a format string with arguments.
///
/// It formats into a buffer of [`MAX_FORMATTED_LENGTH`](crate::MAX_FORMATTED_LENGTH) bytes on the
/// stack, not on the heap. It logs a text without arguments as it is.
///
/// ```
/// use entrypoint::msg;
///
/// msg!("hello");
/// let name = String::from("world");
/// msg!(&name);
/// msg!("{} has {count}", name, count = 3);
/// ```
#[doc = include_str!("log/cost.md")]
#[macro_export]
macro_rules! msg {
    ($text:literal $(,)?) => {
        $crate::__private::log_arguments(::core::format_args!($text))
    };
    ($text:expr $(,)?) => {
        $crate::log($text)
    };
    ($($argument:tt)*) => {
        $crate::__private::log_arguments(::core::format_args!($($argument)*))
    };
}

/// Logs formatted arguments.
#[inline]
pub fn log_arguments(arguments: fmt::Arguments<'_>) {
    match arguments.as_str() {
        Some(text) => log(text),
        None => log_formatted(arguments),
    }
}

#[inline(never)]
fn log_formatted(arguments: fmt::Arguments<'_>) {
    let mut text = TextBuffer::<MAX_FORMATTED_LENGTH>::new();
    // If a `Display` fails, the text ends there.
    let _ = fmt::write(&mut text, arguments);
    log(text.finish());
}
