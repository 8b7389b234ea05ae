//! A program that allocates and frees the same blocks in each round needs no more memory each time.

use core::alloc::{GlobalAlloc, Layout};
use core::mem::MaybeUninit;

use allocator::{BorrowedHeap, SegregatedBumpAllocator};

type Heap<'buffer> = SegregatedBumpAllocator<BorrowedHeap<'buffer>>;

/// Allocates a block of the first size, resizes it to each of the others, and frees it.
fn round(heap: &Heap<'_>, sizes: &[usize]) {
    let layout = |size: usize| Layout::from_size_align(size, 1).expect("a valid layout");
    let mut size = sizes[0];
    // SAFETY: no size is 0.
    let mut block = unsafe { heap.alloc(layout(size)) };
    for new_size in &sizes[1..] {
        assert!(!block.is_null(), "no memory for {sizes:?}");
        // SAFETY: the block came from this heap and has this layout; no size is 0.
        block = unsafe { heap.realloc(block, layout(size), *new_size) };
        size = *new_size;
    }
    assert!(!block.is_null(), "no memory for {sizes:?}");
    // SAFETY: the block came from this heap and has this layout.
    unsafe { heap.dealloc(block, layout(size)) };
}

/// Runs rounds of each pattern in turn, with and without a block above them that occupies the top.
/// Fails if the last rounds need more memory than the first.
fn rounds_take_no_more_room(patterns: &[&[usize]]) {
    rounds(patterns, &[false, true]);
}

/// Works like [`rounds_take_no_more_room`], without a block above: there a long block would be
/// lost, by design.
fn rounds_at_the_top_take_no_more_room(patterns: &[&[usize]]) {
    rounds(patterns, &[false]);
}

fn rounds(patterns: &[&[usize]], top_taken: &[bool]) {
    for is_top_taken in top_taken.iter().copied() {
        let mut buffer = [MaybeUninit::uninit(); 16_384];
        let heap = SegregatedBumpAllocator::from_buffer(&mut buffer);
        let mut after_first = 0;
        for number in 0..500 {
            for pattern in patterns {
                round(&heap, pattern);
            }
            if number == 0 && is_top_taken {
                // SAFETY: the layout has a size. The block is never freed.
                let _ = unsafe { heap.alloc(Layout::new::<[u64; 40]>()) };
            }
            if number == 8 {
                after_first = heap.peak();
            }
        }
        assert_eq!(heap.peak(), after_first, "{patterns:?}, {is_top_taken}");
    }
}

#[test]
fn growing_texts_take_no_more_memory() {
    rounds_take_no_more_room(&[&[8, 16, 32, 64]]);
    rounds_take_no_more_room(&[&[8, 16, 32, 64, 128]]);
}

#[test]
fn shrunk_lists_take_no_more_memory() {
    rounds_take_no_more_room(&[&[128, 16]]);
    rounds_take_no_more_room(&[&[128, 64, 20]]);
    rounds_take_no_more_room(&[&[100, 3, 90]]);
}

#[test]
fn long_shrunk_lists_take_no_more_memory() {
    for pattern in [
        &[200, 128][..],
        &[200, 20],
        &[300, 100, 200],
        &[64, 200, 20],
    ] {
        rounds_at_the_top_take_no_more_room(&[pattern]);
    }
}

#[test]
fn several_patterns_take_no_more_memory() {
    rounds_take_no_more_room(&[&[8, 16, 32, 64], &[128, 40], &[30], &[16, 128, 64, 1]]);
}
