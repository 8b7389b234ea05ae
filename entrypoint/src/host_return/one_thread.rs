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
    pub(super) fn with<R>(&self, action: impl FnOnce(&InvocationArena<N>) -> R) -> R {
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

#[cfg(target_arch = "wasm32")]
#[doc(hidden)]
#[macro_export]
macro_rules! __host_return_exports {
    ($arena:ident) => {
        #[unsafe(no_mangle)]
        extern "C" fn guest_alloc(length: usize) -> usize {
            super::$arena.guest_alloc(length)
        }

        #[unsafe(no_mangle)]
        extern "C" fn reset_arena() {
            // SAFETY: the host calls this, so the program is not inside of `with`; and with this call the
            // host gives up the room it had.
            unsafe { super::$arena.reset_arena() }
        }
    };
}

#[cfg(not(target_arch = "wasm32"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __host_return_exports {
    ($arena:ident) => {
        // `polkavm_export` looks for the functions in a module.
        mod exports {
            // A second pair in another module is a second definition of this symbol; PolkaVM's linker would
            // take either of two exports, and say nothing.
            #[unsafe(no_mangle)]
            extern "C" fn __one_host_return_per_program() {}

            // A whole register, so that a length that does not fit in 32 bits is refused and not cut.
            #[$crate::__private::polkavm_export(abi = $crate::__private::default_abi)]
            extern "C" fn guest_alloc(length: u64) -> u64 {
                super::super::$arena.guest_alloc(length as usize) as u64
            }

            #[$crate::__private::polkavm_export(abi = $crate::__private::default_abi)]
            extern "C" fn reset_arena() {
                // SAFETY: the host calls this, so the program is not inside of `with`; and with this call
                // the host gives up the room it had.
                unsafe { super::super::$arena.reset_arena() }
            }
        }
    };
}
