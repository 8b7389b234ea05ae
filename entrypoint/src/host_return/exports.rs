//! What the host calls, and the arena behind it.

use core::marker::PhantomData;

use allocator::InvocationArena;

use super::{HostReturnError, PackedSlice, read};
use crate::machine::ArenaCell;

/// An [`InvocationArena`] that the host fills, as [`host_return!`](crate::host_return!) declares it.
///
/// The program gets at the arena inside of [`with`](Self::with) only. What it reads there cannot be kept in
/// a static, where it would change under the program's eyes when the host fills the arena anew.
///
/// On targets that have threads, where a program is compiled for its own unit tests, each thread has an
/// arena of its own.
#[derive(Debug)]
pub struct HostArena<const N: usize>(ArenaCell<N>);

/// The arena for the time of a call of [`HostArena::with`].
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
// Not a reference to the arena, because that may go to other threads: whoever declares an arena in a static
// promises that there are none.
#[derive(Clone, Copy, Debug)]
pub struct ArenaView<'call, const N: usize> {
    arena: &'call InvocationArena<N>,
    /// Neither `Send` nor `Sync`.
    _one_thread: PhantomData<*const ()>,
}

impl<'call, const N: usize> ArenaView<'call, N> {
    /// The bytes that the host has passed, without a copy; `None` if it has passed nothing.
    ///
    /// # Errors
    ///
    /// As for [`bytes`](crate::host_return::bytes).
    #[inline]
    pub fn bytes(&self, packed: PackedSlice) -> Result<Option<&'call [u8]>, HostReturnError> {
        read::bytes(self.arena, packed)
    }

    /// The text that the host has passed, without a copy; `None` if it has passed nothing.
    ///
    /// # Errors
    ///
    /// As for [`text`](crate::host_return::text).
    #[inline]
    pub fn text(&self, packed: PackedSlice) -> Result<Option<&'call str>, HostReturnError> {
        read::text(self.arena, packed)
    }

    /// Bytes that the host was given in this invocation, alignment gaps included.
    #[inline]
    #[must_use]
    pub fn used(&self) -> usize {
        self.arena.used()
    }

    /// The most bytes that the host was ever given in one invocation.
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

    /// Lends the arena for the time of a call.
    #[inline]
    pub fn with<R>(&self, action: impl FnOnce(ArenaView<'_, N>) -> R) -> R {
        self.0.with(|arena| {
            action(ArenaView {
                arena,
                _one_thread: PhantomData,
            })
        })
    }

    /// How many bytes there are: `N`.
    #[must_use]
    pub const fn capacity(&self) -> usize {
        N
    }

    /// What the host calls to get room for `length` bytes: their address, a multiple of 8, or 0 if there is
    /// no room. For no bytes there always is, and the answer is not 0.
    ///
    /// The host may write there until the invocation ends, and has to pass the address along itself: the
    /// program does not remember what it has given out.
    #[inline]
    #[must_use]
    pub fn guest_alloc(&self, length: usize) -> usize {
        self.0.with(|arena| match arena.alloc(length) {
            // The host writes through the number.
            Some(region) => region.expose_provenance().get(),
            None => 0,
        })
    }

    /// What the host calls at the start of each invocation: takes all room back.
    ///
    /// # Safety
    ///
    /// It is not called inside of [`with`](Self::with), and nobody writes to earlier room any more.
    #[inline]
    pub unsafe fn reset_arena(&self) {
        // SAFETY: slices of the arena are lent inside of `with` only, and the caller is not there; that
        // nobody writes any more is the caller's promise.
        self.0.with(|arena| unsafe { arena.reset() });
    }
}

/// Declares the arena that the host fills, and exports what the host calls to do so.
///
/// ```
/// use entrypoint::host_return::PackedSlice;
///
/// entrypoint::host_return!(static SCRATCH: HostArena<4096>);
///
/// /// How many bytes the host has passed.
/// fn count(packed: u64) -> usize {
///     SCRATCH.with(|arena| match arena.bytes(PackedSlice::from_u64(packed)) {
///         Ok(Some(bytes)) => bytes.len(),
///         Ok(None) | Err(_) => 0,
///     })
/// }
/// # assert_eq!(count(0), 0);
/// ```
///
/// | export | |
/// |---|---|
/// | `guest_alloc(length) -> address` | room for `length` bytes, see [`HostArena::guest_alloc`](crate::host_return::HostArena::guest_alloc) |
/// | `reset_arena()` | takes all room back; the host calls it at the start of each invocation |
///
/// The number of bytes is a literal, the name of a constant, or an expression in braces, as in
/// `HostArena<{ 4 * 1024 }>`. Attributes and a visibility may stand before `static`.
///
/// A program has these exports once, and the macro is called in a module, not in a function. The exports are
/// there on guest RISC-V and on WebAssembly; elsewhere, and with the feature `no-entrypoint`
/// of the calling crate, there is the static alone. Neither export needs the heap, which is there only
/// once the host has called `entrypoint`.
///
/// What is read cannot be kept:
///
/// ```compile_fail,E0521
/// use std::sync::Mutex;
/// use entrypoint::host_return::PackedSlice;
///
/// entrypoint::host_return!(static SCRATCH: HostArena<4096>);
/// static KEPT: Mutex<Option<&'static str>> = Mutex::new(None);
///
/// SCRATCH.with(|arena| {
///     *KEPT.lock().unwrap() = arena.text(PackedSlice::EMPTY).unwrap();
/// });
/// ```
#[macro_export]
macro_rules! host_return {
    ($(#[$attribute:meta])* $visibility:vis static $name:ident: HostArena<$capacity:tt> $(;)?) => {
        $(#[$attribute])*
        $visibility static $name: $crate::host_return::HostArena<$capacity> =
            $crate::host_return::HostArena::__new($crate::__arena_cell!($capacity));

        #[doc(hidden)]
        #[allow(unexpected_cfgs)]
        mod __one_host_return_per_crate {
            #[cfg(not(feature = "no-entrypoint"))]
            $crate::__host_return_exports!($name);
        }
    };
    ($($other:tt)*) => {
        ::core::compile_error!(
            "expected a static\n\
             help: name the arena and its bytes, as in `host_return!(static SCRATCH: HostArena<4096>)`"
        );
    };
}
