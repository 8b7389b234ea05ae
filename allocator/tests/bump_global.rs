//! The program's own state at the heap base, and the header before it.

mod support;

use core::cell::Cell;

use bytemuck::Zeroable;

use support::{BASES, Buffer, HEADER, check_all, panic_message};

/// A hundred bytes, in arrays as short as `Zeroable` is implemented for.
type Hundred = [[Cell<u8>; 25]; 4];

/// State that asks for more alignment than any base in these tests has.
#[derive(Zeroable)]
#[repr(C, align(64))]
struct Aligned {
    low: Cell<u32>,
    high: Cell<u64>,
}

/// State that has an alignment and no bytes.
#[derive(Zeroable)]
#[repr(C, align(16))]
struct Mark;

/// Where a `G` belongs: at the first suitable address behind the header.
fn place<G>(buffer: &Buffer) -> usize {
    (buffer.region().start + HEADER).next_multiple_of(align_of::<G>())
}

/// Fills the heap up around a `G`, and lets the caller say how to write it and to read it.
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
        assert_eq!(
            blocks[0].address(),
            place + size_of::<G>(),
            "blocks start right behind it"
        );
        // More than there is room for; a heap without end fails below instead of filling up for ever.
        blocks.extend((0..100).map_while(|_| heap.alloc_zeroed(13, 1)));
        blocks.iter_mut().for_each(support::Block::fill);
        assert!(heap.alloc(13, 1).is_none(), "full");
        assert!(
            read(heap.global()).iter().all(|byte| *byte == 0xEE),
            "no block reached it"
        );
        write(heap.global(), 0x77);
        check_all(&blocks);
        while let Some(block) = blocks.pop() {
            heap.dealloc(block);
        }
        assert_eq!(heap.used(), 0);
        assert!(read(heap.global()).iter().all(|byte| *byte == 0x77));
    }
}

#[test]
fn a_number_starts_at_zero_and_is_never_overlapped() {
    state_is_zero_and_stays::<Cell<u64>>(
        |state, byte| state.set(u64::from_ne_bytes([byte; 8])),
        |state| state.get().to_ne_bytes().to_vec(),
    );
}

#[test]
fn an_array_starts_at_zero_and_is_never_overlapped() {
    state_is_zero_and_stays::<Hundred>(
        |state, byte| state.as_flattened().iter().for_each(|cell| cell.set(byte)),
        |state| state.as_flattened().iter().map(Cell::get).collect(),
    );
}

#[test]
fn aligned_state_starts_at_zero_and_is_never_overlapped() {
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
fn state_without_bytes_is_aligned_all_the_same() {
    state_is_zero_and_stays::<Mark>(|_, _| {}, |_| Vec::new());
    state_is_zero_and_stays::<()>(|_, _| {}, |_| Vec::new());
}

/// Every length around the least one: a heap with room for its state works, one without says so.
fn short_buffers_are_refused<G: Zeroable>() {
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
            assert_eq!(buffer.bytes(), vec![0; length], "and nothing is written");
        }
        let mut buffer = Buffer::new(remainder, least);
        let heap = buffer.heap::<G>();
        heap.global();
        assert!(heap.alloc(0, 1).is_some());
        assert!(heap.alloc(1, 1).is_none());
    }
}

#[test]
fn a_buffer_too_short_for_the_state_is_a_clear_panic_and_a_refusal() {
    short_buffers_are_refused::<Cell<u64>>();
    short_buffers_are_refused::<Hundred>();
    short_buffers_are_refused::<Aligned>();
    short_buffers_are_refused::<Mark>();
}

#[test]
fn the_header_in_memory_says_what_the_allocator_says() {
    // Some steps, so that the memory can be read with the allocator gone after each number of them.
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
            // `peak` is noted when `used` goes down; until then `used` is the peak.
            assert_eq!(
                header.1.max(header.0) as usize,
                peak,
                "peak after {steps} steps"
            );
            assert_eq!(
                header.1 > 0,
                steps > 3,
                "peak is written when used is lowered"
            );
            assert_eq!(used > 0, steps > 0);
        }
    }
}

#[test]
fn the_header_is_little_endian_at_the_base_whatever_its_alignment() {
    for remainder in BASES {
        let mut buffer = Buffer::new(remainder, 1000);
        let heap = buffer.heap::<()>();
        let low = heap.alloc(0x0102, 1).expect("room");
        let high = heap.alloc(0x0201, 1).expect("room");
        heap.dealloc(high);
        low.check();
        assert_eq!(
            buffer.bytes()[..HEADER],
            [0x02, 0x01, 0, 0, 0x03, 0x03, 0, 0]
        );
    }
}
