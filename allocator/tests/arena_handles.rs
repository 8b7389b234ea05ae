//! `ArenaHandle`s: their arena, their lifetime, and the values that they may refer to.

mod support;

use core::alloc::Layout;
use core::cell::Cell;
use core::mem::{self, MaybeUninit};
use core::ptr::NonNull;

use allocator::allocator_api2::alloc::Allocator;
use allocator::{Arena, ArenaHandle, BottomHandle, BottomMark, RewindError, Stale, TopHandle};

use support::arena::with_arena;

/// An arena over leaked memory, so that it can be moved.
fn leaked(length: usize) -> Arena {
    Arena::from_static_buffer(vec![MaybeUninit::uninit(); length].leak())
}

#[test]
fn another_arena_rejects_a_handle() {
    let (one, other) = (leaked(64), leaked(64));
    let handle = one.alloc_bottom_value(1_u8).expect("room");
    let others = other.alloc_bottom_value(2_u8).expect("room");
    assert_eq!(handle.get(&one), Ok(&1));
    assert_eq!(handle.get(&other), Err(Stale));
    assert_eq!(others.get(&one), Err(Stale));
    let nothing = one.alloc_bottom_value(()).expect("nothing");
    assert_eq!(nothing.get(&other), Err(Stale));
}

#[test]
fn later_arena_rejects_handles_of_the_earlier() {
    let mut buffer = [MaybeUninit::<u8>::uninit(); 64];
    let base: NonNull<u8> = NonNull::from(&mut buffer).cast();
    // SAFETY: only this arena uses the buffer until it is dropped.
    let first = unsafe { Arena::from_buffer_unchecked(base, 64) };
    let handle = first.alloc_bottom_value(1_u8).expect("room");
    let mark = first.bottom_mark();
    drop(first);
    // SAFETY: only this arena uses the buffer; the first one is dropped.
    let second = unsafe { Arena::from_buffer_unchecked(base, 64) };
    second.alloc_bottom_value(2_u8).expect("room");
    let used = second.bottom_used();
    assert_eq!(handle.get(&second), Err(Stale));
    // SAFETY: no block of the arena is used any more.
    let rewound = unsafe { second.rewind_bottom(mark) };
    assert_eq!(rewound, Err(RewindError::OtherArena));
    assert_eq!(second.bottom_used(), used);
}

#[test]
fn handle_follows_its_moved_arena() {
    let (mut one, mut other) = (leaked(64), leaked(64));
    let handle = one.alloc_bottom_value(1_u8).expect("room");
    mem::swap(&mut one, &mut other);
    assert_eq!(handle.get(&one), Err(Stale));
    assert_eq!(handle.get(&other), Ok(&1));
    let moved = Box::new(other);
    assert_eq!(handle.get(&moved), Ok(&1));
    one = *moved;
    assert_eq!(handle.get(&one), Ok(&1));
    drop(mem::replace(&mut one, leaked(64)));
    assert_eq!(handle.get(&one), Err(Stale));
}

#[test]
fn only_its_own_epoch_accepts_a_handle() {
    let mut arena = leaked(64);
    let handle = arena.alloc_top_str("first").expect("room");
    assert_eq!(handle.epoch(), 0);
    for epoch in 1..4 {
        arena.reset().expect("epochs left");
        assert_eq!(arena.epoch(), epoch);
        assert_eq!(arena.epoch_remaining(), u64::MAX - epoch);
        let again = arena.alloc_top_str("again").expect("room");
        assert_eq!(again.epoch(), epoch);
        assert_eq!(again.get(&arena), Ok("again"));
        assert_eq!(handle.get(&arena), Err(Stale));
    }
}

#[test]
fn every_freeing_reset_stales_handles() {
    type Reset = fn(&mut Arena);
    let resets: [(Reset, [bool; 2]); 5] = [
        (|arena| arena.reset().expect("epochs left"), [true, true]),
        (
            // SAFETY: the arena's values are used through handles only.
            |arena| unsafe { arena.reset_unchecked() }.expect("epochs left"),
            [true, true],
        ),
        (
            // SAFETY: the arena's values are used through handles only.
            |arena| unsafe { arena.reset_top_unchecked() }.expect("epochs left"),
            [true, true],
        ),
        (
            // SAFETY: the arena's values are used through handles only.
            |arena| unsafe { arena.reset_bottom() }.expect("epochs left"),
            [true, false],
        ),
        (
            // SAFETY: the arena's values are used through handles only.
            |arena| unsafe { arena.reset_top() }.expect("epochs left"),
            [false, true],
        ),
    ];
    for (index, (reset, [bottom_stale, top_stale])) in resets.into_iter().enumerate() {
        let mut arena = leaked(64);
        let handle = arena.alloc_bottom_value(1_u8).expect("room");
        reset(&mut arena);
        assert_eq!(handle.get(&arena).is_err(), bottom_stale, "{index}");
        let mut arena = leaked(64);
        let handle = arena.alloc_top_value(1_u8).expect("room");
        reset(&mut arena);
        assert_eq!(handle.get(&arena).is_err(), top_stale, "{index}");
    }
}

#[test]
fn rewind_below_a_value_stales_its_handle() {
    let arena = leaked(256);
    let mark = arena.bottom_mark();
    let value = arena.alloc_bottom_value(1_u8).expect("room");
    let above = arena.bottom_mark();
    arena.alloc_bottom_bytes(20).expect("room");
    // SAFETY: the 20 bytes are not used.
    assert_eq!(unsafe { arena.rewind_bottom(above) }, Ok(()));
    assert_eq!(arena.epoch(), 0);
    assert_eq!(value.get(&arena), Ok(&1));
    // SAFETY: the value is used through its handle only.
    assert_eq!(unsafe { arena.rewind_bottom(mark) }, Ok(()));
    assert_eq!(arena.epoch(), 1);
    assert_eq!(value.get(&arena), Err(Stale));
    // A new value at the same address does not revive the handle.
    let other = arena.alloc_bottom_value(2_u8).expect("room");
    assert_eq!(value.get(&arena), Err(Stale));
    assert_eq!(other.get(&arena), Ok(&2));
}

/// A rewind that frees no value keeps the handles of the values below the mark.
#[test]
fn rewind_keeps_handles_below_its_mark() {
    let arena = leaked(256);
    let mark = arena.top_mark();
    arena.alloc_top_value([0_u8; 100]).expect("room");
    // SAFETY: the value is not used.
    assert_eq!(unsafe { arena.rewind_top(mark) }, Ok(()));
    let value = arena.alloc_top_value(1_u8).expect("room");
    let above = arena.top_mark();
    arena.alloc_top_bytes(50).expect("room");
    // SAFETY: the 50 bytes are not used.
    assert_eq!(unsafe { arena.rewind_top(above) }, Ok(()));
    assert_eq!(arena.epoch(), 1, "the second rewind frees no value");
    assert_eq!(value.get(&arena), Ok(&1));
}

#[test]
fn blocks_next_to_a_value_do_not_touch_it() {
    let arena = leaked(256);
    let ends: [&dyn Allocator; 2] = [&arena.bottom_handle(), &arena.top_handle()];
    for end in ends {
        let empty = Layout::new::<()>();
        let byte = Layout::new::<u8>();
        let before = end.allocate(empty).expect("nothing").cast();
        let bottom = arena.alloc_bottom_value(7_u8).expect("room");
        let top = arena.alloc_top_value(8_u8).expect("room");
        let behind = end.allocate(empty).expect("nothing").cast();
        let block = end.allocate(byte).expect("room").cast();
        let nothing = arena.alloc_bottom_value(()).expect("nothing");
        let used = (arena.bottom_used(), arena.top_used());
        for block in [before, behind] {
            // SAFETY: the block is live and has this layout.
            unsafe { end.deallocate(block, empty) };
        }
        assert_eq!((arena.bottom_used(), arena.top_used()), used);
        // SAFETY: the block is live and has this layout.
        unsafe { end.deallocate(block, byte) };
        assert_eq!(arena.bottom_used() + arena.top_used() + 8, used.0 + used.1);
        arena.alloc_bottom_bytes(20).expect("room");
        arena.alloc_top_bytes(20).expect("room");
        assert_eq!(bottom.get(&arena), Ok(&7));
        assert_eq!(top.get(&arena), Ok(&8));
        assert_eq!(nothing.get(&arena), Ok(&()));
    }
}

#[test]
fn values_of_every_kind_have_handles() {
    #[derive(Debug, PartialEq)]
    #[repr(align(4096))]
    struct Page(u8);

    with_arena(15, 20_000, |arena, _| {
        let page = arena.alloc_bottom_value(Page(3)).expect("room");
        let top_page = arena.alloc_top_value(Page(4)).expect("room");
        assert_eq!(page.get(arena), Ok(&Page(3)));
        assert_eq!(top_page.get(arena), Ok(&Page(4)));
        for page in [page, top_page] {
            let page: &Page = page.get(arena).expect("not stale");
            assert!((&raw const *page).addr().is_multiple_of(4096));
        }

        let counter = arena.alloc_top_value(Cell::new(1)).expect("room");
        counter.get(arena).expect("not stale").set(2);
        assert_eq!(counter.get(arena).map(Cell::get), Ok(2));

        let used = arena.bottom_used();
        let nothing = arena.alloc_bottom_value([0_u64; 0]).expect("nothing");
        let empty = arena.alloc_bottom_str("").expect("nothing");
        let none = arena.alloc_bottom_slice::<u64>(&[]).expect("nothing");
        assert_eq!(arena.bottom_used(), used);
        assert_eq!(nothing.get(arena), Ok(&[]));
        assert_eq!(empty.get(arena), Ok(""));
        assert_eq!(none.get(arena), Ok(&[][..]));
        arena.reset().expect("epochs left");
        assert_eq!(nothing.get(arena), Err(Stale));

        let slice = arena.alloc_top_slice(&[1_u32, 2, 3]).expect("room");
        assert_eq!(slice.get(arena), Ok(&[1, 2, 3][..]));
    });
}

#[test]
fn only_a_rejected_value_is_dropped() {
    struct Counts<'a>(
        &'a Cell<u32>,
        #[expect(dead_code, reason = "room")] [u8; 100],
    );
    impl Drop for Counts<'_> {
        fn drop(&mut self) {
            self.0.set(self.0.get() + 1);
        }
    }

    let dropped = Cell::new(0);
    let mut arena = leaked(150);
    let kept = arena.alloc_bottom_value(Counts(&dropped, [0; 100]));
    assert!(kept.is_ok());
    let refused = arena.alloc_top_value(Counts(&dropped, [0; 100]));
    assert!(refused.is_err());
    assert_eq!(dropped.get(), 1);
    arena.reset().expect("epochs left");
    drop(arena);
    assert_eq!(dropped.get(), 1);
}

/// Compiles only if handles are covariant.
#[test]
fn handle_is_covariant_in_its_lifetime() {
    fn longer<'a>(one: ArenaHandle<&'a str>, _: &'a str) -> ArenaHandle<&'a str> {
        one
    }

    let arena = leaked(64);
    let handle: ArenaHandle<&'static str> = arena.alloc_bottom_value("static").expect("room");
    let short = String::from("short");
    assert_eq!(longer(handle, &short).get(&arena), Ok(&"static"));
}

/// A value in an arena may contain a collection and a handle of the same arena.
#[test]
fn a_value_may_borrow_its_own_arena() {
    let arena = leaked(256);
    let end = arena.alloc_bottom_value(arena.top_handle()).expect("room");
    let end = end.get(&arena).expect("not stale");
    assert!(end.allocate(Layout::new::<u64>()).is_ok());
    assert!(arena.top_used() >= 8);
}

/// A `Sync` type has two implementations, so `NotSync::check` is ambiguous and does not compile.
/// Any other type has one.
trait NotSync<Way> {
    fn check() {}
}

impl<T: ?Sized> NotSync<()> for T {}
impl<T: ?Sized + Sync> NotSync<u8> for T {}

/// Works like `NotSync`, for `Send`.
trait NotSend<Way> {
    fn check() {}
}

impl<T: ?Sized> NotSend<()> for T {}
impl<T: ?Sized + Send> NotSend<u8> for T {}

#[test]
fn arenas_and_handles_stay_in_their_thread() {
    <Arena as NotSync<_>>::check();
    <Arena as NotSend<_>>::check();
    <ArenaHandle<u8> as NotSync<_>>::check();
    <ArenaHandle<u8> as NotSend<_>>::check();
    <BottomHandle<'static> as NotSync<_>>::check();
    <BottomHandle<'static> as NotSend<_>>::check();
    <TopHandle<'static> as NotSync<_>>::check();
    <TopHandle<'static> as NotSend<_>>::check();
}

#[test]
fn marks_and_handles_are_plain_data() {
    fn is_copy<T: Copy>() {}
    is_copy::<ArenaHandle<String>>();
    is_copy::<ArenaHandle<str>>();
    is_copy::<BottomMark>();
    let arena = leaked(64);
    let handle = arena.alloc_bottom_str("secret").expect("room");
    let text = format!("{handle:?}");
    assert!(text.starts_with("ArenaHandle {") && !text.contains("secret"));
}
