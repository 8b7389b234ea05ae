//! `alloc_zeroed`: all bytes are zero, and the heap writes only those that may have been used.

mod support;

use core::marker::PhantomData;
use core::mem::MaybeUninit;

use allocator::{BumpAllocator, HeapSource};

use support::{BASES, Block, Buffer, HEADER, Heap, place, room};

const POISON: u8 = 0xAA;

/// A region that is zero only in its header, and filled with poison. An allocator that relies on
/// fresh bytes being zero returns the poison unchanged, so a test sees which bytes it wrote.
struct Poisoned<'buffer> {
    base: *mut u8,
    length: usize,
    _buffer: PhantomData<&'buffer mut [MaybeUninit<u8>]>,
}

impl<'buffer> Poisoned<'buffer> {
    fn new(buffer: &'buffer mut [MaybeUninit<u8>]) -> Self {
        buffer.fill(MaybeUninit::new(POISON));
        buffer[..HEADER].fill(MaybeUninit::new(0));
        Self {
            length: buffer.len(),
            base: buffer.as_mut_ptr().cast(),
            _buffer: PhantomData,
        }
    }
}

// SAFETY: one borrowed slice, at a fixed address, for as long as the source lives. The trait
// requires zeros, and this source has poison. That changes values only: the poison is initialized,
// every byte is a valid `u8`, and `G` has no bytes. So blocks have other contents, which the tests
// expect.
unsafe impl HeapSource for Poisoned<'_> {
    fn start(&self) -> *mut u8 {
        self.base.wrapping_add(HEADER)
    }

    fn end(&self) -> *mut u8 {
        self.base.wrapping_add(self.length)
    }

    fn limit(&self) -> usize {
        self.length
    }
}

fn poisoned(buffer: &mut Buffer) -> Heap<'_, BumpAllocator<(), Poisoned<'_>>> {
    let region = buffer.region();
    let source = Poisoned::new(buffer.lend());
    // SAFETY: the source is made for this allocator, and stays in one thread. The `HeapSource`
    // above explains why its poison is sound.
    let allocator = unsafe { BumpAllocator::with_source(source) };
    Heap::new(allocator, region)
}

/// Asserts that the block's first `zeroes` bytes are zero, and that the heap did not write the
/// others.
fn check_written(block: &Block<'_>, zeroes: usize) {
    let (stale, fresh) = block.bytes().split_at(zeroes);
    assert!(
        stale.iter().all(|byte| *byte == 0),
        "used bytes that are not zero: {stale:x?}"
    );
    assert!(
        fresh.iter().all(|byte| *byte == POISON),
        "written fresh bytes: {fresh:x?}"
    );
}

#[test]
fn fresh_bytes_are_zero() {
    for remainder in BASES {
        let mut buffer = Buffer::new(remainder, 512);
        let heap = buffer.heap::<()>();
        for (size, align) in [(1, 1), (100, 8), (0, 1), (33, 64)] {
            assert!(
                heap.alloc_zeroed(size, align)
                    .expect("room")
                    .is_filled_with(0)
            );
        }
    }
}

#[test]
fn fresh_bytes_are_not_written() {
    for remainder in BASES {
        let mut buffer = Buffer::new(remainder, 512);
        let heap = poisoned(&mut buffer);
        for (size, align) in [(1, 1), (100, 8), (0, 1), (33, 64)] {
            check_written(&heap.alloc_zeroed(size, align).expect("room"), 0);
        }
    }
}

#[test]
fn no_byte_after_a_block_is_written() {
    let mut buffer = Buffer::new(8, 512);
    let heap = poisoned(&mut buffer);
    let block = heap.alloc(20, 1).expect("room");
    heap.dealloc(block);
    let low = heap.alloc_zeroed(8, 1).expect("room");
    assert_eq!(heap.used(), 8);
    check_written(&low, 8);
    // The old block's bytes after the new block are stale and free. They stay until another block
    // gets them.
    let bytes = buffer.bytes();
    assert!(
        bytes[HEADER + 8..HEADER + 20]
            .iter()
            .all(|byte| *byte != 0 && *byte != POISON)
    );
    assert!(bytes[HEADER + 20..].iter().all(|byte| *byte == POISON));
}

#[test]
fn partly_reused_block_is_zeroed_in_that_part() {
    for remainder in BASES {
        for old in [0, 1, 31, 32, 33, 63, 64, 65, 100] {
            let mut buffer = Buffer::new(remainder, 512);
            let heap = poisoned(&mut buffer);
            let block = heap.alloc(old, 1).expect("room");
            heap.dealloc(block);
            let mut block = heap.alloc_zeroed(64, 1).expect("room");
            check_written(&block, room(old).min(64));
            block.fill();
            // And once more, when all bytes are stale.
            heap.dealloc(block);
            check_written(&heap.alloc_zeroed(64, 1).expect("room"), 64);
        }
    }
}

#[test]
fn aligned_block_is_zeroed_up_to_the_peak() {
    for remainder in BASES {
        let mut buffer = Buffer::new(remainder, 1024);
        let base = buffer.region().start;
        let heap = poisoned(&mut buffer);
        let block = heap.alloc(150, 1).expect("room");
        heap.dealloc(block);
        let block = heap.alloc_zeroed(400, 128).expect("room");
        let offset = block.address() - (base + HEADER);
        let peak = place(base + HEADER, 1) + room(150) - (base + HEADER);
        check_written(&block, peak.saturating_sub(offset));
    }
}

#[test]
fn blocks_freed_newest_first_zeroed_together() {
    for remainder in BASES {
        let mut buffer = Buffer::new(remainder, 512);
        let heap = poisoned(&mut buffer);
        let keep = heap.alloc(9, 1).expect("room");
        let used = heap.used();
        let blocks: Vec<_> = (0..5).map(|_| heap.alloc(16, 1).expect("room")).collect();
        for block in blocks.into_iter().rev() {
            heap.dealloc(block);
        }
        assert_eq!(heap.figures(), (used, used + 80));
        check_written(&heap.alloc_zeroed(30, 1).expect("room"), 30);
        check_written(&heap.alloc_zeroed(70, 1).expect("room"), 48);
        check_written(&heap.alloc_zeroed(10, 1).expect("room"), 0);
        keep.check();
    }
}

#[test]
fn bytes_freed_by_a_shrink_are_zeroed() {
    for remainder in BASES {
        let mut buffer = Buffer::new(remainder, 512);
        let heap = poisoned(&mut buffer);
        let mut block = heap.alloc(100, 1).expect("room");
        assert!(heap.realloc(&mut block, 40));
        check_written(&heap.alloc_zeroed(80, 1).expect("room"), 64);
        block.check();
    }
}

#[test]
fn bytes_freed_after_growth_are_zeroed() {
    for remainder in BASES {
        let mut buffer = Buffer::new(remainder, 512);
        let heap = poisoned(&mut buffer);
        let mut block = heap.alloc(10, 1).expect("room");
        assert!(heap.realloc(&mut block, 60));
        block.fill();
        assert!(heap.realloc(&mut block, 10));
        // Into reused bytes, not as far as before: the highest top is still 64.
        assert!(heap.realloc(&mut block, 30));
        block.fill();
        let mut low = heap.alloc_zeroed(10, 1).expect("room");
        check_written(&low, 10);
        low.fill();
        check_written(&heap.alloc_zeroed(50, 1).expect("room"), 16);
        block.check();
    }
}

#[test]
fn growth_past_the_peak_raises_the_peak() {
    for remainder in BASES {
        let mut buffer = Buffer::new(remainder, 512);
        let heap = poisoned(&mut buffer);
        let block = heap.alloc(30, 1).expect("room");
        heap.dealloc(block);
        let mut block = heap.alloc(10, 1).expect("room");
        assert!(heap.realloc(&mut block, 80));
        block.fill();
        check_written(&heap.alloc_zeroed(20, 1).expect("room"), 0);
        // The block is not the newest, so its bytes stay unused.
        heap.dealloc(block);
        check_written(&heap.alloc_zeroed(20, 1).expect("room"), 0);
    }
}

#[test]
fn freed_zeroed_block_is_zeroed_again() {
    for remainder in BASES {
        let mut buffer = Buffer::new(remainder, 512);
        let heap = buffer.heap::<()>();
        for size in [10, 50, 20, 100, 100] {
            let mut block = heap.alloc_zeroed(size, 4).expect("room");
            assert!(block.is_filled_with(0));
            block.fill();
            heap.dealloc(block);
        }
    }
}
