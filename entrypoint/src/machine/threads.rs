//! The arena on targets that have threads, where no host fills it: one for each thread, and not exported.

use std::thread::LocalKey;

use allocator::InvocationArena;

/// An arena that is lent for the time of a call.
#[derive(Debug)]
pub struct ArenaCell<const N: usize>(&'static LocalKey<InvocationArena<N>>);

impl<const N: usize> ArenaCell<N> {
    /// The arena of whatever thread asks for it.
    #[must_use]
    pub const fn new(arena: &'static LocalKey<InvocationArena<N>>) -> Self {
        Self(arena)
    }

    /// Lends the arena.
    #[inline]
    pub(crate) fn with<R>(&self, action: impl FnOnce(&InvocationArena<N>) -> R) -> R {
        self.0.with(action)
    }
}

#[doc(hidden)]
#[macro_export]
macro_rules! __arena_cell {
    ($capacity:tt) => {{
        $crate::__private::thread_local! {
            static __HOST_ARENA: $crate::host_return::InvocationArena<$capacity> = const {
                // SAFETY: each thread has one of its own, and there is no host: nobody writes to it but
                // through a pointer, which takes unsafe code that has to keep to the rules of `alloc`.
                unsafe { $crate::host_return::InvocationArena::new() }
            };
        }
        $crate::__private::ArenaCell::new(&__HOST_ARENA)
    }};
}
