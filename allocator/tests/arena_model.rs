//! Random programs on the arena, held step by step to a reference model.

mod support;

use proptest::prelude::*;

use support::arena::{ArenaOperation, run};

/// Mostly small, sometimes as long as the buffer, and now and then absurd.
fn sizes() -> impl Strategy<Value = usize> {
    prop_oneof![
        12 => 0..=40_usize,
        4 => 0..=600_usize,
        1 => 0..=4200_usize,
        1 => (0..=70_000_usize).prop_map(|less| isize::MAX as usize - less),
        1 => any::<usize>(),
    ]
}

/// Mostly what programs ask for; up to beyond a page; and now and then every power there is.
fn align_bits() -> impl Strategy<Value = u8> {
    prop_oneof![12 => 0..=4_u8, 4 => 0..=8_u8, 1 => 0..=16_u8, 1 => 0..=64_u8]
}

/// Any of the blocks or marks that there are: the driver counts modulo their number.
fn choice() -> impl Strategy<Value = usize> {
    any::<usize>()
}

fn operations() -> impl Strategy<Value = Vec<ArenaOperation>> {
    use ArenaOperation as Do;
    let new = || (any::<bool>(), sizes(), align_bits());
    let changed = || (choice(), sizes(), align_bits());
    let operation = prop_oneof![
        8 => new().prop_map(|(top, size, align_bits)| Do::Allocate { top, size, align_bits }),
        6 => new().prop_map(|(top, size, align_bits)| Do::AllocateZeroed { top, size, align_bits }),
        2 => (any::<bool>(), sizes()).prop_map(|(top, size)| Do::Bytes { top, size }),
        10 => choice().prop_map(|block| Do::Deallocate { block }),
        10 => changed().prop_map(|(block, more, align_bits)| Do::Grow { block, more, align_bits }),
        8 => changed()
            .prop_map(|(block, more, align_bits)| Do::GrowZeroed { block, more, align_bits }),
        10 => changed().prop_map(|(block, less, align_bits)| Do::Shrink { block, less, align_bits }),
        8 => (any::<bool>(), any::<u8>(), 0..40_u8)
            .prop_map(|(top, kind, number)| Do::Keep { top, kind, number }),
        5 => any::<bool>().prop_map(|top| Do::Mark { top }),
        5 => choice().prop_map(|mark| Do::Rewind { mark }),
        1 => any::<bool>().prop_map(|top| Do::ResetEnd { top }),
        1 => Just(Do::ResetTopUnchecked),
        1 => Just(Do::Reset),
        1 => Just(Do::ResetUnchecked),
        1 => Just(Do::ClearPeaks),
    ];
    prop::collection::vec(operation, 0..80)
}

fn remainders() -> impl Strategy<Value = usize> {
    prop_oneof![
        prop::sample::select(&support::BASES[..]),
        0..support::MODULUS
    ]
}

fn lengths() -> impl Strategy<Value = usize> {
    prop_oneof![1 => 0..=200_usize, 3 => 0..=4096_usize]
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 1000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn an_arena_does_what_the_model_says(
        remainder in remainders(), length in lengths(), operations in operations(),
    ) {
        run(remainder, length, &operations);
    }
}
