//! The arena on targets with threads and without a host: one for each thread, and not exported.

use std::thread::LocalKey;

use allocator::InvocationArena;

/// An arena that is lent during a call.
#[derive(Debug)]
pub struct ArenaCell<const N: usize>(&'static LocalKey<InvocationArena<N>>);

impl<const N: usize> ArenaCell<N> {
    /// Wraps the arenas of all threads. Each thread uses its own.
    #[must_use]
    pub const fn new(arena: &'static LocalKey<InvocationArena<N>>) -> Self {
        Self(arena)
    }

    /// Lends the arena of this thread during a call of `action`.
    #[inline]
    pub(crate) fn with<R>(&self, action: impl FnOnce(&InvocationArena<N>) -> R) -> R {
        self.0.with(action)
    }
}
