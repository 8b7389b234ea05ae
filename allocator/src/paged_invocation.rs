//! Scratch memory for what the host passes in during one invocation, in a memory that grows.

use core::cell::Cell;
use core::fmt;
use core::ptr::{self, NonNull};

use crate::source::{LinearMemory, PAGE_SIZE, PageMemory, ends_in_address_space, pages};

/// The alignment in bytes of every region.
const ALIGNMENT: usize = 8;

/// The most extents.
///
/// Each is at least as long as all before it, if the memory allows that. This many extents
/// therefore cover all pages of a memory with 32-bit addresses.
const MAX_EXTENTS: usize = 17;

/// The address of an empty region: no byte, and not null.
const EMPTY: NonNull<u8> = NonNull::<u64>::dangling().cast();

/// Scratch memory of any length for what the host passes in during one invocation.
///
/// It is [`InvocationArena`](crate::InvocationArena) for a program that lives for many invocations
/// in a memory that grows. Regions may have any length. It takes no page before the first region,
/// and keeps its pages.
///
/// | request | result |
/// |---|---|
/// | a region | its address, a multiple of 8 |
/// | an empty region | an address, a multiple of 8 and never 0, even without more memory |
/// | a region that does not fit into memory | `None`, without a change |
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
/// #     // SAFETY: ten pages that are never freed, each of which is given out once.
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
/// // The memory of a module is `allocator::LinearMemory`; `PagedInvocationArena::new` uses it.
/// // SAFETY: one thread uses it. It writes only initialized bytes, and not to a borrowed region.
/// let room = unsafe { PagedInvocationArena::over(memory) };
/// let region = room.alloc(100_000).ok_or("no room")?;
/// let address = region.addr().get();
/// assert_eq!(room.bytes(address, 100_000).map(<[u8]>::len), Some(100_000));
/// assert_eq!(room.bytes(address, 100_001), None);
/// // SAFETY: the region is no longer used.
/// unsafe { room.reset() };
/// assert_eq!(room.bytes(address, 1), None);
/// assert_eq!(room.alloc(100_000), Some(region));
/// # }
/// # Ok::<(), &str>(())
/// ```
///
/// # Pages
///
/// It takes pages from the end of a [`PageMemory`] in pieces, and never returns them. Each piece is
/// at least as long as all before it, unless the memory has only the requested bytes. A region lies
/// in one piece. Other code may take pages in between.
///
/// A region goes to the first place where it fits. A host that requests the same lengths in the
/// same order after each [`reset`](Self::reset) causes new pages only in the first round. If the
/// regions of a round never take more than some number of bytes, alignment included, then all
/// pieces together are less than four times as long, or less than four pages if that is more.
///
/// # Contents
///
/// A new region contains whatever was there: zeroes, or the bytes of an earlier invocation.
pub struct PagedInvocationArena<M = LinearMemory> {
    memory: M,
    /// The extents. Those in use come first.
    extents: [Extent; MAX_EXTENTS],
    /// The number of extents in use.
    count: Cell<usize>,
}

/// A run of adjoining pages.
struct Extent {
    /// The first byte, aligned. Null if the extent is not in use.
    start: Cell<*mut u8>,
    /// The number of bytes after `start`, at most `isize::MAX`; 0 if the extent is not in use.
    length: Cell<usize>,
    /// The offset of the first byte that was allocated since the last reset.
    first: Cell<usize>,
    /// The offset after the last taken byte: at least `first`, and at most `length`.
    used: Cell<usize>,
}

impl<M> PagedInvocationArena<M> {
    /// Returns an arena over a memory, without pages.
    ///
    /// # Safety
    ///
    /// - The arena is used from one thread.
    /// - Only initialized bytes are written to it: no padding, no `MaybeUninit::uninit()`.
    /// - As long as a slice from [`bytes`](Self::bytes) is in use, its bytes are not written: not
    ///   by the program through a pointer from [`alloc`](Self::alloc), and not by the host.
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
    /// Returns an arena over the linear memory of the module, without pages.
    ///
    /// # Safety
    ///
    /// As for [`over`](Self::over).
    #[must_use]
    pub const unsafe fn new() -> Self {
        // SAFETY: the caller fulfils the contract of `over`, which is that of this function.
        unsafe { Self::over(LinearMemory) }
    }
}

impl<M: PageMemory> PagedInvocationArena<M> {
    /// Allocates a region of `length` bytes. Returns `None` if it does not fit into memory.
    ///
    /// The address is a multiple of 8. An empty region always succeeds, and takes no bytes.
    ///
    /// Until the next [`reset`](Self::reset), the pointer is valid for reads, and for writes of
    /// initialized bytes while no slice of them from [`bytes`](Self::bytes) is in use. Such a slice
    /// may be requested at any time, so never make a `&mut` to the bytes.
    #[must_use]
    pub fn alloc(&self, length: usize) -> Option<NonNull<u8>> {
        if length == 0 {
            return Some(EMPTY);
        }
        let fits = self.present().find_map(|extent| extent.take(length));
        fits.or_else(|| self.grow(length)?.take(length))
    }

    /// Returns the `length` bytes at `address`, if all were allocated since the last
    /// [`reset`](Self::reset) or [`reset_retaining`](Self::reset_retaining).
    ///
    /// Any two numbers are allowed. The result is `None` for a range that includes another byte.
    /// The bounds of adjoining regions are not checked, nor the gap that aligns the second of them.
    /// The same applies to an empty range, except that of an empty region.
    #[must_use]
    pub fn bytes(&self, address: usize, length: usize) -> Option<&[u8]> {
        if (address, length) == (EMPTY.addr().get(), 0) {
            return Some(&[]);
        }
        let mut extents = self.present();
        let first = extents.find_map(|extent| extent.find(address, length))?;
        // SAFETY: `find` has checked that `length` bytes there were allocated. They were zero when
        // the memory grew, and by the contract of `over` only initialized bytes are written to
        // them. By the contract of `PageMemory` the memory stays in place. No method writes to a
        // region. By the contract of `over`, no other code writes there while the slice is in use,
        // and there is one thread.
        Some(unsafe { core::slice::from_raw_parts(first, length) })
    }

    /// Frees all regions.
    ///
    /// # Safety
    ///
    /// No slice from [`bytes`](Self::bytes) and no pointer from [`alloc`](Self::alloc) is used any
    /// more.
    pub unsafe fn reset(&self) {
        for extent in self.present() {
            extent.first.set(0);
            extent.used.set(0);
        }
    }

    /// Frees all regions except the `length` bytes at `address`, if they were allocated.
    ///
    /// [`bytes`](Self::bytes) no longer lends the retained bytes, and they are not allocated again
    /// before the next reset. They can therefore be used in any way.
    ///
    /// # Safety
    ///
    /// No slice from [`bytes`](Self::bytes) and no pointer from [`alloc`](Self::alloc) is used any
    /// more, except for those bytes.
    pub unsafe fn reset_retaining(&self, address: usize, length: usize) {
        let kept = |extent: &&Extent| extent.find(address, length).is_some();
        let kept = self.present().find(kept);
        // SAFETY: by the contract, only slices of and pointers to the retained bytes are still
        // used. These bytes are taken again below, before any other allocation.
        unsafe { self.reset() };
        if let Some(extent) = kept {
            // The bytes are in the extent, so this is at most its length.
            let behind = address - extent.start.get().addr() + length;
            extent.first.set(behind);
            extent.used.set(behind);
        }
    }

    /// Returns the extents in use: mostly one or two, and each invocation reads them several times.
    fn present(&self) -> impl Iterator<Item = &Extent> {
        self.extents.iter().take(self.count.get())
    }

    /// Returns the taken bytes: in each piece, those up to the end of its last region.
    #[must_use]
    pub fn used(&self) -> usize {
        self.extents.iter().map(|extent| extent.used.get()).sum()
    }

    /// Returns the bytes of all its pages.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.extents.iter().map(|extent| extent.length.get()).sum()
    }

    /// Takes pages for at least `length` bytes, which must not be 0.
    #[cold]
    #[inline(never)]
    fn grow(&self, length: usize) -> Option<&Extent> {
        let present = self.count.get();
        let extent = self.extents.get(present)?;
        let padding = self.memory.page(0).addr().wrapping_neg() % ALIGNMENT;
        let wanted = pages(length.checked_add(padding)?)?;
        // As many as all before, so that there are few extents; if the memory has fewer, as many as
        // needed.
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

    /// Takes `count` pages. Returns the number of the first one, and the count.
    fn take_pages(&self, count: usize) -> Option<(usize, usize)> {
        if !ends_in_address_space(self.memory.pages(), count) {
            return None;
        }
        let first = self.memory.grow(count)?;
        // Other code may have grown the memory between the two calls. Page 0 of a memory without
        // pages stays unused, because its address is null.
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

    /// Allocates `length` bytes, which must not be 0, if they fit.
    fn take(&self, length: usize) -> Option<NonNull<u8>> {
        // The start is aligned, so this aligns the address. It cannot wrap, because `used` is at
        // most `isize::MAX`.
        let offset = self.used.get().next_multiple_of(ALIGNMENT);
        let room = self.length.get().checked_sub(offset)?;
        if length > room {
            return None;
        }
        self.used.set(offset + length);
        NonNull::new(self.start.get().wrapping_add(offset))
    }

    /// Returns the first of `length` bytes at `address`, if all of them were allocated.
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

// SAFETY: a guest has one thread and no interrupts (`docs/machine-model.md`). The host may call
// `alloc` during a syscall, but no method of the arena makes a syscall, so `alloc` never interrupts
// another method. On other targets, the caller of `over` promises one thread.
unsafe impl<M: PageMemory + Sync> Sync for PagedInvocationArena<M> {}
