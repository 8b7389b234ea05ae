//! A bump heap with lists of freed blocks by size.

use core::alloc::{GlobalAlloc, Layout};
use core::cell::Cell;
use core::mem::MaybeUninit;
use core::ptr;

use crate::bump::BumpAllocator;
use crate::class::{Class, LONG, SMALL};
use crate::source::{BorrowedHeap, FixedHeap, HeapSource, LoaderHeap, PageMemory, WasmMemory};

/// A bump heap that takes back every block.
///
/// A block has the size of its size class. The classes are 16, 32, 64 and 128 bytes; above that,
/// each doubling has four classes (160, 192, 224, 256, 320, …), so that at most a fifth of a long
/// block is rounding. A freed block goes to the list of its class, and the next request of that
/// class gets it. The lists are stacks in the free blocks themselves, without headers and without a
/// search. New blocks come from a [`BumpAllocator`].
///
/// | operation | what it does |
/// |---|---|
/// | `alloc` | takes a block from the list of the class, and otherwise from the top |
/// | `alloc_zeroed` | the same, and zeroes only bytes that were allocated before |
/// | `dealloc` | puts the block into the list of its class; moves the top back instead if the block is the most recent one and has more than 128 bytes |
/// | `realloc` | in place if the class stays the same; to a listed block of the new class, if there is one; otherwise in place if the class covers the new size, or at the top; elsewhere by a copy |
///
/// Apart from copying and zeroing bytes, each operation takes a bounded number of steps.
///
/// # A program that repeats its allocations does not grow
///
/// The heap takes a block from the top only if the list of its class is empty. So it never has more
/// blocks of a class than its program had live at the same time, and a few that other classes left
/// to it. Free blocks are not joined: a program whose sizes change for ever needs the bytes of each
/// class that it has used.
///
/// A block with an alignment of more than 8 lies in a block that is longer by the alignment. It is
/// taken back like any other.
///
/// # A block always has the class of its layout
///
/// The allocator records nothing about a live block, so the layout that frees a block must
/// determine its class. `realloc` ensures this:
///
/// - A block that grows at the top grows to a whole class.
/// - A block that shrinks in place to a smaller class gives the rest to the lists, in whole
///   classes: 128 bytes that become 16 free a block of 64, one of 32 and one of 16.
/// - If a block of the new class waits in its list, the bytes move there. A program that repeats
///   the same allocations therefore does not grow.
///
/// # Layout
///
/// The layout is that of [`BumpAllocator`] without state of the program, so a loader reads use and
/// peak in the same place. Both describe the bump pointer, and include the blocks in the lists. The
/// lists begin in the allocator itself.
///
/// ```
/// use allocator::SegregatedBumpAllocator;
/// use core::alloc::{GlobalAlloc, Layout};
/// use core::mem::MaybeUninit;
///
/// let mut buffer = [MaybeUninit::uninit(); 256];
/// let heap = SegregatedBumpAllocator::from_buffer(&mut buffer);
/// let layout = Layout::from_size_align(20, 4)?;
/// // SAFETY: the layout has a size.
/// let (first, second) = unsafe { (heap.alloc(layout), heap.alloc(layout)) };
/// // SAFETY: `first` came from this heap with this layout. It is not the most recent block.
/// unsafe { heap.dealloc(first, layout) };
/// // SAFETY: the layout has a size. 30 bytes have the same class as 20.
/// let third = unsafe { heap.alloc(Layout::from_size_align(30, 1)?) };
/// assert_eq!(third, first);
/// assert_ne!(third, second);
/// # Ok::<(), core::alloc::LayoutError>(())
/// ```
#[derive(Debug)]
pub struct SegregatedBumpAllocator<S = LoaderHeap> {
    bump: BumpAllocator<(), S>,
    /// The most recently freed block of each small class, or null, the largest class first.
    ///
    /// [`list`](Self::list) explains the order. The first word of a free block is the next free
    /// block.
    small: [Cell<*mut u8>; SMALL],
    /// The same of each long class, the smallest first.
    long: [Cell<*mut u8>; LONG],
}

impl SegregatedBumpAllocator {
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

impl<'buffer> SegregatedBumpAllocator<BorrowedHeap<'buffer>> {
    /// Returns a heap in a buffer, which is zeroed first.
    ///
    /// If the buffer has less than 8 bytes, the heap refuses every allocation.
    pub fn from_buffer(buffer: &'buffer mut [MaybeUninit<u8>]) -> Self {
        // SAFETY: the source is new, so no other allocator uses it and its region is unwritten. The
        // allocator is not `Sync`, so one thread uses it.
        unsafe { Self::with_source(BorrowedHeap::new(buffer)) }
    }
}

impl<S: HeapSource> SegregatedBumpAllocator<S> {
    /// Returns a heap over any source.
    ///
    /// # Safety
    ///
    /// - No other allocator is built over the same region, and nothing has been written to it.
    /// - The allocator is used from one thread.
    #[must_use]
    pub const unsafe fn with_source(source: S) -> Self {
        Self {
            // SAFETY: the caller promises that no other allocator is built over the region, that
            // nothing has been written to it, and that one thread uses this allocator. The inner
            // allocator is a private part of it.
            bump: unsafe { BumpAllocator::with_source(source) },
            small: [const { Cell::new(ptr::null_mut()) }; SMALL],
            long: [const { Cell::new(ptr::null_mut()) }; LONG],
        }
    }

    /// Returns the bytes below the top, including those in the lists.
    #[must_use]
    pub fn used(&self) -> usize {
        self.bump.used()
    }

    /// Returns the most bytes that were below the top at the same time.
    #[must_use]
    pub fn peak(&self) -> usize {
        self.bump.peak()
    }

    /// Returns the length of the heap in bytes, header included, or 0 if it was never announced.
    #[must_use]
    pub fn limit(&self) -> usize {
        self.bump.limit()
    }

    /// Returns the bytes in the lists of free blocks. It walks over all lists.
    #[must_use]
    pub fn listed(&self) -> usize {
        let mut length = 0;
        for class in Class::all() {
            let mut block = self.first(class);
            while !block.is_null() {
                length += class.size();
                // SAFETY: the block is in a list.
                block = unsafe { next(block) };
            }
        }
        length
    }

    /// Returns the list of a class, or `None` if the class is longer than any heap.
    ///
    /// The index of a small class is a constant less a number of leading zeros. With the lists in
    /// reverse order, their address adds that number to a constant, which saves an instruction in
    /// each call.
    #[inline(always)]
    fn list(&self, class: Class) -> Option<&Cell<*mut u8>> {
        match class {
            Class::Small { index } => Some(&self.small[SMALL - 1 - index]),
            Class::Long { index, .. } => self.long.get(index),
        }
    }

    /// Returns the first block in the list of a class, or null.
    #[inline(always)]
    fn first(&self, class: Class) -> *mut u8 {
        self.list(class).map_or(ptr::null_mut(), Cell::get)
    }

    /// Puts a block into the list of its class.
    ///
    /// # Safety
    ///
    /// The block lies in this allocator's heap, is aligned to `GRAIN`, and has the size of the
    /// class. From here on no other code uses its bytes.
    #[inline(always)]
    unsafe fn push(&self, class: Class, block: *mut u8) {
        // A heap has no block of a class without a list.
        let Some(list) = self.list(class) else { return };
        // The next owner may use more of the block than the last owner's pointer reaches.
        let block = self.bump.own(block);
        let link: *mut *mut u8 = block.cast();
        // SAFETY: by the contract, the block has at least the size of a pointer, is aligned for it,
        // and no other code uses it. The heap's own pointer is valid for writes there.
        unsafe { link.write(list.get()) };
        list.set(block);
    }

    /// Takes the first block from the list of a class.
    #[inline(always)]
    fn pop(&self, class: Class) -> Option<*mut u8> {
        let list = self.list(class)?;
        let block = list.get();
        if block.is_null() {
            return None;
        }
        // SAFETY: the block is in a list.
        list.set(unsafe { next(block) });
        Some(block)
    }

    /// Allocates a block of a class. Returns null if it does not fit.
    #[inline(always)]
    fn take(&self, class: Class) -> *mut u8 {
        // One call in each arm, so that the compiler makes a path of its own for small classes.
        match class {
            Class::Small { .. } => self.pop_or_bump(class),
            Class::Long { .. } => self.pop_or_bump(class),
        }
    }

    #[inline(always)]
    fn pop_or_bump(&self, class: Class) -> *mut u8 {
        if let Some(block) = self.pop(class) {
            return block;
        }
        match class.layout() {
            // SAFETY: a class has a size.
            Some(block) => unsafe { self.bump.alloc(block) },
            None => ptr::null_mut(),
        }
    }

    /// Allocates a block of a class whose first `length` bytes are zero, or returns null.
    #[inline(always)]
    fn take_zeroed(&self, class: Class, length: usize) -> *mut u8 {
        if let Some(block) = self.pop(class) {
            // SAFETY: the minimum is at most the size of the class, which the block has, and no
            // other code uses the block before this method returns it.
            unsafe { block.write_bytes(0, length.min(class.size())) };
            return block;
        }
        match class.layout() {
            // SAFETY: a class has a size.
            Some(block) => unsafe { self.bump.alloc_zeroed(block) },
            None => ptr::null_mut(),
        }
    }

    /// Frees a block of a class.
    ///
    /// # Safety
    ///
    /// The block came from this allocator, and has the size of the class. From here on no other
    /// code uses its bytes.
    #[inline(always)]
    unsafe fn give(&self, class: Class, block: *mut u8) {
        match class {
            // SAFETY: every block is aligned to `GRAIN`. By the contract, it has the size of the
            // class, and no other code uses it.
            Class::Small { .. } => unsafe { self.push(class, block) },
            Class::Long { size, .. } => {
                if self.bump.is_newest(block, size) {
                    // SAFETY: a block of the class is freed.
                    let layout = unsafe { class.layout_unchecked() };
                    // SAFETY: by the contract, the block is one of the bump heap's, whole or as the
                    // rest of a split block, and no longer used. It ends at the top, which is all
                    // that the bump heap needs of a rest.
                    unsafe { self.bump.dealloc(block, layout) };
                } else {
                    // SAFETY: every block is aligned to `GRAIN`. By the contract, it has the size
                    // of the class, and no other code uses it.
                    unsafe { self.push(class, block) };
                }
            }
        }
    }

    /// Gives the rest of a block to the lists, in whole classes, the longest first.
    ///
    /// # Safety
    ///
    /// The `length` bytes from `rest` on lie in this allocator's heap, are aligned to `GRAIN`, and
    /// `length` is a multiple of it. From here on no other code uses these bytes.
    #[cold]
    unsafe fn give_rest(&self, mut rest: *mut u8, mut length: usize) {
        while let Some(class) = Class::within(length) {
            // SAFETY: the class is at most `length` long, so by the contract its bytes lie in the
            // heap and are not used. Sizes of classes are multiples of `GRAIN`, so `rest` is always
            // aligned to it.
            unsafe { self.push(class, rest) };
            rest = rest.wrapping_add(class.size());
            length -= class.size();
        }
    }

    /// Allocates a block with an alignment of more than `GRAIN`, in a block that is longer.
    ///
    /// The word before the block records where the longer one starts.
    #[cold]
    fn take_aligned(&self, layout: Layout, is_zeroed: bool) -> *mut u8 {
        let Some(class) = Class::around(layout) else {
            return ptr::null_mut();
        };
        let whole = if is_zeroed {
            self.take_zeroed(class, class.size())
        } else {
            self.take(class)
        };
        if whole.is_null() {
            return whole;
        }
        // Both are multiples of `GRAIN`, and the next multiple of the alignment is above `whole`.
        let offset = layout.align() - whole.addr() % layout.align();
        let block = whole.wrapping_add(offset);
        // SAFETY: `offset` is at least `GRAIN`, and at most the alignment, so the word before the
        // block lies in the whole block, which is new. It is aligned for a pointer.
        unsafe { block.cast::<*mut u8>().wrapping_sub(1).write(whole) };
        block
    }

    /// Frees a block with an alignment of more than `GRAIN`.
    ///
    /// # Safety
    ///
    /// The block came from [`take_aligned`](Self::take_aligned) with this layout. From here on no
    /// other code uses it.
    #[cold]
    unsafe fn give_aligned(&self, block: *mut u8, layout: Layout) {
        let Some(class) = Class::around(layout) else {
            return;
        };
        // SAFETY: by the contract, the block came from `take_aligned`.
        let whole = unsafe { self.whole(block) };
        // SAFETY: `whole` came from this allocator with this class, and is no longer used.
        unsafe { self.give(class, whole) };
    }

    /// Resizes a block with an alignment of more than `GRAIN`.
    ///
    /// It stays where it is if its class stays the same, or if it shrinks and no other block is
    /// free. So shrinking never fails.
    ///
    /// # Safety
    ///
    /// The block came from [`take_aligned`](Self::take_aligned) with the layout `old`, and `new` has
    /// the same alignment. From here on no other code uses the block, unless this returns null.
    #[cold]
    unsafe fn resize_aligned(&self, block: *mut u8, old: Layout, new: Layout) -> *mut u8 {
        let (Some(from), Some(to)) = (Class::around(old), Class::around(new)) else {
            return ptr::null_mut();
        };
        if from == to {
            return self.bump.own(block);
        }
        let moved = self.take_aligned(new, false);
        if !moved.is_null() {
            let kept = old.size().min(new.size());
            // SAFETY: `kept` bytes are readable at `block`, a live block of the old layout, and
            // writable at `moved`, a block of the new layout. Two blocks never share a byte.
            unsafe { ptr::copy_nonoverlapping(block, moved, kept) };
            // SAFETY: by the contract, the block has this layout and is no longer used.
            unsafe { self.give_aligned(block, old) };
        } else if to.size() < from.size() {
            // SAFETY: the block came from `take_aligned`.
            let whole = unsafe { self.whole(block) };
            let rest = whole.wrapping_add(to.size());
            // SAFETY: `whole` has the size of the class `from`, and sizes of classes are multiples
            // of `GRAIN`. The block starts at most its alignment after `whole`, and the class `to`
            // covers the alignment and the new size, so the block ends before the rest.
            unsafe { self.give_rest(rest, from.size() - to.size()) };
            return self.bump.own(block);
        }
        moved
    }

    /// Returns the longer block that a block with an alignment of more than `GRAIN` lies in.
    ///
    /// # Safety
    ///
    /// The block came from [`take_aligned`](Self::take_aligned).
    #[inline]
    unsafe fn whole(&self, block: *mut u8) -> *mut u8 {
        let word = self.bump.own(block).cast::<*mut u8>().wrapping_sub(1);
        // SAFETY: `take_aligned` wrote a pointer there, in bytes that its caller does not use.
        unsafe { word.read() }
    }
}

/// Returns the next block in the list, or null.
///
/// # Safety
///
/// The block is in the list of a class.
#[inline(always)]
unsafe fn next(block: *mut u8) -> *mut u8 {
    let link: *const *mut u8 = block.cast();
    // SAFETY: by the contract, the block is in a list, so `push` has written a pointer there, and
    // no other code has used the block since.
    unsafe { link.read() }
}

// SAFETY: every block comes from the bump allocator, or is the rest of a block that was split,
// which shares no byte with the kept part. At all times a block has the size of the class of its
// present layout, and is aligned to `GRAIN`; a block with a larger alignment lies in such a block.
// A block that is freed with that layout is therefore a whole block of its list. A block in a list
// is nowhere else. No method panics.
unsafe impl<S: HeapSource> GlobalAlloc for SegregatedBumpAllocator<S> {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        match Class::of(layout) {
            Some(class) => self.take(class),
            None => self.take_aligned(layout, false),
        }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        match Class::of(layout) {
            Some(class) => self.take_zeroed(class, layout.size()),
            None => self.take_aligned(layout, true),
        }
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        match Class::of(layout) {
            // SAFETY: the caller frees a block of this allocator with this layout, so it has the
            // size of this class. The caller no longer uses it.
            Some(class) => unsafe { self.give(class, block) },
            // SAFETY: the caller frees a block of this allocator with this layout, whose alignment
            // is above `GRAIN`, and no longer uses it.
            None => unsafe { self.give_aligned(block, layout) },
        }
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: the caller promises that `new_size` rounded up to the alignment does not exceed
        // `isize::MAX`. The alignment is that of a layout, so it is a power of two.
        let new_layout = unsafe { Layout::from_size_align_unchecked(new_size, layout.align()) };
        let (Some(old), Some(new)) = (Class::of(layout), Class::of(new_layout)) else {
            // SAFETY: the alignment of both layouts is above `GRAIN`. The caller's block came from
            // this allocator with this layout, and is no longer used if it moves.
            return unsafe { self.resize_aligned(block, layout, new_layout) };
        };
        if old == new {
            return self.bump.own(block);
        }
        let Some(new_block) = new.layout() else {
            return ptr::null_mut();
        };
        // SAFETY: a live block has this class, so the class has a layout.
        let old_block = unsafe { old.layout_unchecked() };
        let is_newest = self.bump.is_newest(block, old.size());
        // A listed block comes before new bytes, and before a split: otherwise a program that
        // repeats the same allocations would grow each time.
        let is_listed = !self.first(new).is_null();
        if is_newest && !is_listed {
            // SAFETY: the block has the layout `old_block`, and lies in the bump allocator's heap,
            // whole or as the rest of a split block. It ends at the top, which is all that the bump
            // allocator needs of a rest. The new size is that of a layout with the same alignment.
            let resized = unsafe { self.bump.realloc(block, old_block, new_block.size()) };
            if !resized.is_null() && resized != block {
                // SAFETY: the block has this class and is aligned to `GRAIN`. Its bytes were copied
                // to the new block, so it is no longer used.
                unsafe { self.push(old, block) };
            }
            return resized;
        }
        if !is_listed && new.size() < old.size() {
            // SAFETY: the rest is part of the block, above the kept bytes. Block and sizes of
            // classes are multiples of `GRAIN`. The caller no longer uses the rest.
            unsafe { self.give_rest(block.wrapping_add(new.size()), old.size() - new.size()) };
            return self.bump.own(block);
        }
        let moved = self.take(new);
        if !moved.is_null() {
            let kept = layout.size().min(new_size);
            // SAFETY: `kept` bytes are readable at `block`, a live block of the old layout, and
            // writable at `moved`, a block of the new layout. Two blocks never share a byte.
            unsafe { ptr::copy_nonoverlapping(block, moved, kept) };
            if is_newest {
                // SAFETY: the caller no longer uses the block. It has this layout, and still ends
                // at the top, because `moved` is from a list.
                unsafe { self.bump.dealloc(block, old_block) };
            } else {
                // SAFETY: the block has this class and is aligned to `GRAIN`. The caller no longer
                // uses it.
                unsafe { self.push(old, block) };
            }
        }
        moved
    }
}

// SAFETY: a guest has one thread, no interrupts and no re-entry (`docs/machine-model.md`). On other
// targets, the callers of the constructors promise one thread.
unsafe impl Sync for SegregatedBumpAllocator<LoaderHeap> {}

// SAFETY: a guest has one thread, no interrupts and no re-entry (`docs/machine-model.md`). On other
// targets, the caller of `with_source` promises one thread.
unsafe impl<const BASE: usize, const LIMIT: usize> Sync
    for SegregatedBumpAllocator<FixedHeap<BASE, LIMIT>>
{
}

// SAFETY: a guest has one thread, no interrupts and no re-entry (`docs/machine-model.md`). On other
// targets, the caller of `with_source` promises one thread.
unsafe impl<M: PageMemory + Sync> Sync for SegregatedBumpAllocator<WasmMemory<M>> {}
