//! The arena for what the host hands in: where its regions stand, when it refuses, and which bytes
//! it lets a program read.

mod support;

use allocator::InvocationArena;

use support::invocation::Guarded;

/// Calls `$check` for arenas of the lengths, at both remainders of an address.
macro_rules! sweep {
    ($check:ident: $($length:literal)*) => {
        $(
            $check(&*Guarded::<[u32; 0], $length>::new());
            $check(&*Guarded::<[u32; 1], $length>::new());
        )*
    };
}

/// The sum of regions decides, whatever the address: the first `N` bytes fit, aligned gaps counted.
fn fills_up<Shift: Default, const N: usize>(guarded: &Guarded<Shift, N>) {
    for length in 1..=N + 9 {
        let mut regions = Vec::new();
        let mut used = 0;
        loop {
            let start = usize::next_multiple_of(used, 8);
            let fits = start + length <= N;
            let region = guarded.alloc(length, regions.len() as u8 + 1);
            assert_eq!(
                region.is_some(),
                fits,
                "{length} bytes on {used} used of {N}"
            );
            let Some(region) = region else { break };
            used = start + length;
            assert_eq!(guarded.arena.used(), used);
            regions.push(region);
        }
        assert_eq!(guarded.arena.used(), used, "a refusal changes nothing");
        // Whatever still fits behind them does.
        let rest = N.saturating_sub(used.next_multiple_of(8));
        if rest > 0 {
            regions.extend(guarded.alloc(rest, 0xEE));
            assert_eq!(guarded.arena.used(), N);
        }
        assert!(guarded.alloc(1, 0).is_none() || used < N && rest == 0);
        regions.iter().for_each(|region| guarded.check(region));
        guarded.reset(regions);
        assert_eq!(guarded.arena.used(), 0);
    }
}

#[test]
fn every_length_fills_every_capacity() {
    sweep!(fills_up: 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 23 24 25 31 32 33 63 64 65);
}

fn takes_all_at_once<Shift: Default, const N: usize>(guarded: &Guarded<Shift, N>) {
    assert_eq!(guarded.arena.capacity(), N);
    assert!(guarded.alloc(N + 1, 0).is_none());
    let whole = guarded.alloc(N, 7).expect("as much as there is");
    guarded.check(&whole);
    assert_eq!(guarded.arena.used(), N);
    assert_eq!(guarded.arena.peak(), N);
    if N > 0 {
        assert!(guarded.alloc(1, 0).is_none());
    }
}

#[test]
fn capacity_holds_at_every_address() {
    sweep!(takes_all_at_once: 0 1 2 3 4 5 6 7 8 9 15 16 17 4095 4096 4097);
}

fn refuses_huge_lengths<Shift: Default, const N: usize>(guarded: &Guarded<Shift, N>) {
    let lengths = [
        usize::MAX,
        usize::MAX - 1,
        usize::MAX - 7,
        usize::MAX - 8,
        usize::MAX - N,
        isize::MAX as usize,
        1 << 32,
        (1 << 32) - 1,
        (1 << 32) + 1,
        1 << 31,
    ];
    for _ in 0..2 {
        let used = guarded.arena.used();
        for length in lengths {
            assert!(guarded.arena.alloc(length).is_none(), "{length}");
            assert_eq!(guarded.arena.used(), used);
        }
        // The second time with a region in the way.
        let _ = guarded.alloc(1, 1);
    }
}

#[test]
fn no_length_wraps() {
    sweep!(refuses_huge_lengths: 0 1 7 8 9 4096);
}

fn empty_is_not_no_room<Shift: Default, const N: usize>(guarded: &Guarded<Shift, N>) {
    let full = guarded.alloc(N, 1);
    assert!(guarded.arena.alloc(1).is_none() || N == 0);
    let used = guarded.arena.used();
    let empty = guarded.alloc(0, 0).expect("an empty region always fits");
    assert_ne!(empty.address(), 0);
    assert_eq!(guarded.arena.used(), used, "an empty region takes nothing");
    assert_eq!(guarded.arena.bytes(empty.address(), 0), Some([].as_slice()));
    guarded.check(&full.expect("as much as there is"));
}

#[test]
fn empty_region_always_has_an_address() {
    sweep!(empty_is_not_no_room: 0 1 7 8 9 64);
}

#[test]
fn empty_arena_refuses_every_size() {
    let guarded = Guarded::<[u32; 1], 0>::new();
    for length in 1..100 {
        assert!(guarded.arena.alloc(length).is_none());
    }
    let address = guarded.alloc(0, 0).expect("empty").address();
    assert_eq!(guarded.arena.bytes(address, 1), None);
    assert_eq!(guarded.arena.peak(), 0);
}

/// Every range around the arena is lent if, and only if, all of it was handed out.
fn only_what_was_handed_out<Shift: Default, const N: usize>(guarded: &Guarded<Shift, N>) {
    let first = guarded.alloc(0, 0).expect("empty").address();
    for length in 0..=N {
        let region = guarded.alloc(length, 0xAB).expect("all of it");
        assert_eq!(region.address(), first);
        let end = first + length;
        for address in first - 20..end + 20 {
            for length in 0..=N + 30 {
                let inside = address >= first && address + length <= end;
                let bytes = guarded.arena.bytes(address, length);
                assert_eq!(bytes.is_some(), inside, "{length} bytes at {address:#x}");
                if let Some(bytes) = bytes {
                    assert_eq!((bytes.as_ptr().addr(), bytes.len()), (address, length));
                }
            }
            for length in [usize::MAX, usize::MAX - address, usize::MAX - address + 1] {
                assert_eq!(guarded.arena.bytes(address, length), None);
            }
        }
        for address in [0, 1, 8, usize::MAX, usize::MAX - 7, first.wrapping_neg()] {
            for length in [0, 1, N, usize::MAX] {
                assert_eq!(guarded.arena.bytes(address, length), None);
            }
        }
        guarded.reset(vec![region]);
        assert_eq!(guarded.arena.bytes(first, 1), None, "taken back");
    }
}

#[test]
fn only_bytes_that_were_handed_out_can_be_read() {
    sweep!(only_what_was_handed_out: 0 1 7 8 9 33);
}

#[test]
fn the_peak_outlives_resets() {
    let guarded = Guarded::<[u32; 0], 64>::new();
    let mut peaks = Vec::new();
    for length in [10, 40, 20, 64, 1] {
        let region = guarded.alloc(length, 1).expect("room");
        assert_eq!(guarded.arena.used(), length);
        peaks.push(guarded.arena.peak());
        guarded.reset(vec![region]);
        assert_eq!(guarded.arena.used(), 0);
        assert_eq!(guarded.arena.peak(), peaks[peaks.len() - 1]);
    }
    assert_eq!(peaks, [10, 40, 40, 64, 64]);
}

#[test]
fn region_keeps_its_old_bytes() {
    let guarded = Guarded::<[u32; 1], 16>::new();
    let pointer = guarded.arena.alloc(16).expect("room");
    let address = pointer.addr().get();
    assert_eq!(guarded.arena.bytes(address, 16), Some([0; 16].as_slice()));
    guarded.reset(Vec::new());
    let region = guarded.alloc(8, 9).expect("room");
    guarded.reset(vec![region]);
    assert_eq!(guarded.arena.alloc(16), Some(pointer));
    let left = [[9; 8], [0; 8]].concat();
    assert_eq!(guarded.arena.bytes(address, 16), Some(left.as_slice()));
}

/// Used by one thread, the one of the test below.
// SAFETY: one thread, as said, which writes no bytes that it has borrowed.
static IN_A_STATIC: InvocationArena<100> = unsafe { InvocationArena::new() };

#[test]
fn it_can_be_a_static() {
    let region = IN_A_STATIC.alloc(100).expect("room");
    assert_eq!(region.addr().get() % 8, 0);
    let bytes: Option<&'static [u8]> = IN_A_STATIC.bytes(region.addr().get(), 100);
    assert_eq!(bytes, Some([0; 100].as_slice()));
    assert_eq!(
        format!("{IN_A_STATIC:?}"),
        "InvocationArena { used: 100, peak: 100, capacity: 100, .. }"
    );
}
