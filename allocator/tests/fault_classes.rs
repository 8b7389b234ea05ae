//! One test for each class of faults known from comparable allocators.
//!
//! Two classes concern only the arena, and its own tests cover them: handles that another arena
//! accepts, and a reset that wipes first and then fails.

mod support;

use core::alloc::{GlobalAlloc, Layout};
use core::cell::Cell;
use core::mem::MaybeUninit;
use std::rc::Rc;

use allocator::{
    BorrowedHeap, BumpAllocator, FixedHeap, HeapSource, LinearMemory, LoaderHeap, PAGE_SIZE,
    PageMemory, SegregatedBumpAllocator, TracingAllocator, WasmMemory,
};

use support::{
    Algorithm, BASES, Buffer, Bump, Ground, HEADER, Heap, Memory, Pages, Segregated, Subject,
    check_all,
};

/// Defines a test for each allocator, of a generic function.
macro_rules! in_both {
    ($($test:ident)*) => {$(
        mod $test {
            #[test]
            fn bump() {
                super::$test::<super::Bump>();
            }

            #[test]
            fn segregated() {
                super::$test::<super::Segregated>();
            }
        }
    )*};
}

in_both! {
    addresses_are_aligned_not_offsets
    shrinking_realloc_copies_the_new_size
    sums_do_not_wrap
    grown_memory_may_have_gaps
    capacity_is_checked_from_the_aligned_start
    two_allocators_share_no_state
}

/// The heap's base is unaligned, so an aligned offset from it is not an aligned address.
fn addresses_are_aligned_not_offsets<A: Algorithm>() {
    for remainder in BASES {
        for bits in 0..=13 {
            let mut buffer = Buffer::new(remainder, 4 << 13);
            let heap = buffer.start::<A>();
            // Also as the second block, and by growth that moves.
            let mut first = heap.alloc(3, 1 << bits).expect("room");
            let second = heap.alloc(5, 1 << bits).expect("room");
            assert!(heap.realloc(&mut first, 150));
            assert_eq!(first.address() % (1 << bits), 0);
            assert_eq!(second.address() % (1 << bits), 0);
        }
    }
}

/// A block that has shrunk where it stood is freed with its new layout, and is as long as the old
/// one. Whatever list it goes to, the next user of that list must not get less than it asks for,
/// nor what a neighbour has.
#[test]
fn freed_block_has_the_class_of_its_layout() {
    for remainder in BASES {
        for old in [17, 32, 33, 64, 65, 128, 129, 300] {
            for new in [1, 16, 17, 32, 33, 64, 65, 128] {
                // First below the top, then as the newest block, then by growth to a larger class.
                for neighbour in [true, false] {
                    let mut buffer = Buffer::new(remainder, 2000);
                    let heap = buffer.start::<Segregated>();
                    let mut block = heap.alloc(old, 1).expect("room");
                    let mut live = Vec::new();
                    live.extend(neighbour.then(|| heap.alloc(24, 1).expect("room")));
                    assert!(heap.realloc(&mut block, new));
                    block.fill();
                    heap.dealloc(block);
                    // Two blocks of the new class, of which the first reuses the freed block, and
                    // some of all other classes.
                    for size in [new, new, 16, 32, 64, 128, 16, 32, 64, 128] {
                        let mut block = heap.alloc_zeroed(size, 16).expect("room");
                        assert!(block.is_filled_with(0));
                        block.fill();
                        live.push(block);
                        check_all(&live);
                    }
                }
            }
        }
    }
}

/// A newest block of class 16 that grows by one byte must get the length of class 32, because its
/// new layout puts it into that list when it is freed. If a block shrinks to a smaller class, the
/// rest of it must go into a list.
#[test]
fn block_resizes_in_place_between_classes() {
    for remainder in BASES {
        for (old, new) in [(16, 17), (16, 33), (32, 33), (33, 65), (1, 128), (16, 100)] {
            let mut buffer = Buffer::new(remainder, 1000);
            let heap = buffer.start::<Segregated>();
            let mut block = heap.alloc(old, 1).expect("room");
            let (address, used) = (block.address(), heap.used());
            assert!(heap.realloc(&mut block, new));
            assert_eq!(block.address(), address, "the newest block grows in place");
            let class = new.next_power_of_two();
            assert_eq!(
                heap.used() - used,
                class - old.next_power_of_two().max(16),
                "a block grows to a whole class"
            );
            block.fill();
            let neighbour = heap.alloc(128, 1).expect("room");
            heap.dealloc(block);
            let whole = heap.alloc(class, 1).expect("room");
            assert_eq!(whole.address(), address, "the freed block is reused");
            check_all([&whole, &neighbour]);
        }
        for (old, new) in [(128, 16), (128, 33), (64, 17), (100, 20)] {
            let mut buffer = Buffer::new(remainder, 1000);
            let heap = buffer.start::<Segregated>();
            let mut block = heap.alloc(old, 1).expect("room");
            let neighbour = heap.alloc(128, 1).expect("room");
            assert!(heap.realloc(&mut block, new));
            let (whole, kept) = (old.next_power_of_two(), new.next_power_of_two());
            assert_eq!(
                heap.listed(),
                whole - kept.max(16),
                "the lists have the rest"
            );
            block.check_first(new);
            check_all([&neighbour]);
        }
    }
}

/// A block of 200 bytes that shrinks to 20 must not copy 200 bytes, because a neighbour follows its
/// new place.
fn shrinking_realloc_copies_the_new_size<A: Algorithm>() {
    for remainder in BASES {
        for (old, new) in [(300, 20), (300, 129), (128, 20), (64, 1)] {
            for bits in [0, 4, 6] {
                let mut buffer = Buffer::new(remainder, 3000);
                let heap = buffer.start::<A>();
                // A free block of the new size is right before a live one, so that the block may
                // move there.
                let free = heap.alloc(new, 1).expect("room");
                let before = heap.alloc(16, 1).expect("room");
                let mut block = heap.alloc(old, 1 << bits).expect("room");
                let behind = heap.alloc(16, 1).expect("room");
                heap.dealloc(free);
                assert!(heap.realloc(&mut block, new));
                block.check();
                check_all([&before, &block, &behind]);
                // And the heap wrote to no free bytes.
                let fresh = heap.alloc_zeroed(400, 1).expect("room");
                assert!(fresh.is_filled_with(0));
                check_all([&before, &block, &behind]);
            }
        }
    }
}

/// Sizes whose sum with an address or an alignment overflows, and would be small if it wrapped.
fn sums_do_not_wrap<A: Algorithm>() {
    fn refuses<A: Subject, T: Ground>(heap: &Heap<'_, A, T>) {
        let most = isize::MAX as usize;
        let mut newest = heap.alloc(40, 1).expect("room");
        let figures = (heap.figures(), heap.limit());
        for bits in 0..usize::BITS {
            for less in [0, 1, 7, 15, 16, 127, 4096, PAGE_SIZE] {
                let greatest = most - ((1 << bits) - 1);
                let Some(size) = greatest.checked_sub(less).filter(|size| *size > 1 << 40) else {
                    continue;
                };
                assert!(heap.alloc(size, 1 << bits).is_none());
                assert!(heap.alloc_zeroed(size, 1 << bits).is_none());
                if bits == 0 {
                    assert!(!heap.realloc(&mut newest, size));
                }
            }
        }
        // Sizes that are small as 32-bit numbers.
        #[cfg(target_pointer_width = "64")]
        for size in [(1 << 32) + 20, (1 << 48) + 20, (3 << 32) + 1] {
            assert!(heap.alloc(size, 1).is_none());
            assert!(heap.alloc(size, 64).is_none());
            assert!(heap.alloc_zeroed(size, 16).is_none());
            assert!(!heap.realloc(&mut newest, size));
        }
        assert_eq!((heap.figures(), heap.limit()), figures);
        newest.check();
    }
    for remainder in BASES {
        refuses(&Buffer::new(remainder, 500).start::<A>());
        refuses(&Pages::new(remainder, 1, 4).start::<A>());
    }
}

/// Other users' pages are between those of the heap. A block that does not fit before them must be
/// completely after them.
fn grown_memory_may_have_gaps<A: Algorithm>() {
    for remainder in BASES {
        for race in [false, true] {
            let mut pages = Pages::new(remainder, 1, 16);
            let heap = pages.start::<A>();
            let first = heap.alloc(57_344, 1).expect("a page");
            let mut newest = heap.alloc(500, 1).expect("the rest of it");
            if race {
                // During the request: the allocation may fail, but no other user's page may be
                // touched.
                heap.ground().others_race();
            } else {
                heap.ground().others_take(1);
            }
            let moved = heap.realloc(&mut newest, 10_000);
            assert!(moved || race);
            let across = heap.alloc(3000, 8).expect("another page");
            newest.check_first(500);
            newest.fill();
            heap.ground().others_take(1);
            let zeroed = heap.alloc_zeroed(PAGE_SIZE, 4096).expect("two more");
            assert!(zeroed.is_filled_with(0));
            heap.ground().check();
            check_all([&first, &newest, &across]);
            drop(heap);
            pages.check_rest();
        }
    }
}

/// The start of a block depends on the base, and so does whether it fits. A heap that checks from
/// the unaligned top accepts too much, and one that always reserves the whole alignment accepts too
/// little.
fn capacity_is_checked_from_the_aligned_start<A: Algorithm>() {
    for remainder in BASES {
        for bits in 0..=3 {
            let align = 1 << bits;
            let gap = remainder.next_multiple_of(8) - remainder;
            // A whole class, so that it is no longer than it says.
            let size = 192;
            for (length, fits) in [
                (HEADER + gap + size, true),
                (HEADER + gap + size - 1, false),
            ] {
                let mut buffer = Buffer::new(remainder, length);
                let heap = buffer.start::<A>();
                assert_eq!(
                    heap.alloc(size, align).is_some(),
                    fits,
                    "{align} in {length}"
                );
                assert_eq!(heap.used(), if fits { gap + size } else { 0 });
            }
        }
    }
    // The heap knows no capacity before its first growth. Without a page it allocates nothing.
    let mut none = Pages::new(8, 3, 3);
    assert!(none.start::<A>().alloc(1, 1).is_none());
    let mut one = Pages::new(8, 3, 4);
    let heap = one.start::<A>();
    assert!(heap.alloc(PAGE_SIZE - HEADER + 1, 1).is_none());
    // The page's address is known only when it is there, so the longest gap has to fit.
    assert!(heap.alloc(57_344, 8).is_some());
}

/// Two allocators of one type are independent.
fn two_allocators_share_no_state<A: Algorithm>() {
    let (mut low, mut high) = (Buffer::new(8, 600), Buffer::new(3, 600));
    let (left, right) = (low.start::<A>(), high.start::<A>());
    let mut live = Vec::new();
    for size in [16, 40, 100, 200] {
        live.push(left.alloc(size, 1).expect("room"));
    }
    assert_eq!(right.figures(), (0, 0));
    // One allocator does not reuse the blocks that the other one has freed.
    while let Some(block) = live.pop() {
        left.dealloc(block);
    }
    for size in [16, 40, 100, 200] {
        live.push(right.alloc(size, 1).expect("room, in its own memory"));
    }
    check_all(&live);
}

/// A safe function has several implementations, so naming one is ambiguous and does not compile. An
/// unsafe one has one implementation.
trait NotSafe<Way> {}

impl<T> NotSafe<()> for T {}
impl<T: Fn(A) -> R, A, R> NotSafe<fn(A) -> R> for T {}
impl<T: Fn() -> R, R> NotSafe<fn() -> R> for T {}

fn is_unsafe<Way, T: NotSafe<Way>>(_function: T) {}

/// A region that exists once in a process needs an unsafe constructor.
#[test]
fn constructors_over_a_static_heap_are_unsafe() {
    is_unsafe(LoaderHeap::new);
    is_unsafe(FixedHeap::<4096, 4096>::new);
    is_unsafe(BumpAllocator::<()>::new);
    is_unsafe(SegregatedBumpAllocator::new);
    is_unsafe(BumpAllocator::<(), LoaderHeap>::with_source);
    is_unsafe(SegregatedBumpAllocator::<LoaderHeap>::with_source);
}

/// No safe function moves the heap: a buffer is borrowed for as long as its allocator lives, and
/// the functions that set a loader's heap are unsafe.
#[test]
fn no_safe_function_moves_the_heap() {
    is_unsafe(allocator::set_heap_base);
    is_unsafe(allocator::set_heap_limit);
    // Moving the allocator, which is safe, does not move the heap.
    let mut bytes = [MaybeUninit::uninit(); 400];
    let heap = SegregatedBumpAllocator::from_buffer(&mut bytes);
    let layout = Layout::new::<[u64; 4]>();
    // SAFETY: the layout has a size.
    let first = unsafe { heap.alloc(layout) };
    let figures = (heap.used(), heap.limit());
    let moved = Box::new(heap);
    assert_eq!((moved.used(), moved.limit()), figures);
    // SAFETY: the block came from this heap with this layout.
    unsafe { moved.dealloc(first, layout) };
    // SAFETY: the layout has a size.
    assert_eq!(unsafe { moved.alloc(layout) }, first);
}

/// A `Sync` type has two implementations, so `NotSync::check` is ambiguous and does not compile.
/// Any other type has one.
trait NotSync<Way> {
    fn check() {}
}

impl<T> NotSync<()> for T {}
impl<T: Sync> NotSync<u8> for T {}

fn is_sync<T: Sync>() {}

/// A memory that is `Sync` if `C` is.
struct Counted<C>(C);

// SAFETY: the memory has no pages.
unsafe impl<C> PageMemory for Counted<C> {
    fn pages(&self) -> usize {
        0
    }

    fn grow(&self, _pages: usize) -> Option<usize> {
        None
    }

    fn page(&self, _number: usize) -> *mut u8 {
        core::ptr::null_mut()
    }
}

/// An allocator changes its heap through a shared reference. So it may be `Sync` only if an unsafe
/// constructor promises one thread.
#[test]
fn only_promised_heaps_are_sync() {
    type Lent = BorrowedHeap<'static>;
    <BumpAllocator<(), Lent> as NotSync<_>>::check();
    <SegregatedBumpAllocator<Lent> as NotSync<_>>::check();
    <BumpAllocator<(), WasmMemory<Counted<Rc<()>>>> as NotSync<_>>::check();
    <SegregatedBumpAllocator<WasmMemory<Counted<Rc<()>>>> as NotSync<_>>::check();
    <TracingAllocator<BumpAllocator<(), Lent>> as NotSync<_>>::check();
    <TracingAllocator<BumpAllocator, Rc<()>> as NotSync<_>>::check();
    // A source alone makes no such promise.
    <WasmMemory<LinearMemory> as NotSync<_>>::check();
    <Lent as NotSync<_>>::check();

    is_sync::<BumpAllocator<Cell<u64>, LoaderHeap>>();
    is_sync::<SegregatedBumpAllocator<LoaderHeap>>();
    is_sync::<BumpAllocator<Cell<u64>, FixedHeap<4096, 4096>>>();
    is_sync::<SegregatedBumpAllocator<FixedHeap<4096, 4096>>>();
    is_sync::<BumpAllocator<Cell<u64>, WasmMemory<Counted<()>>>>();
    is_sync::<SegregatedBumpAllocator<WasmMemory<Counted<()>>>>();
}

/// A source that does not grow rejects every request.
#[test]
fn source_without_growth_does_not_grow() {
    let mut bytes = [MaybeUninit::uninit(); 64];
    let source = BorrowedHeap::new(&mut bytes);
    assert_eq!(source.grow(1, 1), None);
    assert_eq!(source.limit(), 64);
}
