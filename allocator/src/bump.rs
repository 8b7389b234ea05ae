//! The default heap: a pointer that goes up.

use core::alloc::{GlobalAlloc, Layout};
use core::marker::PhantomData;
use core::mem::MaybeUninit;
use core::ptr;

use bytemuck::Zeroable;

use crate::MIN_HEAP_LENGTH;
use crate::source::{BorrowedHeap, FixedHeap, HeapSource, LoaderHeap};

/// Bytes of the header: `used: u32`, then `peak: u32`, unaligned, little endian on every guest.
const HEADER_LENGTH: usize = 8;

/// A heap that grows upward and takes back only its most recent block.
///
/// | operation | what it does |
/// |---|---|
/// | `alloc` | aligns the top and moves it up; null if that would pass the limit |
/// | `alloc_zeroed` | the same, and zeroes only bytes that were handed out before |
/// | `dealloc` | moves the top back if the block is the most recent one; otherwise leaks it, by design |
/// | `realloc` | in place at the top, up and down; elsewhere in place down, and up by a copy |
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
/// to be initialized. The header is not aligned to anything.
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

/// The heap of an allocator that has room for its header and its `G`.
struct Heap {
    base: *mut u8,
    /// Bytes from `base` to the end.
    limit: usize,
    /// Bytes from `base` to the first block.
    first: usize,
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
    const GLOBAL_FITS: () = assert!(
        HEADER_LENGTH + align_of::<G>() - 1 + size_of::<G>() <= MIN_HEAP_LENGTH,
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
        let Some(heap) = self.heap() else {
            no_room_for_global(self.source.limit())
        };
        // SAFETY: `heap` vouches for `first` bytes from `base` on, of which the `G` has the last.
        let global = unsafe { heap.base.add(heap.first - size_of::<G>()) };
        // SAFETY: `first` was chosen so that this address is aligned for `G`. The bytes were zeroed by
        // the source's contract, and zeroes are a `G`; nobody writes there except through this
        // reference, because blocks start at `first`. The source outlives `self`, and `self` the
        // reference.
        unsafe { &*global.cast::<G>() }
    }

    /// Bytes in use: from the first block to the top, alignment gaps included.
    #[must_use]
    pub fn used(&self) -> usize {
        self.heap().map_or(0, |heap| heap.used())
    }

    /// The most bytes that were ever in use at once.
    #[must_use]
    pub fn peak(&self) -> usize {
        self.heap().map_or(0, |heap| heap.peak().max(heap.used()))
    }

    /// Length of the whole heap in bytes, header and state included; 0 if it was never announced.
    #[must_use]
    pub fn limit(&self) -> usize {
        self.source.limit()
    }

    /// The heap, if it has room for the header and the `G`.
    #[inline(always)]
    fn heap(&self) -> Option<Heap> {
        // `used` and `peak` have 32 bits.
        let limit = self.source.limit().min(u32::MAX as usize);
        if limit < HEADER_LENGTH {
            return None;
        }
        let base = self.source.base();
        let first = if size_of::<G>() == 0 && align_of::<G>() == 1 {
            HEADER_LENGTH
        } else {
            let padding = padding(base.addr().wrapping_add(HEADER_LENGTH), align_of::<G>());
            // At most `MIN_HEAP_LENGTH`, as `GLOBAL_FITS` says, so the sum cannot wrap.
            let first = HEADER_LENGTH + padding + size_of::<G>();
            if first > limit {
                return None;
            }
            first
        };
        Some(Heap { base, limit, first })
    }
}

impl Heap {
    #[inline(always)]
    fn used(&self) -> usize {
        let word: *const u32 = self.base.cast();
        // SAFETY: `limit` is at least `HEADER_LENGTH`, so the first four bytes are valid for reads;
        // they are initialized, to zero at first; and the read asks for no alignment.
        let used = unsafe { word.read_unaligned() };
        used as usize
    }

    /// `used` is at most `limit - first`.
    #[inline(always)]
    fn set_used(&self, used: usize) {
        let word: *mut u32 = self.base.cast();
        // SAFETY: `limit` is at least `HEADER_LENGTH`, so the first four bytes are valid for writes,
        // and the write asks for no alignment. They are the header's, not a block's.
        unsafe { word.write_unaligned(used as u32) };
    }

    #[inline(always)]
    fn peak_word(&self) -> *mut u32 {
        // SAFETY: `limit` is at least `HEADER_LENGTH`, so four bytes on is inside the region.
        let word = unsafe { self.base.add(4) };
        word.cast()
    }

    #[inline(always)]
    fn peak(&self) -> usize {
        // SAFETY: the second four bytes of the header are valid for reads and initialized, to zero at
        // first; the read asks for no alignment.
        let peak = unsafe { self.peak_word().read_unaligned() };
        peak as usize
    }

    /// Lowers `used`, remembering how high it was.
    #[inline(always)]
    fn lower_used(&self, from: usize, to: usize) {
        if from > self.peak() {
            // SAFETY: the second four bytes of the header are valid for writes, and the write asks for
            // no alignment.
            unsafe { self.peak_word().write_unaligned(from as u32) };
        }
        self.set_used(to);
    }

    /// Bytes from the base to the byte behind the most recent block.
    #[inline(always)]
    fn top(&self) -> usize {
        self.first + self.used()
    }

    /// Takes a block from the top; null if there is no room.
    #[inline(always)]
    fn take(&self, layout: Layout) -> *mut u8 {
        let top = self.top();
        let padding = padding(self.base.addr().wrapping_add(top), layout.align());
        // Cannot wrap: `top` is at most the limit and so at most `isize::MAX`, and a layout's size plus
        // its align less one is at most `isize::MAX` too.
        let end = top + padding + layout.size();
        if end > self.limit {
            return ptr::null_mut();
        }
        self.set_used(end - self.first);
        // SAFETY: `top + padding` is at most `end`, which is at most `limit`.
        unsafe { self.base.add(top + padding) }
    }

    /// Whether the block of `size` bytes at `block` ends at the top.
    #[inline(always)]
    fn is_newest(&self, block: *mut u8, size: usize) -> bool {
        block.addr() - self.base.addr() + size == self.top()
    }
}

/// The distance from `address` to the next multiple of `align`, a power of two.
#[inline(always)]
const fn padding(address: usize, align: usize) -> usize {
    address.wrapping_neg() & (align - 1)
}

#[cold]
#[inline(never)]
fn no_room_for_global(limit: usize) -> ! {
    if limit == 0 {
        panic!(
            "the heap is empty: a loader's heap is announced by set_heap_base and set_heap_limit first"
        );
    }
    panic!("a heap of {limit} bytes has no room for its header and its global state");
}

// SAFETY: every block lies between `first` and `limit` of one region that belongs to this allocator
// alone, at an aligned address, and above the end of every block that is still live: `used` is lowered
// only to the start of the newest block when that is freed, or to its new end when it is shrunk. The
// region stays put while `self` lives. No method panics, and none touches a block but by copying in
// `realloc` and zeroing in `alloc_zeroed`.
unsafe impl<G: Zeroable, S: HeapSource> GlobalAlloc for BumpAllocator<G, S> {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        match self.heap() {
            Some(heap) => heap.take(layout),
            None => ptr::null_mut(),
        }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        let Some(heap) = self.heap() else {
            return ptr::null_mut();
        };
        let block = heap.take(layout);
        let handed_out_before = heap.first + heap.peak();
        if block.is_null() {
            return block;
        }
        let start = block.addr() - heap.base.addr();
        // Bytes at and above the highest top there ever was are zero still, by the source's contract.
        // The top before this call is at most `start`.
        if start < handed_out_before {
            let stale = (handed_out_before - start).min(layout.size());
            // SAFETY: `stale` is at most the block's size, and the block is ours until we return it.
            unsafe { block.write_bytes(0, stale) };
        }
        block
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // A heap without room never handed out `block`.
        let Some(heap) = self.heap() else { return };
        if heap.is_newest(block, layout.size()) {
            let start = block.addr() - heap.base.addr();
            heap.lower_used(heap.used(), start - heap.first);
        }
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // A heap without room never handed out `block`.
        let Some(heap) = self.heap() else {
            return ptr::null_mut();
        };
        let old_size = layout.size();
        if heap.is_newest(block, old_size) {
            // Cannot wrap: an offset in the region and a valid size are each at most `isize::MAX`.
            let end = block.addr() - heap.base.addr() + new_size;
            if end > heap.limit {
                // There is still less room above the block than where it stands.
                return ptr::null_mut();
            }
            if new_size < old_size {
                heap.lower_used(heap.used(), end - heap.first);
            } else {
                heap.set_used(end - heap.first);
            }
            return block;
        }
        if new_size <= old_size {
            return block;
        }
        // SAFETY: the caller promises that `new_size` rounded up to the alignment does not pass
        // `isize::MAX`; the alignment is that of a layout.
        let new_layout = unsafe { Layout::from_size_align_unchecked(new_size, layout.align()) };
        let new_block = heap.take(new_layout);
        if !new_block.is_null() {
            // SAFETY: `old_size` bytes are readable at `block`, a live block of that size, and
            // writable at `new_block`, which has more; the new block lies above every live one.
            unsafe { ptr::copy_nonoverlapping(block, new_block, old_size) };
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
