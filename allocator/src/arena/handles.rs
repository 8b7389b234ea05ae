//! Handles: the two ends as allocators.

use core::alloc::Layout;
use core::ptr::NonNull;

use allocator_api2::alloc::{AllocError, Allocator};

use super::Arena;
use super::end::{Bottom, Side, Top};

/// The bottom end of an arena as an [`Allocator`], for collections.
///
/// It borrows the arena, and so does every collection with it. The borrow prevents [`Arena::reset`]
/// while their blocks are in use.
///
/// ```
/// use allocator::{Arena, StaticBuffer};
/// use allocator_api2::alloc::{Allocator, Layout};
///
/// static BUFFER: StaticBuffer<1024> = StaticBuffer::new();
///
/// let arena = BUFFER.take().map(Arena::from_static_buffer).ok_or("taken before")?;
/// let bottom = arena.bottom_handle();
/// let block = bottom.allocate(Layout::new::<[u64; 4]>())?;
/// assert_eq!(block.len(), 32);
/// assert!(arena.bottom_used() >= 32);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct BottomHandle<'arena> {
    arena: &'arena Arena,
}

/// The top end of an arena as an [`Allocator`], for collections. See [`BottomHandle`].
///
/// The newest block of the top moves down when it grows, and up when it shrinks. That copies the
/// kept bytes, which costs time but no memory.
#[derive(Clone, Copy, Debug)]
pub struct TopHandle<'arena> {
    arena: &'arena Arena,
}

impl Arena {
    /// Returns the bottom end as an allocator.
    #[inline]
    #[must_use]
    pub fn bottom_handle(&self) -> BottomHandle<'_> {
        BottomHandle { arena: self }
    }

    /// Returns the top end as an allocator.
    #[inline]
    #[must_use]
    pub fn top_handle(&self) -> TopHandle<'_> {
        TopHandle { arena: self }
    }

    /// Another name for [`bottom_handle`](Self::bottom_handle), for use as a stack.
    #[inline]
    #[must_use]
    pub fn stack_handle(&self) -> BottomHandle<'_> {
        self.bottom_handle()
    }

    /// Another name for [`top_handle`](Self::top_handle), for use as a heap.
    #[inline]
    #[must_use]
    pub fn heap_handle(&self) -> TopHandle<'_> {
        self.top_handle()
    }

    /// Takes `length` bytes, unaligned and uninitialized, from the bottom end.
    ///
    /// They are a block of [`bottom_handle`](Self::bottom_handle) with alignment 1. They can be
    /// used until that end is rewound or reset, or the arena is dropped.
    ///
    /// # Errors
    ///
    /// If the bytes do not fit.
    pub fn alloc_bottom_bytes(&self, length: usize) -> Result<NonNull<[u8]>, AllocError> {
        self.bottom_handle().allocate(bytes(length)?)
    }

    /// Takes `length` bytes, unaligned and uninitialized, from the top end.
    ///
    /// They are a block of [`top_handle`](Self::top_handle) with alignment 1. They can be used
    /// until that end is rewound or reset, or the arena is dropped.
    ///
    /// # Errors
    ///
    /// If the bytes do not fit.
    pub fn alloc_top_bytes(&self, length: usize) -> Result<NonNull<[u8]>, AllocError> {
        self.top_handle().allocate(bytes(length)?)
    }

    fn allocate_zeroed<S: Side>(&self, layout: Layout) -> Result<NonNull<u8>, AllocError> {
        let block = self.allocate::<S>(layout)?;
        // SAFETY: the block is new and has `layout.size()` bytes.
        unsafe { block.write_bytes(0, layout.size()) };
        Ok(block)
    }

    /// Grows a block and zeroes the added bytes.
    ///
    /// # Safety
    ///
    /// As for [`resize`](Self::resize), and `new` has at least the size of `old`.
    unsafe fn grow_zeroed<S: Side>(
        &self,
        block: NonNull<u8>,
        old: Layout,
        new: Layout,
    ) -> Result<NonNull<u8>, AllocError> {
        // SAFETY: by this function's contract, the block is a live block of this side, has the
        // layout `old`, and has no `ArenaHandle`.
        let block = unsafe { self.resize::<S>(block, old, new)? };
        // SAFETY: the block has `new.size()` bytes, which is at least `old.size()`.
        let added = unsafe { block.add(old.size()) };
        // SAFETY: the block has `new.size() - old.size()` bytes from `added` on, and no other code
        // uses them.
        unsafe { added.write_bytes(0, new.size() - old.size()) };
        Ok(block)
    }
}

fn bytes(length: usize) -> Result<Layout, AllocError> {
    Layout::from_size_align(length, 1).map_err(|_| AllocError)
}

fn sized(block: NonNull<u8>, layout: Layout) -> NonNull<[u8]> {
    NonNull::slice_from_raw_parts(block, layout.size())
}

/// Implements `Allocator` for one end. The two ends differ only in their [`Side`].
macro_rules! allocator {
    ($handle:ident, $side:ident) => {
        // SAFETY: blocks lie in the arena's buffer, which does not move with the handle or with the
        // arena, which the handle borrows. They are aligned, have their size, and share no byte.
        // They are valid until freed, as long as the borrow lasts: other code that frees them takes
        // `&mut`, or is unsafe. A copy of a handle refers to the same arena and end.
        unsafe impl Allocator for $handle<'_> {
            #[inline]
            fn allocate(&self, layout: Layout) -> Result<NonNull<[u8]>, AllocError> {
                let block = self.arena.allocate::<$side>(layout)?;
                Ok(sized(block, layout))
            }

            #[inline]
            fn allocate_zeroed(&self, layout: Layout) -> Result<NonNull<[u8]>, AllocError> {
                let block = self.arena.allocate_zeroed::<$side>(layout)?;
                Ok(sized(block, layout))
            }

            #[inline]
            unsafe fn deallocate(&self, block: NonNull<u8>, layout: Layout) {
                // SAFETY: the caller promises that the block is a live block of this allocator, so
                // it has no `ArenaHandle`. The caller also promises that the layout fits. A block
                // has no spare bytes, so this is the layout that it got last.
                unsafe { self.arena.deallocate::<$side>(block, layout) };
            }

            #[inline]
            unsafe fn grow(
                &self,
                block: NonNull<u8>,
                old: Layout,
                new: Layout,
            ) -> Result<NonNull<[u8]>, AllocError> {
                // SAFETY: the caller promises that the block is a live block of this allocator, so
                // it has no `ArenaHandle`, and that `old` fits, so it is the layout that it got
                // last.
                let block = unsafe { self.arena.resize::<$side>(block, old, new)? };
                Ok(sized(block, new))
            }

            #[inline]
            unsafe fn grow_zeroed(
                &self,
                block: NonNull<u8>,
                old: Layout,
                new: Layout,
            ) -> Result<NonNull<[u8]>, AllocError> {
                // SAFETY: the caller promises that the block is a live block of this allocator, so
                // it has no `ArenaHandle`, and that `old` fits, so it is the layout that it got
                // last. The caller also promises that `new` is at least as large.
                let block = unsafe { self.arena.grow_zeroed::<$side>(block, old, new)? };
                Ok(sized(block, new))
            }

            #[inline]
            unsafe fn shrink(
                &self,
                block: NonNull<u8>,
                old: Layout,
                new: Layout,
            ) -> Result<NonNull<[u8]>, AllocError> {
                // SAFETY: the caller promises that the block is a live block of this allocator, so
                // it has no `ArenaHandle`, and that `old` fits, so it is the layout that it got
                // last.
                let block = unsafe { self.arena.resize::<$side>(block, old, new)? };
                Ok(sized(block, new))
            }
        }
    };
}

allocator!(BottomHandle, Bottom);
allocator!(TopHandle, Top);
