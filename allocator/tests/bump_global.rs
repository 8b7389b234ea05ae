//! The program's own state at the heap base, and the header before it.

mod support;

use core::cell::Cell;

use allocator::{BumpAllocator, HeapSource, MIN_HEAP_LENGTH};
use bytemuck::Zeroable;

use support::{BASES, Buffer, HEADER, Heap, check_all, panic_message};

/// A hundred bytes, in arrays of a length for which `Zeroable` is implemented.
type Hundred = [[Cell<u8>; 25]; 4];

/// State with a larger alignment than all bases in these tests.
#[derive(Zeroable)]
#[repr(C, align(64))]
struct Aligned {
    low: Cell<u32>,
    high: Cell<u64>,
}

/// State with an alignment and without bytes.
#[derive(Zeroable)]
#[repr(C, align(16))]
struct Mark;

/// The address of a `G`: the first aligned one after the header.
fn place<G>(buffer: &Buffer) -> usize {
    (buffer.region().start + HEADER).next_multiple_of(align_of::<G>())
}

/// Fills the heap around a `G`, which the caller's functions write and read.
fn state_is_zero_and_stays<G: Zeroable>(write: impl Fn(&G, u8), read: impl Fn(&G) -> Vec<u8>) {
    for remainder in BASES {
        let mut buffer = Buffer::new(remainder, 1024);
        let place = place::<G>(&buffer);
        let heap = buffer.heap::<G>();
        assert!(
            read(heap.global()).iter().all(|byte| *byte == 0),
            "zero at the start"
        );
        assert_eq!(core::ptr::from_ref(heap.global()).addr(), place);

        write(heap.global(), 0xEE);
        let mut blocks = vec![heap.alloc(0, 1).expect("nothing")];
        let behind = place + size_of::<G>();
        assert_eq!(
            blocks[0].address(),
            behind.next_multiple_of(8),
            "blocks start right behind it"
        );
        // More blocks than fit. The number is fixed, so that a heap without an end fails below.
        blocks.extend((0..100).map_while(|_| heap.alloc_zeroed(13, 1)));
        blocks.iter_mut().for_each(support::Block::fill);
        assert!(heap.alloc(13, 1).is_none(), "full");
        assert!(
            read(heap.global()).iter().all(|byte| *byte == 0xEE),
            "no block overlaps the state"
        );
        write(heap.global(), 0x77);
        check_all(&blocks);
        while let Some(block) = blocks.pop() {
            heap.dealloc(block);
        }
        assert_eq!(heap.used(), behind.next_multiple_of(8) - behind);
        assert!(read(heap.global()).iter().all(|byte| *byte == 0x77));
    }
}

#[test]
fn number_state_is_zero_and_never_overlapped() {
    state_is_zero_and_stays::<Cell<u64>>(
        |state, byte| state.set(u64::from_ne_bytes([byte; 8])),
        |state| state.get().to_ne_bytes().to_vec(),
    );
}

#[test]
fn array_state_is_zero_and_never_overlapped() {
    state_is_zero_and_stays::<Hundred>(
        |state, byte| state.as_flattened().iter().for_each(|cell| cell.set(byte)),
        |state| state.as_flattened().iter().map(Cell::get).collect(),
    );
}

#[test]
fn aligned_state_is_zero_and_never_overlapped() {
    state_is_zero_and_stays::<Aligned>(
        |state, byte| {
            state.low.set(u32::from_ne_bytes([byte; 4]));
            state.high.set(u64::from_ne_bytes([byte; 8]));
        },
        |state| {
            let mut bytes = state.low.get().to_ne_bytes().to_vec();
            bytes.extend(state.high.get().to_ne_bytes());
            bytes
        },
    );
}

#[test]
fn state_without_bytes_is_aligned() {
    state_is_zero_and_stays::<Mark>(|_, _| {}, |_| Vec::new());
    state_is_zero_and_stays::<()>(|_, _| {}, |_| Vec::new());
}

/// A heap that is too short for its state panics and allocates nothing; one with enough bytes
/// works.
fn check_short_buffers<G: Zeroable>() {
    for remainder in BASES {
        let least = place::<G>(&Buffer::new(remainder, 0)) % support::MODULUS - remainder;
        let least = least + size_of::<G>();
        for length in least.saturating_sub(80)..least {
            let mut buffer = Buffer::new(remainder, length);
            let heap = buffer.heap::<G>();
            let message = panic_message(|| {
                heap.global();
            });
            if length > 0 {
                let expected = format!("a heap of {length} bytes has no room for");
                assert!(message.starts_with(&expected), "{message}");
            }
            assert!(heap.alloc(0, 1).is_none());
            assert!(heap.alloc_zeroed(1, 1).is_none());
            assert_eq!(heap.figures(), (0, 0));
            assert_eq!(buffer.bytes(), vec![0; length], "no byte is written");
        }
        let mut buffer = Buffer::new(remainder, least);
        let heap = buffer.heap::<G>();
        heap.global();
        assert!(heap.alloc(1, 1).is_none());
    }
}

#[test]
fn buffer_too_short_for_state_panics_clearly() {
    check_short_buffers::<Cell<u64>>();
    check_short_buffers::<Hundred>();
    check_short_buffers::<Aligned>();
    check_short_buffers::<Mark>();
}

#[test]
fn header_in_memory_matches_the_allocator() {
    // The test reads the memory after each number of steps, when the allocator is gone.
    for remainder in BASES {
        for steps in 0..=7 {
            let mut buffer = Buffer::new(remainder, 600);
            let heap = buffer.heap::<Cell<u64>>();
            let mut blocks = Vec::new();
            for step in 0..steps {
                match step {
                    0 => blocks.extend(heap.alloc(100, 1)),
                    1 => blocks.extend(heap.alloc_zeroed(210, 16)),
                    2 => assert!(heap.realloc(blocks.last_mut().expect("a block"), 300)),
                    3 => assert!(heap.realloc(blocks.last_mut().expect("a block"), 50)),
                    4 => assert!(!heap.realloc(&mut blocks[0], 600)),
                    5 => heap.dealloc(blocks.pop().expect("a block")),
                    _ => assert!(heap.alloc(601, 1).is_none()),
                }
            }
            let (used, peak) = heap.figures();
            let header = buffer.header();
            assert_eq!(header.0 as usize, used, "used after {steps} steps");
            // The heap writes `peak` when `used` decreases; until then `used` is the peak.
            assert_eq!(
                header.1.max(header.0) as usize,
                peak,
                "peak after {steps} steps"
            );
            assert_eq!(
                header.1 > 0,
                steps > 3,
                "the heap writes the peak when `used` decreases"
            );
            assert_eq!(used > 0, steps > 0);
        }
    }
}

#[test]
fn header_is_little_endian_at_the_base() {
    for remainder in BASES {
        let mut buffer = Buffer::new(remainder, 1000);
        let heap = buffer.heap::<()>();
        let low = heap.alloc(0x0108, 1).expect("room");
        let high = heap.alloc(0x0200, 1).expect("room");
        heap.dealloc(high);
        low.check();
        let gap = (remainder.next_multiple_of(8) - remainder) as u8;
        assert_eq!(
            buffer.bytes()[..HEADER],
            [gap + 0x08, 0x01, 0, 0, gap + 0x08, 0x03, 0, 0]
        );
    }
}

/// The longest possible state: with it and the header, a heap of 32 KiB is full.
#[test]
fn state_may_fill_the_smallest_heap() {
    const _: () = assert!(MIN_HEAP_LENGTH == 32 * 1024);
    #[derive(Zeroable)]
    #[repr(C)]
    struct Fits([[Cell<u8>; 1024]; 31], [Cell<u8>; 1024 - HEADER]);

    let mut buffer = Buffer::new(1, MIN_HEAP_LENGTH);
    let heap = buffer.heap::<Fits>();
    heap.global().1[1024 - HEADER - 1].set(7);
    assert_eq!(heap.global().0[30][1023].get(), 0);
    assert!(heap.alloc(1, 1).is_none());
}

/// A buffer that looks shorter until the heap requests more.
struct Reluctant {
    base: *mut u8,
    length: Cell<usize>,
    whole: usize,
}

// SAFETY: tests construct it from a zeroed buffer that is borrowed as long, with a header. No other
// code uses its bytes beyond the first length either.
unsafe impl HeapSource for Reluctant {
    fn start(&self) -> *mut u8 {
        self.base.wrapping_add(HEADER)
    }

    fn end(&self) -> *mut u8 {
        self.base.wrapping_add(self.length.get())
    }

    fn grow(&self, _adjoining: usize, _apart: usize) -> Option<usize> {
        let before = self.length.replace(self.whole);
        (before < self.whole).then(|| before - HEADER)
    }
}

/// An added region may not adjoin the first one, so state that does not fit at first never fits.
#[test]
fn state_must_fit_the_first_region() {
    for at_first in [HEADER + 1, HEADER + 99, HEADER + 100] {
        let mut buffer = Buffer::new(3, 500);
        let region = buffer.region();
        let lent = buffer.lend();
        lent.fill(core::mem::MaybeUninit::new(0));
        let source = Reluctant {
            base: lent.as_mut_ptr().cast(),
            length: Cell::new(at_first),
            whole: lent.len(),
        };
        // SAFETY: this is the only allocator over the zeroed buffer, in one thread.
        let allocator = unsafe { BumpAllocator::<Hundred, _>::with_source(source) };
        let heap = Heap::new(allocator, region);
        let block = heap.alloc(10, 1);
        if at_first < HEADER + 100 {
            assert!(block.is_none());
            assert_eq!(
                (heap.limit(), heap.used()),
                (at_first, 0),
                "the heap does not request more"
            );
            let message = panic_message(|| heap.global()[0][0].get());
            assert!(message.contains("no room"), "{message}");
        } else {
            let behind = heap.global()[3][24].as_ptr().addr() + 1;
            let block = block.expect("room").address();
            assert_eq!(block, behind.next_multiple_of(8));
            assert_eq!((heap.limit(), heap.used()), (500, block + 16 - behind));
        }
    }
}
