//! The arena on targets that have one thread: in the static itself, and exported.

use allocator::InvocationArena;

/// An arena that is lent for the time of a call.
#[derive(Debug)]
pub struct ArenaCell<const N: usize>(InvocationArena<N>);

impl<const N: usize> ArenaCell<N> {
    /// An arena of which nothing is handed out.
    ///
    /// # Safety
    ///
    /// The host writes to the arena only while no call of the program runs, and only to what it was given.
    #[must_use]
    pub const unsafe fn new() -> Self {
        // SAFETY: there is one thread (`docs/machine-model.md`). `with` ends before the program returns to
        // the host, and with it every slice of the arena, so the host writes while none is in use.
        Self(unsafe { InvocationArena::new() })
    }

    /// Lends the arena.
    #[inline]
    pub(crate) fn with<R>(&self, action: impl FnOnce(&InvocationArena<N>) -> R) -> R {
        action(&self.0)
    }
}

#[doc(hidden)]
#[macro_export]
macro_rules! __arena_cell {
    ($capacity:tt) => {
        // SAFETY: `docs/abi.md` says of the host what is asked here.
        unsafe { $crate::__private::ArenaCell::new() }
    };
}
