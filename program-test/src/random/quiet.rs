//! Panics that are caught, and print nothing.
//!
//! While a case becomes shorter, its invariant panics again and again. Only the last message
//! matters.

use std::any::Any;
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind, set_hook, take_hook};
use std::sync::Once;

thread_local! {
    /// The place of the last panic, while panics of this thread are quiet.
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
    static IS_QUIET: RefCell<bool> = const { RefCell::new(false) };
}

/// Calls a function. If it panics, returns the message and the place of the panic.
pub fn catch<T>(function: impl FnOnce() -> T) -> Result<T, String> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let loud = take_hook();
        set_hook(Box::new(move |panic| {
            if !note(panic) {
                loud(panic);
            }
        }));
    });
    let before = IS_QUIET.replace(true);
    let result = catch_unwind(AssertUnwindSafe(function));
    IS_QUIET.set(before);
    result.map_err(|panic| {
        let message = message(&*panic);
        match PLACE.take() {
            Some(place) => format!("{message}, at {place}"),
            None => message,
        }
    })
}

/// Notes where a quiet panic is. Returns whether it is quiet.
fn note(panic: &PanicHookInfo<'_>) -> bool {
    // Where a panic ends the process, nothing catches it.
    let is_quiet = IS_QUIET.with_borrow(|is_quiet| *is_quiet) && cfg!(panic = "unwind");
    if is_quiet {
        PLACE.set(panic.location().map(ToString::to_string));
    }
    is_quiet
}

/// The message of a panic.
fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("the invariant panicked without a message")
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn message_and_place_are_kept() {
        let caught = catch(|| assert_eq!(1 + 1, 3, "a sum"));
        let text = caught.expect_err("a panic");
        assert!(
            text.starts_with("assertion `left == right` failed: a sum\n"),
            "{text}"
        );
        assert!(text.contains("quiet.rs:"), "{text}");
        assert_eq!(catch(|| 5), Ok(5));
    }
}
