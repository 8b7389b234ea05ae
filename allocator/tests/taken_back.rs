//! Bytes that come back: in reverse order from every allocator, and in any order from the one with
//! size classes.

mod support;

use core::alloc::{GlobalAlloc, Layout};
use core::mem::MaybeUninit;
use core::ptr::NonNull;

use allocator::allocator_api2::alloc::Allocator;
use allocator::{Arena, BorrowedHeap, SegregatedBumpAllocator};
use proptest::prelude::*;
use proptest::sample::select;

use support::arena::with_arena;
use support::{Algorithm, BASES, Buffer, Bump, Memory, Pages, Segregated};

fn layout(size: usize, align: usize) -> Layout {
    Layout::from_size_align(size, align).expect("a valid layout")
}

/// Two blocks, of which the second needs a larger alignment than the first.
const PAIRS: [[(usize, usize); 2]; 5] = [
    [(200, 1), (300, 8)],
    [(201, 1), (300, 8)],
    [(3, 2), (5, 16)],
    [(1, 1), (1, 64)],
    [(30, 4), (5000, 4096)],
];

fn pairs_freed_in_reverse<A: Algorithm>(memory: &mut impl Memory) {
    let heap = memory.start::<A>();
    for pair in PAIRS {
        let round = || {
            let blocks = pair.map(|(size, align)| heap.alloc(size, align).expect("room"));
            for block in blocks.into_iter().rev() {
                heap.dealloc(block);
            }
            heap.used()
        };
        let first = round();
        for _ in 0..100 {
            assert_eq!(round(), first, "{pair:?}");
        }
    }
}

#[test]
fn pairs_freed_in_reverse_take_no_more_each_time() {
    for remainder in BASES {
        pairs_freed_in_reverse::<Bump>(&mut Buffer::new(remainder, 20_000));
        pairs_freed_in_reverse::<Segregated>(&mut Buffer::new(remainder, 40_000));
        pairs_freed_in_reverse::<Bump>(&mut Pages::new(remainder, 1, 4));
        pairs_freed_in_reverse::<Segregated>(&mut Pages::new(remainder, 1, 4));
    }
}

#[test]
fn pairs_in_an_arena_take_no_more_each_time() {
    for remainder in BASES {
        with_arena(remainder, 20_000, |arena, _| {
            let ends: [&dyn Allocator; 2] = [&arena.bottom_handle(), &arena.top_handle()];
            for end in ends {
                for pair in PAIRS {
                    let round = || {
                        let layouts = pair.map(|(size, align)| layout(size, align));
                        let blocks = layouts.map(|layout| end.allocate(layout).expect("room"));
                        for (block, layout) in blocks.into_iter().zip(layouts).rev() {
                            // SAFETY: the block is live and has this layout.
                            unsafe { end.deallocate(block.cast(), layout) };
                        }
                        arena.free()
                    };
                    let first = round();
                    for _ in 0..100 {
                        assert_eq!(round(), first, "{pair:?}");
                    }
                }
            }
        });
    }
}

/// Sizes, and binary logarithms of alignments, mostly small.
fn layouts() -> impl Strategy<Value = Vec<(usize, u8)>> {
    let size = prop_oneof![3 => 1..=40_usize, 1 => 1..=700_usize];
    let align_bits = prop_oneof![5 => 0..=4_u8, 1 => 0..=9_u8];
    prop::collection::vec((size, align_bits), 1..40)
}

/// Frees the blocks in reverse order; after each, `used` is what it was before that block.
fn each_block_gives_all_of_its_bytes_back(remainder: usize, layouts: &[(usize, u8)]) {
    let mut buffer = Buffer::new(remainder, 100_000);
    let heap = buffer.start::<Bump>();
    // What aligns the heap itself is given up once.
    let _ = heap.alloc(1, 1).expect("room");
    let mut blocks = Vec::new();
    for (size, align_bits) in layouts {
        let before = heap.used();
        blocks.push((before, heap.alloc(*size, 1 << align_bits).expect("room")));
    }
    while let Some((before, mut block)) = blocks.pop() {
        // Whatever size it had in between.
        assert!(heap.realloc(&mut block, before % 90 + 1));
        heap.dealloc(block);
        assert_eq!(heap.used(), before);
    }
}

fn each_block_gives_all_of_its_bytes_back_to(
    end: &dyn Allocator,
    arena: &Arena,
    layouts: &[(usize, u8)],
) {
    let _ = end.allocate(layout(1, 1)).expect("room");
    let mut blocks: Vec<(usize, NonNull<u8>, Layout)> = Vec::new();
    for (size, align_bits) in layouts {
        let layout = layout(*size, 1 << align_bits);
        let before = arena.free();
        blocks.push((before, end.allocate(layout).expect("room").cast(), layout));
    }
    while let Some((before, block, old)) = blocks.pop() {
        let new = layout(old.size() + before % 90, old.align());
        // SAFETY: the block is live and has the layout `old`; the new one is not smaller.
        let block = unsafe { end.grow(block, old, new) }.expect("room").cast();
        // SAFETY: the block is live and has the layout `new`.
        unsafe { end.deallocate(block, new) };
        assert_eq!(arena.free(), before);
    }
}

/// What a program does with its blocks in one of its rounds.
#[derive(Clone, Copy, Debug)]
enum Step {
    Alloc { size: usize, align_bits: u8 },
    Realloc { block: usize, new_size: usize },
    Dealloc { block: usize },
}

/// About the boundaries of size classes.
const BOUNDARIES: [usize; 14] = [
    1, 16, 17, 32, 64, 128, 129, 160, 161, 256, 257, 410, 1024, 5000,
];

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let size =
        || prop_oneof![1 => select(&BOUNDARIES[..]), 1 => 1..=300_usize, 1 => 1..=9_000_usize];
    let align_bits = prop_oneof![5 => 0..=3_u8, 1 => 0..=7_u8];
    let step = prop_oneof![
        4 => (size(), align_bits).prop_map(|(size, align_bits)| Step::Alloc { size, align_bits }),
        2 => (any::<usize>(), size())
            .prop_map(|(block, new_size)| Step::Realloc { block, new_size }),
        3 => any::<usize>().prop_map(|block| Step::Dealloc { block }),
    ];
    prop::collection::vec(step, 1..40)
}

type Heap<'buffer> = SegregatedBumpAllocator<BorrowedHeap<'buffer>>;

/// Does the steps, and frees what is left, in the order in which it was allocated.
fn round(heap: &Heap<'_>, steps: &[Step]) {
    let mut live: Vec<(*mut u8, Layout)> = Vec::new();
    for step in steps {
        match *step {
            Step::Alloc { size, align_bits } => {
                let layout = layout(size, 1 << align_bits);
                // SAFETY: the layout has a size.
                live.push((unsafe { heap.alloc(layout) }, layout));
            }
            Step::Realloc { block, new_size } if !live.is_empty() => {
                let index = block % live.len();
                let (block, old) = live[index];
                // SAFETY: the block is live and has this layout; the new size is valid, and not 0.
                let block = unsafe { heap.realloc(block, old, new_size) };
                live[index] = (block, layout(new_size, old.align()));
            }
            Step::Dealloc { block } if !live.is_empty() => {
                let (block, layout) = live.swap_remove(block % live.len());
                // SAFETY: the block is live and has this layout.
                unsafe { heap.dealloc(block, layout) };
            }
            Step::Realloc { .. } | Step::Dealloc { .. } => {}
        }
        assert!(live.iter().all(|(block, _)| !block.is_null()), "no room");
    }
    for (block, layout) in live {
        // SAFETY: the block is live and has this layout.
        unsafe { heap.dealloc(block, layout) };
    }
}

/// A program that does the same in each round stops growing after some of them, whatever the order
/// in which it frees its blocks.
fn rounds_stop_growing(steps: &[Step]) {
    let mut buffer = vec![MaybeUninit::uninit(); 4 << 20];
    let heap = SegregatedBumpAllocator::from_buffer(&mut buffer);
    for _ in 0..60 {
        round(&heap, steps);
    }
    let peak = heap.peak();
    for _ in 0..60 {
        round(&heap, steps);
    }
    assert_eq!(heap.peak(), peak, "it still grows after 60 rounds");
    // All blocks were freed, so all that is used waits in a list, but for what aligns the heap.
    assert!(heap.used() - heap.listed() < 8);
}

fn config() -> ProptestConfig {
    ProptestConfig {
        cases: if cfg!(miri) { 4 } else { 150 },
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

#[test]
fn reverse_order_gives_every_byte_back() {
    proptest!(config(), |(remainder in 0..support::MODULUS, layouts in layouts())| {
        each_block_gives_all_of_its_bytes_back(remainder, &layouts);
        with_arena(remainder, 100_000, |arena, _| {
            let bottom = arena.bottom_handle();
            each_block_gives_all_of_its_bytes_back_to(&bottom, arena, &layouts);
            let top = arena.top_handle();
            each_block_gives_all_of_its_bytes_back_to(&top, arena, &layouts);
        });
    });
}

#[test]
fn repeated_rounds_stop_growing() {
    proptest!(config(), |(steps in steps())| rounds_stop_growing(&steps));
}

/// A text of as many bytes as the input has, and a list of numbers, as local variables: a million
/// times in the least heap.
#[test]
fn a_million_calls_in_a_heap_of_32_kib() {
    let mut buffer = vec![MaybeUninit::uninit(); 32 * 1024];
    let heap = SegregatedBumpAllocator::from_buffer(&mut buffer);
    let layouts = [layout(410, 1), layout(256, 4)];
    let calls = if cfg!(miri) { 1_000 } else { 1_000_000 };
    for is_reversed in [false, true] {
        for _ in 0..calls / 2 {
            // SAFETY: the layouts have sizes.
            let mut blocks = layouts.map(|layout| (unsafe { heap.alloc_zeroed(layout) }, layout));
            assert!(blocks.iter().all(|(block, _)| !block.is_null()));
            if is_reversed {
                blocks.reverse();
            }
            for (block, layout) in blocks {
                // SAFETY: the block is live and has this layout.
                unsafe { heap.dealloc(block, layout) };
            }
        }
    }
}

/// Shrinking moved such a block to another one, so it failed in a full heap.
#[test]
fn shrinking_a_block_with_a_large_alignment_never_fails() {
    for remainder in BASES {
        for align in [16, 64] {
            let mut buffer = Buffer::new(remainder, 4_096);
            let heap = buffer.start::<Segregated>();
            // There is no other block of 2,000 bytes.
            let mut block = heap.alloc(3_000, align).expect("room");
            for size in [2_999, 2_000, 900, 100, 1] {
                assert!(heap.realloc(&mut block, size), "{align}: {size}");
            }
            heap.dealloc(block);
        }
    }
}
