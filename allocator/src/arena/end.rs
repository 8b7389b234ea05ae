//! The two bump ends: where a block goes, and what happens to it.

use core::alloc::Layout;
use core::cell::Cell;
use core::ops::Range;
use core::ptr::{self, NonNull};

use allocator_api2::alloc::AllocError;

use super::Arena;

/// What an arena knows of one of its ends. All in bytes, counted from where the end starts.
#[derive(Debug)]
pub(super) struct End {
    used: Cell<usize>,
    peak: Cell<usize>,
    /// How far the blocks behind this epoch's `ArenaHandle`s reach: 0 if there are none, and never more
    /// than `used`.
    handles_reach: Cell<usize>,
    /// The epoch that the last reset of this end began. Marks of earlier ones are void.
    reset_epoch: Cell<u64>,
}

impl End {
    pub(super) const fn new() -> Self {
        Self {
            used: Cell::new(0),
            peak: Cell::new(0),
            handles_reach: Cell::new(0),
            reset_epoch: Cell::new(0),
        }
    }

    #[inline(always)]
    pub(super) fn used(&self) -> usize {
        self.used.get()
    }

    pub(super) fn peak(&self) -> usize {
        self.peak.get()
    }

    pub(super) fn handles_reach(&self) -> usize {
        self.handles_reach.get()
    }

    pub(super) fn reset_epoch(&self) -> u64 {
        self.reset_epoch.get()
    }

    #[inline(always)]
    pub(super) fn set_used(&self, used: usize) {
        debug_assert!(
            used >= self.handles_reach.get(),
            "the block of an ArenaHandle was freed as though it were a plain one"
        );
        self.used.set(used);
        if used > self.peak.get() {
            self.peak.set(used);
        }
    }

    pub(super) fn clear_peak(&self) {
        self.peak.set(self.used.get());
    }

    /// From here on the newest block is one behind an `ArenaHandle`.
    pub(super) fn handle_made(&self) {
        self.handles_reach.set(self.used.get());
    }

    /// From here on no block is behind a handle that is not stale.
    pub(super) fn handles_void(&self) {
        self.handles_reach.set(0);
    }

    /// Nothing is in use, and `epoch` is the first whose marks count.
    pub(super) fn empty(&self, epoch: u64) {
        self.handles_void();
        self.set_used(0);
        self.reset_epoch.set(epoch);
    }
}

/// What differs between the ends. Offsets are bytes from the start of the buffer.
pub(super) trait Side {
    fn end(arena: &Arena) -> &End;

    /// The addresses that would be free if this end had `used` bytes in use.
    fn free(arena: &Arena, used: usize) -> Range<usize>;

    /// The address of a block as near to this end as it can be, `None` if there is no room.
    fn place(free: Range<usize>, layout: Layout) -> Option<usize>;

    /// Bytes in use if the newest block is the one of `size` bytes at `offset`.
    fn used_with(arena: &Arena, offset: usize, size: usize) -> usize;

    /// Bytes in use if the block of `size` bytes at `offset` was the newest one and is gone.
    fn used_without(arena: &Arena, offset: usize, size: usize) -> usize;
}

/// The end that grows up from the start of the buffer.
pub(super) struct Bottom;

impl Side for Bottom {
    #[inline(always)]
    fn end(arena: &Arena) -> &End {
        &arena.bottom
    }

    #[inline(always)]
    fn free(arena: &Arena, used: usize) -> Range<usize> {
        // No sum wraps: `used` is within the capacity, and one allocation has no byte past the address
        // space.
        let start = arena.base.addr().get();
        start + used..start + (arena.capacity - arena.top.used())
    }

    #[inline(always)]
    fn place(free: Range<usize>, layout: Layout) -> Option<usize> {
        let start = free.start.checked_next_multiple_of(layout.align())?;
        let end = start.checked_add(layout.size())?;
        (end <= free.end).then_some(start)
    }

    #[inline(always)]
    fn used_with(_: &Arena, offset: usize, size: usize) -> usize {
        offset + size
    }

    #[inline(always)]
    fn used_without(_: &Arena, offset: usize, _: usize) -> usize {
        offset
    }
}

/// The end that grows down from the end of the buffer.
pub(super) struct Top;

impl Side for Top {
    #[inline(always)]
    fn end(arena: &Arena) -> &End {
        &arena.top
    }

    #[inline(always)]
    fn free(arena: &Arena, used: usize) -> Range<usize> {
        // As at the bottom.
        let start = arena.base.addr().get();
        start + arena.bottom.used()..start + (arena.capacity - used)
    }

    #[inline(always)]
    fn place(free: Range<usize>, layout: Layout) -> Option<usize> {
        // An align is a power of two: this clears the bits below it.
        let start = free.end.checked_sub(layout.size())? & !(layout.align() - 1);
        (start >= free.start).then_some(start)
    }

    #[inline(always)]
    fn used_with(arena: &Arena, offset: usize, _: usize) -> usize {
        arena.capacity - offset
    }

    #[inline(always)]
    fn used_without(arena: &Arena, offset: usize, size: usize) -> usize {
        arena.capacity - (offset + size)
    }
}

/// Blocks of any kind. A block without bytes takes none, stands nowhere in the buffer and is never the
/// newest: so blocks share no byte, and what is newer than a block is not touched when it goes.
impl Arena {
    /// A block for `layout`, its bytes as they happen to be.
    #[inline(always)]
    pub(super) fn allocate<S: Side>(&self, layout: Layout) -> Result<NonNull<u8>, AllocError> {
        if layout.size() == 0 {
            return Ok(layout.dangling_ptr());
        }
        self.take::<S>(S::end(self).used(), layout)
    }

    /// Gives a block back: at once if it is the newest of its end, otherwise with the next reset.
    ///
    /// # Safety
    ///
    /// The block came from [`allocate`](Self::allocate) or [`resize`](Self::resize) of the same side
    /// with this layout, is behind no `ArenaHandle` and was not freed since, by a rewind or a reset
    /// neither.
    #[inline(always)]
    pub(super) unsafe fn deallocate<S: Side>(&self, block: NonNull<u8>, layout: Layout) {
        if let Some(used) = self.used_without::<S>(block, layout) {
            S::end(self).set_used(used);
        }
    }

    /// Makes a block fit another layout, which may be larger or smaller and aligned more or less. The
    /// bytes that it has in both sizes are kept. If there is no room the block stays as it is.
    ///
    /// # Safety
    ///
    /// As for [`deallocate`](Self::deallocate), with `old` for the layout.
    #[inline(always)]
    pub(super) unsafe fn resize<S: Side>(
        &self,
        block: NonNull<u8>,
        old: Layout,
        new: Layout,
    ) -> Result<NonNull<u8>, AllocError> {
        if new.size() == 0 {
            // SAFETY: the caller's promise is the same.
            unsafe { self.deallocate::<S>(block, old) };
            return Ok(new.dangling_ptr());
        }
        let kept = old.size().min(new.size());
        if let Some(used) = self.used_without::<S>(block, old) {
            // The newest block can have its own room again: it needs only what it has not yet.
            let moved = self.take::<S>(used, new)?;
            if moved != block {
                // SAFETY: the caller vouches for `old.size()` bytes at `block`, and `take` for
                // `new.size()` at `moved`; `kept` is at most either. Both are in the buffer and free of
                // other blocks. They may overlap, and `copy` allows for that.
                unsafe { ptr::copy(block.as_ptr(), moved.as_ptr(), kept) };
            }
            return Ok(moved);
        }
        if new.size() <= old.size() && block.addr().get().is_multiple_of(new.align()) {
            return Ok(block);
        }
        let moved = self.take::<S>(S::end(self).used(), new)?;
        // SAFETY: as above, and the two do not overlap, because `block` is still in use where the new
        // block was taken from what is free. Without any bytes `block` may be dangling, and none are
        // copied.
        unsafe { ptr::copy_nonoverlapping(block.as_ptr(), moved.as_ptr(), kept) };
        Ok(moved)
    }

    /// Takes a block, which is not empty, as though the end had `used` bytes in use, and changes nothing
    /// if there is no room. `used` is at most what it has in use.
    #[inline(always)]
    fn take<S: Side>(&self, used: usize, layout: Layout) -> Result<NonNull<u8>, AllocError> {
        let address = S::place(S::free(self, used), layout).ok_or(AllocError)?;
        let offset = address - self.base.addr().get();
        S::end(self).set_used(S::used_with(self, offset, layout.size()));
        // SAFETY: `place` has put `layout.size()` bytes at `address` inside the free part of the buffer,
        // so `offset` is within it, and the buffer is one allocation behind `base`.
        let block = unsafe { self.base.add(offset) };
        Ok(block)
    }

    /// The bytes in use without the block, if it is the newest one of its end.
    #[inline(always)]
    fn used_without<S: Side>(&self, block: NonNull<u8>, layout: Layout) -> Option<usize> {
        if layout.size() == 0 {
            return None;
        }
        let offset = block.addr().get() - self.base.addr().get();
        let newest = S::used_with(self, offset, layout.size()) == S::end(self).used();
        newest.then(|| S::used_without(self, offset, layout.size()))
    }
}
