//! Blocks at both ends of an arena, with one test for each fault known from comparable arenas.

mod support;

use core::alloc::Layout;
use core::ptr::NonNull;

use allocator::Arena;
use allocator::allocator_api2::alloc::{AllocError, Allocator};

use support::BASES;
use support::arena::with_arena;

fn layout(size: usize, align: usize) -> Layout {
    Layout::from_size_align(size, align).expect("a valid layout")
}

fn address<T: ?Sized>(block: NonNull<T>) -> usize {
    block.addr().get()
}

/// A block whose byte at `index` is `index + 1`.
fn filled(end: &dyn Allocator, layout: Layout) -> NonNull<u8> {
    let block: NonNull<u8> = end.allocate(layout).expect("room").cast();
    for index in 0..layout.size() {
        // SAFETY: the index is within the block.
        let byte = unsafe { block.add(index) };
        // SAFETY: the block is new.
        unsafe { byte.write(index as u8 + 1) };
    }
    block
}

/// Asserts that the first bytes of the block are those of [`filled`].
fn check_filled(block: NonNull<[u8]>, length: usize) {
    assert!(block.len() >= length);
    for index in 0..length {
        // SAFETY: the index is within the block, as asserted above.
        let byte = unsafe { block.cast::<u8>().add(index) };
        // SAFETY: the tests pass live blocks, whose first `length` bytes `filled` has initialized.
        let byte = unsafe { byte.read() };
        assert_eq!(byte, index as u8 + 1, "byte {index}");
    }
}

/// The handles of both ends, with their names.
fn ends(arena: &Arena) -> [(&'static str, Box<dyn Allocator + '_>); 2] {
    [
        ("bottom", Box::new(arena.bottom_handle())),
        ("top", Box::new(arena.top_handle())),
    ]
}

fn used(arena: &Arena) -> usize {
    arena.bottom_used() + arena.top_used()
}

#[test]
fn addresses_are_aligned_not_offsets() {
    for base in BASES {
        with_arena(base, 5000, |arena, region| {
            for align_bits in 0..12 {
                let align = 1 << align_bits;
                for (name, end) in ends(arena) {
                    let block = end.allocate(layout(1, align)).expect("room");
                    assert_eq!(
                        address(block) % align,
                        0,
                        "{align} at the {name} of {base:#x}"
                    );
                    assert!(region.contains(&address(block)));
                }
                arena.reset().expect("epochs left");
            }
        });
    }
}

#[test]
fn alignment_beyond_the_buffer_is_rejected() {
    with_arena(8, 4000, |arena, _| {
        for (_, end) in ends(arena) {
            assert_eq!(end.allocate(layout(1, 4096)), Err(AllocError));
        }
        assert_eq!(used(arena), 0);
    });
    with_arena(4088, 16, |arena, region| {
        let block = arena.bottom_handle().allocate(layout(1, 4096));
        assert_eq!(block.map(address), Ok(region.start + 8));
    });
}

#[test]
fn newest_bottom_block_resizes_in_place() {
    with_arena(8, 104, |arena, _| {
        let bottom = arena.bottom_handle();
        let block = filled(&bottom, layout(10, 1));
        // SAFETY: the block is live and has this layout; the new one is larger.
        let grown = unsafe { bottom.grow(block, layout(10, 1), layout(100, 1)) }.expect("room");
        assert_eq!(address(grown), address(block));
        assert_eq!(grown.len(), 100);
        check_filled(grown, 10);
        assert_eq!(arena.free(), 0);
        // SAFETY: the block is live and has this layout; the new one is smaller.
        let shrunk = unsafe { bottom.shrink(grown.cast(), layout(100, 1), layout(4, 1)) };
        let shrunk = shrunk.expect("shrinking never fails");
        assert_eq!(address(shrunk), address(block));
        check_filled(shrunk, 4);
        assert_eq!(arena.bottom_used(), 8);
        assert_eq!(arena.bottom_peak(), 104);
    });
}

#[test]
fn newest_top_block_needs_only_the_difference() {
    with_arena(8, 104, |arena, region| {
        let top = arena.top_handle();
        let block = filled(&top, layout(60, 1));
        // SAFETY: the block is live and has this layout; the new one is larger.
        let grown = unsafe { top.grow(block, layout(60, 1), layout(100, 1)) }.expect("room");
        assert_eq!(address(grown), region.start);
        check_filled(grown, 60);
        assert_eq!(arena.free(), 0);
        // SAFETY: the block is live and has this layout; the new one is smaller.
        let shrunk = unsafe { top.shrink(grown.cast(), layout(100, 1), layout(59, 1)) };
        let shrunk = shrunk.expect("less is no problem");
        assert_eq!(address(shrunk), region.end - 64);
        check_filled(shrunk, 59);
        assert_eq!(arena.top_used(), 64);
        assert_eq!(arena.top_peak(), 104);
    });
}

#[test]
fn failed_growth_keeps_the_block() {
    with_arena(3, 100, |arena, _| {
        for (name, end) in ends(arena) {
            let before = arena.free();
            let block = filled(&*end, layout(40, 1));
            let figures = (arena.bottom_used(), arena.top_used());
            // SAFETY: the block is live and has this layout; the new one is larger.
            let grown = unsafe { end.grow(block, layout(40, 1), layout(before + 1, 1)) };
            assert_eq!(grown, Err(AllocError), "{name}");
            assert_eq!((arena.bottom_used(), arena.top_used()), figures, "{name}");
            check_filled(NonNull::slice_from_raw_parts(block, 40), 40);
        }
    });
}

#[test]
fn older_block_shrinks_in_place() {
    with_arena(8, 200, |arena, _| {
        for (name, end) in ends(arena) {
            let block = filled(&*end, layout(40, 8));
            let newer = filled(&*end, layout(8, 1));
            let before = used(arena);
            // SAFETY: the block is live and has this layout; the new one is smaller.
            let shrunk = unsafe { end.shrink(block, layout(40, 8), layout(16, 4)) };
            let shrunk = shrunk.expect("shrinking never fails");
            assert_eq!(address(shrunk), address(block), "{name}");
            assert_eq!(shrunk.len(), 16);
            assert_eq!(used(arena), before, "{name}");
            check_filled(shrunk, 16);
            check_filled(NonNull::slice_from_raw_parts(newer, 8), 8);
        }
    });
}

#[test]
fn older_block_grows_by_a_copy() {
    with_arena(8, 300, |arena, _| {
        for (name, end) in ends(arena) {
            let block = filled(&*end, layout(20, 1));
            let newer = filled(&*end, layout(8, 1));
            // SAFETY: the block is live and has this layout; the new one is larger.
            let grown = unsafe { end.grow_zeroed(block, layout(20, 1), layout(60, 1)) };
            let grown = grown.expect("room");
            assert_ne!(address(grown), address(block), "{name}");
            check_filled(grown, 20);
            for index in 20..60 {
                // SAFETY: the index is within the block.
                let byte = unsafe { grown.cast::<u8>().add(index) };
                // SAFETY: the block is live, and `grow_zeroed` has initialized it.
                assert_eq!(unsafe { byte.read() }, 0, "byte {index} at the {name}");
            }
            check_filled(NonNull::slice_from_raw_parts(newer, 8), 8);
        }
    });
}

/// A shrink to a larger alignment has to move the block. A copy of the old size would overwrite the
/// bytes after the new block.
#[test]
fn realigning_shrink_copies_the_new_size() {
    with_arena(8, 208, |arena, region| {
        let end = arena.bottom_handle();
        let block = filled(&end, layout(60, 1));
        let newer = filled(&end, layout(128, 1));
        // 16 bytes are left, of which the last 8 start at a multiple of 16. Behind them are
        // sentinels. SAFETY: the block is live and has this layout; the new one is smaller.
        let shrunk = unsafe { end.shrink(block, layout(60, 1), layout(4, 16)) };
        let shrunk = shrunk.expect("room");
        assert_eq!(address(shrunk), region.end - 8);
        check_filled(shrunk, 4);
        check_filled(NonNull::slice_from_raw_parts(newer, 128), 128);
    });
    with_arena(1, 240, |arena, _| {
        let end = arena.top_handle();
        let block = filled(&end, layout(101, 1));
        let newer = filled(&end, layout(32, 1));
        assert!(!address(block).is_multiple_of(16));
        // SAFETY: the block is live and has this layout; the new one is smaller.
        let shrunk = unsafe { end.shrink(block, layout(101, 1), layout(4, 16)) };
        let shrunk = shrunk.expect("room");
        assert!(address(shrunk) < address(newer) && address(shrunk).is_multiple_of(16));
        check_filled(shrunk, 4);
        check_filled(NonNull::slice_from_raw_parts(newer, 32), 32);
    });
}

#[test]
fn newest_block_shrinks_to_a_larger_alignment() {
    with_arena(1, 100, |arena, region| {
        for (name, end) in ends(arena) {
            let block = filled(&*end, layout(41, 1));
            // SAFETY: the block is live and has this layout; the new one is smaller.
            let shrunk = unsafe { end.shrink(block, layout(41, 1), layout(30, 8)) };
            let shrunk = shrunk.expect("room");
            let expected = match name {
                "bottom" => region.start.next_multiple_of(8),
                _ => address(block) + 16,
            };
            assert_eq!(address(shrunk), expected, "{name}");
            check_filled(shrunk, 30);
        }
    });
}

/// A full buffer of 16 bytes has no room for the record of a block with a large alignment.
#[test]
fn realigning_shrink_needs_space() {
    for base in [8, 24, 40] {
        with_arena(base, 16, |arena, _| {
            for (name, end) in ends(arena) {
                let block = filled(&*end, layout(16, 1));
                // SAFETY: the block is live and has this layout; the new one is smaller.
                let shrunk = unsafe { end.shrink(block, layout(16, 1), layout(8, 64)) };
                assert_eq!(shrunk, Err(AllocError), "{name}");
                check_filled(NonNull::slice_from_raw_parts(block, 16), 16);
                assert_eq!(arena.free(), 0);
                // SAFETY: the block is live and has this layout.
                unsafe { end.deallocate(block, layout(16, 1)) };
                assert_eq!(arena.free(), 16);
            }
        });
    }
}

#[test]
fn sums_do_not_wrap() {
    with_arena(15, 1000, |arena, _| {
        filled(&arena.bottom_handle(), layout(100, 1));
        filled(&arena.top_handle(), layout(100, 1));
        let figures = (arena.bottom_used(), arena.top_used());
        let most = isize::MAX as usize;
        for (name, end) in ends(arena) {
            for size in [most, most - 1, most - 99, most / 2 + 1] {
                assert_eq!(end.allocate(layout(size, 1)), Err(AllocError), "{name}");
                assert_eq!(
                    end.allocate_zeroed(layout(size, 1)),
                    Err(AllocError),
                    "{name}"
                );
            }
            for align_bits in 14..usize::BITS - 1 {
                let align = 1 << align_bits;
                let size = most - (align - 1);
                assert_eq!(end.allocate(layout(size, align)), Err(AllocError), "{name}");
            }
            let align = 1 << (usize::BITS - 1);
            let largest = Layout::from_size_align(0, align).expect("the largest valid alignment");
            let empty = end.allocate(largest).expect("an empty block");
            assert_eq!(address(empty), align);
        }
        for length in [most, most + 1, usize::MAX] {
            assert_eq!(arena.alloc_bottom_bytes(length), Err(AllocError));
            assert_eq!(arena.alloc_top_bytes(length), Err(AllocError));
        }
        assert_eq!((arena.bottom_used(), arena.top_used()), figures);
    });
}

#[test]
fn the_ends_meet_and_do_not_cross() {
    for base in BASES {
        with_arena(base, 100, |arena, region| {
            let (start, end) = (region.start.next_multiple_of(8), region.end / 8 * 8);
            let bottom = arena.alloc_bottom_bytes(33).expect("room");
            let top = arena.alloc_top_bytes(end - start - 40).expect("room");
            assert_eq!(address(bottom), start);
            assert_eq!(address(top), start + 40);
            assert_eq!(arena.free(), 0);
            for (_, end) in ends(arena) {
                assert_eq!(end.allocate(layout(1, 1)), Err(AllocError));
            }
            assert_eq!(arena.alloc_bottom_bytes(0).map(|bytes| bytes.len()), Ok(0));
            assert_eq!(arena.alloc_top_bytes(0).map(|bytes| bytes.len()), Ok(0));
        });
    }
}

#[test]
fn empty_arena_accepts_only_empty_requests() {
    with_arena(8, 0, |arena, _| {
        for (_, end) in ends(arena) {
            assert_eq!(end.allocate(layout(1, 1)), Err(AllocError));
            assert_eq!(
                address(end.allocate(layout(0, 64)).expect("nothing")) % 64,
                0
            );
        }
        assert!(arena.alloc_bottom_value(()).is_ok());
        assert!(arena.alloc_top_value(1_u8).is_err());
    });
}

#[test]
fn empty_blocks_leave_no_trace() {
    with_arena(1, 100, |arena, _| {
        for (name, end) in ends(arena) {
            let neighbor = filled(&*end, layout(10, 1));
            let before = used(arena);
            let empty: NonNull<u8> = end.allocate(layout(0, 32)).expect("nothing").cast();
            assert_eq!(address(empty) % 32, 0);
            assert_eq!(used(arena), before, "{name}");
            // SAFETY: the block is live and has this layout.
            unsafe { end.deallocate(empty, layout(0, 32)) };
            assert_eq!(used(arena), before, "{name}");
            let empty: NonNull<u8> = end.allocate_zeroed(layout(0, 1)).expect("nothing").cast();
            // SAFETY: the block is live and has this layout; the new one is larger.
            let grown = unsafe { end.grow_zeroed(empty, layout(0, 1), layout(5, 1)) };
            let grown = grown.expect("room");
            assert_eq!(used(arena), before + 8, "{name}");
            // SAFETY: the block is live and has this layout; the new one is smaller.
            let empty = unsafe { end.shrink(grown.cast(), layout(5, 1), layout(0, 8)) };
            assert_eq!(address(empty.expect("nothing")) % 8, 0);
            assert_eq!(used(arena), before, "{name}");
            check_filled(NonNull::slice_from_raw_parts(neighbor, 10), 10);
        }
    });
}

#[test]
fn only_the_newest_block_is_freed() {
    with_arena(0, 104, |arena, _| {
        for (name, end) in ends(arena) {
            let start = used(arena);
            let first = filled(&*end, layout(8, 1));
            let second = filled(&*end, layout(8, 1));
            // SAFETY: the block is live and has this layout.
            unsafe { end.deallocate(first, layout(8, 1)) };
            assert_eq!(used(arena), start + 16, "{name}");
            check_filled(NonNull::slice_from_raw_parts(second, 8), 8);
            // SAFETY: the block is live and has this layout.
            unsafe { end.deallocate(second, layout(8, 1)) };
            assert_eq!(used(arena), start + 8, "{name}");
        }
    });
}

#[test]
fn reused_bytes_are_zeroed_again() {
    with_arena(5, 64, |arena, _| {
        for _ in 0..3 {
            for (_, end) in ends(arena) {
                let block = end.allocate_zeroed(layout(20, 4)).expect("room");
                for index in 0..20 {
                    // SAFETY: the index is within the block.
                    let byte = unsafe { block.cast::<u8>().add(index) };
                    // SAFETY: the block is live and initialized.
                    assert_eq!(unsafe { byte.read() }, 0);
                    // SAFETY: the block is live, and the index is within it.
                    unsafe { byte.write(0xFF) };
                }
                // SAFETY: the block is live and has this layout.
                unsafe { end.deallocate(block.cast(), layout(20, 4)) };
            }
        }
    });
}

#[test]
fn peaks_stay_until_they_are_cleared() {
    with_arena(0, 104, |arena, _| {
        arena.alloc_bottom_bytes(30).expect("room");
        arena.alloc_top_bytes(20).expect("room");
        arena.reset().expect("epochs left");
        assert_eq!((arena.bottom_used(), arena.top_used()), (0, 0));
        assert_eq!((arena.bottom_peak(), arena.top_peak()), (32, 24));
        arena.alloc_bottom_bytes(7).expect("room");
        arena.clear_peaks();
        assert_eq!((arena.bottom_peak(), arena.top_peak()), (8, 0));
    });
}

#[test]
fn a_stack_is_the_bottom_and_a_heap_is_the_top() {
    with_arena(0, 104, |arena, _| {
        arena.stack_handle().allocate(layout(3, 1)).expect("room");
        arena.heap_handle().allocate(layout(4, 1)).expect("room");
        assert_eq!((arena.bottom_used(), arena.top_used()), (8, 8));
    });
}
