//! A bump heap that remembers freed blocks by their size.

use core::alloc::{GlobalAlloc, Layout};
use core::array;
use core::cell::Cell;
use core::mem::MaybeUninit;
use core::ptr;

use crate::bump::BumpAllocator;
use crate::source::{BorrowedHeap, FixedHeap, HeapSource, LoaderHeap, PageMemory, WasmMemory};

/// The alignment of every block of a class, and the size of the smallest.
const GRAIN: usize = 16;

/// Classes of 16, 32, 64 and 128 bytes.
const CLASSES: usize = 4;

/// A bump heap that takes back every block of up to 128 bytes.
///
/// A block of a size class is [16, 32, 64 or 128](Self::CLASS_SIZES) bytes long and aligned to 16. When it is
/// freed it goes to the list of its class, and the next request of that class gets it: a stack in the free blocks
/// themselves, with no header and no search. What is longer than 128 bytes, or aligned to more than 16, comes
/// straight from a [`BumpAllocator`], which takes back only its most recent block.
///
/// | operation | what it does |
/// |---|---|
/// | `alloc` | a block from the list of the class, and otherwise from the top |
/// | `alloc_zeroed` | the same, and zeroes only bytes that were handed out before |
/// | `dealloc` | to the list of the class; a long block only if it is the most recent one, otherwise leaked, by design |
/// | `realloc` | in place if the class stays the same; to a listed block of the new class, if there is one; otherwise in place if the class covers the new size, or at the top; elsewhere by a copy |
///
/// But for copying and zeroing bytes, each of them takes a constant number of steps.
///
/// # A block is of the class of its layout, always
///
/// Nothing is written down about a live block, so the layout that it is freed with must tell its class. `realloc`
/// keeps that true: a block that grows at the top grows to a whole class, and a block that shrinks in place from a
/// class to a smaller one gives the rest to the lists, in whole classes: 128 bytes that become 32 leave 32 and 64 free. Where a
/// block of the new class waits in its list, though, the bytes move there, so that a program which makes and frees the
/// same things over and over needs no more room each time.
///
/// # Layout
///
/// As for [`BumpAllocator`] without state of the program's own, so that a loader reads use and peak in the same
/// place: both are of the bump pointer, and count the blocks in the lists. The lists begin in the allocator
/// itself.
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
/// // SAFETY: the layout has a size. 30 bytes are of the same class as 20.
/// let third = unsafe { heap.alloc(Layout::from_size_align(30, 1)?) };
/// assert_eq!(third, first);
/// assert_ne!(third, second);
/// # Ok::<(), core::alloc::LayoutError>(())
/// ```
#[derive(Debug)]
pub struct SegregatedBumpAllocator<S = LoaderHeap> {
    bump: BumpAllocator<(), S>,
    /// The most recently freed block of each class, or null, the largest class first: see [`list`](Self::list). A free
    /// block's first word is the next one.
    free: [Cell<*mut u8>; CLASSES],
}

impl SegregatedBumpAllocator {
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

impl<'buffer> SegregatedBumpAllocator<BorrowedHeap<'buffer>> {
    /// A heap in a buffer, which is zeroed first.
    ///
    /// A buffer of less than 8 bytes gives a heap that refuses everything.
    pub fn from_buffer(buffer: &'buffer mut [MaybeUninit<u8>]) -> Self {
        // SAFETY: the source is made for this allocator; neither is `Sync`, so one thread uses them.
        unsafe { Self::with_source(BorrowedHeap::new(buffer)) }
    }
}

impl<S: HeapSource> SegregatedBumpAllocator<S> {
    /// The sizes of the classes in bytes.
    pub const CLASS_SIZES: [usize; CLASSES] = [GRAIN, GRAIN << 1, GRAIN << 2, GRAIN << 3];

    /// A heap over any source.
    ///
    /// # Safety
    ///
    /// - No other allocator is built over the same region, and nothing has been written to it.
    /// - The allocator is used from one thread.
    #[must_use]
    pub const unsafe fn with_source(source: S) -> Self {
        Self {
            // SAFETY: the caller promises that no other allocator is built over the region, that nothing has been written
            // to it, and that one thread uses this one, of which the inner allocator is a private part.
            bump: unsafe { BumpAllocator::with_source(source) },
            free: [const { Cell::new(ptr::null_mut()) }; CLASSES],
        }
    }

    /// Bytes that have been taken from the top, those in the lists included.
    #[must_use]
    pub fn used(&self) -> usize {
        self.bump.used()
    }

    /// The most bytes that were ever taken from the top at once.
    #[must_use]
    pub fn peak(&self) -> usize {
        self.bump.peak()
    }

    /// Length of the whole heap in bytes, header included; 0 if it was never announced.
    #[must_use]
    pub fn limit(&self) -> usize {
        self.bump.limit()
    }

    /// Bytes in the lists of free blocks. It walks over all of them.
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

    /// A class's list. A class is a number of leading zeros taken from a constant; where the lists stand the other way
    /// round, an address is that number added to one, and spares an instruction in each call.
    #[inline(always)]
    fn list(&self, class: usize) -> &Cell<*mut u8> {
        &self.free[CLASSES - 1 - class]
    }

    /// Takes the first block from a class's list.
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

    /// Puts a block into a class's list.
    ///
    /// # Safety
    ///
    /// The block came from this allocator's heap, is aligned to `GRAIN` and as long as the class says, and nobody
    /// uses any of its bytes from here on.
    #[inline(always)]
    unsafe fn push(&self, class: usize, block: *mut u8) {
        // The next owner may use more of it than the last one's pointer reaches.
        let block = self.bump.own(block);
        let link: *mut *mut u8 = block.cast();
        // SAFETY: by the contract the block has room for a pointer, is aligned for it, and nobody uses it.
        unsafe { link.write(self.list(class).get()) };
        self.list(class).set(block);
    }
}

/// The block behind this one in its list, or null.
///
/// # Safety
///
/// The block is in the list of a class.
#[inline(always)]
unsafe fn next(block: *mut u8) -> *mut u8 {
    let link: *const *mut u8 = block.cast();
    // SAFETY: `push` has written a pointer there, and nobody has used the block since.
    unsafe { link.read() }
}

/// How a block of some layout is kept.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// In the class of this index.
    Class(usize),
    /// Straight from the top, as long as its layout says.
    Long,
}

impl Kind {
    #[inline(always)]
    fn of(layout: Layout) -> Self {
        // The number of times that the size has to be halved until it is in the smallest class.
        let grains = layout.size().wrapping_sub(1) / GRAIN;
        let class = (usize::BITS - grains.leading_zeros()) as usize;
        if class < CLASSES && layout.align() <= GRAIN {
            Self::Class(class)
        } else {
            Self::Long
        }
    }

    /// The layout of the block itself, if its size can be made good: a long block is aligned to `GRAIN` as well, so that
    /// it can shrink to a class.
    #[inline(always)]
    fn block(self, layout: Layout) -> Option<Layout> {
        match self {
            Self::Class(class) => Layout::from_size_align(GRAIN << class, GRAIN).ok(),
            Self::Long => layout.align_to(GRAIN).ok(),
        }
    }
}

// SAFETY: every block is one that the bump allocator handed out, or the rest of one that was split, which has no
// byte in common with what was kept. Of each block it is always true that it is as long as the kind of its
// present layout says, and aligned to `GRAIN` at least, so that one that is freed with that layout is a whole block
// of the list that it goes to; and what is in a list is in no other place. No method panics.
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
            // SAFETY: a class has a size, and otherwise the caller promises that the layout has one.
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
            // SAFETY: the block is as long as the class, which covers the layout, and ours until we return it.
            unsafe { block.write_bytes(0, layout.size()) };
            return block;
        }
        match kind.block(layout) {
            // SAFETY: as in `alloc`.
            Some(block) => unsafe { self.bump.alloc_zeroed(block) },
            None => ptr::null_mut(),
        }
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        match Kind::of(layout) {
            // SAFETY: the caller gives up a block of this layout, which is one of this class.
            Kind::Class(class) => unsafe { self.push(class, block) },
            // SAFETY: the caller gives up a block of this layout, which is as long as that says. Its alignment does
            // not matter to the bump allocator here.
            Kind::Long => unsafe { self.bump.dealloc(block, layout) },
        }
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: the caller promises that `new_size` rounded up to the alignment does not pass
        // `isize::MAX`; the alignment is that of a layout.
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
        // A block that waits in a list comes before new room, and before cutting a block up: otherwise a program that
        // makes and frees the same things over and over would need more room each time.
        let is_listed = match (old, new) {
            (Kind::Class(_), Kind::Class(class)) => !self.list(class).get().is_null(),
            // A long block that is not the newest would be lost if it moved.
            (Kind::Long, Kind::Class(class)) => is_newest && !self.list(class).get().is_null(),
            _ => false,
        };
        if is_newest && !is_listed {
            // SAFETY: the block is as long as `old_block` says, and came from the bump allocator, whole or as the rest
            // of a block that was split; for that it is enough that it ends at the top. The new size is that of a
            // layout of the same alignment.
            let resized = unsafe { self.bump.realloc(block, old_block, new_block.size()) };
            if !resized.is_null()
                && resized != block
                && let Kind::Class(class) = old
            {
                // SAFETY: a block of this class, whose bytes were copied to where the memory has grown.
                unsafe { self.push(class, block) };
            }
            return resized;
        }
        if !is_newest && !grows && !is_listed {
            if let (Kind::Class(old), Kind::Class(new)) = (old, new) {
                for class in new..old {
                    let rest = block.wrapping_add(GRAIN << class);
                    // SAFETY: the bytes from `GRAIN << class` to twice that are the block's, above those that are kept
                    // and below those of the next round, and `block` is aligned to `GRAIN`. The caller gives them up.
                    unsafe { self.push(class, rest) };
                }
            }
            return block;
        }
        // SAFETY: the new layout has a size, as the caller promises.
        let moved = unsafe { self.alloc(new_layout) };
        if !moved.is_null() {
            let kept = layout.size().min(new_size);
            // SAFETY: so many bytes are readable at `block`, a live block of the old layout, and writable at `moved`, a
            // new one of the new layout; no two blocks have a byte in common.
            unsafe { ptr::copy_nonoverlapping(block, moved, kept) };
            if is_newest {
                // SAFETY: the caller gives the block up. It is as long as that and still ends at the top, because
                // `moved` is from a list.
                unsafe { self.bump.dealloc(block, old_block) };
            } else {
                // SAFETY: the caller gives the block up, which is of that layout.
                unsafe { self.dealloc(block, layout) };
            }
        }
        moved
    }
}

// SAFETY: `docs/machine-model.md`: a guest has one thread, no interrupts and no re-entry. Elsewhere the
// constructors of an allocator over the announced heap make one thread the caller's promise.
unsafe impl Sync for SegregatedBumpAllocator<LoaderHeap> {}

// SAFETY: as above; `with_source` makes one thread the caller's promise.
unsafe impl<const BASE: usize, const LIMIT: usize> Sync
    for SegregatedBumpAllocator<FixedHeap<BASE, LIMIT>>
{
}

// SAFETY: as above; `with_source` makes one thread the caller's promise.
unsafe impl<M: PageMemory + Sync> Sync for SegregatedBumpAllocator<WasmMemory<M>> {}
