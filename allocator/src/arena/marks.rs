//! Marks, and rewinding to them.

use core::error::Error;
use core::fmt;

use super::end::{Bottom, Side, Top};
use super::identity::Identity;
use super::{Arena, EpochSaturated};

/// A mark of the bottom end: its bytes in use at one moment.
///
/// It belongs to the arena that made it, even if that arena moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BottomMark(Mark);

/// A mark of the top end: its bytes in use at one moment.
///
/// It belongs to the arena that made it, even if that arena moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TopMark(Mark);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mark {
    arena: Identity,
    epoch: u64,
    used: usize,
}

/// Why an end was not rewound to a mark. After this error the arena is unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RewindError {
    /// Another arena made the mark.
    OtherArena,
    /// The arena was reset after the mark was made, or its top was reset by
    /// [`reset_top_unchecked`](super::Arena::reset_top_unchecked).
    EarlierEpoch,
    /// Fewer bytes are in use than when the mark was made.
    AboveUse,
    /// The rewind would free a value with an [`ArenaHandle`](super::ArenaHandle), which must begin
    /// an epoch, and there is none left.
    EpochSaturated,
}

impl fmt::Display for RewindError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::OtherArena => "the mark belongs to another arena: rewind the one that made it",
            Self::EarlierEpoch => {
                "the arena was reset after the mark was made: take a new mark after a reset"
            }
            Self::AboveUse => {
                "the end has less in use than at the mark: rewind from the latest mark to the earliest"
            }
            Self::EpochSaturated => return EpochSaturated.fmt(formatter),
        })
    }
}

impl Error for RewindError {}

impl From<EpochSaturated> for RewindError {
    fn from(EpochSaturated: EpochSaturated) -> Self {
        Self::EpochSaturated
    }
}

/// Marks of the two ends.
///
/// ```
/// use allocator::{Arena, StaticBuffer};
///
/// static BUFFER: StaticBuffer<1024> = StaticBuffer::new();
///
/// let arena = BUFFER.take().map(Arena::from_static_buffer).ok_or("taken before")?;
/// arena.alloc_bottom_bytes(100)?;
/// let mark = arena.bottom_mark();
/// arena.alloc_bottom_bytes(200)?;
/// // SAFETY: the 200 bytes are no longer used.
/// unsafe { arena.rewind_bottom(mark)? };
/// assert_eq!(arena.bottom_used(), 104);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
impl Arena {
    /// Returns a mark of the bottom end, for [`rewind_bottom`](Self::rewind_bottom).
    #[must_use]
    pub fn bottom_mark(&self) -> BottomMark {
        BottomMark(self.mark::<Bottom>())
    }

    /// Returns a mark of the top end, for [`rewind_top`](Self::rewind_top).
    #[must_use]
    pub fn top_mark(&self) -> TopMark {
        TopMark(self.mark::<Top>())
    }

    /// Frees the blocks of the bottom end since the mark was made.
    ///
    /// If that includes a value with an [`ArenaHandle`](super::ArenaHandle), an epoch begins, and
    /// all handles of the arena are stale, also those to values that stay. A mark records only the
    /// bytes in use. It is valid as long as at least that many bytes are in use, even if an epoch
    /// began since, until the whole arena is reset.
    ///
    /// # Safety
    ///
    /// Nothing above the mark is used any more: no block, not even to free it, and no reference to
    /// a value. Collections there were dropped or forgotten. Handles may be kept.
    ///
    /// # Errors
    ///
    /// See [`RewindError`]. After an error the arena is unchanged.
    pub unsafe fn rewind_bottom(&self, mark: BottomMark) -> Result<(), RewindError> {
        // SAFETY: the caller promises that nothing of the bottom end beyond the mark is used any
        // more.
        unsafe { self.rewind::<Bottom>(mark.0) }
    }

    /// Frees the blocks of the top end since the mark was made.
    ///
    /// It works like [`rewind_bottom`](Self::rewind_bottom), with the ends exchanged.
    ///
    /// # Safety
    ///
    /// Nothing below the mark is used any more: no block, not even to free it, and no reference to
    /// a value. Collections there were dropped or forgotten. Handles may be kept.
    ///
    /// # Errors
    ///
    /// See [`RewindError`]. After an error the arena is unchanged.
    pub unsafe fn rewind_top(&self, mark: TopMark) -> Result<(), RewindError> {
        // SAFETY: the caller promises that nothing of the top end beyond the mark is used any more.
        unsafe { self.rewind::<Top>(mark.0) }
    }

    fn mark<S: Side>(&self) -> Mark {
        Mark {
            arena: self.identity,
            epoch: self.epoch(),
            used: S::end(self).used(),
        }
    }

    /// Rewinds one end to a mark.
    ///
    /// # Safety
    ///
    /// Nothing of this end beyond its first `mark.used` bytes is used any more.
    unsafe fn rewind<S: Side>(&self, mark: Mark) -> Result<(), RewindError> {
        if mark.arena != self.identity {
            return Err(RewindError::OtherArena);
        }
        // Epochs that began without a reset of this end do not count: a rewind to a later mark may
        // have begun them. An epoch after the current one is from before `force_reset_epoch`.
        if mark.epoch < S::end(self).reset_epoch() || mark.epoch > self.epoch() {
            return Err(RewindError::EarlierEpoch);
        }
        if mark.used > S::end(self).used() {
            return Err(RewindError::AboveUse);
        }
        // SAFETY: by the check above, `mark.used` is at most the bytes in use. By this function's
        // contract, nothing of this end beyond them is used any more.
        unsafe { self.lower::<S>(mark.used)? };
        Ok(())
    }

    /// Lowers the end to `used` bytes. It begins an epoch if that frees a value with a handle.
    ///
    /// # Safety
    ///
    /// - `used` is at most the bytes in use.
    /// - Nothing of this end beyond its first `used` bytes is used any more.
    pub(super) unsafe fn lower<S: Side>(&self, used: usize) -> Result<(), EpochSaturated> {
        if used < S::end(self).handles_reach() {
            self.begin_epoch()?;
        }
        // SAFETY: by the contract, `used` is at most the bytes in use, which fit, and nothing of
        // this end beyond `used` is used any more. If a handle reached beyond it, an epoch has
        // begun, and every handle is stale.
        unsafe { S::end(self).set_used(used) };
        Ok(())
    }
}
