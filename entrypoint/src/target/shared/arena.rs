//! The arena on targets with one thread: in the static itself, and exported.

use allocator::InvocationArena;

/// An arena that is lent during a call.
#[derive(Debug)]
pub struct ArenaCell<const N: usize>(InvocationArena<N>);

impl<const N: usize> ArenaCell<N> {
    /// Returns an empty arena.
    ///
    /// # Safety
    ///
    /// The host writes only while no call of the program runs, only to bytes that it allocated in
    /// the arena, and only initialized bytes.
    #[must_use]
    pub const unsafe fn new() -> Self {
        // SAFETY: there is one thread (`docs/machine-model.md`). By the contract, only initialized
        // bytes are written. `with` ends before the program returns to the host, and with it every
        // slice of the arena, so the host writes while none is in use.
        Self(unsafe { InvocationArena::new() })
    }

    /// Lends the arena during a call of `action`.
    #[inline]
    pub(crate) fn with<R>(&self, action: impl FnOnce(&InvocationArena<N>) -> R) -> R {
        action(&self.0)
    }
}
