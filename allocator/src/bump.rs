//! The default heap: a pointer that goes up.

use core::alloc::{GlobalAlloc, Layout};
use core::marker::PhantomData;
use core::mem::MaybeUninit;
use core::ptr;

use bytemuck::Zeroable;

use crate::MIN_HEAP_LENGTH;
use crate::source::{
    BorrowedHeap, FixedHeap, HEADER_LENGTH, HeapSource, LoaderHeap, PageMemory, WasmMemory,
};

/// A heap that grows upward and takes back only its most recent block.
///
/// | operation | what it does |
/// |---|---|
/// | `alloc` | aligns the top and moves it up; null if that would pass the limit |
/// | `alloc_zeroed` | the same, and zeroes only bytes that were handed out before |
/// | `dealloc` | moves the top back if the block is the most recent one; otherwise leaks it, by design |
/// | `realloc` | in place at the top, up and down; elsewhere in place down, and up by a copy |
///
/// The gap that aligns a block is not part of it: it stays taken when the block is given back, and so does what a block
/// has lost by shrinking below the top.
///
/// # Layout
///
/// All of its state stands at the heap base, so that a loader can read it after a run:
///
/// ```text
/// base                       8                     first block
/// │ used: u32 │ peak: u32 │ padding │ G, if any │ blocks … │ free … │ limit
/// ```
///
/// `used` counts the bytes from the first block to the top, alignment gaps included; `peak` is the
/// greatest `used` that was lowered since. Both are zero in a fresh heap, as is the `G`: nothing has
/// to be initialized. The header is not aligned to anything. Where a source has grown and its new bytes do not
/// adjoin the old ones, `used` counts the bytes between, which are somebody else's.
///
/// # State of the program's own
///
/// `G` is a value that the program keeps at the base of its heap and reaches with
/// [`global`](Self::global): a place for state that costs no allocation and no `static mut`. It starts
/// as all zeroes, is changed through cells, and is never dropped.
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
/// A `G` for which [`MIN_HEAP_LENGTH`] has no room does not compile.
#[derive(Debug)]
pub struct BumpAllocator<G = (), S = LoaderHeap> {
    source: S,
    _global: PhantomData<G>,
}

/// The heap as it is now. Offsets are from `start`.
struct Heap {
    /// The byte behind the header.
    start: *mut u8,
    /// The byte behind the last.
    end: *mut u8,
    /// The offset of the first block, which may lie behind the end: then nothing fits.
    first: usize,
}

/// Where a block would go.
struct Place {
    address: usize,
    /// The address behind it, which may wrap around.
    end: usize,
}

impl<G: Zeroable> BumpAllocator<G> {
    /// The heap that the loader announces. See [`set_heap_base`](crate::set_heap_base).
    ///
    /// # Safety
    ///
    /// - It is the only allocator over the announced heap.
    /// - The program uses it from one thread.
    #[must_use]
    pub const unsafe fn new() -> Self {
        // SAFETY: the caller builds no other allocator over the announced heap.
        let source = unsafe { LoaderHeap::new() };
        // SAFETY: the source is made for this allocator, and the caller uses it from one thread.
        unsafe { Self::with_source(source) }
    }
}

impl<'buffer, G: Zeroable> BumpAllocator<G, BorrowedHeap<'buffer>> {
    /// A heap in a buffer, which is zeroed first.
    ///
    /// A buffer without room for the header and the `G` gives a heap that refuses everything.
    pub fn from_buffer(buffer: &'buffer mut [MaybeUninit<u8>]) -> Self {
        // SAFETY: the source is made for this allocator; neither is `Sync`, so one thread uses them.
        unsafe { Self::with_source(BorrowedHeap::new(buffer)) }
    }
}

impl<G: Zeroable, S: HeapSource> BumpAllocator<G, S> {
    /// The most bytes that the state takes, gap before it included.
    const STATE_MOST: usize = align_of::<G>() - 1 + size_of::<G>();

    const GLOBAL_FITS: () = assert!(
        HEADER_LENGTH + Self::STATE_MOST <= MIN_HEAP_LENGTH,
        "the heap's global state does not fit in the 32 KiB that every program has"
    );

    /// A heap over any source.
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

    /// The program's state at the heap base.
    ///
    /// # Panics
    ///
    /// If the heap has no room for it: it was never announced, or its buffer is too short.
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
        // SAFETY: `first` bytes from `start` on are in the room, and the `G` has the last of them.
        let global = unsafe { heap.start.add(heap.first - size_of::<G>()) };
        // SAFETY: `first` was chosen so that this address is aligned for `G`. The bytes were zeroed by
        // the source's contract, and zeroes are a `G`; nobody writes there except through this
        // reference, because blocks start at `first`. The source outlives `self`, and `self` the
        // reference, and `start` stays where it is now that there is room.
        unsafe { &*global.cast::<G>() }
    }

    /// Bytes in use: from the first block to the top, alignment gaps included.
    #[must_use]
    pub fn used(&self) -> usize {
        self.heap().used()
    }

    /// The most bytes that were ever in use at once.
    #[must_use]
    pub fn peak(&self) -> usize {
        let heap = self.heap();
        heap.peak().max(heap.used())
    }

    /// Length of the whole heap in bytes, header and state included; 0 if it was never announced.
    #[must_use]
    pub fn limit(&self) -> usize {
        self.source.limit()
    }

    /// A block by the heap's own pointer. See `Heap::own`.
    #[inline(always)]
    pub(crate) fn own(&self, block: *mut u8) -> *mut u8 {
        self.heap().own(block)
    }

    /// Whether the block of `size` bytes at `block` ends at the top.
    #[inline(always)]
    pub(crate) fn is_newest(&self, block: *mut u8, size: usize) -> bool {
        let heap = self.heap();
        heap.position(block) + size == heap.used()
    }

    #[inline(always)]
    fn heap(&self) -> Heap {
        let start = self.source.start();
        let first = if size_of::<G>() == 0 && align_of::<G>() == 1 {
            0
        } else {
            // At most `MIN_HEAP_LENGTH`, as `GLOBAL_FITS` says, so the sum cannot wrap.
            start.addr().wrapping_neg() % align_of::<G>() + size_of::<G>()
        };
        Heap {
            start,
            end: self.source.end(),
            first,
        }
    }

    /// Takes a block from the top; null if there is no room.
    #[inline(always)]
    fn take(&self, layout: Layout) -> *mut u8 {
        let heap = self.heap();
        let place = heap.place(heap.top(), layout);
        if heap.fits(&place) {
            return heap.occupy(&place);
        }
        match self.grow(&place, layout) {
            Some(from) => self.take_above(from, layout),
            None => ptr::null_mut(),
        }
    }

    /// Takes a block at or above an offset that is not below the top; null if there is no room.
    #[inline(always)]
    fn take_above(&self, from: usize, layout: Layout) -> *mut u8 {
        let heap = self.heap();
        let place = heap.place(from, layout);
        if heap.fits(&place) {
            heap.occupy(&place)
        } else {
            ptr::null_mut()
        }
    }

    /// Asks the source for room for one more block, which does not fit in its place now, and returns the offset
    /// from which it can be placed.
    #[inline(always)]
    fn grow(&self, place: &Place, layout: Layout) -> Option<usize> {
        let before = self.heap();
        let lacking = place.end.wrapping_sub(before.end.addr());
        // Cannot wrap: a layout's size plus its align less one is at most `isize::MAX`, and the program's state
        // is much shorter.
        let mut apart = layout.size() + (layout.align() - 1);
        if before.room() == 0 {
            apart += Self::STATE_MOST;
        } else if before.first > before.room() {
            // The rest of the program's state would be in bytes that may be somebody else's.
            return None;
        }
        let added = self.source.grow(lacking, apart.max(lacking))?;
        // What adjoins makes the end of the old room good too.
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
        // SAFETY: by the source's contract the eight bytes before `start` are valid for reads and initialized,
        // to zero at first; and the read asks for no alignment.
        let used = unsafe { word.read_unaligned() };
        used as usize
    }

    /// `used` is at most `room - first`, and that is not 0 if there is no room.
    #[inline(always)]
    fn set_used(&self, used: usize) {
        let word: *mut u32 = self.start.wrapping_sub(HEADER_LENGTH).cast();
        // SAFETY: there is room, so the eight bytes before `start` are valid for writes, and the write asks for
        // no alignment. They are the header's, not a block's.
        unsafe { word.write_unaligned(used as u32) };
    }

    #[inline(always)]
    fn peak_word(&self) -> *mut u32 {
        self.start.wrapping_sub(HEADER_LENGTH / 2).cast()
    }

    #[inline(always)]
    fn peak(&self) -> usize {
        // SAFETY: the second four bytes of the header are valid for reads and initialized, to zero at
        // first; the read asks for no alignment.
        let peak = unsafe { self.peak_word().read_unaligned() };
        peak as usize
    }

    /// Lowers `used`, remembering how high it was. A block was taken, so there is room.
    #[inline(always)]
    fn lower_used(&self, from: usize, to: usize) {
        if from > self.peak() {
            // SAFETY: there is room, so the header is valid for writes, and the write asks for no alignment.
            unsafe { self.peak_word().write_unaligned(from as u32) };
        }
        self.set_used(to);
    }

    /// The offset behind the most recent block.
    #[inline(always)]
    fn top(&self) -> usize {
        self.first + self.used()
    }

    /// Bytes behind the header.
    #[inline(always)]
    fn room(&self) -> usize {
        self.end.addr() - self.start.addr()
    }

    /// Where a block goes that is placed at or above the offset `from`.
    #[inline(always)]
    fn place(&self, from: usize, layout: Layout) -> Place {
        let mask = layout.align() - 1;
        // On a 32-bit machine both may wrap around; the distance from an address below is right all the same.
        let address = self.start.addr().wrapping_add(from).wrapping_add(mask) & !mask;
        Place {
            address,
            end: address.wrapping_add(layout.size()),
        }
    }

    /// Whether the place ends in the room.
    #[inline(always)]
    fn fits(&self, place: &Place) -> bool {
        if usize::BITS == 64 {
            // The heap ends below 2^63, and a layout's size plus its align less one is less than that.
            place.end <= self.end.addr()
        } else {
            let room = self.room();
            let offset = place.address.wrapping_sub(self.start.addr());
            offset <= room && place.end.wrapping_sub(place.address) <= room - offset
        }
    }

    /// Makes a place that fits the most recent block.
    #[inline(always)]
    fn occupy(&self, place: &Place) -> *mut u8 {
        self.set_used(place.end - self.start.addr() - self.first);
        // SAFETY: the place fits, so it lies between `start` and `end`, in one allocation that `start` reaches.
        // Saying so, which a wrapping sum would not, spares callers their comparison with null.
        unsafe { self.start.add(place.address - self.start.addr()) }
    }

    /// A block by the heap's own pointer, which reaches all of it. That by which a caller gives a block back may reach no
    /// further than the value that was in it.
    #[inline(always)]
    fn own(&self, block: *mut u8) -> *mut u8 {
        self.start.with_addr(block.addr())
    }

    /// The offset of a block, from the first one.
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

// SAFETY: every block lies between the first block's offset and the end of the room, in bytes that the source
// has given to this allocator alone, at an aligned address, and above the end of every block that is still live:
// `used` is lowered only to the start of the newest block when that is freed, or to its new end when it is
// shrunk. The region stays put while `self` lives. No method panics, and none touches a block but by copying in
// `realloc` and zeroing in `alloc_zeroed`.
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
        // Bytes at and above the highest top there ever was are zero still, by the source's contract. The top before
        // this call was at most `position`, and taking the block has left `peak` alone.
        let peak = heap.peak();
        if position < peak {
            let stale = (peak - position).min(layout.size());
            // SAFETY: `stale` is at most the block's size, and the block is ours until we return it.
            unsafe { block.write_bytes(0, stale) };
        }
        block
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        let heap = self.heap();
        let position = heap.position(block);
        let used = position + layout.size();
        if used == heap.used() {
            heap.lower_used(used, position);
        }
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        let heap = self.heap();
        let old_size = layout.size();
        // SAFETY: the caller promises that `new_size` rounded up to the alignment does not pass
        // `isize::MAX`; the alignment is that of a layout.
        let new_layout = unsafe { Layout::from_size_align_unchecked(new_size, layout.align()) };
        let position = heap.position(block);
        let used = position + old_size;
        let new_block = if used == heap.used() {
            let place = Place {
                address: block.addr(),
                end: block.addr().wrapping_add(new_size),
            };
            if heap.fits(&place) {
                if new_size < old_size {
                    heap.lower_used(used, position + new_size);
                } else {
                    heap.set_used(position + new_size);
                }
                return heap.own(block);
            }
            // Behind the block there is more room than anywhere else, so only a source that grows can help.
            match self.grow(&place, new_layout) {
                // The room above the block has grown.
                Some(from) if from == heap.top() => {
                    heap.set_used(position + new_size);
                    return heap.own(block);
                }
                Some(from) => self.take_above(from, new_layout),
                None => return ptr::null_mut(),
            }
        } else if new_size <= old_size {
            return block;
        } else {
            self.take(new_layout)
        };
        if !new_block.is_null() {
            // SAFETY: the smaller of the sizes is readable at `block`, a live block, and writable at `new_block`,
            // which lies above every live one.
            unsafe { ptr::copy_nonoverlapping(block, new_block, old_size.min(new_size)) };
        }
        new_block
    }
}

// SAFETY: `docs/machine-model.md`: a guest has one thread, no interrupts and no re-entry. Elsewhere the
// constructors of an allocator over the announced heap make one thread the caller's promise.
unsafe impl<G> Sync for BumpAllocator<G, LoaderHeap> {}

// SAFETY: as above; `with_source` makes one thread the caller's promise.
unsafe impl<G, const BASE: usize, const LIMIT: usize> Sync
    for BumpAllocator<G, FixedHeap<BASE, LIMIT>>
{
}

// SAFETY: as above; `with_source` makes one thread the caller's promise.
unsafe impl<G, M: PageMemory + Sync> Sync for BumpAllocator<G, WasmMemory<M>> {}
