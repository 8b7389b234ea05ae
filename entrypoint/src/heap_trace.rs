//! A heap that shows its live bytes to the host, for a profile.

use core::alloc::{GlobalAlloc, Layout};
use core::ptr::null_mut;
use core::sync::atomic::{AtomicU64, Ordering};

use abi::heap::{HeapCall, HeapTrace};
use allocator::{HeapFigures, TracingAllocator};

/// A heap with counters that a host can read.
#[derive(Debug)]
pub struct TracedHeap<A> {
    heap: TracingAllocator<A>,
    trace: Trace,
}

/// A [`HeapTrace`] that can be written through a shared reference.
#[derive(Debug)]
#[repr(C)]
struct Trace {
    calls: AtomicU64,
    live: AtomicU64,
    leaked: AtomicU64,
    allocated: AtomicU64,
    size: AtomicU64,
    freed: AtomicU64,
    align: AtomicU64,
    method: AtomicU64,
}

const _: () = assert!(size_of::<Trace>() == size_of::<HeapTrace>());
const _: () = assert!(core::mem::offset_of!(Trace, live) == core::mem::offset_of!(HeapTrace, live));
const _: () =
    assert!(core::mem::offset_of!(Trace, freed) == core::mem::offset_of!(HeapTrace, freed));
const _: () =
    assert!(core::mem::offset_of!(Trace, method) == core::mem::offset_of!(HeapTrace, method));

impl<A> TracedHeap<A> {
    /// Wraps a heap and counts its calls.
    #[must_use]
    pub const fn new(heap: A) -> Self {
        Self {
            heap: TracingAllocator::new(heap),
            trace: Trace {
                calls: AtomicU64::new(0),
                live: AtomicU64::new(0),
                leaked: AtomicU64::new(0),
                allocated: AtomicU64::new(0),
                size: AtomicU64::new(0),
                freed: AtomicU64::new(0),
                align: AtomicU64::new(0),
                method: AtomicU64::new(0),
            },
        }
    }

    /// Returns the guest address of the [`HeapTrace`].
    #[must_use]
    pub fn address(&self) -> u64 {
        core::ptr::from_ref(&self.trace).addr() as u64
    }
}

impl<A: HeapFigures> TracedHeap<A> {
    /// Records the end of a call, with the block that it freed and the one that it allocated, if it
    /// did, and the layout that it requested. The host reads when `calls` changes, so `calls` is
    /// written last.
    fn note(&self, method: HeapCall, freed: *mut u8, allocated: *mut u8, layout: [usize; 2]) {
        let [size, align] = layout;
        let blocks = [
            (&self.trace.freed, freed),
            (&self.trace.allocated, allocated),
        ];
        for (place, block) in blocks {
            place.store(block.addr() as u64, Ordering::Relaxed);
        }
        self.trace.size.store(size as u64, Ordering::Relaxed);
        self.trace.align.store(align as u64, Ordering::Relaxed);
        self.trace.method.store(method as u64, Ordering::Relaxed);
        let live = self.heap.counts().live as u64;
        self.trace.live.store(live, Ordering::Relaxed);
        let leaked = self.heap.leaked() as u64;
        self.trace.leaked.store(leaked, Ordering::Relaxed);
        self.trace.calls.fetch_add(1, Ordering::Release);
    }
}

// SAFETY: every method passes its arguments to the heap, which is a `GlobalAlloc`, and returns the
// heap's result. Counting neither panics nor touches the blocks.
unsafe impl<A: GlobalAlloc + HeapFigures> GlobalAlloc for TracedHeap<A> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller promises that the layout has a size, the heap's only precondition.
        let block = unsafe { self.heap.alloc(layout) };
        let requested = [layout.size(), layout.align()];
        self.note(HeapCall::Alloc, null_mut(), block, requested);
        block
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller promises that the layout has a size, the heap's only precondition.
        let block = unsafe { self.heap.alloc_zeroed(layout) };
        let requested = [layout.size(), layout.align()];
        self.note(HeapCall::AllocZeroed, null_mut(), block, requested);
        block
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller promises that this allocator returned the block, with this layout, so
        // it is a block of the heap with this layout. The caller no longer uses it.
        unsafe { self.heap.dealloc(block, layout) };
        let requested = [0, layout.align()];
        self.note(HeapCall::Dealloc, block, null_mut(), requested);
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: the caller promises that this allocator returned the block, with this layout, so
        // it is a block of the heap with this layout. The caller also promises that the new size is
        // not 0 and does not exceed `isize::MAX` when rounded up to the alignment.
        let new_block = unsafe { self.heap.realloc(block, layout, new_size) };
        // A block that cannot be moved is still there.
        let freed = if new_block.is_null() {
            new_block
        } else {
            block
        };
        let requested = [new_size, layout.align()];
        self.note(HeapCall::Realloc, freed, new_block, requested);
        new_block
    }
}

#[cfg(test)]
mod tests {
    use core::mem::MaybeUninit;

    use allocator::BumpAllocator;

    use super::*;

    #[test]
    fn the_trace_says_what_is_live_after_each_call() {
        let mut buffer = [MaybeUninit::uninit(); 1024];
        let heap = TracedHeap::new(BumpAllocator::<(), _>::from_buffer(&mut buffer));
        let seen = || {
            let Trace {
                calls,
                live,
                leaked,
                ..
            } = &heap.trace;
            [calls, live, leaked].map(|count| count.load(Ordering::Relaxed))
        };
        let last = || {
            let Trace {
                freed,
                allocated,
                size,
                ..
            } = &heap.trace;
            [freed, allocated, size].map(|count| count.load(Ordering::Relaxed))
        };
        let place = |block: *mut u8| block.addr() as u64;
        let layout = Layout::from_size_align(100, 8).expect("a layout");
        assert_eq!(seen(), [0, 0, 0]);
        // SAFETY: the layout has a size.
        let block = unsafe { heap.alloc(layout) };
        // Each block takes a multiple of eight bytes, and there may be a gap before the first.
        let expected = |calls, live| [calls, live, heap.heap.inner().used() as u64 - live];
        assert_eq!(seen(), expected(1, 100));
        assert_eq!(last(), [0, place(block), 100]);
        let old = block;
        // SAFETY: the block came from this heap with this layout.
        let block = unsafe { heap.realloc(block, layout, 40) };
        assert_eq!(seen(), expected(2, 40));
        assert_eq!(last(), [place(old), place(block), 40]);
        let zeroed = Layout::from_size_align(7, 1).expect("a layout");
        // SAFETY: the layout has a size.
        let second = unsafe { heap.alloc_zeroed(zeroed) };
        assert_eq!(seen(), expected(3, 47));
        // SAFETY: the layout has a size. It does not fit.
        let refused = unsafe { heap.alloc(Layout::from_size_align(2048, 8).expect("a layout")) };
        assert!(refused.is_null());
        assert_eq!(seen(), expected(4, 47));
        assert_eq!(last(), [0, 0, 2048]);
        let now = Layout::from_size_align(40, 8).expect("a layout");
        // SAFETY: the block came from this heap, and has this layout since it was reallocated.
        unsafe { heap.dealloc(block, now) };
        assert_eq!(seen(), expected(5, 7));
        assert_eq!(last(), [place(block), 0, 0]);
        // SAFETY: the block came from this heap with this layout.
        unsafe { heap.dealloc(second, zeroed) };
        assert_eq!(seen(), expected(6, 0));
        let address = core::ptr::from_ref(&heap.trace).addr() as u64;
        assert_eq!(heap.address(), address);
    }
}
