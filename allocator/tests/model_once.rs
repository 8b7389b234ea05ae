//! Random calls of heaps that exist once in a process, compared with the same model: an announced
//! heap, and a heap at a fixed address. Each run has a process of its own.
#![cfg(not(miri))]

mod support;

use support::decode::Case;
use support::driver::run;
use support::{Algorithm, Aligned, Announced, Bump, Hundred, Segregated, in_its_own_process};

/// Random bytes, which are the same in each run. [`Case::decode`] gives their meaning.
fn inputs() -> impl Iterator<Item = Vec<u8>> {
    let mut state = 0x5EED_u64;
    let mut next = move || {
        // The generator of Knuth's MMIX, whose high bits are the random ones.
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    (0..25).map(move |_| (0..200).map(|_| next()).collect())
}

fn announced<A: Algorithm>(input: &[u8]) {
    let case = Case::decode(input);
    let mut memory = Announced::new(case.remainder, case.length);
    run::<A, _>(&mut memory, &case.operations);
}

macro_rules! matches_the_model {
    ($($test:ident: $run:expr;)*) => {$(
        #[test]
        fn $test() {
            in_its_own_process(stringify!($test), inputs(), $run);
        }
    )*};
}

matches_the_model! {
    bump_as_announced: announced::<Bump>;
    bump_with_state_as_announced: announced::<Bump<Hundred>>;
    bump_with_aligned_state_as_announced: announced::<Bump<Aligned>>;
    segregated_as_announced: announced::<Segregated>;
}

#[cfg(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64")
))]
mod at_a_fixed_address {
    use super::support::Mapped;
    use super::*;

    /// A base as in a guest: eight bytes after the start of a page, right after the program's data.
    fn like_a_loaders<A: Algorithm>(input: &[u8]) {
        run::<A, _>(
            &mut Mapped::<0x30008, 0xff8>,
            &Case::decode(input).operations,
        );
    }

    /// Unaligned at its start and its end.
    fn odd<A: Algorithm>(input: &[u8]) {
        run::<A, _>(
            &mut Mapped::<0x7000_0f3b, 777>,
            &Case::decode(input).operations,
        );
    }

    /// Too short for a header.
    fn tiny<A: Algorithm>(input: &[u8]) {
        run::<A, _>(
            &mut Mapped::<0x7000_0f3b, 7>,
            &Case::decode(input).operations,
        );
    }

    /// Only a header.
    fn empty<A: Algorithm>(input: &[u8]) {
        run::<A, _>(
            &mut Mapped::<0x7000_0f3b, 8>,
            &Case::decode(input).operations,
        );
    }

    macro_rules! matches_the_model {
        ($($test:ident: $run:expr;)*) => {$(
            #[test]
            fn $test() {
                let test = concat!("at_a_fixed_address::", stringify!($test));
                in_its_own_process(test, inputs(), $run);
            }
        )*};
    }

    matches_the_model! {
        bump_like_a_loaders: like_a_loaders::<Bump>;
        bump_with_state_like_a_loaders: like_a_loaders::<Bump<Hundred>>;
        segregated_like_a_loaders: like_a_loaders::<Segregated>;
        bump_at_an_odd_place: odd::<Bump<Aligned>>;
        segregated_at_an_odd_place: odd::<Segregated>;
        bump_with_nothing_but_a_header: empty::<Bump>;
        segregated_with_nothing_but_a_header: empty::<Segregated>;
        bump_without_room: tiny::<Bump>;
        segregated_without_room: tiny::<Segregated>;
    }
}
