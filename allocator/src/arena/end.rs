//! The two bump ends: placing, freeing and resizing blocks.

use core::alloc::Layout;
use core::cell::Cell;
use core::ops::Range;
use core::ptr::{self, NonNull};

use allocator_api2::alloc::AllocError;

use super::Arena;
use crate::grain::{GRAIN, rounded};

/// The state of one end of an arena, in bytes from the start of that end.
#[derive(Debug)]
pub(super) struct End {
    used: Cell<usize>,
    peak: Cell<usize>,
    /// The end of the last block with an `ArenaHandle` of this epoch: 0 if there is none, and at
    /// most `used`.
    handles_reach: Cell<usize>,
    /// The epoch that the last reset of this end began. Marks of earlier epochs are void.
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

    /// Sets the bytes in use.
    ///
    /// # Safety
    ///
    /// - Together with the other end, `used` is at most the arena's capacity.
    /// - No block of this end beyond its first `used` bytes is used any more.
    /// - Every handle to such a block is stale: `used` is at least `handles_reach`.
    #[inline(always)]
    pub(super) unsafe fn set_used(&self, used: usize) {
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

    /// Records that the newest block has an `ArenaHandle`.
    pub(super) fn handle_made(&self) {
        self.handles_reach.set(self.used.get());
    }

    /// Records that every handle is stale.
    ///
    /// # Safety
    ///
    /// Every handle to a value of this end is stale.
    pub(super) unsafe fn handles_void(&self) {
        self.handles_reach.set(0);
    }

    /// Empties the end. Marks are valid from `epoch` on.
    ///
    /// # Safety
    ///
    /// - No block of this end is used any more.
    /// - Every handle to a value of this end is stale.
    pub(super) unsafe fn empty(&self, epoch: u64) {
        // SAFETY: by the contract, every handle is stale.
        unsafe { self.handles_void() };
        // SAFETY: 0 bytes always fit. By the contract, no block of this end is used any more, and
        // every handle is stale; `handles_reach` is 0 since the line before.
        unsafe { self.set_used(0) };
        self.reset_epoch.set(epoch);
    }
}

/// The differences between the two ends. Offsets are bytes from the start of the buffer.
pub(super) trait Side {
    fn end(arena: &Arena) -> &End;

    /// Returns the addresses that would be free if this end had `used` bytes in use.
    fn free(arena: &Arena, used: usize) -> Range<usize>;

    /// Returns the address of a block as near to this end as possible, with its record on the side
    /// of this end, or `None` if it does not fit.
    fn place(free: Range<usize>, block: Whole) -> Option<usize>;

    /// Returns the offset of the record beside a block of `size` bytes, on the side of this end.
    fn record(offset: usize, size: usize) -> usize;

    /// Returns the bytes in use if the newest block has `size` bytes at `offset`.
    fn used_with(arena: &Arena, offset: usize, size: usize) -> usize;

    /// Returns the bytes in use after the newest block, of `size` bytes at `offset`, is freed.
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
        // No sum wraps: `used` is at most the capacity, and one allocation ends inside the address
        // space.
        let start = arena.base.addr().get();
        start + used..start + (arena.capacity - arena.top.used())
    }

    #[inline(always)]
    fn place(free: Range<usize>, block: Whole) -> Option<usize> {
        let lowest = free.start.checked_add(block.gap())?;
        let start = lowest.checked_next_multiple_of(block.align)?;
        let end = start.checked_add(block.size)?;
        (end <= free.end).then_some(start)
    }

    #[inline(always)]
    fn record(offset: usize, _: usize) -> usize {
        offset - RECORD_LENGTH
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
        // No sum wraps, as at the bottom.
        let start = arena.base.addr().get();
        start + arena.bottom.used()..start + (arena.capacity - used)
    }

    #[inline(always)]
    fn place(free: Range<usize>, block: Whole) -> Option<usize> {
        // The sum does not wrap: the size is that of a layout, and rounding and record are short.
        let lowest = free.end.checked_sub(block.size + block.gap())?;
        // An alignment is a power of two: this clears the bits below it.
        let start = lowest & !(block.align - 1);
        (start >= free.start).then_some(start)
    }

    #[inline(always)]
    fn record(offset: usize, size: usize) -> usize {
        offset + size
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

/// The bytes beside a block with an alignment of more than [`GRAIN`].
///
/// They are a `usize`: the bytes in use before the block was allocated.
const RECORD_LENGTH: usize = size_of::<usize>();

/// The size and alignment of a block itself: multiples of [`GRAIN`].
///
/// A usual alignment therefore leaves no gap. The size may exceed that of a layout, by less than
/// `GRAIN`.
#[derive(Clone, Copy)]
pub(super) struct Whole {
    size: usize,
    align: usize,
}

impl Whole {
    #[inline(always)]
    pub(super) fn of(layout: Layout) -> Self {
        Self {
            size: rounded(layout.size()),
            align: layout.align().max(GRAIN),
        }
    }

    /// The least gap between the block and those before it: that for its record, if it has one.
    #[inline(always)]
    fn gap(self) -> usize {
        if self.has_record() { RECORD_LENGTH } else { 0 }
    }

    #[inline(always)]
    fn has_record(self) -> bool {
        self.align > GRAIN
    }
}

/// Blocks of any kind.
///
/// An empty block takes no bytes, lies nowhere in the buffer, and is never the newest. Blocks
/// therefore share no byte, and freeing a block does not touch newer blocks.
impl Arena {
    /// Allocates a block for `layout`. Its bytes have any values.
    #[inline(always)]
    pub(super) fn allocate<S: Side>(&self, layout: Layout) -> Result<NonNull<u8>, AllocError> {
        if layout.size() == 0 {
            return Ok(layout.dangling_ptr());
        }
        // SAFETY: these are the bytes in use, so all blocks of this end are among them. The layout
        // has a size.
        unsafe { self.take::<S>(S::end(self).used(), layout) }
    }

    /// Frees a block: at once if it is the newest of its end, otherwise with the next reset.
    ///
    /// # Safety
    ///
    /// - The block came from [`allocate`](Self::allocate) or [`resize`](Self::resize) of the same
    ///   side, with this layout.
    /// - It has no `ArenaHandle`.
    /// - It was not freed since, not by a rewind or reset either.
    #[inline(always)]
    pub(super) unsafe fn deallocate<S: Side>(&self, block: NonNull<u8>, layout: Layout) {
        // SAFETY: by the contract, the block is a live block of this side with this layout.
        if let Some(used) = unsafe { self.used_without::<S>(block, layout) } {
            // SAFETY: `used` is less than the bytes in use. Beyond it is only this block, the
            // newest, which by the contract the caller frees, and which has no handle.
            unsafe { S::end(self).set_used(used) };
        }
    }

    /// Changes the layout of a block, to any size and alignment.
    ///
    /// It keeps the bytes that both sizes have. If the new layout does not fit, the block stays as
    /// it is.
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
            // SAFETY: by this function's contract, the block came from this side with the layout
            // `old`, has no `ArenaHandle`, and was not freed since.
            unsafe { self.deallocate::<S>(block, old) };
            return Ok(new.dangling_ptr());
        }
        let kept = old.size().min(new.size());
        // SAFETY: by the contract, the block is a live block of this side with this layout.
        if let Some(used) = unsafe { self.used_without::<S>(block, old) } {
            // The newest block can use its own bytes again: it needs only the difference.
            let new = Whole::of(new);
            let offset = self.find::<S>(used, new)?;
            // SAFETY: `find` returned an offset inside the buffer, which is one allocation.
            let moved = unsafe { self.base.add(offset) };
            if moved != block {
                // SAFETY: by the contract, `block` has `old.size()` bytes, and `find` returned the
                // offset of `new.size()` free bytes, or bytes of the block. `kept` is at most
                // either. Both lie in the buffer and share no byte with other blocks. They may
                // overlap, which `copy` allows.
                unsafe { ptr::copy(block.as_ptr(), moved.as_ptr(), kept) };
            }
            // SAFETY: `find` returned the offset for these arguments. Beyond `used` is only this
            // block, the newest. It has no handle, and its bytes were moved.
            return Ok(unsafe { self.occupy::<S>(used, offset, new) });
        }
        let (old_block, new_block) = (Whole::of(old), Whole::of(new));
        if new_block.size <= old_block.size && new_block.align <= old_block.align {
            if new_block.has_record() {
                let offset = block.addr().get() - self.base.addr().get();
                // SAFETY: the alignment of the old layout is not less, so `occupy` wrote a record
                // beside the block. The read needs no alignment.
                let used = unsafe { self.record::<S>(offset, old_block.size).read_unaligned() };
                // SAFETY: the place is that of the old record, or in the part of the block that the
                // caller gives up, and that record. The write needs no alignment.
                unsafe {
                    self.record::<S>(offset, new_block.size)
                        .write_unaligned(used)
                };
            }
            // The caller's pointer may reach only the old size.
            return Ok(self.base.with_addr(block.addr()));
        }
        // SAFETY: these are the bytes in use, so all blocks of this end are among them. The layout
        // has a size.
        let moved = unsafe { self.take::<S>(S::end(self).used(), new)? };
        // SAFETY: by the contract, `block` has `old.size()` bytes, and `take` returned `new.size()`
        // bytes at `moved`. `kept` is at most either. The two do not overlap: `block` is in use,
        // and `moved` comes from free bytes. If `block` is empty it may be dangling, and no byte is
        // copied.
        unsafe { ptr::copy_nonoverlapping(block.as_ptr(), moved.as_ptr(), kept) };
        Ok(moved)
    }

    /// Takes a block as if the end had `used` bytes in use. If it does not fit, nothing changes.
    ///
    /// # Safety
    ///
    /// - `used` is at most the bytes in use.
    /// - If the block fits, no block of this end beyond its first `used` bytes is used any more,
    ///   except to move its bytes to the new block, and none of them has a handle.
    /// - The layout has a size.
    #[inline(always)]
    unsafe fn take<S: Side>(&self, used: usize, layout: Layout) -> Result<NonNull<u8>, AllocError> {
        let block = Whole::of(layout);
        let offset = self.find::<S>(used, block)?;
        // SAFETY: `find` returned the offset for these arguments. The caller promises the rest.
        Ok(unsafe { self.occupy::<S>(used, offset, block) })
    }

    /// Returns the offset for a whole block if the end had `used` bytes in use.
    #[inline(always)]
    fn find<S: Side>(&self, used: usize, block: Whole) -> Result<usize, AllocError> {
        let address = S::place(S::free(self, used), block).ok_or(AllocError)?;
        Ok(address - self.base.addr().get())
    }

    /// Makes a whole block the newest, as if the end had `used` bytes in use.
    ///
    /// # Safety
    ///
    /// - [`find`](Self::find) returned `offset` for the same `used` and block.
    /// - `used` is at most the bytes in use.
    /// - No block of this end beyond its first `used` bytes is used any more, and none of them has
    ///   a handle.
    #[inline(always)]
    unsafe fn occupy<S: Side>(&self, used: usize, offset: usize, block: Whole) -> NonNull<u8> {
        // SAFETY: `find` returned a block inside the free part, so both ends fit into the buffer.
        // By the contract, blocks that stay lie within the first `used` bytes, and the new `used`
        // covers those and the new block. Handles reach only to blocks that stay.
        unsafe { S::end(self).set_used(S::used_with(self, offset, block.size)) };
        if block.has_record() {
            let record = self.record::<S>(offset, block.size);
            // SAFETY: `find` kept a gap of `RECORD_LENGTH` bytes between the first `used` bytes and
            // the block. It lies in the buffer, and no block uses it. The write needs no alignment.
            unsafe { record.write_unaligned(used) };
        }
        // SAFETY: `find` returned an offset inside the buffer, which is one allocation from `base`
        // on.
        unsafe { self.base.add(offset) }
    }

    /// Returns the address of the record of a whole block.
    #[inline(always)]
    fn record<S: Side>(&self, offset: usize, size: usize) -> *mut usize {
        let base = self.base.as_ptr();
        base.wrapping_add(S::record(offset, size)).cast()
    }

    /// Returns the bytes in use without the block, if it is the newest one of its end.
    ///
    /// # Safety
    ///
    /// The block is a live block of this side with this layout.
    #[inline(always)]
    unsafe fn used_without<S: Side>(&self, block: NonNull<u8>, layout: Layout) -> Option<usize> {
        if layout.size() == 0 {
            return None;
        }
        let Whole { size, .. } = Whole::of(layout);
        let offset = block.addr().get() - self.base.addr().get();
        if S::used_with(self, offset, size) != S::end(self).used() {
            return None;
        }
        if Whole::of(layout).has_record() {
            // SAFETY: by the contract, the block has this layout, so `occupy` wrote its record,
            // which is part of no block. The read needs no alignment.
            return Some(unsafe { self.record::<S>(offset, size).read_unaligned() });
        }
        Some(S::used_without(self, offset, size))
    }
}
