//! Room for whatever the host hands in during one invocation, in a memory that grows.

use core::cell::Cell;
use core::fmt;
use core::ptr::{self, NonNull};

use crate::source::{LinearMemory, PAGE_SIZE, PageMemory, ends_in_address_space, pages};

/// Every region starts at a multiple of this many bytes.
const ALIGNMENT: usize = 8;

/// The most extents. Each is at least as long as all before it, as long as the memory lets it be, so this many are all the
/// pages that a memory of 32-bit addresses can have.
const MAX_EXTENTS: usize = 17;

/// Where a region of no bytes stands: nowhere, at an address that is not 0.
const EMPTY: NonNull<u8> = NonNull::<u64>::dangling().cast();

/// Scratch memory for what the host hands in during one invocation, as much as there is, from pages that it keeps.
///
/// It is [`InvocationArena`](crate::InvocationArena) for a program that lives for many invocations in a memory that grows:
/// regions may be of any length, and nothing is set aside before the first.
///
/// | asked | answered |
/// |---|---|
/// | a region | its address, a multiple of 8 |
/// | an empty region | an address, a multiple of 8 and never 0, even when there is no more memory |
/// | a region for which there is no memory | `None`, and nothing has changed |
///
/// ```
/// use allocator::PagedInvocationArena;
///
/// # #[cfg(not(target_arch = "wasm32"))]
/// # mod memory {
/// #     use std::cell::Cell;
/// #
/// #     use allocator::{PAGE_SIZE, PageMemory};
/// #
/// #     pub struct LinearMemory(*mut u8, Cell<usize>);
/// #
/// #     impl LinearMemory {
/// #         pub fn new() -> Self {
/// #             Self(vec![0_u64; 10 * PAGE_SIZE / 8].leak().as_mut_ptr().cast(), Cell::new(0))
/// #         }
/// #     }
/// #
/// #     // SAFETY: ten pages that are never given back, each of which is handed out once.
/// #     unsafe impl PageMemory for LinearMemory {
/// #         fn pages(&self) -> usize {
/// #             self.1.get()
/// #         }
/// #
/// #         fn grow(&self, pages: usize) -> Option<usize> {
/// #             (pages <= 10 - self.1.get()).then(|| self.1.replace(self.1.get() + pages))
/// #         }
/// #
/// #         fn page(&self, number: usize) -> *mut u8 {
/// #             self.0.wrapping_add(number * PAGE_SIZE)
/// #         }
/// #     }
/// # }
/// # #[cfg(not(target_arch = "wasm32"))] {
/// # let memory = memory::LinearMemory::new();
/// // The memory of a module is `allocator::LinearMemory`, and `PagedInvocationArena::new` has it.
/// // SAFETY: one thread uses it, and writes no region of which it has borrowed bytes.
/// let room = unsafe { PagedInvocationArena::over(memory) };
/// let region = room.alloc(100_000).ok_or("no room")?;
/// let address = region.addr().get();
/// assert_eq!(room.bytes(address, 100_000).map(<[u8]>::len), Some(100_000));
/// assert_eq!(room.bytes(address, 100_001), None);
/// // SAFETY: nobody uses the region any more.
/// unsafe { room.reset() };
/// assert_eq!(room.bytes(address, 1), None);
/// assert_eq!(room.alloc(100_000), Some(region));
/// # }
/// # Ok::<(), &str>(())
/// ```
///
/// # Pages
///
/// It takes pages from the end of a [`PageMemory`] in pieces, each at least as long as all before it unless the memory has no
/// more than what is asked for, and gives none back. A region lies in one piece. Pages that others take in between are
/// theirs.
///
/// Regions go where they first fit. So whoever asks for the same lengths in the same order after each [`reset`](Self::reset)
/// takes new pages in the first round only; and if all regions of a round never take more than some number of bytes, alignment
/// counted, then the pieces never are four times as long together, or four pages, if that is more.
///
/// # Contents
///
/// A region that is handed out holds whatever was there: zeroes, or what an earlier invocation has left.
pub struct PagedInvocationArena<M = LinearMemory> {
    memory: M,
    /// Those that are there come first.
    extents: [Extent; MAX_EXTENTS],
    /// How many are there.
    count: Cell<usize>,
}

/// Pages that follow each other.
struct Extent {
    /// The first byte, aligned. Null if the extent is not there.
    start: Cell<*mut u8>,
    /// Bytes behind `start`, at most `isize::MAX`; 0 if the extent is not there.
    length: Cell<usize>,
    /// The offset of the first byte that was handed out since the last reset.
    first: Cell<usize>,
    /// The offset behind the last byte that is taken: at least `first`, and at most `length`.
    used: Cell<usize>,
}

impl<M> PagedInvocationArena<M> {
    /// An arena over a memory, without pages so far.
    ///
    /// # Safety
    ///
    /// - The arena is used from one thread.
    /// - Nothing but initialized bytes is written to it: no padding, no `MaybeUninit::uninit()`.
    /// - As long as a slice that [`bytes`](Self::bytes) has lent is in use, nobody writes to it, neither
    ///   the program through a pointer from [`alloc`](Self::alloc) nor a host that knows the address.
    #[must_use]
    pub const unsafe fn over(memory: M) -> Self {
        Self {
            memory,
            extents: [const { Extent::absent() }; MAX_EXTENTS],
            count: Cell::new(0),
        }
    }
}

impl PagedInvocationArena {
    /// An arena over the linear memory of the module, without pages so far.
    ///
    /// # Safety
    ///
    /// As for [`over`](Self::over).
    #[must_use]
    pub const unsafe fn new() -> Self {
        // SAFETY: the contract is the same.
        unsafe { Self::over(LinearMemory) }
    }
}

impl<M: PageMemory> PagedInvocationArena<M> {
    /// Hands out a region of `length` bytes; `None` if there is no memory for it.
    ///
    /// The address is a multiple of 8. An empty region always has one, and takes nothing.
    ///
    /// Until the next [`reset`](Self::reset) the bytes may be read, and written with initialized bytes, through the
    /// pointer, but not written while a slice of them from [`bytes`](Self::bytes) is in use. Anybody may ask for such
    /// a slice at any time, so no `&mut` to them may be made.
    #[must_use]
    pub fn alloc(&self, length: usize) -> Option<NonNull<u8>> {
        if length == 0 {
            return Some(EMPTY);
        }
        let fits = self.present().find_map(|extent| extent.take(length));
        fits.or_else(|| self.grow(length)?.take(length))
    }

    /// The `length` bytes at `address`, if they are bytes that were handed out since the last
    /// [`reset`](Self::reset) or [`reset_except`](Self::reset_except).
    ///
    /// Takes any two numbers. `None` is the answer for a range that touches another byte; where regions that follow each
    /// other begin and end is not checked, nor whether the range touches what aligns the second of them. An empty range is
    /// held to the same, but for an empty region.
    #[must_use]
    pub fn bytes(&self, address: usize, length: usize) -> Option<&[u8]> {
        if (address, length) == (EMPTY.addr().get(), 0) {
            return Some(&[]);
        }
        let mut extents = self.present();
        let first = extents.find_map(|extent| extent.find(address, length))?;
        // SAFETY: `find` has found so many bytes there that were handed out: they were zero when the memory grew, and only
        // initialized bytes are written to them. The memory stays where it is, as `PageMemory` says. Nothing here writes to a
        // region, `over` promises that nobody else does while the slice is in use, and there is one thread.
        Some(unsafe { core::slice::from_raw_parts(first, length) })
    }

    /// Takes everything back.
    ///
    /// # Safety
    ///
    /// Neither a slice that [`bytes`](Self::bytes) has lent nor a pointer from [`alloc`](Self::alloc) is
    /// used any more.
    pub unsafe fn reset(&self) {
        for extent in self.present() {
            extent.first.set(0);
            extent.used.set(0);
        }
    }

    /// Takes everything back but the `length` bytes at `address`, if they are bytes that were handed out.
    ///
    /// They are not lent by [`bytes`](Self::bytes) any more and not handed out again before the next reset, so that they can
    /// be used in any way.
    ///
    /// # Safety
    ///
    /// Neither a slice that [`bytes`](Self::bytes) has lent nor a pointer from [`alloc`](Self::alloc) is
    /// used any more, but for those bytes.
    pub unsafe fn reset_except(&self, address: usize, length: usize) {
        let kept = |extent: &&Extent| extent.find(address, length).is_some();
        let kept = self.present().find(kept);
        // SAFETY: the contract is the same, but for bytes that are taken again below.
        unsafe { self.reset() };
        if let Some(extent) = kept {
            // The bytes are in the extent, so this is at most its length.
            let behind = address - extent.start.get().addr() + length;
            extent.first.set(behind);
            extent.used.set(behind);
        }
    }

    /// The extents that are there: mostly one or two, and each invocation looks at them several times.
    fn present(&self) -> impl Iterator<Item = &Extent> {
        self.extents.iter().take(self.count.get())
    }

    /// Bytes that are taken: in each piece of the memory those up to the end of its last region.
    #[must_use]
    pub fn used(&self) -> usize {
        self.extents.iter().map(|extent| extent.used.get()).sum()
    }

    /// Bytes of all the pages that it keeps.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.extents.iter().map(|extent| extent.length.get()).sum()
    }

    /// Takes pages for `length` bytes at least, which is not 0.
    #[cold]
    #[inline(never)]
    fn grow(&self, length: usize) -> Option<&Extent> {
        let present = self.count.get();
        let extent = self.extents.get(present)?;
        let padding = self.memory.page(0).addr().wrapping_neg() % ALIGNMENT;
        let wanted = pages(length.checked_add(padding)?)?;
        // As many as all before, so that there are few extents; and if there are not so many, as many as it takes.
        let (first, count) = pages(self.capacity())
            .filter(|all| *all > wanted)
            .and_then(|all| self.take_pages(all))
            .or_else(|| self.take_pages(wanted))?;
        let start = self.memory.page(first).wrapping_add(padding);
        extent.start.set(start);
        extent.length.set(count * PAGE_SIZE - padding);
        self.count.set(present + 1);
        Some(extent)
    }

    /// Takes so many pages, and returns the number of the first and how many they are.
    fn take_pages(&self, count: usize) -> Option<(usize, usize)> {
        if !ends_in_address_space(self.memory.pages(), count) {
            return None;
        }
        let first = self.memory.grow(count)?;
        // Somebody else may have grown the memory between the two calls; and page 0 of a memory that had none is left alone,
        // because no pointer to its first byte can be used.
        let is_usable = ends_in_address_space(first, count) && !self.memory.page(first).is_null();
        is_usable.then_some((first, count))
    }
}

impl Extent {
    const fn absent() -> Self {
        Self {
            start: Cell::new(ptr::null_mut()),
            length: Cell::new(0),
            first: Cell::new(0),
            used: Cell::new(0),
        }
    }

    /// Hands out `length` bytes, which is not 0, if there is room.
    fn take(&self, length: usize) -> Option<NonNull<u8>> {
        // The start is aligned, so this aligns the address. It cannot wrap, because `used` is at most `isize::MAX`.
        let offset = self.used.get().next_multiple_of(ALIGNMENT);
        let room = self.length.get().checked_sub(offset)?;
        if length > room {
            return None;
        }
        self.used.set(offset + length);
        NonNull::new(self.start.get().wrapping_add(offset))
    }

    /// The first of `length` bytes at `address`, if all of them were handed out.
    fn find(&self, address: usize, length: usize) -> Option<*const u8> {
        if self.first == self.used {
            return None;
        }
        let start = self.start.get();
        let offset = address.checked_sub(start.addr())?;
        let rest = self.used.get().checked_sub(offset)?;
        (offset >= self.first.get() && length <= rest)
            .then(|| start.wrapping_add(offset).cast_const())
    }
}

impl<M: PageMemory> fmt::Debug for PagedInvocationArena<M> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("PagedInvocationArena")
            .field("used", &self.used())
            .field("capacity", &self.capacity())
            .finish_non_exhaustive()
    }
}

// SAFETY: `docs/machine-model.md`: a guest has one thread and no interrupts, and what the host calls while the program calls it
// is `alloc`, which no other method of the arena is in the middle of. Elsewhere `over` makes one thread the caller's promise.
unsafe impl<M: PageMemory + Sync> Sync for PagedInvocationArena<M> {}
