//! Epochs, and the resets that begin one.

use core::error::Error;
use core::fmt;

use super::Arena;
use super::end::{Bottom, Top};

/// The arena has begun as many epochs as there are numbers for, and could not begin another. Nothing
/// was changed.
///
/// At an epoch a nanosecond that takes some 584 years.
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
    /// The number of the current epoch. It starts at 0.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.epoch.get()
    }

    /// How many more epochs can begin.
    #[must_use]
    pub fn epoch_remaining(&self) -> u64 {
        u64::MAX - self.epoch.get()
    }

    /// Empties both ends and begins an epoch, so that every handle and every mark is refused.
    ///
    /// Nothing is dropped. That the arena is borrowed by `&mut` proves that no collection in it and no
    /// reference to a value in it is left.
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
    /// [`EpochSaturated`] if there is no epoch left; then the arena is as it was.
    pub fn reset(&mut self) -> Result<(), EpochSaturated> {
        // SAFETY: whatever borrows from the arena is no longer in use, since nothing else does while it
        // is borrowed by `&mut`. Pointers that borrow nothing are used by unsafe code alone, which has
        // to see to it that they are valid.
        unsafe { self.reset_unchecked() }
    }

    /// As [`reset`](Self::reset), through a shared reference.
    ///
    /// # Safety
    ///
    /// No block of the arena and no reference to a value in it is used any more, not even to be freed:
    /// collections in it were dropped or forgotten.
    ///
    /// # Errors
    ///
    /// [`EpochSaturated`] if there is no epoch left; then the arena is as it was.
    pub unsafe fn reset_unchecked(&self) -> Result<(), EpochSaturated> {
        self.begin_epoch()?;
        self.bottom.empty(self.epoch());
        self.top.empty(self.epoch());
        Ok(())
    }

    /// Empties the top end and begins an epoch, so that every handle, to values at the bottom too, and
    /// every mark of the top is refused. Marks of the bottom stay good.
    ///
    /// # Safety
    ///
    /// As for [`reset_unchecked`](Self::reset_unchecked), for what is at the top.
    ///
    /// # Errors
    ///
    /// [`EpochSaturated`] if there is no epoch left; then the arena is as it was.
    pub unsafe fn reset_top_unchecked(&self) -> Result<(), EpochSaturated> {
        self.begin_epoch()?;
        self.top.empty(self.epoch());
        Ok(())
    }

    /// Empties the bottom end, and begins an epoch only if an [`ArenaHandle`](super::ArenaHandle) leads
    /// there: a rewind to the start. A mark is good again once as much is in use as when it was made.
    ///
    /// # Safety
    ///
    /// As for [`reset_unchecked`](Self::reset_unchecked), for what is at the bottom.
    ///
    /// # Errors
    ///
    /// [`EpochSaturated`] if an epoch has to begin and there is none left; then the arena is as it was.
    pub unsafe fn reset_bottom(&self) -> Result<(), EpochSaturated> {
        // SAFETY: the caller's promise covers all of the bottom.
        unsafe { self.lower::<Bottom>(0) }
    }

    /// Empties the top end, and begins an epoch only if an [`ArenaHandle`](super::ArenaHandle) leads
    /// there: a rewind to the start. A mark is good again once as much is in use as when it was made.
    ///
    /// # Safety
    ///
    /// As for [`reset_unchecked`](Self::reset_unchecked), for what is at the top.
    ///
    /// # Errors
    ///
    /// [`EpochSaturated`] if an epoch has to begin and there is none left; then the arena is as it was.
    pub unsafe fn reset_top(&self) -> Result<(), EpochSaturated> {
        // SAFETY: the caller's promise covers all of the top.
        unsafe { self.lower::<Top>(0) }
    }

    /// Empties the arena and goes back to epoch 0: the way out of [`EpochSaturated`].
    ///
    /// # Safety
    ///
    /// No [`ArenaHandle`](super::ArenaHandle) and no mark of this arena that was made before is used after it:
    /// it could be taken for one of the new epochs'.
    pub unsafe fn force_reset_epoch(&mut self) {
        self.epoch.set(0);
        self.bottom.empty(0);
        self.top.empty(0);
    }

    /// Makes every handle stale, or changes nothing. Whoever frees memory that a handle leads to calls
    /// this first.
    pub(super) fn begin_epoch(&self) -> Result<(), EpochSaturated> {
        let epoch = self.epoch.get().checked_add(1).ok_or(EpochSaturated)?;
        self.epoch.set(epoch);
        self.bottom.handles_void();
        self.top.handles_void();
        Ok(())
    }
}
