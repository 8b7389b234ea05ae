//! The arena for the host's bytes, in pages: the addresses of its regions, the bytes that a program
//! may read, and its memory over many calls.

mod support;

use allocator::{PAGE_SIZE, PageMemory, PagedInvocationArena};
use proptest::prelude::*;

use support::room::Room;
use support::{Ground, Memory, Pages};

/// Remainders of the address of page 0, which is 0 in a module.
const REMAINDERS: [usize; 4] = [0, 1, 8, 4095];

#[test]
fn no_memory_before_the_first_nonempty_region() {
    let pages = Pages::new(0, 2, 8);
    let mut room = Room::over(&pages);
    let empty = room.alloc(0).expect("an empty region");
    assert_ne!(empty.pointer.addr().get(), 0);
    assert_eq!(room.arena.bytes(empty.pointer.addr().get(), 1), None);
    assert_eq!((pages.count(), room.arena.capacity()), (2, 0));
    for address in [0, 1, 7, 9, usize::MAX] {
        for length in [0, 1, usize::MAX] {
            assert_eq!(
                room.arena.bytes(address, length),
                None,
                "{length} at {address}"
            );
        }
    }
    room.alloc(1).expect("a page");
    assert_eq!((pages.count(), room.arena.capacity()), (3, PAGE_SIZE));
    assert_eq!(
        format!("{:?}", room.arena),
        "PagedInvocationArena { used: 1, capacity: 65536, .. }"
    );
    room.check();
}

#[test]
fn page_is_used_to_its_last_byte() {
    for remainder in REMAINDERS {
        let padding = remainder.wrapping_neg() % 8;
        let pages = Pages::new(remainder, 1, 4);
        let mut room = Room::over(&pages);
        room.alloc(PAGE_SIZE - padding)
            .expect("the rest of the page");
        assert_eq!(pages.count(), 2);
        room.alloc(PAGE_SIZE - padding + 1)
            .expect("more than a page");
        assert_eq!(pages.count(), 4);
        room.check();
        assert!(room.alloc(PAGE_SIZE).is_none());
        room.check();
    }
}

#[test]
fn region_may_fill_the_memory() {
    let pages = Pages::new(0, 1, 40);
    let mut room = Room::over(&pages);
    assert!(room.alloc(39 * PAGE_SIZE + 1).is_none());
    room.alloc(39 * PAGE_SIZE).expect("all pages");
    room.check();
    let lengths = [
        usize::MAX,
        usize::MAX - 7,
        usize::MAX - 8,
        1 << 63,
        (1 << 63) - 1,
        1 << 32,
    ];
    for length in lengths {
        assert!(room.alloc(length).is_none(), "{length}");
        let address = room.regions[0].addresses().start;
        assert_eq!(room.arena.bytes(address, length), None);
        assert_eq!(room.arena.bytes(address.wrapping_sub(1), length), None);
    }
    room.check();
}

#[test]
fn pieces_double_while_they_fit() {
    let pages = Pages::new(0, 0, 13);
    let mut room = Room::over(&pages);
    let mut counts = Vec::new();
    while room.alloc(PAGE_SIZE).is_some() {
        counts.push(pages.count());
    }
    // 1, 1, 2 and 4 pages. Then there are fewer than 8, so the arena adds single pages.
    assert_eq!(counts, [1, 2, 4, 4, 8, 8, 8, 8, 9, 10, 11, 12, 13]);
    room.check();
    room.reset();
    assert_eq!(
        (0..)
            .take_while(|_| room.alloc(PAGE_SIZE).is_some())
            .count(),
        13
    );
    assert_eq!(pages.count(), 13);
}

#[test]
fn at_most_seventeen_pieces_are_not_doubled() {
    let pages = Pages::new(0, 0, 40);
    let mut room = Room::over(&pages);
    // The memory has room for one region of this length, so no piece can double.
    room.alloc(20 * PAGE_SIZE).expect("half of the memory");
    let more = (0..)
        .take_while(|_| room.alloc(PAGE_SIZE).is_some())
        .count();
    // The second piece has the length of the first, and no page is left.
    assert_eq!((more, pages.count()), (20, 40));

    let pages = Pages::new(0, 0, 50);
    let mut room = Room::over(&pages);
    room.alloc(26 * PAGE_SIZE)
        .expect("more than half of the memory");
    let more = (0..)
        .take_while(|_| room.alloc(PAGE_SIZE).is_some())
        .count();
    assert_eq!((more, pages.count()), (16, 26 + 16));
    assert!(room.alloc(1).is_none());
    room.check();
}

#[test]
fn a_region_is_not_spread_over_others_pages() {
    let pages = Pages::new(0, 0, 9);
    let mut room = Room::over(&pages);
    let low = room.alloc(10).expect("a page");
    pages.others_take(1);
    let high = room.alloc(PAGE_SIZE).expect("a page after the others'");
    assert_eq!(high.addresses().start, pages.address(2));
    // The rest of the first page is still free for short regions.
    let small = room.alloc(100).expect("room");
    assert_eq!(small.addresses().start, low.addresses().start + 16);
    // A readable range must not span both.
    let across = high.addresses().end - low.addresses().start;
    assert_eq!(room.arena.bytes(low.addresses().start, across), None);
    assert_eq!(room.arena.bytes(pages.address(1), 1), None);
    room.check();
}

#[test]
fn pages_taken_during_a_growth_stay_foreign() {
    let pages = Pages::new(0, 0, 9);
    let mut room = Room::over(&pages);
    (&pages).others_race();
    let low = room.alloc(10).expect("a page");
    assert_eq!(low.addresses().start, pages.address(1));
    (&pages).others_race();
    let high = room.alloc(PAGE_SIZE).expect("a page");
    assert_eq!(high.addresses().start, pages.address(3));
    room.check();
}

#[test]
fn kept_regions_stay_and_are_not_readable() {
    let pages = Pages::new(0, 1, 9);
    let mut room = Room::over(&pages);
    let before = room.alloc(10).expect("room");
    let input = room.alloc(21).expect("room");
    let behind = room.alloc(30).expect("room");
    room.reset_retaining(input);
    for gone in [before, input, behind] {
        let addresses = gone.addresses();
        assert_eq!(room.arena.bytes(addresses.start, gone.length), None);
        assert_eq!(room.arena.bytes(addresses.end, 0), None);
    }
    // The next region follows it, and only that one can be read.
    let next = room.alloc(5).expect("room");
    assert_eq!(next.addresses().start, input.addresses().start + 24);
    assert_eq!(room.arena.bytes(next.addresses().start - 4, 1), None);
    room.check();
    room.reset();
    assert_eq!(room.alloc(1).expect("room").pointer, before.pointer);
}

#[test]
fn foreign_regions_are_not_kept() {
    let pages = Pages::new(0, 1, 9);
    let mut room = Room::over(&pages);
    let only = room.alloc(16).expect("room");
    let start = only.addresses().start;
    for (address, length) in [
        (start, 0),
        (start, 17),
        (start - 1, 8),
        (start + 16, 1),
        (start + 100, 8),
        (0, 8),
        (pages.address(0), 8),
        (start, usize::MAX),
        (usize::MAX, 1),
        (usize::MAX, usize::MAX),
    ] {
        // SAFETY: the region is not used.
        unsafe { room.arena.reset_retaining(address, length) };
        assert_eq!(room.arena.used(), 0, "{length} bytes at {address:x}");
        room.regions.clear();
        assert_eq!(room.alloc(16).expect("room").pointer, only.pointer);
    }
}

/// A memory in which every growth ends at an unusable page.
struct Odd {
    before: usize,
    first: usize,
}

// SAFETY: the arena uses none of its pages.
unsafe impl PageMemory for Odd {
    fn pages(&self) -> usize {
        self.before
    }

    fn grow(&self, _pages: usize) -> Option<usize> {
        Some(self.first)
    }

    fn page(&self, number: usize) -> *mut u8 {
        core::ptr::without_provenance_mut(number.wrapping_mul(PAGE_SIZE))
    }
}

#[test]
fn page_beyond_the_address_space_is_not_used() {
    let last = usize::MAX / PAGE_SIZE;
    // Page 0, and pages that end after the address space, by their number or by their address.
    for (before, first) in [(0, 0), (last, last), (1, last), (1, usize::MAX)] {
        // SAFETY: one thread uses it, and writes no bytes.
        let room = unsafe { PagedInvocationArena::over(Odd { before, first }) };
        assert_eq!(room.alloc(1), None, "page {first:#x}");
        assert_eq!(room.capacity(), 0);
    }
}

/// A call of the arena, or a growth by another user.
#[derive(Clone, Debug)]
enum Step {
    Alloc(usize),
    Reset,
    /// Keeps the region with this index modulo their number.
    ResetExcept(usize),
    OthersTake(usize),
    OthersRace,
    /// A range that starts this many bytes after a region's start.
    Read(usize, isize, usize),
}

fn lengths() -> impl Strategy<Value = usize> {
    prop_oneof![
        6 => 0..100_usize,
        3 => 0..10_000_usize,
        2 => PAGE_SIZE - 20..PAGE_SIZE + 20,
        1 => 0..5 * PAGE_SIZE,
    ]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        8 => lengths().prop_map(Step::Alloc),
        1 => Just(Step::Reset),
        1 => any::<usize>().prop_map(Step::ResetExcept),
        1 => (1..3_usize).prop_map(Step::OthersTake),
        1 => Just(Step::OthersRace),
        4 => (any::<usize>(), -200_000..200_000_isize, lengths())
            .prop_map(|(index, distance, length)| Step::Read(index, distance, length)),
    ];
    prop::collection::vec(step, 1..60)
}

fn check_step(room: &mut Room<'_>, step: &Step) {
    match *step {
        Step::Alloc(length) => {
            room.alloc(length);
        }
        Step::Reset => room.reset(),
        Step::ResetExcept(index) => match room.regions.len() {
            0 => room.reset(),
            count => room.reset_retaining(room.regions[index % count]),
        },
        Step::OthersTake(pages) => room.pages.others_take(pages),
        Step::OthersRace => room.pages.others_race(),
        Step::Read(index, distance, length) => {
            let start = match room.regions.len() {
                0 => room.pages.address(0),
                count => room.regions[index % count].addresses().start,
            };
            let address = start.wrapping_add_signed(distance);
            if room.arena.bytes(address, length).is_some() {
                let wrong = (address..address + length).find(|at| !room.may_return(*at));
                assert_eq!(wrong, None, "{length} bytes at {address:x}");
            }
        }
    }
}

/// One round: allocates the input, resets, allocates more, and resets.
fn serve(room: &mut Room<'_>, round: &[usize]) -> bool {
    let Some((input, more)) = round.split_first() else {
        return true;
    };
    let Some(input) = room.alloc(*input) else {
        room.reset();
        return false;
    };
    room.reset_retaining(input);
    let served = more.iter().all(|length| room.alloc(*length).is_some());
    room.check();
    room.reset();
    served
}

fn rounds() -> impl Strategy<Value = Vec<Vec<usize>>> {
    prop::collection::vec(prop::collection::vec(lengths(), 1..8), 1..8)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 100,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn users_do_not_touch_each_others_memory(
        remainder in prop::sample::select(REMAINDERS.to_vec()),
        limit in 1..60_usize,
        steps in steps(),
    ) {
        let pages = Pages::new(remainder, limit / 8, limit);
        let mut room = Room::over(&pages);
        for step in &steps {
            check_step(&mut room, step);
            room.check();
        }
        pages.check_rest();
    }

    /// A round that has been served takes no more memory when it repeats, whatever rounds were
    /// between.
    #[test]
    fn repeated_rounds_take_no_more_pages(
        rounds in rounds(),
        order in prop::collection::vec(any::<prop::sample::Index>(), 30),
    ) {
        let pages = Pages::new(0, 1, 500);
        let mut room = Room::over(&pages);
        for round in &rounds {
            prop_assert!(serve(&mut room, round));
        }
        let count = pages.count();
        for index in order {
            prop_assert!(serve(&mut room, index.get::<Vec<usize>>(&rounds)));
            prop_assert_eq!(pages.count(), count);
        }
    }

    /// Rounds of any kind, of at most some number of bytes each, take at most four times that
    /// number.
    #[test]
    fn the_longest_round_bounds_the_memory(rounds in rounds()) {
        let pages = Pages::new(0, 1, 500);
        let mut room = Room::over(&pages);
        let aligned = |length: &usize| length.next_multiple_of(8);
        let round_length = |round: &Vec<usize>| round.iter().map(aligned).sum();
        let longest: usize = rounds.iter().map(round_length).max().unwrap_or(0);
        for round in &rounds {
            prop_assert!(serve(&mut room, round));
        }
        prop_assert!(room.arena.capacity() <= 4 * longest.next_multiple_of(PAGE_SIZE));
    }
}
