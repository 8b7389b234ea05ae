//! Values in an arena, and handles to them that borrow nothing.

use core::alloc::Layout;
use core::error::Error;
use core::fmt;
use core::ptr;

use allocator_api2::alloc::AllocError;

use super::Arena;
use super::end::{Bottom, Side, Top};
use super::identity::Identity;

/// A way to a value in an arena that does not borrow the arena.
///
/// It leads to the value only together with the arena it belongs to, and only in the epoch it was made
/// in; every other arena and every other epoch refuses it as [`Stale`]. It can be copied, and it can
/// outlive the arena.
///
/// ```
/// use allocator::{Arena, ArenaHandle, Stale, StaticBuffer};
///
/// /// Nodes name each other without a lifetime.
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
/// # What the type says
///
/// A handle is as good as a `&T` that has yet to be checked: it is covariant in `T`, and a `T` that
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
    /// Neither `Send` nor `Sync`, and covariant. It owns nothing: a value in an arena is never dropped.
    value: *const T,
}

/// The handle belongs to another arena, or to an epoch that has ended.
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
    /// The value.
    ///
    /// # Errors
    ///
    /// [`Stale`] if `arena` is not the one that the handle belongs to, or has begun another epoch.
    #[inline]
    pub fn get<'arena>(&self, arena: &'arena Arena) -> Result<&'arena T, Stale>
    where
        T: 'arena,
    {
        if self.arena != arena.identity || self.epoch != arena.epoch() {
            return Err(Stale);
        }
        // SAFETY: the handle was made by this arena, for identities are unique, from a pointer to a `T`
        // that was written in a block of its own. No epoch has begun since (see `force_reset_epoch`), so
        // the block is still taken: it was not freed alone, because handles are made in this file only
        // and `deallocate`, `resize` ask for blocks that are behind none; and every rewind and reset
        // that frees a handle's block begins an epoch first. One that begins while the reference lives
        // is `&mut`, which excludes it, or unsafe, whose caller promises that it is not used any more.
        // Nobody has a `&mut` to the value, and the memory is there at least as long as the arena,
        // which the reference borrows. A value without bytes is anywhere, and was moved here.
        Ok(unsafe { &*self.value })
    }

    /// The epoch that it belongs to.
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
        // Not the value: that takes the arena.
        formatter
            .debug_struct("ArenaHandle")
            .field("arena", &self.arena)
            .field("epoch", &self.epoch)
            .field("value", &self.value)
            .finish()
    }
}

/// Values. None is ever dropped, except one for which there was no room.
impl Arena {
    /// Moves a value to the bottom end.
    ///
    /// # Errors
    ///
    /// If there is no room; the value is dropped.
    pub fn alloc_bottom_value<T>(&self, value: T) -> Result<ArenaHandle<T>, AllocError> {
        self.alloc_value::<Bottom, T>(value)
    }

    /// Moves a value to the top end.
    ///
    /// # Errors
    ///
    /// If there is no room; the value is dropped.
    pub fn alloc_top_value<T>(&self, value: T) -> Result<ArenaHandle<T>, AllocError> {
        self.alloc_value::<Top, T>(value)
    }

    /// Copies a slice to the bottom end.
    ///
    /// # Errors
    ///
    /// If there is no room.
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
    /// If there is no room.
    pub fn alloc_top_slice<T: Copy>(&self, values: &[T]) -> Result<ArenaHandle<[T]>, AllocError> {
        self.alloc_slice::<Top, T>(values)
    }

    /// Copies a string to the bottom end.
    ///
    /// # Errors
    ///
    /// If there is no room.
    pub fn alloc_bottom_str(&self, text: &str) -> Result<ArenaHandle<str>, AllocError> {
        self.alloc_str::<Bottom>(text)
    }

    /// Copies a string to the top end.
    ///
    /// # Errors
    ///
    /// If there is no room.
    pub fn alloc_top_str(&self, text: &str) -> Result<ArenaHandle<str>, AllocError> {
        self.alloc_str::<Top>(text)
    }

    fn alloc_value<S: Side, T>(&self, value: T) -> Result<ArenaHandle<T>, AllocError> {
        let layout = Layout::new::<T>();
        let block: *mut T = self.allocate::<S>(layout)?.cast().as_ptr();
        // SAFETY: the block is new and has the layout of `T`.
        unsafe { block.write(value) };
        Ok(self.handle::<S, T>(block, layout))
    }

    fn alloc_slice<S: Side, T: Copy>(&self, values: &[T]) -> Result<ArenaHandle<[T]>, AllocError> {
        let layout = Layout::for_value(values);
        let block: *mut T = self.allocate::<S>(layout)?.cast().as_ptr();
        // SAFETY: the block is new and has the layout of `values`, so it has room for them and does not
        // overlap them. They may be copied because they are `Copy`.
        unsafe { ptr::copy_nonoverlapping(values.as_ptr(), block, values.len()) };
        let slice = ptr::slice_from_raw_parts(block, values.len());
        Ok(self.handle::<S, [T]>(slice, layout))
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

    /// A handle to the newest block of the end, or to one without bytes.
    fn handle<S: Side, T: ?Sized>(&self, value: *const T, layout: Layout) -> ArenaHandle<T> {
        // One without bytes is not in the buffer, so nothing can free it.
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
