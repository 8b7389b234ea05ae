//! `rlo_alt_bn128_group_op` and `rlo_alt_bn128_compression`.

use abi::imports::Import;
use loader::Access;

use crate::syscalls::guest::{Number, Script, hex};

const ADD: u64 = 0;
const MULTIPLY: u64 = 2;
const PAIRING: u64 = 3;

fn group(operation: u64, input: &[u8]) -> Script {
    let script = Script::new(Import::AltBn128GroupOp).number(operation);
    script.bytes(input).number(input.len() as u64).output(64)
}

fn compression(operation: u64, input: &[u8], output: usize) -> Script {
    let script = Script::new(Import::AltBn128Compression).number(operation);
    script
        .bytes(input)
        .number(input.len() as u64)
        .output(output)
}

/// Each vector: the operation, its name, the input, the result.
fn vectors() -> impl Iterator<Item = (u64, &'static str, Vec<u8>, Vec<u8>)> {
    let lines = include_str!("vectors/alt_bn128.txt").lines();
    let lines = lines.filter(|line| !line.starts_with('#'));
    lines.map(|line| {
        let words: Vec<&str> = line.split(' ').collect();
        let [operation, name, input, expected] = words[..] else {
            panic!("{line}");
        };
        let operation = operation.parse().expect("a number");
        (operation, name, hex(input), hex(expected))
    })
}

#[test]
fn results_are_those_of_ethereum() {
    let mut count = 0;
    for (operation, name, input, expected) in vectors() {
        let done = group(operation, &input).run();
        assert_eq!(done.result, 0, "{operation} {name}");
        assert_eq!(
            done.argument(3, expected.len()),
            expected,
            "{operation} {name}"
        );
        count += 1;
    }
    assert_eq!(count, 11 + 18 + 14);
}

#[test]
fn invalid_inputs_give_no_result() {
    let modulus = "30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd47";
    // Not on the curve; a coordinate that is the modulus; one that has the bits of the crate's
    // flags; one byte too many.
    let not_on_curve = [vec![0; 31], vec![1], vec![0; 31], vec![1]].concat();
    let too_large = [hex(modulus), vec![0; 31], vec![2]].concat();
    let mut flags = [vec![0; 31], vec![1], vec![0; 31], vec![2]].concat();
    flags[32] = 0x80;
    for input in [not_on_curve, too_large, flags] {
        for operation in [ADD, MULTIPLY] {
            assert_eq!(group(operation, &input).run().result, 1);
        }
        let pair = [input, vec![0; 128]].concat();
        assert_eq!(group(PAIRING, &pair).run().result, 1);
    }
    assert_eq!(group(ADD, &[0; 129]).run().result, 1);
    assert_eq!(group(MULTIPLY, &[0; 97]).run().result, 1);
    for length in [1, 191, 193] {
        assert_eq!(group(PAIRING, &vec![0; length]).run().result, 1);
    }
    // The subtraction has a number and nothing else.
    for operation in [1, 4, 0x80, u64::MAX] {
        assert_eq!(group(operation, &[0; 64]).run().result, 1);
    }
}

/// The point (1, 2) generates G1. The highest bit says whether y is the larger of the two.
#[test]
fn a_compressed_point_is_x_and_a_bit() {
    let number = |low: u8| [vec![0; 31], vec![low]].concat();
    let point = [number(1), number(2)].concat();
    let minus_two = hex("30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd45");
    let negated = [number(1), minus_two].concat();
    let mut with_bit = number(1);
    with_bit[0] = 0x80;
    for (point, compressed) in [(point, number(1)), (negated, with_bit)] {
        let done = compression(0, &point, 32).run();
        assert_eq!((done.result, done.argument(3, 32)), (0, &compressed[..]));
        let done = compression(1, &compressed, 64).run();
        assert_eq!((done.result, done.argument(3, 64)), (0, &point[..]));
    }
    // x = 4 has no y.
    assert_eq!(compression(1, &number(4), 64).run().result, 1);
    for (operation, input, output) in [(0, 64, 32), (1, 32, 64), (2, 128, 64), (3, 64, 128)] {
        let done = compression(operation, &vec![0; input], output).run();
        assert_eq!(
            (done.result, done.argument(3, output)),
            (0, &vec![0; output][..])
        );
        for length in [0, input - 1, input + 1] {
            let done = compression(operation, &vec![0; length], output).run();
            assert_eq!(done.result, 1, "{operation} {length}");
        }
    }
    assert_eq!(compression(4, &[0; 64], 128).run().result, 1);
}

/// The points of Ethereum's vectors come back.
#[test]
fn decompression_undoes_compression() {
    let pairings = vectors().filter(|(operation, ..)| *operation == PAIRING);
    for (_, name, input, _) in pairings.take(6) {
        for pair in input.chunks(192) {
            let (g1, g2) = pair.split_at(64);
            for (operation, point) in [(0, g1), (2, g2)] {
                let compressed = compression(operation, point, point.len() / 2).run();
                assert_eq!(compressed.result, 0, "{name}");
                let compressed = compressed.argument(3, point.len() / 2).to_vec();
                let done = compression(operation + 1, &compressed, point.len()).run();
                assert_eq!(
                    (done.result, done.argument(3, point.len())),
                    (0, point),
                    "{name}"
                );
            }
        }
    }
}

#[test]
fn wild_addresses_and_lengths_are_rejected() {
    for (operation, length, output) in [(ADD, 128, 64), (MULTIPLY, 96, 64), (PAIRING, 192, 32)] {
        let script = group(operation, &vec![0; length]);
        script.reject_wild(&[(1, length as u64, Access::Read), (3, output, Access::Write)]);
    }
    for (operation, length, output) in [(0, 64, 32), (1, 32, 64), (2, 128, 64), (3, 64, 128)] {
        let script = compression(operation, &vec![0; length], output as usize);
        script.reject_wild(&[(1, length as u64, Access::Read), (3, output, Access::Write)]);
    }
    // The price of so many pairs is too high, or they are in no memory.
    for length in [192 << 20, 1 << 40, u64::MAX] {
        let failure = group(PAIRING, &[]).with(2, Number(length)).fail();
        assert!(
            matches!(failure.kind(), "InvalidPointer" | "OutOfGas"),
            "{failure}"
        );
    }
}
