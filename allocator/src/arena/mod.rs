//! A fixed buffer with two ends.

mod budget;
mod buffer;
mod end;
mod epoch;
mod handles;
mod identity;
mod marks;
mod split;
#[cfg(test)]
mod tests;
mod value;

use core::cell::Cell;
use core::fmt;
use core::mem::MaybeUninit;
use core::ptr::NonNull;

#[cfg(feature = "alloc")]
use alloc::alloc::{Layout, handle_alloc_error};
#[cfg(feature = "alloc")]
use allocator_api2::alloc::AllocError;

pub use budget::Budget;
pub use buffer::StaticBuffer;
pub use epoch::EpochSaturated;
pub use handles::{BottomHandle, TopHandle};
pub use marks::{BottomMark, RewindError, TopMark};
pub use split::BottomEnd;
pub use value::{ArenaHandle, Stale};

use end::End;
use identity::Identity;

/// A fixed buffer that allocates from both ends.
///
/// ```text
/// │ bottom: grows up → │ free │ ← top: grows down │
/// ```
///
/// Each end is a bump allocator. The two share the free bytes between them, so neither needs a
/// fixed part. A program can keep blocks that it frees in reverse order of allocation at the
/// bottom, like a stack, and blocks that live longer at the top, like a heap.
/// [`stack_handle`](Self::stack_handle) and [`heap_handle`](Self::heap_handle) are other names for
/// the two. An arena is not a global allocator.
///
/// | operation | what it does, at either end |
/// |---|---|
/// | `allocate` | takes a block next to the newest one, with an aligned address |
/// | `deallocate` | takes back the newest block; leaks any other block until a reset or rewind |
/// | `grow`, `shrink` | the newest block uses its own bytes again, so it needs only the difference; any other block shrinks in place, and grows by a copy |
///
/// An empty block takes no bytes; every other block takes a multiple of 8. Blocks with an alignment
/// of up to 8 lie without gaps. A block with a larger alignment has a gap on the side of its end,
/// which records what was in use before. Blocks that are freed in reverse order of allocation
/// therefore give all their bytes back. Only the bytes that a block loses by shrinking in place
/// stay in use, and at most 7 at either end of a buffer that is not aligned to 8. A mark and a
/// rewind give every byte back.
///
/// # What is in the arena
///
/// - Collections, through a [`BottomHandle`] or [`TopHandle`], which are
///   [`Allocator`](allocator_api2::alloc::Allocator)s. They borrow the arena.
/// - Values, strings and slices, through an [`ArenaHandle`], which borrows nothing. Together with
///   the arena it returns the value; once the value is freed, the arena rejects it as [`Stale`].
/// - Bytes, for code that does its own bookkeeping.
///
/// An arena never drops a value in it.
///
/// ```
/// use allocator::{Arena, Stale, StaticBuffer};
///
/// static BUFFER: StaticBuffer<1024> = StaticBuffer::new();
///
/// let mut arena = BUFFER.take().map(Arena::from_static_buffer).ok_or("taken before")?;
/// let name = arena.alloc_top_str("gossip")?;
/// let bytes = arena.alloc_bottom_bytes(100)?;
/// assert_eq!(name.get(&arena), Ok("gossip"));
/// assert_eq!((arena.bottom_used(), arena.top_used()), (104, 8));
/// assert_eq!(arena.free(), 1024 - 112);
///
/// arena.reset()?;
/// assert_eq!(arena.free(), arena.capacity());
/// assert_eq!(name.get(&arena), Err(Stale));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
///
/// # Freeing memory
///
/// | call | frees | begins an epoch | rejects from then on |
/// |---|---|---|---|
/// | `deallocate` of the newest block | that block | no | |
/// | [`rewind_bottom`](Self::rewind_bottom), [`rewind_top`](Self::rewind_top) | the blocks of its end since the mark | only if it frees a value with an [`ArenaHandle`] | in that case every handle |
/// | [`reset_bottom`](Self::reset_bottom), [`reset_top`](Self::reset_top) | all of its end | only if it frees a value with an [`ArenaHandle`] | in that case every handle |
/// | [`reset_top_unchecked`](Self::reset_top_unchecked) | all of the top | always | every handle, every mark of the top |
/// | [`reset`](Self::reset), [`reset_unchecked`](Self::reset_unchecked) | everything | always | every handle, every mark |
///
/// Each call takes the same short time, whatever it frees. [`reset`](Self::reset) is safe: it takes
/// the arena by `&mut`, so no collection can be left in it. [`BottomEnd::rewind`] is safe too, and
/// collections at the top can stay between its calls. The other calls are unsafe.
///
/// An *epoch* is a number that only rises. Every handle and mark carries the epoch that made it. If
/// there is no epoch left, a call that must begin one changes nothing and reports
/// [`EpochSaturated`].
///
/// # Sources of memory
///
/// - A `static`: [`StaticBuffer`] and [`from_static_buffer`](Self::from_static_buffer).
/// - The program's own heap: `with_capacity` (feature `alloc`) until the arena is dropped, or a
///   leaked box or vector and [`from_static_buffer`](Self::from_static_buffer) forever.
/// - Any other memory: [`from_buffer_unchecked`](Self::from_buffer_unchecked).
///
/// # One thread
///
/// An arena and its handles stay in the thread that made them.
///
/// ```compile_fail
/// # use allocator::{Arena, StaticBuffer};
/// # static BUFFER: StaticBuffer<64> = StaticBuffer::new();
/// # let arena = Arena::from_static_buffer(BUFFER.take().unwrap());
/// std::thread::spawn(move || arena.capacity()); // `Arena` is not `Send`
/// ```
///
/// ```compile_fail
/// # use allocator::{Arena, StaticBuffer};
/// # static BUFFER: StaticBuffer<64> = StaticBuffer::new();
/// # let arena = Arena::from_static_buffer(BUFFER.take().unwrap());
/// std::thread::scope(|scope| { scope.spawn(|| arena.capacity()); }); // nor `Sync`
/// ```
pub struct Arena {
    /// The buffer: `capacity` bytes, at most `isize::MAX`.
    ///
    /// It is a pointer, not a `Box` or a reference, because moving one of those would assert
    /// exclusive access to the bytes.
    base: NonNull<u8>,
    capacity: usize,
    bottom: End,
    top: End,
    identity: Identity,
    epoch: Cell<u64>,
    /// Whether the buffer came from the global allocator, with [`OWNED_ALIGN`].
    #[cfg(feature = "alloc")]
    owned: bool,
}

/// The alignment in bytes of a buffer that the arena owns: that of every block. Nothing depends on
/// it.
#[cfg(feature = "alloc")]
const OWNED_ALIGN: usize = crate::grain::GRAIN;

impl Arena {
    /// Returns an arena in a buffer that it keeps forever.
    ///
    /// [`StaticBuffer::take`] lends such a buffer. So does a leaked part of the program's own heap:
    ///
    /// ```
    /// use allocator::Arena;
    /// use core::mem::MaybeUninit;
    ///
    /// let buffer = vec![MaybeUninit::uninit(); 512].leak();
    /// let arena = Arena::from_static_buffer(buffer);
    /// assert_eq!(arena.capacity(), 512);
    /// ```
    ///
    /// # Panics
    ///
    /// If the program has already built `usize::MAX - 1` arenas.
    #[must_use]
    pub fn from_static_buffer(buffer: &'static mut [MaybeUninit<u8>]) -> Self {
        let length = buffer.len();
        let base = NonNull::from(buffer).cast();
        // SAFETY: the slice is one allocation, valid for reads and writes. It is borrowed
        // exclusively and forever, so only the arena uses it.
        unsafe { Self::from_buffer_unchecked(base, length) }
    }

    /// Returns an arena in the `length` bytes from `base` on, of any alignment and any contents.
    ///
    /// # Safety
    ///
    /// As long as the arena, or a pointer or reference to anything in it, is in use:
    ///
    /// - the bytes are part of one allocation, valid for reads and writes through `base`;
    /// - no other code reads or writes them.
    ///
    /// # Panics
    ///
    /// If `length` is above `isize::MAX`, which no allocation has, or if the program has already
    /// built `usize::MAX - 1` arenas.
    #[must_use]
    pub unsafe fn from_buffer_unchecked(base: NonNull<u8>, length: usize) -> Self {
        assert!(
            length <= isize::MAX as usize,
            "a buffer is at most isize::MAX bytes long"
        );
        let identity = Identity::draw().expect("no program builds more arenas than usize counts");
        Self::new(base, length, identity)
    }

    /// Returns an arena with `capacity` bytes of the program's heap, which it frees when it is
    /// dropped.
    ///
    /// Every other arena rejects handles and marks that are left then.
    ///
    /// ```
    /// use allocator::Arena;
    /// use allocator_api2::vec::Vec;
    ///
    /// let arena = Arena::with_capacity(4096);
    /// let mut squares = Vec::new_in(arena.bottom_handle());
    /// squares.extend((0..10_u64).map(|number| number * number));
    /// assert_eq!(squares[9], 81);
    /// ```
    ///
    /// # Panics
    ///
    /// If `capacity` is above `isize::MAX - 7`, or if the program has already built
    /// `usize::MAX - 1` arenas. If the heap refuses the buffer, this calls [`handle_alloc_error`].
    #[cfg(feature = "alloc")]
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        let layout = Self::owned_layout(capacity)
            .expect("the capacity of an arena is at most isize::MAX - 7");
        let identity = Identity::draw().expect("no program builds more arenas than usize counts");
        match Self::owned(layout, identity) {
            Some(arena) => arena,
            None => handle_alloc_error(layout),
        }
    }

    /// Works like [`with_capacity`](Self::with_capacity), and returns an error instead of a panic.
    ///
    /// # Errors
    ///
    /// If the program's heap refuses the buffer, or if [`with_capacity`](Self::with_capacity) would
    /// panic.
    #[cfg(feature = "alloc")]
    pub fn try_with_capacity(capacity: usize) -> Result<Self, AllocError> {
        let layout = Self::owned_layout(capacity).ok_or(AllocError)?;
        let identity = Identity::draw().ok_or(AllocError)?;
        Self::owned(layout, identity).ok_or(AllocError)
    }

    #[cfg(feature = "alloc")]
    fn owned_layout(capacity: usize) -> Option<Layout> {
        Layout::from_size_align(capacity, OWNED_ALIGN).ok()
    }

    #[cfg(feature = "alloc")]
    fn owned(layout: Layout, identity: Identity) -> Option<Self> {
        if layout.size() == 0 {
            return Some(Self::new(layout.dangling_ptr(), 0, identity));
        }
        // SAFETY: the layout has a size.
        let base = unsafe { alloc::alloc::alloc(layout) };
        let mut arena = Self::new(NonNull::new(base)?, layout.size(), identity);
        arena.owned = true;
        Some(arena)
    }

    fn new(base: NonNull<u8>, capacity: usize, identity: Identity) -> Self {
        Self {
            base,
            capacity,
            bottom: End::new(),
            top: End::new(),
            identity,
            epoch: Cell::new(0),
            #[cfg(feature = "alloc")]
            owned: false,
        }
    }

    /// Returns the length of the buffer in bytes.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// Returns the bytes in use at the bottom, rounding, gaps and leaked blocks included.
    #[must_use]
    pub fn bottom_used(&self) -> usize {
        self.bottom.used()
    }

    /// Returns the bytes in use at the top, rounding, gaps and leaked blocks included.
    #[must_use]
    pub fn top_used(&self) -> usize {
        self.top.used()
    }

    /// Returns the bytes between the two ends.
    #[must_use]
    pub fn free(&self) -> usize {
        self.capacity - self.bottom.used() - self.top.used()
    }

    /// Returns the most bytes in use at the bottom since [`clear_peaks`](Self::clear_peaks).
    ///
    /// A reset does not change it.
    #[must_use]
    pub fn bottom_peak(&self) -> usize {
        self.bottom.peak()
    }

    /// Returns the most bytes in use at the top since [`clear_peaks`](Self::clear_peaks).
    ///
    /// A reset does not change it.
    #[must_use]
    pub fn top_peak(&self) -> usize {
        self.top.peak()
    }

    /// Sets the peaks to the bytes in use now.
    pub fn clear_peaks(&self) {
        self.bottom.clear_peak();
        self.top.clear_peak();
    }

    /// Returns whether the budget fits into the empty buffer.
    #[must_use]
    pub fn fits_budget(&self, budget: &Budget) -> bool {
        budget.total() <= self.capacity
    }
}

// With and without the feature, so that the feature does not change the borrow rules of an arena.
impl Drop for Arena {
    fn drop(&mut self) {
        #[cfg(feature = "alloc")]
        if self.owned {
            // SAFETY: `owned` got a valid layout of this size and `OWNED_ALIGN`.
            let layout = unsafe { Layout::from_size_align_unchecked(self.capacity, OWNED_ALIGN) };
            // SAFETY: `base` came from the global allocator with this layout. Collections and
            // references to values borrow the arena, so none is left. An `ArenaHandle` needs an
            // arena of this identity, and there is never another.
            unsafe { alloc::alloc::dealloc(self.base.as_ptr(), layout) };
        }
    }
}

impl fmt::Debug for Arena {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Arena")
            .field("capacity", &self.capacity)
            .field("bottom_used", &self.bottom_used())
            .field("top_used", &self.top_used())
            .field("free", &self.free())
            .field("bottom_peak", &self.bottom_peak())
            .field("top_peak", &self.top_peak())
            .field("epoch", &self.epoch())
            .finish()
    }
}
