//! The buffers of arenas, and the debug output of an arena.

mod support;

use core::mem::MaybeUninit;
use std::thread;

use allocator::{Arena, Budget, EpochSaturated, RewindError, Stale, StaticBuffer};

use support::panic_message;

#[test]
fn two_arenas_cannot_share_one_static() {
    static BUFFER: StaticBuffer<100> = StaticBuffer::new();
    let arena = Arena::from_static_buffer(BUFFER.take().expect("the first"));
    assert_eq!(arena.capacity(), 100);
    assert!(BUFFER.take().is_none());
    drop(arena);
    assert!(BUFFER.take().is_none(), "the static stays taken");
}

#[test]
fn one_thread_takes_the_static() {
    for _ in 0..20 {
        let buffer: &'static StaticBuffer<8> = Box::leak(Box::default());
        let threads: Vec<_> = (0..8)
            .map(|_| thread::spawn(|| buffer.take().is_some()))
            .collect();
        let taken = threads
            .into_iter()
            .map(|thread| thread.join().expect("no panic"));
        assert_eq!(taken.filter(|taken| *taken).count(), 1);
    }
}

#[test]
fn static_buffer_reports_whether_it_is_taken() {
    static BUFFER: StaticBuffer<3> = StaticBuffer::new();
    assert_eq!(
        format!("{BUFFER:?}"),
        "StaticBuffer { length: 3, taken: false }"
    );
    assert_eq!(BUFFER.take().map(|bytes| bytes.len()), Some(3));
    assert_eq!(
        format!("{BUFFER:?}"),
        "StaticBuffer { length: 3, taken: true }"
    );
}

#[test]
fn arena_may_be_in_a_part_of_the_heap() {
    let mut vector = vec![MaybeUninit::uninit(); 101].leak();
    let (odd, rest) = vector.split_at_mut(1);
    assert_eq!(odd.len(), 1);
    vector = rest;
    let region = vector.as_ptr_range();
    let region = region.start.addr()..region.end.addr();
    let arena = Arena::from_static_buffer(vector);
    assert_eq!(arena.capacity(), 100);
    let bytes = arena.alloc_bottom_bytes(1).expect("room");
    assert_eq!(bytes.addr().get(), region.start.next_multiple_of(8));
    let bytes = arena.alloc_top_bytes(64).expect("room");
    assert_eq!(bytes.addr().get() + 64, region.end / 8 * 8);
}

#[test]
fn impossible_buffer_length_is_rejected() {
    let mut byte = 0_u8;
    let message = panic_message(|| {
        // SAFETY: the caller breaks the contract; the arena panics before it touches a byte.
        unsafe { Arena::from_buffer_unchecked((&mut byte).into(), isize::MAX as usize + 1) }
    });
    assert_eq!(message, "a buffer is at most isize::MAX bytes long");
}

#[test]
fn a_budget_does_not_wrap() {
    let arena = Arena::from_static_buffer(vec![MaybeUninit::uninit(); 100].leak());
    for (bottom, top) in [(0, 0), (100, 0), (0, 100), (33, 67)] {
        assert!(arena.fits_budget(&Budget::new(bottom, top)));
    }
    for (bottom, top) in [
        (101, 0),
        (0, 101),
        (50, 51),
        (usize::MAX, 1),
        (usize::MAX, 100),
        (usize::MAX, usize::MAX),
        (usize::MAX / 2 + 1, usize::MAX / 2 + 1),
    ] {
        assert!(
            !arena.fits_budget(&Budget::new(bottom, top)),
            "{bottom} + {top}"
        );
    }
    assert_eq!(Budget { bottom: 1, top: 2 }.total(), 3);
    assert_eq!(Budget::new(usize::MAX, 2).total(), usize::MAX);
    // The used bytes do not count: the budget is for the whole arena.
    arena.alloc_bottom_bytes(60).expect("room");
    assert!(arena.fits_budget(&Budget::new(50, 50)));
}

#[test]
fn an_arena_shows_its_figures() {
    let mut arena = Arena::from_static_buffer(vec![MaybeUninit::uninit(); 104].leak());
    arena.alloc_bottom_bytes(9).expect("room");
    arena.reset().expect("epochs left");
    arena.alloc_bottom_bytes(1).expect("room");
    arena.alloc_top_bytes(2).expect("room");
    assert_eq!(
        format!("{arena:?}"),
        "Arena { capacity: 104, bottom_used: 8, top_used: 8, free: 88, bottom_peak: 16, \
         top_peak: 8, epoch: 1 }"
    );
}

#[test]
fn errors_name_the_remedy() {
    fn text<E: core::error::Error + Copy + PartialEq + 'static>(error: E) -> String {
        error.to_string()
    }

    let texts = [
        text(EpochSaturated),
        text(Stale),
        text(RewindError::OtherArena),
        text(RewindError::EarlierEpoch),
        text(RewindError::AboveUse),
    ];
    for text in &texts {
        let (what, advice) = text.split_once(": ").expect("a problem and a remedy");
        assert!(what.starts_with("the ") && !advice.is_empty(), "{text}");
        assert!(!text.ends_with('.') && text.is_ascii(), "{text}");
    }
    assert_eq!(text(RewindError::from(EpochSaturated)), texts[0]);
}
