//! The default heap: a bump pointer.

use core::alloc::{GlobalAlloc, Layout};
use core::marker::PhantomData;
use core::mem::MaybeUninit;
use core::ptr;

use bytemuck::Zeroable;

use crate::MIN_HEAP_LENGTH;
use crate::grain::{GRAIN, rounded};
use crate::source::{
    BorrowedHeap, FixedHeap, HEADER_LENGTH, HeapSource, LoaderHeap, PageMemory, WasmMemory,
};

/// A heap that grows upward and takes back only its most recent block.
///
/// | operation | what it does |
/// |---|---|
/// | `alloc` | moves the top up, by a multiple of 8; returns null if that would exceed the limit |
/// | `alloc_zeroed` | the same, and zeroes only bytes that were allocated before |
/// | `dealloc` | moves the top back if the block is the most recent one; otherwise leaks it, by design |
/// | `realloc` | at the top: grows and shrinks in place; elsewhere: shrinks in place, and grows by a copy |
///
/// A block takes a multiple of 8 bytes, so blocks with an alignment of up to 8 lie without gaps. A
/// block with a larger alignment has a gap below it, which records where it starts. A program that
/// frees its blocks in reverse order of allocation therefore gets all their bytes back. Only two
/// kinds of bytes stay in use: those that align the first block, if the heap itself is not aligned
/// to 8, and those that a block loses by shrinking below the top.
///
/// # Layout
///
/// All its state is at the heap base, so that a loader can read it after a run:
///
/// ```text
/// base                       8                     first block
/// │ used: u32 │ peak: u32 │ padding │ G, if any │ blocks … │ free … │ limit
/// ```
///
/// `used` counts the bytes from the first block to the top, rounding and gaps included. `peak` is
/// the greatest `used` that was lowered since. Both are zero in a fresh heap, and so is the `G`, so
/// the program initializes nothing. The header may be unaligned. If a source grows and its new
/// bytes do not adjoin the old ones, `used` includes the bytes in between, which belong to other
/// code.
///
/// # State of the program
///
/// `G` is a value that the program keeps at the base of its heap and accesses with
/// [`global`](Self::global). Such state needs no allocation and no `static mut`. It starts as
/// zeroes, changes through cells, and is never dropped.
///
/// ```
/// use allocator::BumpAllocator;
/// use core::cell::Cell;
/// use core::mem::MaybeUninit;
///
/// let mut buffer = [MaybeUninit::uninit(); 256];
/// let heap = BumpAllocator::<Cell<u64>, _>::from_buffer(&mut buffer);
/// heap.global().set(heap.global().get() + 1);
/// assert_eq!(heap.global().get(), 1);
/// ```
///
/// A `G` that does not fit in [`MIN_HEAP_LENGTH`] does not compile.
#[derive(Debug)]
pub struct BumpAllocator<G = (), S = LoaderHeap> {
    source: S,
    _global: PhantomData<G>,
}

/// The heap at this moment. Offsets are from `start`.
struct Heap {
    /// The address after the header.
    start: *mut u8,
    /// The address after the last byte.
    end: *mut u8,
    /// The offset of the first block. If it is beyond the end, no block fits.
    first: usize,
}

/// The bytes right below a block with an alignment of more than [`GRAIN`].
///
/// They are a `u32`: the bytes in use before the block was allocated.
const RECORD_LENGTH: usize = size_of::<u32>();

/// Returns the most bytes that align a block.
#[inline(always)]
const fn gap_most(layout: Layout) -> usize {
    if layout.align() <= GRAIN {
        GRAIN - 1
    } else {
        layout.align() - 1 + RECORD_LENGTH
    }
}

/// A place for a block. It may be beyond the end: see [`Heap::fits`].
struct Place {
    address: usize,
    /// The address after the block, which may wrap around.
    end: usize,
}

impl<G: Zeroable> BumpAllocator<G> {
    /// Returns the heap that the loader announces. See [`set_heap_base`](crate::set_heap_base).
    ///
    /// # Safety
    ///
    /// - It is the only allocator over the announced heap.
    /// - The program uses it from one thread.
    #[must_use]
    pub const unsafe fn new() -> Self {
        // SAFETY: the caller builds no other allocator over the announced heap.
        let source = unsafe { LoaderHeap::new() };
        // SAFETY: the source is new, so no other allocator uses it and its region is unwritten. The
        // caller uses the allocator from one thread.
        unsafe { Self::with_source(source) }
    }
}

impl<'buffer, G: Zeroable> BumpAllocator<G, BorrowedHeap<'buffer>> {
    /// Returns a heap in a buffer, which is zeroed first.
    ///
    /// If header and `G` do not fit in the buffer, the heap refuses every allocation.
    pub fn from_buffer(buffer: &'buffer mut [MaybeUninit<u8>]) -> Self {
        // SAFETY: the source is new, so no other allocator uses it and its region is unwritten. The
        // allocator is not `Sync`, so one thread uses it.
        unsafe { Self::with_source(BorrowedHeap::new(buffer)) }
    }
}

impl<G: Zeroable, S: HeapSource> BumpAllocator<G, S> {
    /// The most bytes of the state, including the gap before it.
    const STATE_MOST: usize = align_of::<G>() - 1 + size_of::<G>();

    const GLOBAL_FITS: () = assert!(
        HEADER_LENGTH + Self::STATE_MOST <= MIN_HEAP_LENGTH,
        "the heap's global state does not fit in the 32 KiB that every program has"
    );

    /// Returns a heap over any source.
    ///
    /// # Safety
    ///
    /// - No other allocator is built over the same region, and nothing has been written to it.
    /// - The allocator is used from one thread.
    #[must_use]
    pub const unsafe fn with_source(source: S) -> Self {
        const { Self::GLOBAL_FITS };
        Self {
            source,
            _global: PhantomData,
        }
    }

    /// Returns the program's state at the heap base.
    ///
    /// # Panics
    ///
    /// If the state does not fit: the heap was never announced, or its buffer is too short.
    #[inline]
    #[must_use]
    pub fn global(&self) -> &G {
        let mut heap = self.heap();
        if heap.room() == 0
            && self
                .source
                .grow(Self::STATE_MOST, Self::STATE_MOST)
                .is_some()
        {
            heap = self.heap();
        }
        if heap.first > heap.room() {
            no_room_for_global(self.source.limit());
        }
        // SAFETY: by the check above, `first` bytes from `start` on are in the space, and the `G`
        // is the last of them, so the offset stays inside one allocation.
        let global = unsafe { heap.start.add(heap.first - size_of::<G>()) };
        // SAFETY: `first` makes this address aligned for `G`. By the source's contract the bytes
        // were zeroed, and zeroes are a valid `G`. Blocks start at `first`, so the bytes change
        // only through such references. The source outlives `self`, and `self` outlives the
        // reference. `start` no longer changes, because the space is not empty.
        unsafe { &*global.cast::<G>() }
    }

    /// Returns the bytes in use: from the first block to the top, rounding and gaps included.
    #[must_use]
    pub fn used(&self) -> usize {
        self.heap().used()
    }

    /// Returns the most bytes that were in use at the same time.
    #[must_use]
    pub fn peak(&self) -> usize {
        let heap = self.heap();
        heap.peak().max(heap.used())
    }

    /// Returns the length of the heap in bytes, header and state included.
    ///
    /// Returns 0 if the heap was never announced.
    #[must_use]
    pub fn limit(&self) -> usize {
        self.source.limit()
    }

    /// Returns a block through the heap's own pointer. See `Heap::own`.
    #[inline(always)]
    pub(crate) fn own(&self, block: *mut u8) -> *mut u8 {
        self.heap().own(block)
    }

    /// Returns whether the block of `size` bytes at `block` ends at the top.
    #[inline(always)]
    pub(crate) fn is_newest(&self, block: *mut u8, size: usize) -> bool {
        let heap = self.heap();
        heap.position(block) + rounded(size) == heap.used()
    }

    #[inline(always)]
    fn heap(&self) -> Heap {
        let start = self.source.start();
        let first = if size_of::<G>() == 0 && align_of::<G>() == 1 {
            0
        } else {
            // At most `MIN_HEAP_LENGTH`, by `GLOBAL_FITS`, so the sum cannot wrap.
            start.addr().wrapping_neg() % align_of::<G>() + size_of::<G>()
        };
        Heap {
            start,
            end: self.source.end(),
            first,
        }
    }

    /// Takes a block from the top. Returns null if it does not fit.
    #[inline(always)]
    fn take(&self, layout: Layout) -> *mut u8 {
        let heap = self.heap();
        let from = heap.top();
        let place = heap.place(from, layout);
        if heap.fits(&place) {
            // SAFETY: the place is that of the layout above the top, and fits.
            return unsafe { heap.occupy(&place, from, layout) };
        }
        match self.grow(&place, layout) {
            // SAFETY: `grow` returns an offset at or above the top.
            Some(from) => unsafe { self.take_above(from, layout) },
            None => ptr::null_mut(),
        }
    }

    /// Takes a block at or above the offset `from`. Returns null if it does not fit.
    ///
    /// # Safety
    ///
    /// `from` is not below the top.
    #[inline(always)]
    unsafe fn take_above(&self, from: usize, layout: Layout) -> *mut u8 {
        let heap = self.heap();
        let place = heap.place(from, layout);
        if heap.fits(&place) {
            // SAFETY: the place is that of the layout above `from`, and fits. By the contract,
            // `from` is not below the top.
            unsafe { heap.occupy(&place, from, layout) }
        } else {
            ptr::null_mut()
        }
    }

    /// Grows the source for a block that does not fit in its place.
    ///
    /// Returns the offset from which the block can be placed. It is not below the top.
    #[inline(always)]
    fn grow(&self, place: &Place, layout: Layout) -> Option<usize> {
        let before = self.heap();
        let lacking = place.end.wrapping_sub(before.end.addr());
        // The sum cannot wrap: a layout's size plus its alignment less one is at most `isize::MAX`,
        // and rounding and the program's state are much shorter.
        let mut apart = rounded(layout.size()) + gap_most(layout);
        if before.room() == 0 {
            apart += Self::STATE_MOST;
        } else if before.first > before.room() {
            // The rest of the program's state would be in bytes that may belong to other code.
            return None;
        }
        let added = self.source.grow(lacking, apart.max(lacking))?;
        // If the new bytes adjoin the old ones, the block may start in the old ones.
        let top = self.heap().top();
        Some(if added == before.room() {
            top
        } else {
            added.max(top)
        })
    }
}

impl Heap {
    #[inline(always)]
    fn used(&self) -> usize {
        let word: *const u32 = self.start.wrapping_sub(HEADER_LENGTH).cast();
        // SAFETY: by the source's contract, the eight bytes before `start` are valid for reads, and
        // initialized, to zero at first. The read needs no alignment.
        let used = unsafe { word.read_unaligned() };
        used as usize
    }

    /// Sets `used`, and so the top.
    ///
    /// # Safety
    ///
    /// - The space is not empty.
    /// - `used` is at most `room - first`.
    /// - No live block ends above the new top.
    #[inline(always)]
    unsafe fn set_used(&self, used: usize) {
        let word: *mut u32 = self.start.wrapping_sub(HEADER_LENGTH).cast();
        // SAFETY: by the contract, the space is not empty, so by the source's contract the eight
        // bytes before `start` are valid for writes. They are the header, which no reference
        // reaches. The write needs no alignment.
        unsafe { word.write_unaligned(used as u32) };
    }

    #[inline(always)]
    fn peak_word(&self) -> *mut u32 {
        self.start.wrapping_sub(HEADER_LENGTH / 2).cast()
    }

    #[inline(always)]
    fn peak(&self) -> usize {
        // SAFETY: by the source's contract, the second four bytes of the header are valid for
        // reads, and initialized, to zero at first. The read needs no alignment.
        let peak = unsafe { self.peak_word().read_unaligned() };
        peak as usize
    }

    /// Lowers `used` and records the peak.
    ///
    /// # Safety
    ///
    /// - The space is not empty.
    /// - `from` is `used`, and `to` is at most `from`.
    /// - No live block ends above the new top.
    #[inline(always)]
    unsafe fn lower_used(&self, from: usize, to: usize) {
        if from > self.peak() {
            // SAFETY: by the contract, the space is not empty, so by the source's contract the
            // second four bytes of the header are valid for writes. No reference reaches them. The
            // write needs no alignment.
            unsafe { self.peak_word().write_unaligned(from as u32) };
        }
        // SAFETY: by the contract, the space is not empty, no live block ends above the new top,
        // and `to` is at most `used`, which is at most `room - first`.
        unsafe { self.set_used(to) };
    }

    /// Returns the offset after the most recent block.
    #[inline(always)]
    fn top(&self) -> usize {
        self.first + self.used()
    }

    /// Returns the number of bytes after the header.
    #[inline(always)]
    fn room(&self) -> usize {
        self.end.addr() - self.start.addr()
    }

    /// Returns the place of a block at or above the offset `from`.
    #[inline(always)]
    fn place(&self, from: usize, layout: Layout) -> Place {
        let align = layout.align().max(GRAIN);
        // On a 32-bit target the sums may wrap around. The distance from a lower address is still
        // right.
        let lowest = self.start.addr().wrapping_add(from);
        let address = lowest.wrapping_add(gap_most(layout)) & !(align - 1);
        Place {
            address,
            end: address.wrapping_add(rounded(layout.size())),
        }
    }

    /// Returns whether the place ends inside the space.
    #[inline(always)]
    fn fits(&self, place: &Place) -> bool {
        if usize::BITS == 64 {
            // The heap ends below 2^62. The place starts at most `STATE_MOST` above the end, which
            // is at most 32 KiB. A layout's size plus its alignment less one is less than 2^63, and
            // rounding and record add less than 32, so the sum does not wrap.
            place.end <= self.end.addr()
        } else {
            let room = self.room();
            let offset = place.address.wrapping_sub(self.start.addr());
            offset <= room && place.end.wrapping_sub(place.address) <= room - offset
        }
    }

    /// Makes a place the most recent block.
    ///
    /// # Safety
    ///
    /// - The place is [that](Self::place) of `layout` at or above `from`, and [fits](Self::fits).
    /// - `from` is not below the top.
    #[inline(always)]
    unsafe fn occupy(&self, place: &Place, from: usize, layout: Layout) -> *mut u8 {
        // SAFETY: the place fits and has a size, so the space is not empty, and `used` is at most
        // `room - first`. It starts at or above the top, so every other live block ends below it.
        unsafe { self.set_used(place.end - self.start.addr() - self.first) };
        // SAFETY: the place fits, so it lies between `start` and `end`, in one allocation that
        // `start` reaches. Unlike a wrapping sum, `add` lets the compiler drop the caller's
        // comparison with null.
        let block = unsafe { self.start.add(place.address - self.start.addr()) };
        if layout.align() > GRAIN {
            // SAFETY: by `place`, the record's bytes below the block are at or above `from`, and so
            // above every other block, and inside the space. The write needs no alignment.
            unsafe { Self::record(block).write_unaligned((from - self.first) as u32) };
        }
        block
    }

    /// Returns the address of the record of a block with an alignment of more than [`GRAIN`].
    #[inline(always)]
    fn record(block: *mut u8) -> *mut u32 {
        block.wrapping_sub(RECORD_LENGTH).cast()
    }

    /// Returns the bytes in use without a block, which is the most recent one.
    ///
    /// # Safety
    ///
    /// The block is in the space, and has this alignment.
    #[inline(always)]
    unsafe fn used_below(&self, block: *mut u8, layout: Layout) -> usize {
        if layout.align() <= GRAIN {
            return self.position(block);
        }
        // SAFETY: `occupy` wrote the record of every block with such an alignment, and its bytes
        // are part of no block. The heap's own pointer reaches them. The read needs no alignment.
        let used = unsafe { Self::record(self.own(block)).read_unaligned() };
        used as usize
    }

    /// Returns a block through the heap's own pointer, which reaches the whole heap.
    ///
    /// A caller's pointer to a block may reach only the value in the block.
    #[inline(always)]
    fn own(&self, block: *mut u8) -> *mut u8 {
        self.start.with_addr(block.addr())
    }

    /// Returns the offset of a block from the first block.
    #[inline(always)]
    fn position(&self, block: *mut u8) -> usize {
        block.addr() - self.start.addr() - self.first
    }
}

#[cold]
#[inline(never)]
fn no_room_for_global(limit: usize) -> ! {
    if limit == 0 {
        panic!(
            "there is no heap: a loader's must be announced first, by set_heap_base and set_heap_limit; a memory that \
             grows may be full; and a heap of no bytes has room for nothing"
        );
    }
    panic!("a heap of {limit} bytes has no room for its header and its global state");
}

// SAFETY: every block lies between the first block's offset and the end of the space, in bytes that
// the source provides to this allocator alone, at an aligned address. It lies above the end of
// every live block, because `used` falls only to the start of the newest block when that is freed,
// or to its new end when it shrinks. The region stays in place while `self` lives. No method
// panics. Only the copy in `realloc` and the zeroing in `alloc_zeroed` touch a block.
unsafe impl<G: Zeroable, S: HeapSource> GlobalAlloc for BumpAllocator<G, S> {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.take(layout)
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        let block = self.take(layout);
        if block.is_null() {
            return block;
        }
        let heap = self.heap();
        let position = heap.position(block);
        // By the source's contract, bytes above the highest top so far are still zero. The top
        // before this call was at most `position`, and taking the block did not change `peak`.
        let peak = heap.peak();
        if position < peak {
            let stale = (peak - position).min(layout.size());
            // SAFETY: `stale` is at most the block's size. The block is valid for writes, and no
            // other code uses it before this method returns it.
            unsafe { block.write_bytes(0, stale) };
        }
        block
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        let heap = self.heap();
        let used = heap.position(block) + rounded(layout.size());
        if used == heap.used() {
            // SAFETY: the caller's block has this layout, and is in the space.
            let below = unsafe { heap.used_below(block, layout) };
            // SAFETY: the block is in the space, so the space is not empty. `used` is that of the
            // heap, and `below` is lower. The block is the newest, so every other live block ends
            // at or below the top that it was placed above, which is the new top. The caller no
            // longer uses the block.
            unsafe { heap.lower_used(used, below) };
        }
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        let heap = self.heap();
        let (old_size, old_room) = (layout.size(), rounded(layout.size()));
        let new_room = rounded(new_size);
        // SAFETY: the caller promises that `new_size` rounded up to the alignment does not exceed
        // `isize::MAX`. The alignment is that of a layout, so it is a power of two.
        let new_layout = unsafe { Layout::from_size_align_unchecked(new_size, layout.align()) };
        let position = heap.position(block);
        let used = position + old_room;
        let new_block = if used == heap.used() {
            let place = Place {
                address: block.addr(),
                end: block.addr().wrapping_add(new_room),
            };
            if heap.fits(&place) {
                if new_room < old_room {
                    // SAFETY: the block is in the space, so the space is not empty. `used` is that
                    // of the heap, and the new one is lower. The block is the newest, and ends at
                    // the new top.
                    unsafe { heap.lower_used(used, position + new_room) };
                } else {
                    // SAFETY: the block is in the space, so the space is not empty. The place fits,
                    // so its end is at most `room - first` after the first block. The block is the
                    // newest, and ends at the new top.
                    unsafe { heap.set_used(position + new_room) };
                }
                return heap.own(block);
            }
            // The space after the block is the largest there is, so only a source that grows can
            // help.
            match self.grow(&place, new_layout) {
                // The new bytes follow the block.
                Some(from) if from == heap.top() => {
                    // SAFETY: the block is in the space, so the space is not empty. The source has
                    // added, right after the old end, at least the bytes that the place lacked, so
                    // its end is at most `room - first` after the first block. The block is the
                    // newest, and ends at the new top.
                    unsafe { heap.set_used(position + new_room) };
                    return heap.own(block);
                }
                // SAFETY: `grow` returns an offset at or above the top.
                Some(from) => unsafe { self.take_above(from, new_layout) },
                None => return ptr::null_mut(),
            }
        } else if new_room <= old_room {
            return heap.own(block);
        } else {
            self.take(new_layout)
        };
        if !new_block.is_null() {
            // SAFETY: `block` is live and has `old_size` bytes, so the smaller size is readable
            // there. `new_block` has `new_size` bytes, so it is writable there. `new_block` lies
            // above every live block, so the two do not overlap.
            unsafe { ptr::copy_nonoverlapping(block, new_block, old_size.min(new_size)) };
        }
        new_block
    }
}

// SAFETY: a guest has one thread, no interrupts and no re-entry (`docs/machine-model.md`). On other
// targets, the callers of the constructors promise one thread.
unsafe impl<G> Sync for BumpAllocator<G, LoaderHeap> {}

// SAFETY: a guest has one thread, no interrupts and no re-entry (`docs/machine-model.md`). On other
// targets, the caller of `with_source` promises one thread.
unsafe impl<G, const BASE: usize, const LIMIT: usize> Sync
    for BumpAllocator<G, FixedHeap<BASE, LIMIT>>
{
}

// SAFETY: a guest has one thread, no interrupts and no re-entry (`docs/machine-model.md`). On other
// targets, the caller of `with_source` promises one thread.
unsafe impl<G, M: PageMemory + Sync> Sync for BumpAllocator<G, WasmMemory<M>> {}
