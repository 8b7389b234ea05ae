//! The exports for the host, and their arena.

use core::marker::PhantomData;

use allocator::InvocationArena;

use super::{HostReturnError, PackedSlice, read};
use crate::target::ArenaCell;

/// An [`InvocationArena`] that the host fills. [`host_return!`](crate::host_return!) declares it.
///
/// The program accesses the arena only inside [`with`](Self::with). It cannot keep the bytes in a
/// static, where they would change when the host fills the arena again.
///
/// On targets with threads, where a program is compiled for its unit tests, each thread has its own
/// arena.
#[derive(Debug)]
pub struct HostArena<const N: usize>(ArenaCell<N>);

/// The arena during a call of [`HostArena::with`].
///
/// It stays in its thread:
///
/// ```compile_fail,E0277
/// entrypoint::host_return!(static SCRATCH: HostArena<4096>);
///
/// SCRATCH.with(|arena| {
///     std::thread::scope(|scope| {
///         scope.spawn(|| arena.used());
///     });
/// });
/// ```
// Not a reference to the arena, because that may be sent to other threads: code that declares an
// arena in a static promises that there are none.
#[derive(Clone, Copy, Debug)]
pub struct ArenaView<'call, const N: usize> {
    arena: &'call InvocationArena<N>,
    /// Neither `Send` nor `Sync`.
    _one_thread: PhantomData<*const ()>,
}

impl<'call, const N: usize> ArenaView<'call, N> {
    /// Returns the bytes from the host, without a copy, or `None` if it passed nothing.
    ///
    /// # Errors
    ///
    /// As for [`bytes`](crate::host_return::bytes).
    #[inline]
    pub fn bytes(&self, packed: PackedSlice) -> Result<Option<&'call [u8]>, HostReturnError> {
        read::bytes(self.arena, packed)
    }

    /// Returns the text from the host, without a copy, or `None` if it passed nothing.
    ///
    /// # Errors
    ///
    /// As for [`text`](crate::host_return::text).
    #[inline]
    pub fn text(&self, packed: PackedSlice) -> Result<Option<&'call str>, HostReturnError> {
        read::text(self.arena, packed)
    }

    /// Returns the bytes that the host allocated in this invocation, alignment gaps included.
    #[inline]
    #[must_use]
    pub fn used(&self) -> usize {
        self.arena.used()
    }

    /// Returns the most bytes that the host allocated in one invocation.
    #[inline]
    #[must_use]
    pub fn peak(&self) -> usize {
        self.arena.peak()
    }
}

impl<const N: usize> HostArena<N> {
    #[doc(hidden)]
    #[must_use]
    pub const fn __new(cell: ArenaCell<N>) -> Self {
        Self(cell)
    }

    /// Lends the arena during a call of `action`.
    #[inline]
    pub fn with<R>(&self, action: impl FnOnce(ArenaView<'_, N>) -> R) -> R {
        self.0.with(|arena| {
            action(ArenaView {
                arena,
                _one_thread: PhantomData,
            })
        })
    }

    /// Returns the number of bytes: `N`.
    #[must_use]
    pub const fn capacity(&self) -> usize {
        N
    }

    /// Allocates `length` bytes for the host.
    ///
    /// Returns their address, a multiple of 8, or 0 if they do not fit. For length 0 the result is
    /// never 0.
    ///
    /// The host may write there until the invocation ends. The host must also pass the address to
    /// the program: the program does not record it.
    #[inline]
    #[must_use]
    pub fn guest_alloc(&self, length: usize) -> usize {
        self.0.with(|arena| match arena.alloc(length) {
            // The host writes through this number, so the provenance must be exposed.
            Some(region) => region.expose_provenance().get(),
            None => 0,
        })
    }

    /// Frees all bytes of the arena. The host calls it at the start of each invocation.
    ///
    /// # Safety
    ///
    /// This is not called inside [`with`](Self::with), and the host no longer writes to earlier
    /// scratch memory.
    #[inline]
    pub unsafe fn reset_arena(&self) {
        // SAFETY: the arena lends slices only inside `with`, and by the contract this call is not
        // inside it, so no slice is live. By the contract, nothing writes to earlier bytes.
        self.0.with(|arena| unsafe { arena.reset() });
    }
}
