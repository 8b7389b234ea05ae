//! Which arena is which.

use core::num::NonZero;
use core::sync::atomic::{AtomicUsize, Ordering};

/// The next identity. Relaxed, because nothing but the number itself is shared.
static NEXT: AtomicUsize = AtomicUsize::new(1);

/// A number that no other arena of this program has, has had or will have.
///
/// Neither an arena's address nor its buffer's would do: an arena can move, and another can come to
/// stand in its place or over its buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Identity(NonZero<usize>);

impl Identity {
    /// `None` once the numbers are used up.
    pub(super) fn draw() -> Option<Self> {
        Self::draw_from(&NEXT)
    }

    /// The counter stops at its last value instead of wrapping: that value is never given out.
    pub(super) fn draw_from(next: &AtomicUsize) -> Option<Self> {
        let drawn = next
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |number| {
                number.checked_add(1)
            })
            .ok()?;
        NonZero::new(drawn).map(Self)
    }
}
