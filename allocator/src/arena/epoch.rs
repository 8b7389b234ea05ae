//! Epochs, and the resets that begin one.

use core::error::Error;
use core::fmt;

use super::Arena;
use super::end::{Bottom, Top};

/// The error of an arena that has no epochs left. After this error the arena is unchanged.
///
/// With one epoch each nanosecond, this takes some 584 years.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EpochSaturated;

impl fmt::Display for EpochSaturated {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(
            "the arena has no epochs left: drop its handles and marks and call force_reset_epoch",
        )
    }
}

impl Error for EpochSaturated {}

impl Arena {
    /// Returns the number of the current epoch. The first epoch is 0.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.epoch.get()
    }

    /// Returns how many more epochs can begin.
    #[must_use]
    pub fn epoch_remaining(&self) -> u64 {
        u64::MAX - self.epoch.get()
    }

    /// Empties both ends and begins an epoch. Every handle and every mark is then rejected.
    ///
    /// It drops no value. The `&mut` borrow of the arena proves that no collection in it, and no
    /// reference to a value in it, is left.
    ///
    /// ```compile_fail
    /// # use allocator::{Arena, StaticBuffer};
    /// # static BUFFER: StaticBuffer<64> = StaticBuffer::new();
    /// # let mut arena = Arena::from_static_buffer(BUFFER.take().unwrap());
    /// let value = arena.alloc_bottom_value(7).unwrap();
    /// let seven: &i32 = value.get(&arena).unwrap();
    /// arena.reset().unwrap(); // `arena` is still borrowed
    /// assert_eq!(*seven, 7);
    /// ```
    #[cfg_attr(
        feature = "alloc",
        doc = "
```compile_fail
# use allocator::Arena;
# use allocator_api2::vec::Vec;
# let mut arena = Arena::with_capacity(64);
let mut numbers = Vec::new_in(arena.bottom_handle());
numbers.push(7);
arena.reset().unwrap(); // `arena` is still borrowed
assert_eq!(numbers[0], 7);
```

Without the last use there is nothing to protect:

```
# use allocator::Arena;
# use allocator_api2::vec::Vec;
# let mut arena = Arena::with_capacity(64);
let mut numbers = Vec::new_in(arena.bottom_handle());
numbers.push(7);
drop(numbers);
arena.reset().unwrap();
```
"
    )]
    /// # Errors
    ///
    /// [`EpochSaturated`] if there is no epoch left. The arena is then unchanged.
    pub fn reset(&mut self) -> Result<(), EpochSaturated> {
        // SAFETY: blocks of collections and references to values borrow the arena, so none is in
        // use while the arena is borrowed by `&mut`. Only unsafe code uses pointers without a
        // borrow, and it must ensure that they are valid.
        unsafe { self.reset_unchecked() }
    }

    /// Resets like [`reset`](Self::reset), through a shared reference.
    ///
    /// # Safety
    ///
    /// No block of the arena, and no reference to a value in it, is used any more, not even to free
    /// it. Collections in it were dropped or forgotten.
    ///
    /// # Errors
    ///
    /// [`EpochSaturated`] if there is no epoch left. The arena is then unchanged.
    pub unsafe fn reset_unchecked(&self) -> Result<(), EpochSaturated> {
        self.begin_epoch()?;
        // SAFETY: the caller promises that no block of the arena is used any more. An epoch has
        // begun, so every handle is stale.
        unsafe { self.bottom.empty(self.epoch()) };
        // SAFETY: the caller promises that no block of the arena is used any more. An epoch has
        // begun, so every handle is stale.
        unsafe { self.top.empty(self.epoch()) };
        Ok(())
    }

    /// Empties the top end and begins an epoch.
    ///
    /// Every handle, also to values at the bottom, and every mark of the top is then rejected.
    /// Marks of the bottom stay valid.
    ///
    /// # Safety
    ///
    /// As for [`reset_unchecked`](Self::reset_unchecked), for the blocks and values at the top.
    ///
    /// # Errors
    ///
    /// [`EpochSaturated`] if there is no epoch left. The arena is then unchanged.
    pub unsafe fn reset_top_unchecked(&self) -> Result<(), EpochSaturated> {
        self.begin_epoch()?;
        // SAFETY: the caller promises that no block at the top is used any more. An epoch has
        // begun, so every handle is stale.
        unsafe { self.top.empty(self.epoch()) };
        Ok(())
    }

    /// Empties the bottom end: a rewind to its start.
    ///
    /// An epoch begins only if a value there has an [`ArenaHandle`](super::ArenaHandle). A mark is
    /// valid again once as many bytes are in use as when it was made.
    ///
    /// # Safety
    ///
    /// As for [`reset_unchecked`](Self::reset_unchecked), for the blocks and values at the bottom.
    ///
    /// # Errors
    ///
    /// [`EpochSaturated`] if an epoch must begin and there is none left. The arena is then
    /// unchanged.
    pub unsafe fn reset_bottom(&self) -> Result<(), EpochSaturated> {
        // SAFETY: 0 is at most the bytes in use. The caller promises that nothing at the bottom is
        // used any more, so nothing beyond 0 bytes is.
        unsafe { self.lower::<Bottom>(0) }
    }

    /// Empties the top end: a rewind to its start.
    ///
    /// An epoch begins only if a value there has an [`ArenaHandle`](super::ArenaHandle). A mark is
    /// valid again once as many bytes are in use as when it was made.
    ///
    /// # Safety
    ///
    /// As for [`reset_unchecked`](Self::reset_unchecked), for the blocks and values at the top.
    ///
    /// # Errors
    ///
    /// [`EpochSaturated`] if an epoch must begin and there is none left. The arena is then
    /// unchanged.
    pub unsafe fn reset_top(&self) -> Result<(), EpochSaturated> {
        // SAFETY: 0 is at most the bytes in use. The caller promises that nothing at the top is
        // used any more, so nothing beyond 0 bytes is.
        unsafe { self.lower::<Top>(0) }
    }

    /// Empties the arena and returns to epoch 0, after [`EpochSaturated`].
    ///
    /// # Safety
    ///
    /// No earlier [`ArenaHandle`](super::ArenaHandle) or mark of this arena is used afterwards: it
    /// could be mistaken for one of a new epoch.
    pub unsafe fn force_reset_epoch(&mut self) {
        self.epoch.set(0);
        // SAFETY: blocks of collections and references to values borrow the arena, so none is in
        // use while it is borrowed by `&mut`. The caller promises not to use earlier handles.
        unsafe { self.bottom.empty(0) };
        // SAFETY: blocks of collections and references to values borrow the arena, so none is in
        // use while it is borrowed by `&mut`. The caller promises not to use earlier handles.
        unsafe { self.top.empty(0) };
    }

    /// Makes every handle stale, or changes nothing.
    ///
    /// Code that frees the memory of a value with a handle calls this first.
    pub(super) fn begin_epoch(&self) -> Result<(), EpochSaturated> {
        let epoch = self.epoch.get().checked_add(1).ok_or(EpochSaturated)?;
        self.epoch.set(epoch);
        // SAFETY: the epoch is new, so every earlier handle is stale.
        unsafe { self.bottom.handles_void() };
        // SAFETY: the epoch is new, so every earlier handle is stale.
        unsafe { self.top.handles_void() };
        Ok(())
    }
}
