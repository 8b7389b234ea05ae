//! An allocator that writes down what is asked of another.

use core::alloc::{GlobalAlloc, Layout};
use core::sync::atomic::{AtomicUsize, Ordering};

use bytemuck::Zeroable;

use crate::bump::BumpAllocator;
use crate::segregated::SegregatedBumpAllocator;
use crate::source::HeapSource;

/// An allocator around another, that counts what is asked of it and can stream every call to a sink.
///
/// It changes no answer. A program puts it around its global allocator to see what it does with memory:
///
/// ```
/// use allocator::{BumpAllocator, TracingAllocator};
///
/// // In a guest, `#[global_allocator]` stands here.
/// // SAFETY: the only allocator over the announced heap, in a program with one thread.
/// static HEAP: TracingAllocator<BumpAllocator> =
///     TracingAllocator::new(unsafe { BumpAllocator::new() });
///
/// assert_eq!(HEAP.counts().allocations, 0);
/// ```
///
/// With a sink it tells every call as it happens:
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
/// // SAFETY: the layout has a size. There is no room for as much again and more.
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

/// What has been asked of an allocator so far. Sizes are those of the layouts, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TraceCounts {
    /// Calls of `alloc` and `alloc_zeroed`, those that failed included.
    pub allocations: usize,
    /// Calls of `dealloc`.
    pub deallocations: usize,
    /// Calls of `realloc`, those that failed included.
    pub reallocations: usize,
    /// Calls that were answered with null.
    pub failed: usize,
    /// Bytes in blocks that are live.
    pub live: usize,
    /// The most bytes that were ever live at once.
    pub peak: usize,
    /// Bytes from the start of the lowest block there ever was to the end of the highest.
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

/// One call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceEvent {
    /// The method that was called.
    pub operation: TraceOperation,
    /// Bytes that were asked for, given back, or, for `realloc`, asked for instead of what there was.
    pub size: usize,
    /// The alignment in bytes.
    pub align: usize,
    /// Whether the answer was null.
    pub failed: bool,
}

/// Somebody who wants to see every call.
///
/// A sink must not allocate from the allocator that it watches: it would see that too, and never come to an end. One
/// that panics ends the program, because an allocator may not unwind.
pub trait TraceSink {
    /// A call has been answered.
    fn record(&self, event: TraceEvent);
}

/// Nobody.
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

/// An allocator that knows what it has left.
pub trait HeapFigures {
    /// Bytes that are not to be had any more, as things are: those in live blocks, in blocks that were freed
    /// but not taken back, and in gaps.
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

/// Counters that are `Sync` without an argument of ours.
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
    /// Counts what is asked of an allocator.
    #[must_use]
    pub const fn new(inner: A) -> Self {
        Self::with_sink(inner, ())
    }
}

impl<A, K> TracingAllocator<A, K> {
    /// Counts what is asked of an allocator, and tells a sink.
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

    /// The allocator that is watched. What is asked of it directly is not counted: a block that comes from one must go
    /// back to the same, or the counts mean nothing.
    pub const fn inner(&self) -> &A {
        &self.inner
    }

    /// The counts so far. While another thread allocates they need not fit together.
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
    /// Bytes that the allocator has lost for now: those that are not to be had any more, though no live block
    /// has asked for them. They lie in freed blocks that were not taken back, in what was added to a size to make
    /// it whole, and in gaps for alignment.
    #[must_use]
    pub fn leaked(&self) -> usize {
        let live = self.counters.live.load(Ordering::Relaxed);
        self.inner.unavailable().saturating_sub(live)
    }
}

impl Counters {
    fn add_block(&self, block: *mut u8, size: usize) {
        // Blocks that went past the counters, through `inner`, may have wrapped them.
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
    /// Notes a new block, or that there was none.
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

/// Ends the program if it is dropped by a panic that passes by: a second panic then is the last.
struct AbortOnUnwind;

impl Drop for AbortOnUnwind {
    fn drop(&mut self) {
        panic!("a trace sink panicked, and an allocator may not unwind");
    }
}

// SAFETY: every call is passed on as it came, and every answer as it was given. Counting does not panic, and a panic
// of the sink's does not leave `tell`.
unsafe impl<A: GlobalAlloc, K: TraceSink> GlobalAlloc for TracingAllocator<A, K> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller promises that the layout has a size, which is what the inner allocator asks.
        let block = unsafe { self.inner.alloc(layout) };
        self.allocated(TraceOperation::Alloc, block, layout);
        block
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as for `alloc`, the caller promises that the layout has a size.
        let block = unsafe { self.inner.alloc_zeroed(layout) };
        self.allocated(TraceOperation::AllocZeroed, block, layout);
        block
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: every block that this allocator has answered is one of the inner's with the same layout, and the caller
        // gives this one up.
        unsafe { self.inner.dealloc(block, layout) };
        Counters::count(&self.counters.deallocations);
        self.counters.remove_block(layout.size());
        self.tell(TraceOperation::Dealloc, layout.size(), layout, false);
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: as for `dealloc`, the block is one of the inner's; the caller promises that the new size is not 0 and does
        // not pass `isize::MAX` when rounded up to the alignment.
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
