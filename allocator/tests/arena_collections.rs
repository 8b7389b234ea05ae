//! Collections in arenas, and arenas that own their memory.
#![cfg(feature = "alloc")]

mod support;

use core::alloc::Layout;
use core::cell::Cell;
use std::alloc::{GlobalAlloc, System};

use allocator::allocator_api2::alloc::AllocError;
use allocator::allocator_api2::boxed::Box;
use allocator::allocator_api2::vec::Vec;
use allocator::{Arena, Stale};

use support::BASES;
use support::arena::with_arena;
use support::panic_message;

/// The system's allocator, which counts this thread's allocated bytes.
struct Counting;

thread_local! {
    static ALLOCATED: Cell<isize> = const { Cell::new(0) };
}

// SAFETY: the system's allocator guarantees everything that the trait requires.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: `alloc` requires a layout with a size. The caller passes one.
        let block = unsafe { System.alloc(layout) };
        if !block.is_null() {
            ALLOCATED.set(ALLOCATED.get() + layout.size() as isize);
        }
        block
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        ALLOCATED.set(ALLOCATED.get() - layout.size() as isize);
        // SAFETY: `dealloc` requires a live block and its layout. The caller passes both.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static GLOBAL: Counting = Counting;

#[test]
fn owned_arena_frees_its_memory() {
    let before = ALLOCATED.get();
    let mut arena = Arena::with_capacity(1000);
    assert_eq!(ALLOCATED.get(), before + 1000);
    assert_eq!(arena.capacity(), 1000);
    let handle = arena.alloc_bottom_value(7_u64).expect("room");
    arena.reset().expect("epochs left");
    assert_eq!(ALLOCATED.get(), before + 1000);
    drop(arena);
    assert_eq!(ALLOCATED.get(), before);
    let other = Arena::try_with_capacity(1000).expect("room");
    other.alloc_bottom_value(8_u64).expect("room");
    assert_eq!(handle.get(&other), Err(Stale));
    drop(other);
    assert_eq!(ALLOCATED.get(), before);
}

#[test]
fn buffer_arena_frees_nothing() {
    with_arena(0, 100, |arena, _| {
        let before = ALLOCATED.get();
        let other = Arena::with_capacity(10);
        drop(core::mem::replace(arena, other));
        assert_eq!(ALLOCATED.get(), before + 10);
    });
}

#[test]
fn owned_arena_may_be_empty() {
    let before = ALLOCATED.get();
    let arena = Arena::with_capacity(0);
    assert_eq!(arena.capacity(), 0);
    assert!(arena.alloc_bottom_bytes(1).is_err());
    drop(arena);
    assert_eq!(ALLOCATED.get(), before);
}

#[test]
fn unallocatable_arena_is_an_error() {
    for capacity in [usize::MAX, isize::MAX as usize, isize::MAX as usize + 1] {
        assert!(matches!(
            Arena::try_with_capacity(capacity),
            Err(AllocError)
        ));
        let message = panic_message(|| Arena::with_capacity(capacity));
        assert!(message.contains("at most isize::MAX - 7"), "{message}");
    }
    // A layout it is, but there is no such memory.
    let huge = isize::MAX as usize - 7;
    assert!(matches!(Arena::try_with_capacity(huge), Err(AllocError)));
}

#[test]
fn vectors_grow_and_shrink_at_both_ends() {
    for base in BASES {
        with_arena(base, 20_000, |arena, _| {
            let mut bottom = Vec::new_in(arena.bottom_handle());
            let mut top = Vec::new_in(arena.top_handle());
            for number in 0..500_u64 {
                bottom.push(number);
                top.push(number * 3);
            }
            // Each vector grew in place at its own end, so only alignment left bytes unused.
            assert!(arena.bottom_used() < bottom.capacity() * 8 + 8);
            assert!(arena.top_used() < top.capacity() * 8 + 8);
            bottom.truncate(100);
            bottom.shrink_to_fit();
            top.truncate(100);
            top.shrink_to_fit();
            assert!(arena.bottom_used() < 100 * 8 + 8);
            assert!(arena.top_used() < 100 * 8 + 8);
            assert!(bottom.iter().copied().eq(0..100));
            assert!(top.iter().copied().eq((0..100).map(|number| number * 3)));
            drop((bottom, top));
            assert!(arena.bottom_used() < 8 && arena.top_used() < 8);
        });
    }
}

#[test]
fn two_vectors_at_one_end_keep_their_elements() {
    let arena = Arena::with_capacity(100_000);
    let mut one = Vec::new_in(arena.top_handle());
    let mut other = Vec::new_in(arena.top_handle());
    for number in 0..1000_u32 {
        one.push(number);
        other.push(!number);
    }
    assert!(one.iter().copied().eq(0..1000));
    assert!(other.iter().map(|number| !number).eq(0..1000));
}

#[test]
fn full_arena_is_an_error() {
    let arena = Arena::with_capacity(64);
    let mut numbers: Vec<u64, _> = Vec::new_in(arena.bottom_handle());
    assert!(numbers.try_reserve(8).is_ok());
    assert!(numbers.try_reserve(9).is_err());
    numbers.extend(0..8);
    assert_eq!(numbers.len(), 8);
    assert!(Box::try_new_in(1_u8, arena.top_handle()).is_err());
}

#[test]
fn boxes_are_dropped_by_their_owners() {
    struct Drops<'a>(&'a Cell<u32>);
    impl Drop for Drops<'_> {
        fn drop(&mut self) {
            self.0.set(self.0.get() + 1);
        }
    }

    let drops = Cell::new(0);
    let mut arena = Arena::with_capacity(256);
    let boxed = Box::new_in(Drops(&drops), arena.stack_handle());
    let other = Box::new_in(Drops(&drops), arena.heap_handle());
    drop(boxed);
    assert_eq!(drops.get(), 1);
    assert_eq!(arena.bottom_used(), 0);
    core::mem::forget(other);
    arena.reset().expect("epochs left");
    assert_eq!(drops.get(), 1);
    assert_eq!(arena.free(), 256);
}
