//! Layouts at the edges: empty, of every size, of every alignment, exactly full, and one byte more.

mod support;

use support::{BASES, Buffer, HEADER, check_all};

/// Alignments up to a page, and two beyond it.
fn aligns() -> impl Iterator<Item = usize> {
    (0..=12).map(|bits| 1 << bits).chain([8192, 65536])
}

/// The address of the first block in a heap at `base` without state.
fn first_block(base: usize, align: usize) -> usize {
    (base + HEADER).next_multiple_of(align)
}

#[test]
fn the_address_is_aligned_and_not_the_offset() {
    for remainder in BASES {
        for align in aligns() {
            let mut buffer = Buffer::new(remainder, 3 * align + 16);
            let base = buffer.region().start;
            let heap = buffer.heap::<()>();
            let one = heap.alloc(1, align).expect("room for one");
            let other = heap.alloc(1, align).expect("room for two");
            // `Heap` has checked the alignment. The gap must be as short as possible.
            assert_eq!(one.address(), first_block(base, align));
            assert_eq!(other.address(), one.address() + align);
            assert_eq!(heap.used(), other.address() + 1 - (base + HEADER));
            check_all([&one, &other]);
        }
    }
}

#[test]
fn mixed_alignments_leave_the_least_gaps() {
    for remainder in BASES {
        let mut buffer = Buffer::new(remainder, 4 * 65536);
        let heap = buffer.heap::<()>();
        let mut blocks = Vec::new();
        let mut top = heap.alloc(0, 1).expect("no bytes").address();
        for align in aligns().chain([1, 4096, 2, 16]) {
            let block = heap.alloc(3, align).expect("room");
            assert_eq!(block.address(), top.next_multiple_of(align));
            top = block.address() + 3;
            blocks.push(block);
        }
        check_all(&blocks);
    }
}

#[test]
fn empty_block_is_aligned_and_uses_only_its_gap() {
    for remainder in BASES {
        for align in aligns() {
            let mut buffer = Buffer::new(remainder, align + HEADER);
            let base = buffer.region().start;
            let heap = buffer.heap::<()>();
            let empty = heap.alloc(0, align).expect("room for a gap");
            assert_eq!(empty.address(), first_block(base, align));
            let used = empty.address() - (base + HEADER);
            assert_eq!(heap.used(), used);
            let again = heap.alloc_zeroed(0, align).expect("an empty block");
            assert_eq!(again.address(), empty.address());
            assert_eq!(heap.used(), used);
            heap.dealloc(again);
            heap.dealloc(empty);
            assert_eq!(
                heap.used(),
                used,
                "a block is freed without the gap below it"
            );
        }
    }
}

#[test]
fn full_heap_still_allocates_empty_blocks() {
    for remainder in BASES {
        let mut buffer = Buffer::new(remainder, 40);
        let end = buffer.region().end;
        let heap = buffer.heap::<()>();
        let all = heap.alloc(32, 1).expect("all free bytes");
        let empty = heap.alloc(0, 1).expect("no bytes");
        assert_eq!(empty.address(), end);
        assert_eq!(heap.alloc(0, 16).is_some(), end.is_multiple_of(16));
        all.check();
    }
}

#[test]
fn exactly_full_fits_and_one_past_full_does_not() {
    for remainder in BASES {
        for align in aligns() {
            for extra in [0, 1, 7, 64] {
                let size = align + extra;
                // The length depends on the address, like the gap before the first block.
                let gap = (remainder + HEADER).next_multiple_of(align) - (remainder + HEADER);
                let full = HEADER + gap + size;

                let mut buffer = Buffer::new(remainder, full);
                let heap = buffer.heap::<()>();
                assert!(heap.alloc(size + 1, align).is_none());
                assert!(heap.alloc_zeroed(size + 1, align).is_none());
                assert_eq!(heap.figures(), (0, 0));
                let block = heap.alloc(size, align).expect("exactly full");
                assert_eq!(heap.used(), full - HEADER);
                assert!(heap.alloc(1, 1).is_none());
                assert_eq!(heap.figures(), (full - HEADER, full - HEADER));
                block.check();

                let mut short = Buffer::new(remainder, full - 1);
                assert!(short.heap::<()>().alloc(size, align).is_none());
            }
        }
    }
}

#[test]
fn capacity_is_checked_from_the_aligned_start() {
    for remainder in BASES {
        let mut buffer = Buffer::new(remainder, HEADER + 64);
        let heap = buffer.heap::<()>();
        // 64 bytes are free, but not 64 from an aligned address on.
        let gap = (remainder + HEADER).next_multiple_of(32) - (remainder + HEADER);
        assert_eq!(heap.alloc(64, 32).is_some(), gap == 0);
        let mut buffer = Buffer::new(remainder, HEADER + 64);
        let block = buffer.heap::<()>().alloc(64 - gap, 32);
        assert!(block.is_some());
    }
}

#[test]
fn sums_do_not_wrap() {
    let most = isize::MAX as usize;
    for remainder in BASES {
        let mut buffer = Buffer::new(remainder, 256);
        let heap = buffer.heap::<()>();
        let keep = heap.alloc(11, 1).expect("room");
        let figures = heap.figures();
        for bits in 0..usize::BITS {
            let align = 1_usize << bits;
            // The largest sizes of a layout with this alignment.
            let greatest = most - (align - 1);
            for less in [0, 1, 8, 255, 4096] {
                let Some(size) = greatest.checked_sub(less) else {
                    continue;
                };
                if size < 256 {
                    continue;
                }
                assert!(heap.alloc(size, align).is_none(), "{size:#x} at {align:#x}");
                assert!(
                    heap.alloc_zeroed(size, align).is_none(),
                    "{size:#x} at {align:#x}"
                );
            }
        }
        // An empty block with half of the address space as alignment.
        assert!(heap.alloc(0, 1 << (usize::BITS - 1)).is_none());
        assert_eq!(heap.figures(), figures);
        keep.check();
    }
}

#[test]
fn buffer_without_header_allocates_nothing() {
    for remainder in BASES {
        for length in 0..HEADER {
            let mut buffer = Buffer::new(remainder, length);
            let heap = buffer.heap::<()>();
            for size in [0, 1, length, isize::MAX as usize] {
                assert!(heap.alloc(size, 1).is_none());
                assert!(heap.alloc_zeroed(size, 1).is_none());
            }
            assert_eq!(heap.figures(), (0, 0));
            assert_eq!(heap.limit(), length);
            assert_eq!(buffer.bytes(), vec![0; length], "zeroed, and not written");
        }
    }
}

#[test]
fn buffer_beyond_the_header_is_all_usable() {
    for remainder in BASES {
        for length in HEADER..=16 {
            let mut buffer = Buffer::new(remainder, length);
            let heap = buffer.heap::<()>();
            let room = length - HEADER;
            assert!(heap.alloc(room + 1, 1).is_none());
            let mut blocks = Vec::new();
            for used in 0..room {
                assert_eq!(heap.used(), used);
                blocks.push(heap.alloc(1, 1).expect("room for a byte"));
            }
            assert!(heap.alloc(1, 1).is_none());
            assert_eq!(heap.figures(), (room, room));
            check_all(&blocks);
        }
    }
}

#[test]
fn failed_allocation_changes_nothing() {
    for remainder in BASES {
        let mut buffer = Buffer::new(remainder, 128);
        let heap = buffer.heap::<()>();
        let low = heap.alloc(20, 1).expect("room");
        let high = heap.alloc(60, 1).expect("room");
        heap.dealloc(high);
        assert_eq!(heap.figures(), (20, 80));
        for (size, align) in [
            (101, 1),
            (200, 8),
            (0, 4096 * 16),
            (100, 4096),
            (1 << 40, 1),
        ] {
            // No base is this close below a multiple of a page.
            assert!(heap.alloc(size, align).is_none());
            assert!(heap.alloc_zeroed(size, align).is_none());
            assert_eq!(heap.figures(), (20, 80));
        }
        let rest = heap.alloc(100, 1).expect("all free bytes");
        assert_eq!(rest.address(), low.address() + 20);
        assert_eq!(heap.figures(), (120, 120));
        check_all([&low, &rest]);
    }
}
