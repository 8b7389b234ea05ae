//! `rlo_poseidon`.

use abi::imports::Import;
use loader::Access;

use crate::syscalls::guest::{Number, Script, hex};

fn poseidon(byte_order: u64, inputs: &[&[u8]]) -> Script {
    let script = Script::new(Import::Poseidon).number(0).number(byte_order);
    script.slices(inputs).output(32)
}

/// The numbers 1 to `count`, big endian.
fn numbers(count: u8) -> Vec<[u8; 32]> {
    let number = |low| {
        let mut number = [0; 32];
        number[31] = low;
        number
    };
    (1..=count).map(number).collect()
}

/// The vectors of circom's library.
#[test]
fn hashes_are_those_of_circom() {
    for (count, expected) in [
        (
            1,
            "29176100eaa962bdc1fe6c654d6a3c130e96a4d1168b33848b897dc502820133",
        ),
        (
            2,
            "115cc0f5e7d690413df64c6b9662e9cf2a3617f2743245519e19607a4417189a",
        ),
        (
            4,
            "299c867db6c1fdd79dcefa40e4510b9837e60ebb1ce0663dbaa525df65250465",
        ),
    ] {
        let inputs = numbers(count);
        let inputs: Vec<&[u8]> = inputs.iter().map(|input| &input[..]).collect();
        let done = poseidon(0, &inputs).run();
        assert_eq!((done.result, done.argument(4, 32)), (0, &hex(expected)[..]));

        let reversed: Vec<Vec<u8>> = inputs
            .iter()
            .map(|input| input.iter().rev().copied().collect())
            .collect();
        let reversed: Vec<&[u8]> = reversed.iter().map(Vec::as_slice).collect();
        let done = poseidon(1, &reversed).run();
        let hash: Vec<u8> = done.argument(4, 32).iter().rev().copied().collect();
        assert_eq!((done.result, hash), (0, hex(expected)));
    }
}

#[test]
fn invalid_inputs_give_no_hash() {
    let modulus = hex("30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001");
    let one = &numbers(1)[0][..];
    for script in [
        poseidon(0, &[]),
        poseidon(0, &[one; 13]),
        poseidon(0, &[&modulus]),
        poseidon(0, &[&[1; 33]]),
        poseidon(0, &[&[]]),
        poseidon(2, &[one]),
        poseidon(0, &[one]).with(0, Number(1)),
        poseidon(0, &[one]).with(3, Number(u64::MAX)),
    ] {
        assert_eq!(script.run().result, 1);
    }
    assert_eq!(poseidon(0, &[one; 12]).run().result, 0);
}

#[test]
fn wild_addresses_are_rejected() {
    let one = &numbers(1)[0][..];
    let script = poseidon(0, &[one, one]);
    script.reject_wild(&[(2, 32, Access::Read), (4, 32, Access::Write)]);
}
