//! Marks, and going back to them.

use core::error::Error;
use core::fmt;

use super::end::{Bottom, Side, Top};
use super::identity::Identity;
use super::{Arena, EpochSaturated};

/// How much the bottom end of an arena had in use at some moment.
///
/// It belongs to the arena that made it, wherever that is moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BottomMark(Mark);

/// How much the top end of an arena had in use at some moment.
///
/// It belongs to the arena that made it, wherever that is moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TopMark(Mark);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mark {
    arena: Identity,
    epoch: u64,
    used: usize,
}

/// Why an end did not go back to a mark. Nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RewindError {
    /// The mark was made by another arena.
    OtherArena,
    /// The whole arena was reset since the mark was made, or its top by
    /// [`reset_top_unchecked`](super::Arena::reset_top_unchecked).
    EarlierEpoch,
    /// Less is in use than when the mark was made.
    AboveUse,
    /// The rewind would free the value behind an [`ArenaHandle`](super::ArenaHandle), which has to begin
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

/// Marks.
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
/// // SAFETY: the 200 bytes are not used any more.
/// unsafe { arena.rewind_bottom(mark)? };
/// assert_eq!(arena.bottom_used(), 100);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
impl Arena {
    /// Where the bottom end is, to go back there with [`rewind_bottom`](Self::rewind_bottom).
    #[must_use]
    pub fn bottom_mark(&self) -> BottomMark {
        BottomMark(self.mark::<Bottom>())
    }

    /// Where the top end is, to go back there with [`rewind_top`](Self::rewind_top).
    #[must_use]
    pub fn top_mark(&self) -> TopMark {
        TopMark(self.mark::<Top>())
    }

    /// Frees what the bottom end has taken since the mark was made.
    ///
    /// If that includes a value behind an [`ArenaHandle`](super::ArenaHandle), an epoch begins, and all
    /// handles of the arena are stale, those to values that stay included. A mark says how much was in use, and
    /// no more: it may be rewound to as long as that much is, whether or not an epoch has begun meanwhile, until
    /// the whole arena is reset.
    ///
    /// # Safety
    ///
    /// What reaches above the mark is not used any more: no block, not even to be freed, and no
    /// reference to a value. Collections there were dropped or forgotten. Handles may be kept.
    ///
    /// # Errors
    ///
    /// See [`RewindError`]. Whatever it is, the arena is as it was.
    pub unsafe fn rewind_bottom(&self, mark: BottomMark) -> Result<(), RewindError> {
        // SAFETY: the caller's promise, which speaks of the bottom, as the mark does.
        unsafe { self.rewind::<Bottom>(mark.0) }
    }

    /// Frees what the top end has taken since the mark was made.
    ///
    /// Everything said of [`rewind_bottom`](Self::rewind_bottom) holds here, with the ends exchanged.
    ///
    /// # Safety
    ///
    /// What reaches below the mark is not used any more: no block, not even to be freed, and no
    /// reference to a value. Collections there were dropped or forgotten. Handles may be kept.
    ///
    /// # Errors
    ///
    /// See [`RewindError`]. Whatever it is, the arena is as it was.
    pub unsafe fn rewind_top(&self, mark: TopMark) -> Result<(), RewindError> {
        // SAFETY: the caller's promise, which speaks of the top, as the mark does.
        unsafe { self.rewind::<Top>(mark.0) }
    }

    fn mark<S: Side>(&self) -> Mark {
        Mark {
            arena: self.identity,
            epoch: self.epoch(),
            used: S::end(self).used(),
        }
    }

    /// # Safety
    ///
    /// What this end has in use beyond `mark.used` bytes is not used any more.
    unsafe fn rewind<S: Side>(&self, mark: Mark) -> Result<(), RewindError> {
        if mark.arena != self.identity {
            return Err(RewindError::OtherArena);
        }
        // Epochs that began without a reset of this end do not count: a rewind to a later mark may have
        // begun them. A later epoch than the arena's is of before `force_reset_epoch`.
        if mark.epoch < S::end(self).reset_epoch() || mark.epoch > self.epoch() {
            return Err(RewindError::EarlierEpoch);
        }
        if mark.used > S::end(self).used() {
            return Err(RewindError::AboveUse);
        }
        // SAFETY: `lower` asks that nothing beyond `mark.used` bytes is used any more, and so does this function of its
        // caller; that so much is in use was just seen.
        unsafe { self.lower::<S>(mark.used)? };
        Ok(())
    }

    /// Lowers the end to `used` bytes, which is at most what it has in use, and begins an epoch if a
    /// handle leads to what that frees.
    ///
    /// # Safety
    ///
    /// What this end has in use beyond `used` bytes is not used any more.
    pub(super) unsafe fn lower<S: Side>(&self, used: usize) -> Result<(), EpochSaturated> {
        if used < S::end(self).handles_reach() {
            self.begin_epoch()?;
        }
        S::end(self).set_used(used);
        Ok(())
    }
}
