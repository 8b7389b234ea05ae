//! Layouts at the edges: empty, of every size, of every alignment, exactly full, and one byte more.

mod support;

use support::{BASES, Buffer, HEADER, check_all, place, room};

/// Alignments up to a page, and two beyond it.
fn aligns() -> impl Iterator<Item = usize> {
    (0..=12).map(|bits| 1 << bits).chain([8192, 65536])
}

#[test]
fn the_address_is_aligned_and_not_the_offset() {
    for remainder in BASES {
        for align in aligns() {
            let mut buffer = Buffer::new(remainder, 3 * align + 40);
            let base = buffer.region().start;
            let heap = buffer.heap::<()>();
            let one = heap.alloc(1, align).expect("room for one");
            let other = heap.alloc(1, align).expect("room for two");
            // Aligned, which the helper has checked, and no further up than that takes.
            assert_eq!(one.address(), place(base + HEADER, align));
            assert_eq!(other.address(), one.address() + align.max(8));
            assert_eq!(heap.used(), other.address() + 8 - (base + HEADER));
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
            assert_eq!(block.address(), place(top, align));
            top = block.address() + 8;
            blocks.push(block);
        }
        check_all(&blocks);
    }
}

#[test]
fn empty_block_is_aligned_and_uses_only_its_gap() {
    for remainder in BASES {
        for align in aligns() {
            let mut buffer = Buffer::new(remainder, 3 * align + HEADER + 8);
            let base = buffer.region().start;
            let heap = buffer.heap::<()>();
            let empty = heap.alloc(0, align).expect("room for a gap");
            assert_eq!(empty.address(), place(base + HEADER, align));
            let used = empty.address() - (base + HEADER);
            assert_eq!(heap.used(), used);
            let again = heap.alloc_zeroed(0, align).expect("room for nothing");
            assert_eq!(again.address(), place(empty.address(), align));
            heap.dealloc(again);
            assert_eq!(heap.used(), used);
            heap.dealloc(empty);
            let left = if align > 8 { 0 } else { used };
            assert_eq!(heap.used(), left, "only the gap that aligns the heap stays");
        }
    }
}

#[test]
fn full_heap_still_allocates_empty_blocks() {
    for remainder in BASES {
        let gap = room(remainder) - remainder;
        let mut buffer = Buffer::new(remainder, HEADER + gap + 32);
        let end = buffer.region().end;
        let heap = buffer.heap::<()>();
        let all = heap.alloc(32, 1).expect("all free bytes");
        let empty = heap.alloc(0, 1).expect("no bytes");
        assert_eq!(empty.address(), end);
        assert!(heap.alloc(0, 16).is_none(), "no room for its record");
        all.check();
    }
}

#[test]
fn exactly_full_fits_and_one_past_full_does_not() {
    for remainder in BASES {
        for align in aligns() {
            for extra in [0, 1, 7, 64] {
                let size = align + extra;
                // The first block's gap depends on the address, so the length is made to match.
                let gap = place(remainder + HEADER, align) - (remainder + HEADER);
                let full = HEADER + gap + room(size);

                let mut buffer = Buffer::new(remainder, full);
                let heap = buffer.heap::<()>();
                assert!(heap.alloc(room(size) + 1, align).is_none());
                assert!(heap.alloc_zeroed(room(size) + 1, align).is_none());
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
fn buffer_beyond_the_header_is_usable_in_units_of_eight() {
    for remainder in BASES {
        let gap = room(remainder) - remainder;
        for length in HEADER..=40 {
            let mut buffer = Buffer::new(remainder, length);
            let heap = buffer.heap::<()>();
            let units = (length - HEADER).saturating_sub(gap) / 8;
            assert!(heap.alloc(units * 8 + 1, 1).is_none());
            let mut blocks = Vec::new();
            for number in 0..units {
                blocks.push(heap.alloc(1, 1).expect("room for a byte"));
                assert_eq!(heap.used(), gap + 8 * (number + 1));
            }
            assert!(heap.alloc(1, 1).is_none());
            check_all(&blocks);
        }
    }
}

#[test]
fn failed_allocation_changes_nothing() {
    for remainder in BASES {
        let gap = room(remainder) - remainder;
        let mut buffer = Buffer::new(remainder, HEADER + gap + 120);
        let heap = buffer.heap::<()>();
        let low = heap.alloc(20, 1).expect("room");
        let high = heap.alloc(60, 1).expect("room");
        heap.dealloc(high);
        assert_eq!(heap.figures(), (gap + 24, gap + 88));
        for (size, align) in [(97, 1), (200, 8), (0, 4096 * 16), (100, 4096), (1 << 40, 1)] {
            // None of the bases has a multiple of a page this close behind it.
            assert!(heap.alloc(size, align).is_none());
            assert!(heap.alloc_zeroed(size, align).is_none());
            assert_eq!(heap.figures(), (gap + 24, gap + 88));
        }
        let rest = heap.alloc(96, 1).expect("exactly the rest");
        assert_eq!(rest.address(), low.address() + 24);
        assert_eq!(heap.figures(), (gap + 120, gap + 120));
        check_all([&low, &rest]);
    }
}
