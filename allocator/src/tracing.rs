//! An allocator that records the calls of another.

use core::alloc::{GlobalAlloc, Layout};
use core::sync::atomic::{AtomicUsize, Ordering};

use bytemuck::Zeroable;

use crate::bump::BumpAllocator;
use crate::segregated::SegregatedBumpAllocator;
use crate::source::HeapSource;

/// An allocator around another one that counts its calls, and can report every call to a sink.
///
/// It does not change any result. A program wraps its global allocator to measure its use of
/// memory:
///
/// ```
/// use allocator::{BumpAllocator, TracingAllocator};
///
/// // In a guest, `#[global_allocator]` is here.
/// // SAFETY: the only allocator over the announced heap, in a program with one thread.
/// static HEAP: TracingAllocator<BumpAllocator> =
///     TracingAllocator::new(unsafe { BumpAllocator::new() });
///
/// assert_eq!(HEAP.counts().allocations, 0);
/// ```
///
/// With a sink it reports every call as it happens:
///
/// ```
/// use allocator::{BumpAllocator, TraceEvent, TraceOperation, TracingAllocator};
/// use core::alloc::{GlobalAlloc, Layout};
/// use core::cell::RefCell;
/// use core::mem::MaybeUninit;
///
/// let events = RefCell::new(Vec::new());
/// let sink = |event: TraceEvent| events.borrow_mut().push(event);
/// let mut buffer = [MaybeUninit::uninit(); 256];
/// let heap = BumpAllocator::<(), _>::from_buffer(&mut buffer);
/// let heap = TracingAllocator::with_sink(heap, sink);
///
/// let layout = Layout::from_size_align(100, 8)?;
/// // SAFETY: the layout has a size.
/// let first = unsafe { heap.alloc(layout) };
/// // SAFETY: the layout has a size. It does not fit.
/// assert!(unsafe { heap.alloc(Layout::from_size_align(200, 8)?) }.is_null());
/// // SAFETY: `first` came from this heap with this layout.
/// unsafe { heap.dealloc(first, layout) };
///
/// let counts = heap.counts();
/// assert_eq!((counts.allocations, counts.failed, counts.deallocations), (2, 1, 1));
/// assert_eq!((counts.live, counts.peak), (0, 100));
/// assert_eq!(events.borrow()[0].operation, TraceOperation::Alloc);
/// assert_eq!(events.borrow()[1].size, 200);
/// # Ok::<(), core::alloc::LayoutError>(())
/// ```
#[derive(Debug)]
pub struct TracingAllocator<A, K = ()> {
    inner: A,
    sink: K,
    counters: Counters,
}

/// The calls of an allocator so far. Sizes are those of the layouts, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TraceCounts {
    /// Calls of `alloc` and `alloc_zeroed`, including failed ones.
    pub allocations: usize,
    /// Calls of `dealloc`.
    pub deallocations: usize,
    /// Calls of `realloc`, including failed ones.
    pub reallocations: usize,
    /// Calls that returned null.
    pub failed: usize,
    /// Bytes in live blocks.
    pub live: usize,
    /// The most bytes that were live at the same time.
    pub peak: usize,
    /// Bytes from the start of the lowest block so far to the end of the highest.
    pub extent: usize,
}

/// A method of [`GlobalAlloc`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TraceOperation {
    /// `alloc`
    Alloc,
    /// `alloc_zeroed`
    AllocZeroed,
    /// `dealloc`
    Dealloc,
    /// `realloc`
    Realloc,
}

/// One call of an allocator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceEvent {
    /// The called method.
    pub operation: TraceOperation,
    /// The allocated or freed bytes; for `realloc`, the new size.
    pub size: usize,
    /// The alignment in bytes.
    pub align: usize,
    /// Whether the result was null.
    pub failed: bool,
}

/// A receiver of every call.
///
/// A sink must not allocate from the traced allocator: it would receive its own call, without end.
/// A sink that panics ends the program, because an allocator must not unwind.
pub trait TraceSink {
    /// Receives a call after it has returned.
    fn record(&self, event: TraceEvent);
}

/// Ignores every call.
impl TraceSink for () {
    #[inline(always)]
    fn record(&self, _event: TraceEvent) {}
}

impl<F: Fn(TraceEvent)> TraceSink for F {
    #[inline]
    fn record(&self, event: TraceEvent) {
        self(event);
    }
}

/// An allocator that knows its unavailable bytes.
pub trait HeapFigures {
    /// Returns the bytes that cannot be allocated now: those in live blocks, in leaked blocks, and
    /// in gaps.
    fn unavailable(&self) -> usize;
}

impl<G: Zeroable, S: HeapSource> HeapFigures for BumpAllocator<G, S> {
    fn unavailable(&self) -> usize {
        self.used()
    }
}

impl<S: HeapSource> HeapFigures for SegregatedBumpAllocator<S> {
    fn unavailable(&self) -> usize {
        self.used() - self.listed()
    }
}

/// Atomic counters, which are `Sync` without a proof of this crate.
#[derive(Debug)]
struct Counters {
    allocations: AtomicUsize,
    deallocations: AtomicUsize,
    reallocations: AtomicUsize,
    failed: AtomicUsize,
    live: AtomicUsize,
    peak: AtomicUsize,
    lowest: AtomicUsize,
    highest: AtomicUsize,
}

impl<A> TracingAllocator<A> {
    /// Wraps an allocator and counts its calls.
    #[must_use]
    pub const fn new(inner: A) -> Self {
        Self::with_sink(inner, ())
    }
}

impl<A, K> TracingAllocator<A, K> {
    /// Wraps an allocator, counts its calls, and reports them to a sink.
    #[must_use]
    pub const fn with_sink(inner: A, sink: K) -> Self {
        Self {
            inner,
            sink,
            counters: Counters {
                allocations: AtomicUsize::new(0),
                deallocations: AtomicUsize::new(0),
                reallocations: AtomicUsize::new(0),
                failed: AtomicUsize::new(0),
                live: AtomicUsize::new(0),
                peak: AtomicUsize::new(0),
                lowest: AtomicUsize::new(usize::MAX),
                highest: AtomicUsize::new(0),
            },
        }
    }

    /// Returns the traced allocator. Direct calls of it are not counted.
    ///
    /// Free a block through the allocator that allocated it, or the counts mean nothing.
    pub const fn inner(&self) -> &A {
        &self.inner
    }

    /// Returns the counts so far. While another thread allocates, they may be inconsistent.
    #[must_use]
    pub fn counts(&self) -> TraceCounts {
        let counters = &self.counters;
        let read = |counter: &AtomicUsize| counter.load(Ordering::Relaxed);
        TraceCounts {
            allocations: read(&counters.allocations),
            deallocations: read(&counters.deallocations),
            reallocations: read(&counters.reallocations),
            failed: read(&counters.failed),
            live: read(&counters.live),
            peak: read(&counters.peak),
            extent: read(&counters.highest).saturating_sub(read(&counters.lowest)),
        }
    }
}

impl<A: HeapFigures, K> TracingAllocator<A, K> {
    /// Returns the leaked bytes: those that cannot be allocated, although no live block requested
    /// them.
    ///
    /// They are in freed blocks that the allocator did not take back, in rounding of sizes, and in
    /// gaps for alignment.
    #[must_use]
    pub fn leaked(&self) -> usize {
        let live = self.counters.live.load(Ordering::Relaxed);
        self.inner.unavailable().saturating_sub(live)
    }
}

impl Counters {
    fn add_block(&self, block: *mut u8, size: usize) {
        // Direct calls of `inner` may have wrapped the counters.
        let live = self.live.fetch_add(size, Ordering::Relaxed);
        let live = live.wrapping_add(size);
        self.peak.fetch_max(live, Ordering::Relaxed);
        self.lowest.fetch_min(block.addr(), Ordering::Relaxed);
        self.highest
            .fetch_max(block.addr() + size, Ordering::Relaxed);
    }

    fn remove_block(&self, size: usize) {
        self.live.fetch_sub(size, Ordering::Relaxed);
    }

    fn count(counter: &AtomicUsize) {
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

impl<A, K: TraceSink> TracingAllocator<A, K> {
    /// Records an allocation, successful or not.
    fn allocated(&self, operation: TraceOperation, block: *mut u8, layout: Layout) {
        Counters::count(&self.counters.allocations);
        if !block.is_null() {
            self.counters.add_block(block, layout.size());
        }
        self.tell(operation, layout.size(), layout, block.is_null());
    }

    fn tell(&self, operation: TraceOperation, size: usize, layout: Layout, failed: bool) {
        if failed {
            Counters::count(&self.counters.failed);
        }
        let no_way_out = AbortOnUnwind;
        self.sink.record(TraceEvent {
            operation,
            size,
            align: layout.align(),
            failed,
        });
        core::mem::forget(no_way_out);
    }
}

/// Ends the program when an unwinding panic drops it: the second panic aborts.
struct AbortOnUnwind;

impl Drop for AbortOnUnwind {
    fn drop(&mut self) {
        panic!("a trace sink panicked, and an allocator may not unwind");
    }
}

// SAFETY: every method passes its arguments to the inner allocator, which is a `GlobalAlloc`, and
// returns its result. Counting does not panic, and a panic of the sink does not leave `tell`.
unsafe impl<A: GlobalAlloc, K: TraceSink> GlobalAlloc for TracingAllocator<A, K> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller promises that the layout has a size, the only precondition.
        let block = unsafe { self.inner.alloc(layout) };
        self.allocated(TraceOperation::Alloc, block, layout);
        block
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller promises that the layout has a size, the only precondition.
        let block = unsafe { self.inner.alloc_zeroed(layout) };
        self.allocated(TraceOperation::AllocZeroed, block, layout);
        block
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller promises that this allocator returned the block, with this layout, so
        // it is a block of the inner allocator with this layout. The caller no longer uses it.
        unsafe { self.inner.dealloc(block, layout) };
        Counters::count(&self.counters.deallocations);
        self.counters.remove_block(layout.size());
        self.tell(TraceOperation::Dealloc, layout.size(), layout, false);
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: the caller promises that this allocator returned the block, with this layout, so
        // it is a block of the inner allocator with this layout. The caller also promises that the
        // new size is not 0 and does not exceed `isize::MAX` when rounded up to the alignment.
        let new_block = unsafe { self.inner.realloc(block, layout, new_size) };
        Counters::count(&self.counters.reallocations);
        if !new_block.is_null() {
            self.counters.remove_block(layout.size());
            self.counters.add_block(new_block, new_size);
        }
        self.tell(
            TraceOperation::Realloc,
            new_size,
            layout,
            new_block.is_null(),
        );
        new_block
    }
}
