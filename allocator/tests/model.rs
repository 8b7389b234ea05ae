//! Random calls of every allocator over every source, compared step by step with a model.
//!
//! Heaps over announced memory and over fixed addresses are in `model_once.rs`, because each run
//! needs a process of its own.

mod support;

use allocator::PAGE_SIZE;
use proptest::prelude::*;
use proptest::sample::select;

use support::arena::{self, ArenaOperation};
use support::driver::{Operation, run};
use support::invocation::{self, InvocationOperation};
use support::{Algorithm, Aligned, Buffer, Bump, Hundred, Pages, Segregated};

/// Sizes at the boundaries of the size classes.
const BOUNDARIES: [usize; 15] = [
    1, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129, 255, 257,
];

/// Mostly small sizes, sometimes as long as a buffer or some pages, and rarely impossible ones.
fn sizes(long: usize) -> impl Strategy<Value = usize> {
    prop_oneof![
        10 => 0..=40_usize,
        10 => select(&BOUNDARIES[..]),
        4 => 0..=600_usize,
        3 => 0..=long,
        1 => (0..=70_000_usize).prop_map(|less| isize::MAX as usize - less),
        1 => any::<usize>(),
    ]
}

/// Mostly common alignments, some beyond a page, and rarely any power of two.
fn align_bits() -> impl Strategy<Value = u8> {
    prop_oneof![12 => 0..=4_u8, 4 => 0..=8_u8, 1 => 0..=16_u8, 1 => 0..=64_u8]
}

/// A live block: any of them, the newest, or the one before it.
fn block() -> impl Strategy<Value = usize> {
    prop_oneof![3 => any::<usize>(), 2 => Just(NEWEST), 1 => Just(NEWEST - 1)]
}

/// The driver reduces this modulo the number of live blocks; for up to sixteen of them, the result
/// is the last.
const NEWEST: usize = 720_720 - 1;

fn operation(long: usize) -> impl Strategy<Value = Operation> {
    prop_oneof![
        6 => (sizes(long), align_bits())
            .prop_map(|(size, align_bits)| Operation::Alloc { size, align_bits }),
        6 => (sizes(long), align_bits())
            .prop_map(|(size, align_bits)| Operation::AllocZeroed { size, align_bits }),
        8 => block().prop_map(|block| Operation::Dealloc { block }),
        8 => (block(), sizes(long))
            .prop_map(|(block, new_size)| Operation::Realloc { block, new_size }),
        1 => (0..=2_usize).prop_map(|pages| Operation::OthersTake { pages }),
        1 => Just(Operation::OthersRace),
    ]
}

fn operations(long: usize) -> impl Strategy<Value = Vec<Operation>> {
    prop::collection::vec(operation(long), 0..80)
}

fn remainders() -> impl Strategy<Value = usize> {
    prop_oneof![select(&support::BASES[..]), 0..support::MODULUS]
}

/// A buffer of a few bytes or a few thousand, by its remainder and length, and operations for it.
fn buffers() -> impl Strategy<Value = (usize, usize, Vec<Operation>)> {
    let lengths = prop_oneof![1 => 0..=200_usize, 3 => 0..=4096_usize];
    (remainders(), lengths, operations(4200))
}

fn on_a_buffer<A: Algorithm>((remainder, length, operations): (usize, usize, Vec<Operation>)) {
    run::<A, _>(&mut Buffer::new(remainder, length), &operations);
}

/// A memory of a few pages, by its remainder, the number of other users' pages, the maximum, and
/// operations for it.
fn pages() -> impl Strategy<Value = (usize, usize, usize, Vec<Operation>)> {
    let operations = operations(3 * PAGE_SIZE);
    (remainders(), 0..=3_usize, 0..=12_usize, operations)
}

fn in_pages<A: Algorithm>(
    (remainder, before, limit, operations): (usize, usize, usize, Vec<Operation>),
) {
    run::<A, _>(&mut Pages::new(remainder, before, limit), &operations);
}

/// Operations on an arena: those of an allocator, and marks, rewinds, resets and values.
fn arena_operations() -> impl Strategy<Value = Vec<ArenaOperation>> {
    use ArenaOperation as Do;
    let new = || (any::<bool>(), sizes(4200), align_bits());
    let changed = || (any::<usize>(), sizes(4200), align_bits());
    let operation = prop_oneof![
        8 => new().prop_map(|(top, size, align_bits)| Do::Allocate { top, size, align_bits }),
        6 => new().prop_map(|(top, size, align_bits)| Do::AllocateZeroed { top, size, align_bits }),
        2 => (any::<bool>(), sizes(4200)).prop_map(|(top, size)| Do::Bytes { top, size }),
        10 => any::<usize>().prop_map(|block| Do::Deallocate { block }),
        10 => changed().prop_map(|(block, more, align_bits)| Do::Grow { block, more, align_bits }),
        8 => changed()
            .prop_map(|(block, more, align_bits)| Do::GrowZeroed { block, more, align_bits }),
        10 => changed()
            .prop_map(|(block, less, align_bits)| Do::Shrink { block, less, align_bits }),
        8 => (any::<bool>(), any::<u8>(), 0..40_u8)
            .prop_map(|(top, kind, number)| Do::Keep { top, kind, number }),
        5 => any::<bool>().prop_map(|top| Do::Mark { top }),
        5 => any::<usize>().prop_map(|mark| Do::Rewind { mark }),
        1 => any::<bool>().prop_map(|top| Do::ResetEnd { top }),
        1 => Just(Do::ResetTopUnchecked),
        1 => Just(Do::Reset),
        1 => Just(Do::ResetUnchecked),
        1 => Just(Do::ClearPeaks),
    ];
    prop::collection::vec(operation, 0..80)
}

fn arenas() -> impl Strategy<Value = (usize, usize, Vec<ArenaOperation>)> {
    let lengths = prop_oneof![1 => 0..=200_usize, 3 => 0..=4096_usize];
    (remainders(), lengths, arena_operations())
}

fn on_an_arena((remainder, length, operations): (usize, usize, Vec<ArenaOperation>)) {
    arena::run(remainder, length, &operations);
}

/// Allocations for the host, reads at any address, and resets.
fn invocations() -> impl Strategy<Value = Vec<InvocationOperation>> {
    use InvocationOperation as Do;
    let operation = prop_oneof![
        12 => (0_usize..50).prop_map(Do::Alloc),
        2 => (0_usize..300).prop_map(Do::Alloc),
        1 => any::<usize>().prop_map(Do::Alloc),
        1 => Just(Do::Reset),
        12 => (-20_isize..300, 0_usize..300)
            .prop_map(|(offset, length)| Do::Read { offset, length }),
    ];
    prop::collection::vec(operation, 0..60)
}

/// At addresses of 0 and 4 modulo 8, and with a length that is not a multiple of 8.
fn on_invocation_arenas(operations: Vec<InvocationOperation>) {
    invocation::follow::<[u32; 0], 256>(&operations);
    invocation::follow::<[u32; 1], 256>(&operations);
    invocation::follow::<[u32; 1], 61>(&operations);
}

fn config() -> ProptestConfig {
    ProptestConfig {
        cases: if cfg!(miri) { 4 } else { 400 },
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// Defines a test for each pair of an allocator and a memory.
macro_rules! matches_the_model {
    ($($test:ident: $cases:expr => $run:expr;)*) => {$(
        #[test]
        fn $test() {
            proptest!(config(), |(case in $cases)| $run(case));
        }
    )*};
}

matches_the_model! {
    bump_in_a_buffer: buffers() => on_a_buffer::<Bump>;
    bump_with_state_in_a_buffer: buffers() => on_a_buffer::<Bump<Hundred>>;
    bump_with_aligned_state_in_a_buffer: buffers() => on_a_buffer::<Bump<Aligned>>;
    segregated_in_a_buffer: buffers() => on_a_buffer::<Segregated>;
    bump_in_pages: pages() => in_pages::<Bump>;
    bump_with_state_in_pages: pages() => in_pages::<Bump<Hundred>>;
    bump_with_aligned_state_in_pages: pages() => in_pages::<Bump<Aligned>>;
    segregated_in_pages: pages() => in_pages::<Segregated>;
    arena_in_a_buffer: arenas() => on_an_arena;
    invocation_arena_in_itself: invocations() => on_invocation_arenas;
}
