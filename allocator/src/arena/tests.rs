//! What only numbers close to their end can show, which no test has from outside.

use core::alloc::Layout;
use core::mem::MaybeUninit;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicUsize, Ordering};

use super::end::{Bottom, Side, Top, Whole};
use super::identity::Identity;
use super::*;

/// Runs on an arena whose epoch is the last one, with 8 bytes in use at either end.
fn at_the_last_epoch(test: impl FnOnce(&mut Arena)) {
    let mut buffer = [MaybeUninit::<u8>::uninit(); 256];
    // SAFETY: no other code uses the buffer while the arena or anything in it is in use.
    let mut arena = unsafe { Arena::from_buffer_unchecked(NonNull::from(&mut buffer).cast(), 256) };
    arena.epoch.set(u64::MAX);
    arena.alloc_bottom_bytes(3).expect("room");
    arena.alloc_top_bytes(3).expect("room");
    test(&mut arena);
}

fn figures(arena: &Arena) -> [usize; 4] {
    [
        arena.bottom_used(),
        arena.top_used(),
        arena.bottom_peak(),
        arena.top_peak(),
    ]
}

#[test]
fn a_reset_that_wipes_first_and_fails_afterwards() {
    at_the_last_epoch(|arena| {
        let bottom = arena.alloc_bottom_value(7_u8).expect("room");
        let top = arena.alloc_top_value(8_u8).expect("room");
        let marks = (arena.bottom_mark(), arena.top_mark());
        let before = figures(arena);
        assert_eq!(arena.epoch_remaining(), 0);

        assert_eq!(arena.reset(), Err(EpochSaturated));
        // SAFETY: no block is in use, and no reference to a value lives: the test reads them
        // through their handles.
        unsafe {
            assert_eq!(arena.reset_unchecked(), Err(EpochSaturated));
        }
        // SAFETY: no block is in use, and no reference to a value lives.
        unsafe {
            assert_eq!(arena.reset_top_unchecked(), Err(EpochSaturated));
        }
        // SAFETY: no block is in use, and no reference to a value lives.
        unsafe {
            assert_eq!(arena.reset_bottom(), Err(EpochSaturated));
        }
        // SAFETY: no block is in use, and no reference to a value lives.
        unsafe {
            assert_eq!(arena.reset_top(), Err(EpochSaturated));
        }
        assert_eq!(figures(arena), before);
        assert_eq!(arena.epoch(), u64::MAX);
        assert_eq!(bottom.get(arena), Ok(&7));
        assert_eq!(top.get(arena), Ok(&8));
        assert_eq!(marks, (arena.bottom_mark(), arena.top_mark()));
        // SAFETY: nothing was taken since the marks.
        unsafe {
            assert_eq!(arena.rewind_bottom(marks.0), Ok(()));
        }
        // SAFETY: nothing was taken since the marks.
        unsafe {
            assert_eq!(arena.rewind_top(marks.1), Ok(()));
        }
        assert_eq!(bottom.get(arena), Ok(&7));
        assert_eq!(top.get(arena), Ok(&8));
    });
}

#[test]
fn a_rewind_without_an_epoch_left_frees_no_value_behind_a_handle() {
    at_the_last_epoch(|arena| {
        let (bottom_mark, top_mark) = (arena.bottom_mark(), arena.top_mark());
        let bottom = arena.alloc_bottom_value(7_u8).expect("room");
        let top = arena.alloc_top_value(8_u8).expect("room");
        let before = figures(arena);
        // SAFETY: since the mark only values with handles were taken, and no reference to one
        // lives.
        unsafe {
            assert_eq!(
                arena.rewind_bottom(bottom_mark),
                Err(RewindError::EpochSaturated)
            );
        }
        // SAFETY: since the mark only values with handles were taken, and no reference to one
        // lives.
        unsafe {
            assert_eq!(arena.rewind_top(top_mark), Err(RewindError::EpochSaturated));
        }
        assert_eq!(figures(arena), before);
        assert_eq!(bottom.get(arena), Ok(&7));
        assert_eq!(top.get(arena), Ok(&8));
    });
}

#[test]
fn what_begins_no_epoch_goes_on_without_one() {
    at_the_last_epoch(|arena| {
        let mark = arena.bottom_mark();
        arena.alloc_bottom_bytes(20).expect("room");
        // SAFETY: the 20 bytes are not used any more.
        unsafe {
            assert_eq!(arena.rewind_bottom(mark), Ok(()));
        }
        // SAFETY: nothing at the bottom is used any more.
        unsafe {
            assert_eq!(arena.reset_bottom(), Ok(()));
        }
        // SAFETY: nothing at the top is used any more.
        unsafe {
            assert_eq!(arena.reset_top(), Ok(()));
        }
        assert_eq!(arena.free(), arena.capacity());
        assert_eq!(arena.epoch(), u64::MAX);
    });
}

#[test]
fn the_last_epoch_but_one_can_still_end() {
    at_the_last_epoch(|arena| {
        arena.epoch.set(u64::MAX - 1);
        assert_eq!(arena.epoch_remaining(), 1);
        assert_eq!(arena.reset(), Ok(()));
        assert_eq!(arena.epoch_remaining(), 0);
        assert_eq!(arena.reset(), Err(EpochSaturated));
    });
}

#[test]
fn a_forced_reset_starts_over() {
    at_the_last_epoch(|arena| {
        let old = arena.alloc_bottom_value(7_u8).expect("room");
        let mark = arena.bottom_mark();
        // SAFETY: `old` is asked only in the first of the new epochs, which it does not belong to.
        unsafe { arena.force_reset_epoch() };
        assert_eq!(arena.epoch(), 0);
        assert_eq!(arena.epoch_remaining(), u64::MAX);
        assert_eq!(arena.free(), arena.capacity());
        assert_eq!(arena.bottom_peak(), arena.bottom_used() + 16);
        assert_eq!(old.get(arena), Err(Stale));
        arena.alloc_bottom_bytes(100).expect("room");
        // SAFETY: the hundred bytes are not used.
        unsafe {
            assert_eq!(arena.rewind_bottom(mark), Err(RewindError::EarlierEpoch));
        }
        let new = arena.alloc_bottom_value(9_u8).expect("room");
        assert_eq!(new.get(arena), Ok(&9));
        assert_eq!(arena.reset(), Ok(()));
        assert_eq!(arena.epoch(), 1);
    });
}

#[test]
fn identities_run_out_instead_of_wrapping() {
    let next = AtomicUsize::new(usize::MAX - 1);
    let last = Identity::draw_from(&next);
    assert!(last.is_some());
    assert_eq!(Identity::draw_from(&next), None);
    assert_eq!(Identity::draw_from(&next), None);
    assert_eq!(next.load(Ordering::Relaxed), usize::MAX);
}

/// Addresses in the upper half of the address space, as programs on 32-bit targets have them.
#[test]
fn places_at_either_end_of_the_address_space_do_not_wrap() {
    let high = usize::MAX - 100..usize::MAX - 10;
    let low = 10..100;
    for align_bits in 0..usize::BITS - 1 {
        let align = 1_usize << align_bits;
        for size in [91, isize::MAX as usize - (align - 1)] {
            let layout = Layout::from_size_align(size, align).expect("a valid layout");
            assert_eq!(
                Bottom::place(high.clone(), Whole::of(layout)),
                None,
                "{layout:?}"
            );
            assert_eq!(
                Top::place(high.clone(), Whole::of(layout)),
                None,
                "{layout:?}"
            );
            assert_eq!(
                Bottom::place(low.clone(), Whole::of(layout)),
                None,
                "{layout:?}"
            );
            assert_eq!(
                Top::place(low.clone(), Whole::of(layout)),
                None,
                "{layout:?}"
            );
        }
    }
    let layout = Layout::from_size_align(80, 1).expect("a valid layout");
    let [high_start, high_end] = [high.start.next_multiple_of(8), high.end / 8 * 8];
    assert_eq!(
        Bottom::place(high.clone(), Whole::of(layout)),
        Some(high_start)
    );
    assert_eq!(
        Top::place(high.clone(), Whole::of(layout)),
        Some(high_end - 80)
    );
    let layout = Layout::from_size_align(8, 256).expect("a valid layout");
    assert_eq!(Bottom::place(high.clone(), Whole::of(layout)), None);
    assert_eq!(Top::place(low.clone(), Whole::of(layout)), None);
    // Its record is as long as what is free.
    let layout = Layout::from_size_align(1, 16).expect("a valid layout");
    assert_eq!(Bottom::place(16..24, Whole::of(layout)), None);
    assert_eq!(Top::place(16..24, Whole::of(layout)), None);
}
