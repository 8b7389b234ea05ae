//! Values in an arena, and handles to them without a borrow.

use core::alloc::Layout;
use core::error::Error;
use core::fmt;
use core::ptr;

use allocator_api2::alloc::AllocError;

use super::Arena;
use super::end::{Bottom, Side, Top};
use super::identity::Identity;

/// A handle to a value in an arena that does not borrow the arena.
///
/// It returns the value only together with its arena, and only in the epoch that made it. Every
/// other arena and every other epoch rejects it as [`Stale`]. It can be copied, and can outlive the
/// arena.
///
/// ```
/// use allocator::{Arena, ArenaHandle, Stale, StaticBuffer};
///
/// /// Nodes refer to each other without a lifetime.
/// struct Node {
///     number: u32,
///     next: Option<ArenaHandle<Node>>,
/// }
///
/// static BUFFER: StaticBuffer<1024> = StaticBuffer::new();
///
/// let mut arena = BUFFER.take().map(Arena::from_static_buffer).ok_or("taken before")?;
/// let last = arena.alloc_bottom_value(Node { number: 2, next: None })?;
/// let first = arena.alloc_bottom_value(Node { number: 1, next: Some(last) })?;
/// let second = first.get(&arena)?.next.ok_or("there is one")?;
/// assert_eq!(second.get(&arena)?.number, 2);
///
/// arena.reset()?;
/// assert!(matches!(first.get(&arena), Err(Stale)));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
///
/// # Variance and threads
///
/// A handle is like a `&T` that must be checked first: it is covariant in `T`, and a `T` that
/// borrows keeps its lifetime.
///
/// ```compile_fail
/// # use allocator::{Arena, StaticBuffer};
/// # static BUFFER: StaticBuffer<64> = StaticBuffer::new();
/// # let arena = Arena::from_static_buffer(BUFFER.take().unwrap());
/// let handle = {
///     let word = String::from("gone");
///     arena.alloc_bottom_value(word.as_str()).unwrap()
/// }; // `word` does not live long enough
/// handle.get(&arena);
/// ```
///
/// Like its arena, it stays in its thread.
///
/// ```compile_fail
/// # use allocator::{Arena, StaticBuffer};
/// # static BUFFER: StaticBuffer<64> = StaticBuffer::new();
/// # let arena = Arena::from_static_buffer(BUFFER.take().unwrap());
/// let handle = arena.alloc_bottom_value(7).unwrap();
/// std::thread::spawn(move || handle.epoch()); // `ArenaHandle` is not `Send`
/// ```
pub struct ArenaHandle<T: ?Sized> {
    arena: Identity,
    epoch: u64,
    /// Neither `Send` nor `Sync`, and covariant. It owns nothing: an arena never drops a value.
    value: *const T,
}

/// The error for a handle of another arena, or of an epoch that has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stale;

impl fmt::Display for Stale {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(
            "the handle is of another arena or of an epoch that has ended: allocate the value again",
        )
    }
}

impl Error for Stale {}

impl<T: ?Sized> ArenaHandle<T> {
    /// Returns the value.
    ///
    /// # Errors
    ///
    /// [`Stale`] if `arena` is not the handle's arena, or has begun another epoch.
    #[inline]
    pub fn get<'arena>(&self, arena: &'arena Arena) -> Result<&'arena T, Stale>
    where
        T: 'arena,
    {
        if self.arena != arena.identity || self.epoch != arena.epoch() {
            return Err(Stale);
        }
        // SAFETY: this arena made the handle, because identities are unique, from a pointer to a
        // `T` that was written into a block of its own. No epoch has begun since (see
        // `force_reset_epoch`), so the block is still in use:
        // - It was not freed alone: only this file makes handles, and `deallocate` and `resize`
        //   require blocks without a handle.
        // - Every rewind and reset that frees a block with a handle begins an epoch first. If it
        //   happens while the reference lives, it takes `&mut`, which excludes the reference, or it
        //   is unsafe, and its caller promises that the reference is not used any more. No `&mut`
        //   to the value exists. The memory lives at least as long as the arena, which the
        //   reference borrows. A value without bytes may be anywhere, and was moved here.
        Ok(unsafe { &*self.value })
    }

    /// Returns the handle's epoch.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.epoch
    }
}

impl<T: ?Sized> Clone for ArenaHandle<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: ?Sized> Copy for ArenaHandle<T> {}

impl<T: ?Sized> fmt::Debug for ArenaHandle<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without the value, which needs the arena.
        formatter
            .debug_struct("ArenaHandle")
            .field("arena", &self.arena)
            .field("epoch", &self.epoch)
            .field("value", &self.value)
            .finish()
    }
}

/// Values in the arena. An arena never drops a value, except one that does not fit.
impl Arena {
    /// Moves a value to the bottom end.
    ///
    /// # Errors
    ///
    /// If the value does not fit. It is then dropped.
    pub fn alloc_bottom_value<T>(&self, value: T) -> Result<ArenaHandle<T>, AllocError> {
        self.alloc_value::<Bottom, T>(value)
    }

    /// Moves a value to the top end.
    ///
    /// # Errors
    ///
    /// If the value does not fit. It is then dropped.
    pub fn alloc_top_value<T>(&self, value: T) -> Result<ArenaHandle<T>, AllocError> {
        self.alloc_value::<Top, T>(value)
    }

    /// Copies a slice to the bottom end.
    ///
    /// # Errors
    ///
    /// If it does not fit.
    pub fn alloc_bottom_slice<T: Copy>(
        &self,
        values: &[T],
    ) -> Result<ArenaHandle<[T]>, AllocError> {
        self.alloc_slice::<Bottom, T>(values)
    }

    /// Copies a slice to the top end.
    ///
    /// # Errors
    ///
    /// If it does not fit.
    pub fn alloc_top_slice<T: Copy>(&self, values: &[T]) -> Result<ArenaHandle<[T]>, AllocError> {
        self.alloc_slice::<Top, T>(values)
    }

    /// Copies a string to the bottom end.
    ///
    /// # Errors
    ///
    /// If it does not fit.
    pub fn alloc_bottom_str(&self, text: &str) -> Result<ArenaHandle<str>, AllocError> {
        self.alloc_str::<Bottom>(text)
    }

    /// Copies a string to the top end.
    ///
    /// # Errors
    ///
    /// If it does not fit.
    pub fn alloc_top_str(&self, text: &str) -> Result<ArenaHandle<str>, AllocError> {
        self.alloc_str::<Top>(text)
    }

    fn alloc_value<S: Side, T>(&self, value: T) -> Result<ArenaHandle<T>, AllocError> {
        let layout = Layout::new::<T>();
        let block: *mut T = self.allocate::<S>(layout)?.cast().as_ptr();
        // SAFETY: the block is new, so no other code uses it, and has the layout of `T`.
        unsafe { block.write(value) };
        // SAFETY: the block is the newest of this end, or empty, and has this layout. A `T` was
        // just moved there.
        Ok(unsafe { self.handle::<S, T>(block, layout) })
    }

    fn alloc_slice<S: Side, T: Copy>(&self, values: &[T]) -> Result<ArenaHandle<[T]>, AllocError> {
        let layout = Layout::for_value(values);
        let block: *mut T = self.allocate::<S>(layout)?.cast().as_ptr();
        // SAFETY: the block is new and has the layout of `values`, so it has their size and
        // alignment, and does not overlap them. They are `Copy`, so a copy of their bytes is valid.
        unsafe { ptr::copy_nonoverlapping(values.as_ptr(), block, values.len()) };
        let slice = ptr::slice_from_raw_parts(block, values.len());
        // SAFETY: the block is the newest of this end, or empty, and has this layout. The values
        // were just copied there.
        Ok(unsafe { self.handle::<S, [T]>(slice, layout) })
    }

    fn alloc_str<S: Side>(&self, text: &str) -> Result<ArenaHandle<str>, AllocError> {
        let bytes = self.alloc_slice::<S, u8>(text.as_bytes())?;
        Ok(ArenaHandle {
            arena: bytes.arena,
            epoch: bytes.epoch,
            // The bytes are those of a `str`.
            value: bytes.value as *const str,
        })
    }

    /// Returns a handle to the newest block of the end, or to an empty block.
    ///
    /// # Safety
    ///
    /// - `value` is the newest block of the end, or an empty block. Its layout is `layout`.
    /// - It contains a valid `T`, to which no other pointer is used.
    unsafe fn handle<S: Side, T: ?Sized>(&self, value: *const T, layout: Layout) -> ArenaHandle<T> {
        // An empty block is not in the buffer, so nothing can free it.
        if layout.size() > 0 {
            S::end(self).handle_made();
        }
        ArenaHandle {
            arena: self.identity,
            epoch: self.epoch(),
            value,
        }
    }
}
