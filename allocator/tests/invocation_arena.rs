//! The arena for the host's bytes: the addresses of its regions, its failures, and the bytes that a
//! program may read.

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

/// Regions fit if their sum does, at any address: the first `N` bytes, with aligned gaps.
fn check_filling<Shift: Default, const N: usize>(guarded: &Guarded<Shift, N>) {
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
        assert_eq!(
            guarded.arena.used(),
            used,
            "a failed allocation changes nothing"
        );
        // Every length that still fits can be allocated.
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
    sweep!(check_filling: 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 23 24 25 31 32 33 63 64 65);
}

fn check_capacity<Shift: Default, const N: usize>(guarded: &Guarded<Shift, N>) {
    assert_eq!(guarded.arena.capacity(), N);
    assert!(guarded.alloc(N + 1, 0).is_none());
    let whole = guarded.alloc(N, 7).expect("the whole capacity");
    guarded.check(&whole);
    assert_eq!(guarded.arena.used(), N);
    assert_eq!(guarded.arena.peak(), N);
    if N > 0 {
        assert!(guarded.alloc(1, 0).is_none());
    }
}

#[test]
fn capacity_holds_at_every_address() {
    sweep!(check_capacity: 0 1 2 3 4 5 6 7 8 9 15 16 17 4095 4096 4097);
}

fn check_huge_lengths<Shift: Default, const N: usize>(guarded: &Guarded<Shift, N>) {
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
        // The second time, with a region before it.
        let _ = guarded.alloc(1, 1);
    }
}

#[test]
fn lengths_do_not_wrap() {
    sweep!(check_huge_lengths: 0 1 7 8 9 4096);
}

fn check_empty_region<Shift: Default, const N: usize>(guarded: &Guarded<Shift, N>) {
    let full = guarded.alloc(N, 1);
    assert!(guarded.arena.alloc(1).is_none() || N == 0);
    let used = guarded.arena.used();
    let empty = guarded.alloc(0, 0).expect("an empty region always fits");
    assert_ne!(empty.address(), 0);
    assert_eq!(guarded.arena.used(), used, "an empty region has no bytes");
    assert_eq!(guarded.arena.bytes(empty.address(), 0), Some([].as_slice()));
    guarded.check(&full.expect("the whole rest"));
}

#[test]
fn empty_region_always_has_an_address() {
    sweep!(check_empty_region: 0 1 7 8 9 64);
}

#[test]
fn empty_arena_rejects_every_size() {
    let guarded = Guarded::<[u32; 1], 0>::new();
    for length in 1..100 {
        assert!(guarded.arena.alloc(length).is_none());
    }
    let address = guarded.alloc(0, 0).expect("empty").address();
    assert_eq!(guarded.arena.bytes(address, 1), None);
    assert_eq!(guarded.arena.peak(), 0);
}

/// A program can read a range around the arena if and only if all of it is allocated.
fn check_readable_ranges<Shift: Default, const N: usize>(guarded: &Guarded<Shift, N>) {
    let first = guarded.alloc(0, 0).expect("empty").address();
    for length in 0..=N {
        let region = guarded.alloc(length, 0xAB).expect("the whole capacity");
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
fn only_allocated_bytes_can_be_read() {
    sweep!(check_readable_ranges: 0 1 7 8 9 33);
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

/// Only the thread of the test below uses it.
// SAFETY: one thread uses it, and writes no bytes that it has borrowed.
static IN_A_STATIC: InvocationArena<100> = unsafe { InvocationArena::new() };

#[test]
fn arena_can_be_a_static() {
    let region = IN_A_STATIC.alloc(100).expect("room");
    assert_eq!(region.addr().get() % 8, 0);
    let bytes: Option<&'static [u8]> = IN_A_STATIC.bytes(region.addr().get(), 100);
    assert_eq!(bytes, Some([0; 100].as_slice()));
    assert_eq!(
        format!("{IN_A_STATIC:?}"),
        "InvocationArena { used: 100, peak: 100, capacity: 100, .. }"
    );
}
