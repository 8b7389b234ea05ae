//! Identities of arenas.

use core::num::NonZero;
use core::sync::atomic::{AtomicUsize, Ordering};

/// The next identity. Its accesses are relaxed, because only the number itself is shared.
static NEXT: AtomicUsize = AtomicUsize::new(1);

/// A number that is unique among all arenas of the program, past and future.
///
/// The address of an arena or of its buffer is not unique: an arena can move, and another arena can
/// take its place or its buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Identity(NonZero<usize>);

impl Identity {
    /// Returns a new identity, or `None` if there is none left.
    pub(super) fn draw() -> Option<Self> {
        Self::draw_from(&NEXT)
    }

    /// Returns a new identity from a counter.
    ///
    /// The counter stops at its last value instead of wrapping. That value is never used.
    pub(super) fn draw_from(next: &AtomicUsize) -> Option<Self> {
        let drawn = next
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |number| {
                number.checked_add(1)
            })
            .ok()?;
        NonZero::new(drawn).map(Self)
    }
}
