//! Marks and rewinds.

mod support;

use core::alloc::Layout;
use core::mem::MaybeUninit;

use allocator::allocator_api2::alloc::Allocator;
use allocator::{Arena, RewindError, Stale};

fn leaked(length: usize) -> Arena {
    Arena::from_static_buffer(vec![MaybeUninit::uninit(); length].leak())
}

fn figures(arena: &Arena) -> (usize, usize, u64) {
    (arena.bottom_used(), arena.top_used(), arena.epoch())
}

#[test]
fn each_end_goes_back_alone() {
    let arena = leaked(104);
    let (bottom, top) = (arena.bottom_mark(), arena.top_mark());
    arena.alloc_bottom_bytes(10).expect("room");
    arena.alloc_top_bytes(20).expect("room");
    // SAFETY: the bytes are not used.
    assert_eq!(unsafe { arena.rewind_top(top) }, Ok(()));
    assert_eq!(figures(&arena), (16, 0, 0));
    // SAFETY: as above.
    assert_eq!(unsafe { arena.rewind_bottom(bottom) }, Ok(()));
    assert_eq!(figures(&arena), (0, 0, 0));
    assert_eq!((arena.bottom_peak(), arena.top_peak()), (16, 24));
}

#[test]
fn scopes_nest_whether_or_not_values_are_freed() {
    let arena = leaked(1000);
    let outer = arena.bottom_mark();
    arena.alloc_bottom_bytes(10).expect("room");
    let middle = arena.bottom_mark();
    let value = arena.alloc_bottom_value([1_u8; 10]).expect("room");
    let inner = arena.bottom_mark();
    arena.alloc_bottom_bytes(10).expect("room");
    // SAFETY: the blocks above the mark are not used.
    assert_eq!(unsafe { arena.rewind_bottom(inner) }, Ok(()));
    assert_eq!(figures(&arena), (32, 0, 0));
    // SAFETY: as above.
    assert_eq!(unsafe { arena.rewind_bottom(middle) }, Ok(()));
    assert_eq!(figures(&arena), (16, 0, 1));
    assert_eq!(value.get(&arena), Err(Stale));
    // SAFETY: the blocks above the mark are not used.
    assert_eq!(unsafe { arena.rewind_bottom(outer) }, Ok(()));
    assert_eq!(figures(&arena), (0, 0, 1));
}

#[test]
fn a_mark_above_what_is_in_use_is_refused() {
    let arena = leaked(104);
    let low = (arena.bottom_mark(), arena.top_mark());
    arena.alloc_bottom_bytes(10).expect("room");
    arena.alloc_top_bytes(10).expect("room");
    let high = (arena.bottom_mark(), arena.top_mark());
    // SAFETY: the bytes are not used.
    assert_eq!(unsafe { arena.rewind_bottom(low.0) }, Ok(()));
    // SAFETY: the bytes are not used.
    assert_eq!(unsafe { arena.rewind_top(low.1) }, Ok(()));
    arena.alloc_bottom_bytes(8).expect("room");
    arena.alloc_top_bytes(8).expect("room");
    // SAFETY: as above.
    let rewound = unsafe { arena.rewind_bottom(high.0) };
    assert_eq!(rewound, Err(RewindError::AboveUse));
    // SAFETY: the bytes are not used.
    let rewound = unsafe { arena.rewind_top(high.1) };
    assert_eq!(rewound, Err(RewindError::AboveUse));
    assert_eq!(figures(&arena), (8, 8, 0));
}

#[test]
fn a_mark_of_another_arena_is_refused() {
    let (one, other) = (leaked(104), leaked(104));
    let marks = (one.bottom_mark(), one.top_mark());
    other.alloc_bottom_bytes(10).expect("room");
    other.alloc_top_bytes(10).expect("room");
    // SAFETY: the bytes are not used.
    let rewound = unsafe { other.rewind_bottom(marks.0) };
    assert_eq!(rewound, Err(RewindError::OtherArena));
    // SAFETY: the bytes are not used.
    let rewound = unsafe { other.rewind_top(marks.1) };
    assert_eq!(rewound, Err(RewindError::OtherArena));
    assert_eq!(figures(&other), (16, 16, 0));
}

#[test]
fn a_mark_from_before_a_reset_is_refused() {
    let mut arena = leaked(104);
    let marks = (arena.bottom_mark(), arena.top_mark());
    arena.reset().expect("epochs left");
    let value = arena.alloc_bottom_value(1_u8).expect("room");
    arena.alloc_top_bytes(10).expect("room");
    // SAFETY: the arena's value is used through a handle only.
    let rewound = unsafe { arena.rewind_bottom(marks.0) };
    assert_eq!(rewound, Err(RewindError::EarlierEpoch));
    // SAFETY: the arena's value is used through a handle only.
    let rewound = unsafe { arena.rewind_top(marks.1) };
    assert_eq!(rewound, Err(RewindError::EarlierEpoch));
    assert_eq!(figures(&arena), (8, 16, 1));
    assert_eq!(value.get(&arena), Ok(&1));
}

#[test]
fn top_reset_keeps_bottom_marks() {
    let arena = leaked(104);
    let marks = (arena.bottom_mark(), arena.top_mark());
    let value = arena.alloc_bottom_value(1_u8).expect("room");
    arena.alloc_top_bytes(10).expect("room");
    // SAFETY: nothing at the top is used.
    assert_eq!(unsafe { arena.reset_top_unchecked() }, Ok(()));
    assert_eq!(figures(&arena), (8, 0, 1));
    assert_eq!(value.get(&arena), Err(Stale));
    // SAFETY: nothing at the top is used.
    let rewound = unsafe { arena.rewind_top(marks.1) };
    assert_eq!(rewound, Err(RewindError::EarlierEpoch));
    // SAFETY: the value at the bottom is used through a handle only.
    assert_eq!(unsafe { arena.rewind_bottom(marks.0) }, Ok(()));
    // The value's handle was already stale, so the epoch stays.
    assert_eq!(figures(&arena), (0, 0, 1));
}

#[test]
fn reset_begins_an_epoch_only_for_values() {
    let arena = leaked(104);
    arena.alloc_bottom_bytes(10).expect("room");
    let value = arena.alloc_top_value(1_u8).expect("room");
    // SAFETY: the bytes are not used.
    assert_eq!(unsafe { arena.reset_bottom() }, Ok(()));
    assert_eq!(figures(&arena), (0, 8, 0));
    assert_eq!(value.get(&arena), Ok(&1));
    // SAFETY: the value at the top is used through a handle only.
    assert_eq!(unsafe { arena.reset_top() }, Ok(()));
    assert_eq!(figures(&arena), (0, 0, 1));
}

#[test]
fn bottom_rewind_keeps_the_top() {
    let mut arena = leaked(104);
    let kept = arena.alloc_top_value(1_u8).expect("room");
    let (mut bottom, top) = arena.split();
    let outer = bottom.bottom_mark();
    let block = top.allocate(Layout::new::<[u8; 20]>()).expect("room");
    let value = bottom.alloc_bottom_value([2_u8; 10]).expect("room");
    let inner = bottom.bottom_mark();
    bottom.alloc_bottom_bytes(30).expect("room");
    assert_eq!(bottom.rewind(inner), Ok(()));
    assert_eq!(figures(&bottom), (16, 32, 0));
    assert_eq!(value.get(&bottom), Ok(&[2; 10]));
    assert_eq!(kept.get(&bottom), Ok(&1));

    assert_eq!(bottom.rewind(outer), Ok(()));
    assert_eq!(figures(&bottom), (0, 32, 1));
    assert_eq!(value.get(&bottom), Err(Stale));
    assert_eq!(kept.get(&bottom), Err(Stale));
    // SAFETY: the block came from this handle with this layout.
    unsafe { top.deallocate(block.cast(), Layout::new::<[u8; 20]>()) };
    assert_eq!(figures(&arena), (0, 8, 1));
    assert_eq!((arena.bottom_peak(), arena.top_peak()), (48, 32));
}

#[test]
fn split_end_refuses_like_the_arena() {
    let (mut one, other) = (leaked(104), leaked(104));
    let theirs = other.bottom_mark();
    let (mut bottom, _) = one.split();
    let low = bottom.bottom_mark();
    bottom.alloc_bottom_bytes(10).expect("room");
    let high = bottom.bottom_mark();
    assert_eq!(bottom.rewind(theirs), Err(RewindError::OtherArena));
    assert_eq!(figures(&bottom), (16, 0, 0));
    assert_eq!(bottom.rewind(low), Ok(()));
    assert_eq!(bottom.rewind(high), Err(RewindError::AboveUse));
    one.reset().expect("epochs left");
    assert_eq!(one.split().0.rewind(low), Err(RewindError::EarlierEpoch));
}
