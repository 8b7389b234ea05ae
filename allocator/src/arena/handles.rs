//! The ends as allocators.

use core::alloc::Layout;
use core::ptr::NonNull;

use allocator_api2::alloc::{AllocError, Allocator};

use super::Arena;
use super::end::{Bottom, Side, Top};

/// The bottom end of an arena as an [`Allocator`], for collections.
///
/// It borrows the arena, and so does every collection that has it: that is what keeps
/// [`Arena::reset`] from their blocks.
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
/// The newest block of the top has to move down to grow, and moves up when it is shrunk. The bytes that
/// it keeps are copied, which costs time but no room.
#[derive(Clone, Copy, Debug)]
pub struct TopHandle<'arena> {
    arena: &'arena Arena,
}

impl Arena {
    /// The bottom end as an allocator.
    #[inline]
    #[must_use]
    pub fn bottom_handle(&self) -> BottomHandle<'_> {
        BottomHandle { arena: self }
    }

    /// The top end as an allocator.
    #[inline]
    #[must_use]
    pub fn top_handle(&self) -> TopHandle<'_> {
        TopHandle { arena: self }
    }

    /// Another name for [`bottom_handle`](Self::bottom_handle), where the bottom is used as a stack.
    #[inline]
    #[must_use]
    pub fn stack_handle(&self) -> BottomHandle<'_> {
        self.bottom_handle()
    }

    /// Another name for [`top_handle`](Self::top_handle), where the top is used as a heap.
    #[inline]
    #[must_use]
    pub fn heap_handle(&self) -> TopHandle<'_> {
        self.top_handle()
    }

    /// Takes `length` bytes, not aligned and not initialized, from the bottom end.
    ///
    /// They are a block of [`bottom_handle`](Self::bottom_handle)'s with an alignment of 1, and can be
    /// used until that end is rewound or reset or the arena is gone.
    ///
    /// # Errors
    ///
    /// If there is no room.
    pub fn alloc_bottom_bytes(&self, length: usize) -> Result<NonNull<[u8]>, AllocError> {
        self.bottom_handle().allocate(bytes(length)?)
    }

    /// Takes `length` bytes, not aligned and not initialized, from the top end.
    ///
    /// They are a block of [`top_handle`](Self::top_handle)'s with an alignment of 1, and can be used
    /// until that end is rewound or reset or the arena is gone.
    ///
    /// # Errors
    ///
    /// If there is no room.
    pub fn alloc_top_bytes(&self, length: usize) -> Result<NonNull<[u8]>, AllocError> {
        self.top_handle().allocate(bytes(length)?)
    }

    fn allocate_zeroed<S: Side>(&self, layout: Layout) -> Result<NonNull<u8>, AllocError> {
        let block = self.allocate::<S>(layout)?;
        // SAFETY: the block is new and has that many bytes.
        unsafe { block.write_bytes(0, layout.size()) };
        Ok(block)
    }

    /// # Safety
    ///
    /// As for [`resize`](Self::resize), and `new` has at least the size of `old`.
    unsafe fn grow_zeroed<S: Side>(
        &self,
        block: NonNull<u8>,
        old: Layout,
        new: Layout,
    ) -> Result<NonNull<u8>, AllocError> {
        // SAFETY: `resize` asks for a live block of this side, of the layout `old` and behind no `ArenaHandle`; so does
        // this function of its caller.
        let block = unsafe { self.resize::<S>(block, old, new)? };
        // SAFETY: the block has `new.size()` bytes, which is no less.
        let added = unsafe { block.add(old.size()) };
        // SAFETY: so many bytes are left of it. They were not the block's before, or are as good as new.
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

/// The same for both ends, which differ in their [`Side`] only.
macro_rules! allocator {
    ($handle:ident, $side:ident) => {
        // SAFETY: blocks lie in the arena's buffer, where neither a move of the handle nor one of the
        // arena's owner, which it borrows, touches them. They are aligned, as long as they are said to
        // be, and share no byte with each other. They are valid until freed while the borrow lasts: what
        // else frees them asks for `&mut` or is unsafe. A copy of a handle is the same handle.
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
                // SAFETY: the caller promises that the block is one of this allocator's, so not one
                // behind an `ArenaHandle`, and that the layout fits, so is the one it was given last,
                // for it got no byte more.
                unsafe { self.arena.deallocate::<$side>(block, layout) };
            }

            #[inline]
            unsafe fn grow(
                &self,
                block: NonNull<u8>,
                old: Layout,
                new: Layout,
            ) -> Result<NonNull<[u8]>, AllocError> {
                // SAFETY: as for `deallocate`.
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
                // SAFETY: as for `deallocate`, and the caller promises that `new` is no smaller.
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
                // SAFETY: as for `deallocate`.
                let block = unsafe { self.arena.resize::<$side>(block, old, new)? };
                Ok(sized(block, new))
            }
        }
    };
}

allocator!(BottomHandle, Bottom);
allocator!(TopHandle, Top);
