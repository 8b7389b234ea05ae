//! Log lines, without a heap.

use core::fmt;

use crate::imports::log;
use crate::text::TextBuffer;

/// Most bytes of a formatted log line; the rest is cut. A text without arguments has no limit here.
pub const MAX_FORMATTED_LENGTH: usize = 512;

/// Logs one line: a literal, a `&str`, or a format string with arguments.
///
/// Formatting goes through a buffer of [`MAX_FORMATTED_LENGTH`](crate::MAX_FORMATTED_LENGTH) bytes on
/// the stack, not through the heap; a text without arguments is logged as it is. Formatting costs some
/// hundreds of gas, [`log_64`](crate::log_64) and [`log_pubkey`](crate::log_pubkey) a few units.
///
/// ```
/// use entrypoint::msg;
///
/// msg!("hello");
/// let name = String::from("world");
/// msg!(&name);
/// msg!("{} has {count}", name, count = 3);
/// ```
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

/// Logs what the arguments say.
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
    // A `Display` that fails has its text cut.
    let _ = fmt::write(&mut text, arguments);
    log(text.as_str());
}
