//! A [`TracingAllocator`] reports the calls of its inner allocator, and does not change its
//! behavior.

mod support;

use core::alloc::{GlobalAlloc, Layout};
use core::cell::RefCell;

use allocator::{
    BorrowedHeap, BumpAllocator, HeapFigures, SegregatedBumpAllocator, TraceCounts, TraceEvent,
    TraceOperation, TracingAllocator,
};

use support::driver::{Operation, run_on};
use support::model::{BumpModel, SegregatedModel};
use support::{BASES, Buffer, Heap, Subject};

fn layout(size: usize, align: usize) -> Layout {
    Layout::from_size_align(size, align).expect("a valid layout")
}

/// A workload with known counts; [`expected`] has them.
fn workload<A: GlobalAlloc>(heap: &A) {
    // SAFETY: every layout has a size.
    let alloc = |size, align| unsafe { heap.alloc(layout(size, align)) };
    // SAFETY: callers pass live blocks of this heap with their layouts.
    let dealloc = |block, size, align| unsafe { heap.dealloc(block, layout(size, align)) };

    // 100 bytes are live, then 164, then 364.
    let low = alloc(100, 1);
    let kept = alloc(64, 8);
    // SAFETY: the layout has a size.
    let zeroed = unsafe { heap.alloc_zeroed(layout(200, 8)) };
    assert!(!low.is_null() && !kept.is_null() && !zeroed.is_null());
    assert!(alloc(100_000, 1).is_null());
    // SAFETY: the layout has a size.
    assert!(unsafe { heap.alloc_zeroed(layout(100_000, 1)) }.is_null());
    // SAFETY: a live block of this layout.
    assert!(unsafe { heap.realloc(zeroed, layout(200, 8), 100_000) }.is_null());
    // 264 without the first, 314 when the newest has grown in place, and 64 without that.
    dealloc(low, 100, 1);
    // SAFETY: a live block of this layout.
    let moved = unsafe { heap.realloc(zeroed, layout(200, 8), 250) };
    assert!(!moved.is_null());
    dealloc(moved, 250, 8);
}

fn expected(extent: usize) -> TraceCounts {
    TraceCounts {
        allocations: 5,
        deallocations: 2,
        reallocations: 2,
        failed: 3,
        live: 64,
        peak: 364,
        extent,
    }
}

#[test]
fn a_bump_heap_is_counted() {
    for remainder in BASES {
        let mut buffer = Buffer::new(remainder, 1024);
        let base = buffer.region().start;
        let heap = BumpAllocator::<(), _>::from_buffer(buffer.lend());
        let heap = TracingAllocator::new(heap);
        assert_eq!(heap.counts(), TraceCounts::default());
        workload(&heap);
        // Where the blocks were: the second is behind the first, which takes 104 bytes; the third
        // behind that, and it grew.
        let first = (base + 8).next_multiple_of(8);
        assert_eq!(heap.counts(), expected(104 + 64 + 250));
        // All but the bytes of the first block and the second have been taken back.
        assert_eq!(heap.inner().used(), first + 104 + 64 - (base + 8));
        assert_eq!(heap.inner().unavailable(), heap.inner().used());
        assert_eq!(heap.leaked(), heap.inner().used() - 64);
    }
}

#[test]
fn a_heap_with_size_classes_is_counted() {
    for remainder in BASES {
        let mut buffer = Buffer::new(remainder, 1024);
        let base = buffer.region().start;
        let heap = SegregatedBumpAllocator::from_buffer(buffer.lend());
        let heap = TracingAllocator::new(heap);
        workload(&heap);
        let first = (base + 8).next_multiple_of(8);
        assert_eq!(heap.counts(), expected(128 + 64 + 250));
        let used = first + 128 + 64 - (base + 8);
        assert_eq!((heap.inner().used(), heap.inner().listed()), (used, 128));
        // The freed block is in a list, and so not leaked. Only the gap before the blocks is.
        assert_eq!(heap.inner().unavailable(), used - 128);
        assert_eq!(heap.leaked(), first - (base + 8));
    }
}

#[test]
fn extent_spans_lowest_to_highest_block() {
    let mut buffer = Buffer::new(0, 1024);
    let heap = BumpAllocator::<(), _>::from_buffer(buffer.lend());
    let heap = TracingAllocator::new(heap);
    // SAFETY: the layout has a size.
    let block = unsafe { heap.alloc(layout(10, 64)) };
    assert_eq!(heap.counts().extent, 10);
    // SAFETY: a live block of this layout.
    let block = unsafe { heap.realloc(block, layout(10, 64), 300) };
    assert_eq!(heap.counts().extent, 300);
    // SAFETY: a live block of this layout.
    unsafe { heap.dealloc(block, layout(300, 64)) };
    // The extent covers freed blocks too.
    assert_eq!(heap.counts().extent, 300);
    assert_eq!(heap.counts().peak, 300);
}

#[test]
fn a_sink_sees_every_call_in_order() {
    let events = RefCell::new(Vec::new());
    let sink = |event: TraceEvent| events.borrow_mut().push(event);
    let mut buffer = Buffer::new(8, 1024);
    let heap = BumpAllocator::<(), _>::from_buffer(buffer.lend());
    let heap = TracingAllocator::with_sink(heap, sink);
    workload(&heap);
    let event = |operation, size, align, failed| TraceEvent {
        operation,
        size,
        align,
        failed,
    };
    let seen = [
        event(TraceOperation::Alloc, 100, 1, false),
        event(TraceOperation::Alloc, 64, 8, false),
        event(TraceOperation::AllocZeroed, 200, 8, false),
        event(TraceOperation::Alloc, 100_000, 1, true),
        event(TraceOperation::AllocZeroed, 100_000, 1, true),
        event(TraceOperation::Realloc, 100_000, 8, true),
        event(TraceOperation::Dealloc, 100, 1, false),
        event(TraceOperation::Realloc, 250, 8, false),
        event(TraceOperation::Dealloc, 250, 8, false),
    ];
    assert_eq!(*events.borrow(), seen);
}

/// A traced allocator is also a subject.
macro_rules! traced {
    ($allocator:ty, $model:ty) => {
        impl Subject for TracingAllocator<$allocator> {
            const EMPTY_BLOCKS: bool = <$allocator as Subject>::EMPTY_BLOCKS;
            const STATE: Layout = <$allocator as Subject>::STATE;
            type Model = $model;

            fn used(&self) -> usize {
                self.inner().used()
            }

            fn peak(&self) -> usize {
                self.inner().peak()
            }

            fn limit(&self) -> usize {
                self.inner().limit()
            }

            fn listed(&self) -> usize {
                Subject::listed(self.inner())
            }
        }
    };
}

traced!(BumpAllocator<(), BorrowedHeap<'_>>, BumpModel);
traced!(SegregatedBumpAllocator<BorrowedHeap<'_>>, SegregatedModel);

/// Calls of every kind, with sizes around those of the classes.
fn operations() -> Vec<Operation> {
    let sizes = [1, 16, 17, 64, 129, 33, 200, 8, 128, 90];
    (0..200)
        .map(|number| {
            let size = sizes[number * 7 % sizes.len()];
            match number * 5 % 9 {
                0 | 1 => Operation::Alloc {
                    size,
                    align_bits: (number % 6) as u8,
                },
                2 | 3 => Operation::AllocZeroed {
                    size,
                    align_bits: 0,
                },
                4 | 5 => Operation::Dealloc { block: number },
                _ => Operation::Realloc {
                    block: number,
                    new_size: size,
                },
            }
        })
        .collect()
}

#[test]
fn tracing_changes_no_behaviour() {
    for remainder in BASES {
        let mut buffer = Buffer::new(remainder, 1500);
        let region = buffer.region();
        let heap = BumpAllocator::<(), _>::from_buffer(buffer.lend());
        run_on(
            &Heap::new(TracingAllocator::new(heap), region.clone()),
            &operations(),
        );
        let heap = SegregatedBumpAllocator::from_buffer(buffer.lend());
        run_on(
            &Heap::new(TracingAllocator::new(heap), region),
            &operations(),
        );
    }
}

/// If a panic could pass through the allocator, its caller would keep a block that is already
/// freed.
#[test]
#[cfg(not(miri))]
fn a_sink_that_panics_ends_the_program() {
    const IN_CHILD: &str = "A_SINK_PANICS";
    if std::env::var_os(IN_CHILD).is_some() {
        let mut buffer = Buffer::new(0, 4096);
        let heap = BumpAllocator::<(), _>::from_buffer(buffer.lend());
        let sink = |_: TraceEvent| panic!("the sink's own words");
        let heap = TracingAllocator::with_sink(heap, sink);
        let layout = Layout::new::<u64>();
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            // SAFETY: the layout has a size.
            unsafe { heap.alloc(layout) }
        }));
        panic!("the call returned: {}", outcome.is_err());
    }
    let test = std::env::current_exe().expect("the path of this test");
    let output = std::process::Command::new(test)
        .args([
            "--exact",
            "a_sink_that_panics_ends_the_program",
            "--nocapture",
        ])
        .env(IN_CHILD, "1")
        .output()
        .expect("run the test");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(stderr.contains("the sink's own words"), "{stderr}");
    assert!(stderr.contains("an allocator may not unwind"), "{stderr}");
    assert!(!stderr.contains("the call returned"), "{stderr}");
}
