//! Where an allocator's memory comes from.

use core::marker::PhantomData;
use core::mem::MaybeUninit;
use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicUsize, Ordering};

/// A region of memory for one allocator.
///
/// # Safety
///
/// As long as the source lives, and for every value `limit()` has returned so far:
///
/// - `base()` returns the same pointer each time, unless `limit()` has only ever returned 0;
/// - the `limit()` bytes from `base()` on are one allocation, valid for reads and writes through that
///   pointer, and `limit()` is at most `isize::MAX`;
/// - nobody reads or writes them except the allocator over this source and those it hands them to;
/// - they were zero before that allocator first touched them.
pub unsafe trait HeapSource {
    /// The first byte of the region. It need not be aligned to anything.
    fn base(&self) -> *mut u8;

    /// Length of the region in bytes; 0 while there is no region.
    fn limit(&self) -> usize;
}

// Relaxed loads and stores of a machine word are plain loads and stores on every guest, and atomics
// make the statics `Sync` without an argument of ours.
static HEAP_BASE: AtomicUsize = AtomicUsize::new(0);
static HEAP_LIMIT: AtomicUsize = AtomicUsize::new(0);

/// Records where the loader has put the heap: the address of its first byte, of any alignment.
///
/// # Safety
///
/// - It is called once, before any allocator over [`LoaderHeap`] is used.
/// - Once [`set_heap_limit`] has been called, the region of that many bytes from `base` on is one
///   allocation whose provenance is exposed, zeroed, valid for reads and writes, used by nobody else,
///   and stays so while an allocator over [`LoaderHeap`] is in use, on one thread.
#[inline(always)]
pub unsafe fn set_heap_base(base: usize) {
    HEAP_BASE.store(base, Ordering::Relaxed);
}

/// Records the length in bytes of the heap that the loader has provided. From here on there is a heap.
///
/// # Safety
///
/// As for [`set_heap_base`], which has been called before, and `limit` is at most `isize::MAX`.
#[inline(always)]
pub unsafe fn set_heap_limit(limit: usize) {
    HEAP_LIMIT.store(limit, Ordering::Relaxed);
}

/// The length in bytes of the heap that the loader has announced; 0 if it has not.
#[inline(always)]
#[must_use]
pub fn heap_limit() -> usize {
    HEAP_LIMIT.load(Ordering::Relaxed)
}

/// The region that the loader announced through [`set_heap_base`] and [`set_heap_limit`].
///
/// Until [`set_heap_limit`] is called, the second of the two, its limit is 0, so that an allocator over it
/// refuses everything.
#[derive(Debug)]
pub struct LoaderHeap {
    _made_here: (),
}

impl LoaderHeap {
    /// The announced region, as a source.
    ///
    /// # Safety
    ///
    /// Only one allocator is ever built over the announced region.
    #[must_use]
    pub const unsafe fn new() -> Self {
        Self { _made_here: () }
    }
}

// SAFETY: the contract of `set_heap_base` and `set_heap_limit` says of the region what the trait asks
// for, and that the base is recorded first; `new` promises that there is one allocator over it; before
// `set_heap_limit` the limit is 0.
unsafe impl HeapSource for LoaderHeap {
    #[inline(always)]
    fn base(&self) -> *mut u8 {
        ptr::with_exposed_provenance_mut(HEAP_BASE.load(Ordering::Relaxed))
    }

    #[inline(always)]
    fn limit(&self) -> usize {
        heap_limit()
    }
}

/// A region at an address known when the program is compiled.
#[derive(Debug)]
pub struct FixedHeap<const BASE: usize, const LIMIT: usize> {
    _made_here: (),
}

impl<const BASE: usize, const LIMIT: usize> FixedHeap<BASE, LIMIT> {
    /// The region of `LIMIT` bytes at address `BASE`, as a source.
    ///
    /// A `LIMIT` above `isize::MAX` does not compile.
    ///
    /// # Safety
    ///
    /// - The region is one allocation whose provenance is exposed, zeroed, valid for reads and writes,
    ///   and used by nobody else.
    /// - Only one allocator is ever built over it, used from one thread.
    #[must_use]
    pub const unsafe fn new() -> Self {
        const {
            assert!(
                LIMIT <= isize::MAX as usize,
                "a heap is at most isize::MAX bytes long"
            )
        };
        Self { _made_here: () }
    }
}

// SAFETY: the contract of `new` says of the region what the trait asks for.
unsafe impl<const BASE: usize, const LIMIT: usize> HeapSource for FixedHeap<BASE, LIMIT> {
    #[inline(always)]
    fn base(&self) -> *mut u8 {
        ptr::with_exposed_provenance_mut(BASE)
    }

    #[inline(always)]
    fn limit(&self) -> usize {
        LIMIT
    }
}

/// A buffer that somebody lent.
#[derive(Debug)]
pub struct BorrowedHeap<'buffer> {
    base: NonNull<u8>,
    length: usize,
    _buffer: PhantomData<&'buffer mut [MaybeUninit<u8>]>,
}

impl<'buffer> BorrowedHeap<'buffer> {
    /// Borrows `buffer` and zeroes it.
    pub fn new(buffer: &'buffer mut [MaybeUninit<u8>]) -> Self {
        buffer.fill(MaybeUninit::new(0));
        Self {
            length: buffer.len(),
            base: NonNull::from(buffer).cast(),
            _buffer: PhantomData,
        }
    }
}

// SAFETY: the exclusive borrow is held for as long as the source lives, so nobody else touches the
// bytes; a slice is one allocation of at most `isize::MAX` bytes; `new` has zeroed it; the pointer
// comes from the whole slice and never changes.
unsafe impl HeapSource for BorrowedHeap<'_> {
    #[inline(always)]
    fn base(&self) -> *mut u8 {
        self.base.as_ptr()
    }

    #[inline(always)]
    fn limit(&self) -> usize {
        self.length
    }
}
