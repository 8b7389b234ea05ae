//! A bump heap with lists of freed blocks by size.

use core::alloc::{GlobalAlloc, Layout};
use core::array;
use core::cell::Cell;
use core::mem::MaybeUninit;
use core::ptr;

use crate::bump::BumpAllocator;
use crate::source::{BorrowedHeap, FixedHeap, HeapSource, LoaderHeap, PageMemory, WasmMemory};

/// The alignment of every block of a class, and the size of the smallest class.
const GRAIN: usize = 16;

/// Classes of 16, 32, 64 and 128 bytes.
const CLASSES: usize = 4;

/// A bump heap that takes back every block of up to 128 bytes.
///
/// A block of a size class has [16, 32, 64 or 128](Self::CLASS_SIZES) bytes and is aligned to 16. A
/// freed block goes to the list of its class, and the next request of that class gets it. The lists
/// are stacks in the free blocks themselves, without headers and without a search. A block of more
/// than 128 bytes, or aligned to more than 16, comes from a [`BumpAllocator`], which takes back
/// only its most recent block.
///
/// | operation | what it does |
/// |---|---|
/// | `alloc` | takes a block from the list of the class, and otherwise from the top |
/// | `alloc_zeroed` | the same, and zeroes only bytes that were allocated before |
/// | `dealloc` | puts the block into the list of its class; takes back a long block only if it is the most recent one, and otherwise leaks it, by design |
/// | `realloc` | in place if the class stays the same; to a listed block of the new class, if there is one; otherwise in place if the class covers the new size, or at the top; elsewhere by a copy |
///
/// Apart from copying and zeroing bytes, each operation takes a constant number of steps.
///
/// # A block always has the class of its layout
///
/// The allocator records nothing about a live block, so the layout that frees a block must
/// determine its class. `realloc` ensures this:
///
/// - A block that grows at the top grows to a whole class.
/// - A block that shrinks in place to a smaller class gives the rest to the lists, in whole
///   classes: 128 bytes that become 32 free a block of 32 and one of 64.
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
    /// The most recently freed block of each class, or null, the largest class first.
    ///
    /// [`list`](Self::list) explains the order. The first word of a free block is the next free
    /// block.
    free: [Cell<*mut u8>; CLASSES],
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
    /// The sizes of the classes in bytes.
    pub const CLASS_SIZES: [usize; CLASSES] = [GRAIN, GRAIN << 1, GRAIN << 2, GRAIN << 3];

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
            free: [const { Cell::new(ptr::null_mut()) }; CLASSES],
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
        let lengths: [usize; CLASSES] = array::from_fn(|class| {
            let mut length = 0;
            let mut block = self.list(class).get();
            while !block.is_null() {
                length += GRAIN << class;
                // SAFETY: the block is in a list.
                block = unsafe { next(block) };
            }
            length
        });
        lengths.iter().sum()
    }

    /// Returns the list of a class.
    ///
    /// A class is a constant less a number of leading zeros. With the lists in reverse order, their
    /// address adds that number to a constant, which saves an instruction in each call.
    #[inline(always)]
    fn list(&self, class: usize) -> &Cell<*mut u8> {
        &self.free[CLASSES - 1 - class]
    }

    /// Takes the first block from the list of a class.
    #[inline(always)]
    fn pop(&self, class: usize) -> Option<*mut u8> {
        let block = self.list(class).get();
        if block.is_null() {
            return None;
        }
        // SAFETY: the block is in a list.
        self.list(class).set(unsafe { next(block) });
        Some(block)
    }

    /// Puts a block into the list of a class.
    ///
    /// # Safety
    ///
    /// The block lies in this allocator's heap, is aligned to `GRAIN`, and has the size of the
    /// class. From here on no other code uses its bytes.
    #[inline(always)]
    unsafe fn push(&self, class: usize, block: *mut u8) {
        // The next owner may use more of the block than the last owner's pointer reaches.
        let block = self.bump.own(block);
        let link: *mut *mut u8 = block.cast();
        // SAFETY: by the contract, the block has at least the size of a pointer, is aligned for it,
        // and no other code uses it. The heap's own pointer is valid for writes there.
        unsafe { link.write(self.list(class).get()) };
        self.list(class).set(block);
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

/// The kind of block for a layout.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A block of the class with this index.
    Class(usize),
    /// A block from the top, with the size of its layout.
    Long,
}

impl Kind {
    #[inline(always)]
    fn of(layout: Layout) -> Self {
        // How often the size must be halved to be in the smallest class.
        let grains = layout.size().wrapping_sub(1) / GRAIN;
        let class = (usize::BITS - grains.leading_zeros()) as usize;
        if class < CLASSES && layout.align() <= GRAIN {
            Self::Class(class)
        } else {
            Self::Long
        }
    }

    /// Returns the layout of the block itself, if there is one.
    ///
    /// A long block is aligned to `GRAIN` too, so that it can shrink to a class.
    #[inline(always)]
    fn block(self, layout: Layout) -> Option<Layout> {
        match self {
            Self::Class(class) => Layout::from_size_align(GRAIN << class, GRAIN).ok(),
            Self::Long => layout.align_to(GRAIN).ok(),
        }
    }
}

// SAFETY: every block comes from the bump allocator, or is the rest of a block that was split,
// which shares no byte with the kept part. At all times a block has the size of the kind of its
// present layout, and is aligned to at least `GRAIN`. A block that is freed with that layout is
// therefore a whole block of its list. A block in a list is nowhere else. No method panics.
unsafe impl<S: HeapSource> GlobalAlloc for SegregatedBumpAllocator<S> {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let kind = Kind::of(layout);
        if let Kind::Class(class) = kind
            && let Some(block) = self.pop(class)
        {
            return block;
        }
        match kind.block(layout) {
            // SAFETY: the layout has a size: a class has one, and for a long block the caller
            // promises it.
            Some(block) => unsafe { self.bump.alloc(block) },
            None => ptr::null_mut(),
        }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        let kind = Kind::of(layout);
        if let Kind::Class(class) = kind
            && let Some(block) = self.pop(class)
        {
            // SAFETY: the block has the size of the class, which covers the layout, and no other
            // code uses it before this method returns it.
            unsafe { block.write_bytes(0, layout.size()) };
            return block;
        }
        match kind.block(layout) {
            // SAFETY: the layout has a size: a class has one, and for a long block the caller
            // promises it.
            Some(block) => unsafe { self.bump.alloc_zeroed(block) },
            None => ptr::null_mut(),
        }
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        match Kind::of(layout) {
            // SAFETY: the caller frees a block with this layout, so it has the size of this class
            // and is aligned to `GRAIN`. The caller no longer uses it.
            Kind::Class(class) => unsafe { self.push(class, block) },
            // SAFETY: the caller frees a long block with this layout, so it has this size. Its
            // alignment does not matter to the bump allocator here.
            Kind::Long => unsafe { self.bump.dealloc(block, layout) },
        }
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: the caller promises that `new_size` rounded up to the alignment does not exceed
        // `isize::MAX`. The alignment is that of a layout, so it is a power of two.
        let new_layout = unsafe { Layout::from_size_align_unchecked(new_size, layout.align()) };
        let (old, new) = (Kind::of(layout), Kind::of(new_layout));
        if old == new && old != Kind::Long {
            return self.bump.own(block);
        }
        let (Some(old_block), Some(new_block)) = (old.block(layout), new.block(new_layout)) else {
            return ptr::null_mut();
        };
        let is_newest = self.bump.is_newest(block, old_block.size());
        let grows = new_block.size() > old_block.size();
        // A listed block comes before new bytes, and before a split: otherwise a program that
        // repeats the same allocations would grow each time.
        let is_listed = match (old, new) {
            (Kind::Class(_), Kind::Class(class)) => !self.list(class).get().is_null(),
            // A long block that is not the newest would leak if it moved.
            (Kind::Long, Kind::Class(class)) => is_newest && !self.list(class).get().is_null(),
            _ => false,
        };
        if is_newest && !is_listed {
            // SAFETY: the block has the layout `old_block`, and lies in the bump allocator's heap,
            // whole or as the rest of a split block. It ends at the top, which is all that the bump
            // allocator needs of a rest. The new size is that of a layout with the same alignment.
            let resized = unsafe { self.bump.realloc(block, old_block, new_block.size()) };
            if !resized.is_null()
                && resized != block
                && let Kind::Class(class) = old
            {
                // SAFETY: the block has this class and is aligned to `GRAIN`. Its bytes were copied
                // to the new block, so it is no longer used.
                unsafe { self.push(class, block) };
            }
            return resized;
        }
        if !is_newest && !grows && !is_listed {
            if let (Kind::Class(old), Kind::Class(new)) = (old, new) {
                for class in new..old {
                    let rest = block.wrapping_add(GRAIN << class);
                    // SAFETY: the bytes from `GRAIN << class` to twice that are part of the block,
                    // above the kept bytes and below those of the next round. They are aligned to
                    // `GRAIN`, like `block`. The caller no longer uses them.
                    unsafe { self.push(class, rest) };
                }
            }
            return block;
        }
        // SAFETY: the caller promises that the new size is not 0.
        let moved = unsafe { self.alloc(new_layout) };
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
                // SAFETY: the block has this layout, and the caller no longer uses it.
                unsafe { self.dealloc(block, layout) };
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
