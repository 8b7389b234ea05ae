//! Random programs on the bump heap, held step by step to a reference model.

mod support;

use core::cell::Cell;

use bytemuck::Zeroable;
use proptest::prelude::*;

use support::model::{Operation, run};

/// Global state that moves the first block to an awkward place.
#[derive(Zeroable)]
#[repr(C, align(64))]
struct Aligned(Cell<u8>);

/// A hundred bytes, in arrays as short as `Zeroable` is implemented for.
type Hundred = [[Cell<u8>; 25]; 4];

/// Mostly small, sometimes as long as the heap, and now and then absurd.
fn sizes() -> impl Strategy<Value = usize> {
    prop_oneof![
        12 => 0..=40_usize,
        4 => 0..=600_usize,
        2 => 0..=4200_usize,
        1 => (0..=70_000_usize).prop_map(|less| isize::MAX as usize - less),
        1 => any::<usize>(),
    ]
}

/// Mostly what programs ask for; up to beyond a page; and now and then every power there is.
fn align_bits() -> impl Strategy<Value = u8> {
    prop_oneof![12 => 0..=4_u8, 4 => 0..=8_u8, 1 => 0..=16_u8, 1 => 0..=64_u8]
}

fn operations() -> impl Strategy<Value = Vec<Operation>> {
    let operation = prop_oneof![
        3 => (sizes(), align_bits())
            .prop_map(|(size, align_bits)| Operation::Alloc { size, align_bits }),
        3 => (sizes(), align_bits())
            .prop_map(|(size, align_bits)| Operation::AllocZeroed { size, align_bits }),
        4 => any::<usize>().prop_map(|block| Operation::Dealloc { block }),
        4 => (any::<usize>(), sizes())
            .prop_map(|(block, new_size)| Operation::Realloc { block, new_size }),
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

fn config() -> ProptestConfig {
    ProptestConfig {
        cases: 400,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_heap_does_what_the_model_says(
        remainder in remainders(), length in lengths(), operations in operations(),
    ) {
        run::<()>(remainder, length, &operations);
    }

    #[test]
    fn a_heap_with_global_state_does_what_the_model_says(
        remainder in remainders(), length in lengths(), operations in operations(),
    ) {
        run::<Hundred>(remainder, length, &operations);
    }

    #[test]
    fn a_heap_with_aligned_global_state_does_what_the_model_says(
        remainder in remainders(), length in lengths(), operations in operations(),
    ) {
        run::<Aligned>(remainder, length, &operations);
    }
}
