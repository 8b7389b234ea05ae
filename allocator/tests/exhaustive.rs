//! Every sequence of a few operations up to some length, on a heap of 300 bytes.
//!
//! Each sequence runs on a new heap. The test checks only its last step, because the steps before
//! it are the last steps of shorter sequences.

mod support;

use support::driver::{Operation, Run};
use support::{Algorithm, Buffer, Bump, Memory, Segregated};

/// Short enough that sequences reach the heap's end.
const LENGTH: usize = 300;

/// The operations of the sequences. Those on blocks are tried for each live block.
struct Alphabet {
    /// Size, and the logarithm of the alignment.
    alloc: &'static [(usize, u8)],
    alloc_zeroed: &'static [(usize, u8)],
    realloc: &'static [usize],
}

/// All operations that can follow if there are this many live blocks.
fn choices(alphabet: &Alphabet, live: usize) -> Vec<Operation> {
    let mut choices = Vec::new();
    for &(size, align_bits) in alphabet.alloc {
        choices.push(Operation::Alloc { size, align_bits });
    }
    for &(size, align_bits) in alphabet.alloc_zeroed {
        choices.push(Operation::AllocZeroed { size, align_bits });
    }
    for block in 0..live {
        choices.push(Operation::Dealloc { block });
        for &new_size in alphabet.realloc {
            choices.push(Operation::Realloc { block, new_size });
        }
    }
    choices
}

/// Runs a sequence, and then every longer one up to `depth`. Returns their number.
fn explore<A: Algorithm>(
    buffer: &mut Buffer,
    alphabet: &Alphabet,
    depth: usize,
    sequence: &mut Vec<Operation>,
) -> usize {
    let live = {
        let heap = buffer.start::<A>();
        let mut run = Run::new(&heap);
        sequence.iter().for_each(|operation| run.step(operation));
        if let Some(last) = sequence.last() {
            run.check(last);
        }
        run.live()
    };
    buffer.check_rest();
    if depth == 0 {
        return 1;
    }
    let mut number = 1;
    for choice in choices(alphabet, live) {
        sequence.push(choice);
        number += explore::<A>(buffer, alphabet, depth - 1, sequence);
        sequence.pop();
    }
    number
}

/// Explores at an unaligned base, and at one like a loader's.
fn explore_all<A: Algorithm>(alphabet: &Alphabet, depth: usize) {
    for remainder in [1, 8] {
        let mut buffer = Buffer::new(remainder, LENGTH);
        // Miri interprets the program, and takes as long for sequences that are three steps
        // shorter.
        let depth = if cfg!(miri) { depth - 3 } else { depth };
        let number = explore::<A>(&mut buffer, alphabet, depth, &mut Vec::new());
        assert!(cfg!(miri) || number > 200_000, "only {number} sequences");
    }
}

#[test]
fn bump_to_depth_six() {
    let alphabet = Alphabet {
        alloc: &[(1, 0), (40, 3), (90, 6)],
        alloc_zeroed: &[(33, 0)],
        realloc: &[2, 70],
    };
    explore_all::<Bump>(&alphabet, 6);
}

/// One size of each class and a larger one, so that blocks meet the lists of all classes.
#[test]
fn segregated_to_depth_five() {
    let alphabet = Alphabet {
        alloc: &[(1, 0), (17, 4), (128, 0), (130, 0), (24, 5)],
        alloc_zeroed: &[(33, 0)],
        realloc: &[16, 33, 100, 129],
    };
    explore_all::<Segregated>(&alphabet, 5);
}

/// Fewer sizes and more steps.
#[test]
fn segregated_to_depth_seven() {
    let alphabet = Alphabet {
        alloc: &[(64, 0)],
        alloc_zeroed: &[(16, 0)],
        realloc: &[17, 140],
    };
    explore_all::<Segregated>(&alphabet, 7);
}
