//! `realloc` of the newest block and of lower blocks, up and down, and without enough memory.

mod support;

use support::{BASES, Buffer, check_all};

#[test]
fn the_newest_block_grows_in_place() {
    for remainder in BASES {
        let mut buffer = Buffer::new(remainder, 512);
        let heap = buffer.heap::<()>();
        let low = heap.alloc(7, 1).expect("room");
        let mut block = heap.alloc(10, 8).expect("room");
        let (address, used) = (block.address(), heap.used());
        assert!(heap.realloc(&mut block, 100));
        assert_eq!(block.address(), address);
        assert_eq!(heap.used(), used + 88);
        block.check_first(10);
        block.fill();
        let next = heap.alloc(1, 1).expect("room");
        assert_eq!(next.address(), address + 104);
        check_all([&low, &block, &next]);
    }
}

#[test]
fn newest_block_shrinks_in_place() {
    for remainder in BASES {
        let mut buffer = Buffer::new(remainder, 512);
        let heap = buffer.heap::<()>();
        let mut block = heap.alloc(100, 8).expect("room");
        let (address, used) = (block.address(), heap.used());
        assert!(heap.realloc(&mut block, 30));
        assert_eq!(block.address(), address);
        assert_eq!(heap.figures(), (used - 72, used));
        block.check();
        let next = heap.alloc(1, 1).expect("room");
        assert_eq!(next.address(), address + 32);
        check_all([&block, &next]);
    }
}

#[test]
fn lower_block_growth_copies_the_old_size() {
    for remainder in BASES {
        let mut buffer = Buffer::new(remainder, 512);
        let heap = buffer.heap::<()>();
        let mut block = heap.alloc(16, 4).expect("room");
        let neighbour = heap.alloc(64, 1).expect("room");
        let (address, used) = (block.address(), heap.used());
        assert!(heap.realloc(&mut block, 48));
        assert!(block.address() >= neighbour.address() + 64);
        assert_ne!(block.address(), address);
        assert!(heap.used() >= used + 48);
        block.check_first(16);
        // No block had the new bytes before, so they are zero: the copy took nothing of the
        // neighbour.
        assert_eq!(block.bytes()[16..], [0; 32]);
        block.fill();
        check_all([&block, &neighbour]);
    }
}

#[test]
fn shrinking_realloc_copies_the_new_size() {
    for remainder in BASES {
        let mut buffer = Buffer::new(remainder, 512);
        let end = buffer.region().end;
        let heap = buffer.heap::<()>();
        let mut block = heap.alloc(200, 8).expect("room");
        let neighbour = heap.alloc(40, 1).expect("room");
        let (address, figures) = (block.address(), heap.figures());
        for size in [199, 100, 100, 8, 1] {
            assert!(heap.realloc(&mut block, size));
            assert_eq!(block.address(), address, "a lower block shrinks in place");
            assert_eq!(heap.figures(), figures, "a lower block frees nothing");
            check_all([&block, &neighbour]);
        }
        // A copy of any length would write here.
        let fresh = heap.alloc_zeroed(64, 1).expect("room");
        assert_eq!(fresh.address(), neighbour.address() + 40);
        assert!(fresh.is_filled_with(0));
        let rest = (end - (fresh.address() + 64)) / 8 * 8;
        assert!(heap.alloc(rest, 1).expect("the rest").address() == fresh.address() + 64);
    }
}

#[test]
fn shrunk_lower_block_is_not_the_newest() {
    for remainder in BASES {
        let mut buffer = Buffer::new(remainder, 256);
        let heap = buffer.heap::<()>();
        let mut block = heap.alloc(50, 1).expect("room");
        let used = heap.used();
        let neighbour = heap.alloc(10, 1).expect("room");
        assert!(heap.realloc(&mut block, 20));
        heap.dealloc(neighbour);
        assert_eq!(heap.used(), used);
        // The shrunk block ends at 24, so it grows by a copy and its tail stays lost.
        assert!(heap.realloc(&mut block, 30));
        assert_eq!(heap.used(), used + 32);
        block.check_first(20);
    }
}

#[test]
fn newest_block_grows_to_exactly_full() {
    for remainder in BASES {
        let mut buffer = Buffer::new(remainder, 300);
        let end = buffer.region().end;
        let heap = buffer.heap::<()>();
        let low = heap.alloc(5, 1).expect("room");
        let mut block = heap.alloc(10, 4).expect("room");
        let address = block.address();
        let full = (end - address) / 8 * 8;
        let figures = heap.figures();
        for too_many in [full + 1, full + 4096, isize::MAX as usize - 3] {
            assert!(!heap.realloc(&mut block, too_many));
            assert_eq!((block.address(), block.size()), (address, 10));
            assert_eq!(heap.figures(), figures);
            check_all([&low, &block]);
        }
        // The block is still the newest: it can grow, and its memory is reused.
        assert!(heap.realloc(&mut block, full));
        assert_eq!(
            (block.address(), heap.used()),
            (address, figures.0 - 16 + full)
        );
        block.check_first(10);
        assert!(!heap.realloc(&mut block, full + 1));
        heap.dealloc(block);
        assert_eq!(heap.used(), figures.0 - 16);
    }
}

#[test]
fn lower_block_grows_to_exactly_full() {
    for remainder in BASES {
        let mut buffer = Buffer::new(remainder, 300);
        let end = buffer.region().end;
        let heap = buffer.heap::<()>();
        let mut block = heap.alloc(10, 1).expect("room");
        let address = block.address();
        let mut newest = heap.alloc(50, 1).expect("room");
        let room = (end - (newest.address() + 56)) / 8 * 8;
        let used = heap.used();
        for too_many in [room + 1, 300, isize::MAX as usize] {
            assert!(!heap.realloc(&mut block, too_many));
            assert_eq!((block.address(), block.size()), (address, 10));
            assert_eq!(heap.figures(), (used, used));
            check_all([&block, &newest]);
        }
        // The failed requests did not change which block is the newest.
        assert!(heap.realloc(&mut newest, 40));
        assert!(heap.realloc(&mut newest, 50));
        assert_eq!(heap.figures(), (used, used));
        newest.check_first(40);
        newest.fill();
        assert!(heap.realloc(&mut block, room));
        assert_eq!(heap.used(), used + room);
        block.check_first(10);
        block.fill();
        check_all([&block, &newest]);
    }
}

#[test]
fn growth_by_copy_keeps_a_large_alignment() {
    for remainder in BASES {
        for align in [64, 4096, 16384] {
            let mut buffer = Buffer::new(remainder, 4 * align + 64);
            let heap = buffer.heap::<()>();
            let mut block = heap.alloc(24, align).expect("room");
            let address = block.address();
            assert!(heap.realloc(&mut block, 30), "in place");
            assert_eq!(block.address(), address);
            block.check_first(24);
            block.fill();
            let neighbour = heap.alloc(1, 1).expect("room");
            // The helper checks that the new address is a multiple of `align`.
            assert!(heap.realloc(&mut block, 33), "by a copy");
            assert_eq!(block.address(), address + align);
            block.check_first(30);
            block.fill();
            check_all([&block, &neighbour]);
        }
    }
}

#[test]
fn an_unchanged_size_changes_nothing() {
    for remainder in BASES {
        let mut buffer = Buffer::new(remainder, 128);
        let heap = buffer.heap::<()>();
        let mut low = heap.alloc(30, 2).expect("room");
        let mut newest = heap.alloc(30, 2).expect("room");
        let before = (low.address(), newest.address(), heap.figures());
        assert!(heap.realloc(&mut low, 30));
        assert!(heap.realloc(&mut newest, 30));
        assert_eq!((low.address(), newest.address(), heap.figures()), before);
        check_all([&low, &newest]);
    }
}

#[test]
fn peak_counts_what_growth_reached() {
    let mut buffer = Buffer::new(8, 256);
    let heap = buffer.heap::<()>();
    let mut block = heap.alloc(10, 1).expect("room");
    assert!(heap.realloc(&mut block, 150));
    assert_eq!(heap.figures(), (152, 152));
    assert!(heap.realloc(&mut block, 20));
    assert_eq!(heap.figures(), (24, 152));
    assert!(heap.realloc(&mut block, 60));
    assert_eq!(heap.figures(), (64, 152));
    heap.dealloc(block);
    assert_eq!(heap.figures(), (0, 152));
    let block = heap.alloc(153, 1).expect("room");
    assert_eq!(heap.figures(), (160, 160));
    heap.dealloc(block);
    assert_eq!(heap.figures(), (0, 160));
}
