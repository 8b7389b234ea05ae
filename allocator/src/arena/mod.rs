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

/// A fixed buffer that is handed out from both ends.
///
/// ```text
/// │ bottom: grows up → │ free │ ← top: grows down │
/// ```
///
/// Each end is a bump allocator of its own and they share what is free between them, so that neither
/// has to be given a fixed part beforehand. A program might keep what is freed in the reverse order of
/// its making at the bottom, as on a stack, and what lives longer at the top, as on a heap;
/// [`stack_handle`](Self::stack_handle) and [`heap_handle`](Self::heap_handle) are other names for the
/// two. An arena is not a global allocator.
///
/// | operation | what it does, at either end |
/// |---|---|
/// | `allocate` | takes a block next to the newest one, aligned in its address |
/// | `deallocate` | takes back the newest block; leaks any other until a reset or rewind |
/// | `grow`, `shrink` | the newest block has its own room back first, so it needs only the difference; any other one is shrunk where it stands, and grown by a copy |
///
/// A block without bytes takes no room. The gap that aligns a block is not part of it, and stays taken when the block is
/// given back, as does what a block has lost by shrinking where it stands: whoever wants the whole room of a stack back
/// takes a mark and rewinds.
///
/// # What is in the arena
///
/// - Collections, through a [`BottomHandle`] or [`TopHandle`], which are
///   [`Allocator`](allocator_api2::alloc::Allocator)s. They borrow the arena.
/// - Values, strings and slices, through an [`ArenaHandle`], which borrows nothing: it is shown to the
///   arena to get at the value, and is refused as [`Stale`] once that has gone.
/// - Bytes, for code that does its own bookkeeping.
///
/// Nothing in an arena is dropped by the arena.
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
/// assert_eq!((arena.bottom_used(), arena.top_used()), (100, 6));
/// assert_eq!(arena.free(), 1024 - 106);
///
/// arena.reset()?;
/// assert_eq!(arena.free(), arena.capacity());
/// assert_eq!(name.get(&arena), Err(Stale));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
///
/// # How its memory comes back
///
/// | call | frees | begins an epoch | refuses from then on |
/// |---|---|---|---|
/// | `deallocate` of the newest block | that block | no | |
/// | [`rewind_bottom`](Self::rewind_bottom), [`rewind_top`](Self::rewind_top) | what its end has taken since the mark | only if a value behind an [`ArenaHandle`] is in it | in that case every handle |
/// | [`reset_bottom`](Self::reset_bottom), [`reset_top`](Self::reset_top) | all of its end | as above | as above |
/// | [`reset_top_unchecked`](Self::reset_top_unchecked) | all of the top | always | every handle, every mark of the top |
/// | [`reset`](Self::reset), [`reset_unchecked`](Self::reset_unchecked) | everything | always | every handle, every mark |
///
/// All take the same short time, however much there is to free. [`reset`](Self::reset) is safe: it asks
/// for the arena by `&mut`, so no collection can be left in it. So is [`BottomEnd::rewind`], between whose
/// calls collections at the top can stay. The others are not. An *epoch* is a number that only
/// goes up, and every handle and mark carries the one it was made in. Should the numbers ever run out,
/// a call that has to begin an epoch changes nothing and reports [`EpochSaturated`].
///
/// # Where its memory comes from
///
/// - A `static`: [`StaticBuffer`] and [`from_static_buffer`](Self::from_static_buffer).
/// - The program's own heap, for a while: `with_capacity` (feature `alloc`); for good: a leaked box or
///   vector and [`from_static_buffer`](Self::from_static_buffer).
/// - Elsewhere: [`from_buffer_unchecked`](Self::from_buffer_unchecked).
///
/// # One thread
///
/// An arena and its handles stay in the thread they were made in.
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
    /// The buffer: `capacity` bytes, at most `isize::MAX`. A pointer and not a `Box` or a reference,
    /// because moving one of those would claim the bytes for itself alone.
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

/// The alignment of a buffer of the arena's own, in bytes: what most layouts ask for at most. Nothing
/// depends on it.
#[cfg(feature = "alloc")]
const OWNED_ALIGN: usize = 16;

impl Arena {
    /// An arena in a buffer that it has for good.
    ///
    /// [`StaticBuffer::take`] lends such a buffer, and so does leaking a part of the program's own heap:
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
        // SAFETY: the slice is one allocation, valid for reads and writes, and this is the only way to
        // reach it from now until the end of the program.
        unsafe { Self::from_buffer_unchecked(base, length) }
    }

    /// An arena in the `length` bytes from `base` on, which need not be aligned to anything nor be
    /// initialized.
    ///
    /// # Safety
    ///
    /// As long as the arena, or a pointer or reference to anything in it, is in use:
    ///
    /// - the bytes are part of one allocation, valid for reads and writes through `base`;
    /// - nobody else reads or writes them.
    ///
    /// # Panics
    ///
    /// If `length` is above `isize::MAX`, as no allocation's is, or if the program has already built
    /// `usize::MAX - 1` arenas.
    #[must_use]
    pub unsafe fn from_buffer_unchecked(base: NonNull<u8>, length: usize) -> Self {
        assert!(
            length <= isize::MAX as usize,
            "a buffer is at most isize::MAX bytes long"
        );
        let identity = Identity::draw().expect("no program builds more arenas than usize counts");
        Self::new(base, length, identity)
    }

    /// An arena with `capacity` bytes of the program's heap, which it gives back when it is dropped.
    ///
    /// A handle or mark that is left over then is refused by every other arena.
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
    /// If `capacity` is above `isize::MAX - 15`, or if the program has already built `usize::MAX - 1`
    /// arenas. If there is no room for it, this calls [`handle_alloc_error`].
    #[cfg(feature = "alloc")]
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        let layout = Self::owned_layout(capacity)
            .expect("the capacity of an arena is at most isize::MAX - 15");
        let identity = Identity::draw().expect("no program builds more arenas than usize counts");
        match Self::owned(layout, identity) {
            Some(arena) => arena,
            None => handle_alloc_error(layout),
        }
    }

    /// As [`with_capacity`](Self::with_capacity), with an error to handle.
    ///
    /// # Errors
    ///
    /// If there is no room for it on the program's heap, or in any of the cases in which
    /// [`with_capacity`](Self::with_capacity) panics.
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

    /// Length of the buffer in bytes.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// Bytes in use at the bottom, alignment gaps and leaked blocks included.
    #[must_use]
    pub fn bottom_used(&self) -> usize {
        self.bottom.used()
    }

    /// Bytes in use at the top, alignment gaps and leaked blocks included.
    #[must_use]
    pub fn top_used(&self) -> usize {
        self.top.used()
    }

    /// Bytes between the two ends.
    #[must_use]
    pub fn free(&self) -> usize {
        self.capacity - self.bottom.used() - self.top.used()
    }

    /// The most bytes that were in use at the bottom at once, ever or since
    /// [`clear_peaks`](Self::clear_peaks). A reset leaves it as it is.
    #[must_use]
    pub fn bottom_peak(&self) -> usize {
        self.bottom.peak()
    }

    /// The most bytes that were in use at the top at once, ever or since
    /// [`clear_peaks`](Self::clear_peaks). A reset leaves it as it is.
    #[must_use]
    pub fn top_peak(&self) -> usize {
        self.top.peak()
    }

    /// Takes what is in use now as the peaks.
    pub fn clear_peaks(&self) {
        self.bottom.clear_peak();
        self.top.clear_peak();
    }

    /// Whether the whole buffer, empty, has room for the budget.
    #[must_use]
    pub fn fits_budget(&self, budget: &Budget) -> bool {
        budget.total() <= self.capacity
    }
}

// With and without the feature, so that the feature changes nothing about when an arena may be borrowed.
impl Drop for Arena {
    fn drop(&mut self) {
        #[cfg(feature = "alloc")]
        if self.owned {
            // SAFETY: `owned` was given a layout of this size and `OWNED_ALIGN`.
            let layout = unsafe { Layout::from_size_align_unchecked(self.capacity, OWNED_ALIGN) };
            // SAFETY: `base` came from the global allocator with this layout. Handles to collections
            // and references to values borrow the arena, so none is left; an `ArenaHandle` asks for an
            // arena of this identity, and there never is another.
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
