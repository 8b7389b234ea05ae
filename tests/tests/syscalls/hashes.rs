//! SHA-256, Keccak-256 and BLAKE3.

use abi::imports::Import;
use loader::Access;

use crate::syscalls::guest::{Memory, Number, Script, hex};

fn hash(import: Import, slices: &[&[u8]]) -> Vec<u8> {
    let done = Script::new(import).slices(slices).output(32).run();
    assert_eq!(done.result, 0);
    done.argument(2, 32).to_vec()
}

/// The message of every hash function's example.
const ABC: &[&[u8]] = &[b"abc"];

/// FIPS 180-4, and the million letters of the older FIPS 180-2, cut to what fits.
#[test]
fn sha256_is_that_of_the_standard() {
    let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(hash(Import::Sha256, ABC), hex(expected));
    assert_eq!(hash(Import::Sha256, &[b"a", b"", b"bc"]), hex(expected));
    let expected = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    assert_eq!(hash(Import::Sha256, &[]), hex(expected));
    let expected = "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1";
    let message = b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    assert_eq!(hash(Import::Sha256, &[message]), hex(expected));
}

/// The Keccak team's test vectors, as Ethereum uses them.
#[test]
fn keccak256_is_that_of_ethereum() {
    let expected = "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470";
    assert_eq!(hash(Import::Keccak256, &[]), hex(expected));
    let expected = "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45";
    assert_eq!(hash(Import::Keccak256, ABC), hex(expected));
}

/// The official vectors: `input[i] = i % 251`.
#[test]
fn blake3_is_that_of_the_official_vectors() {
    let expected = "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262";
    assert_eq!(hash(Import::Blake3, &[]), hex(expected));
    let input: Vec<u8> = (0..1_025_u32).map(|index| (index % 251) as u8).collect();
    let expected = "d00278ae47eb27b34faecf67b4fe263f82d5412916c1ffd97c8cb7fb814b8444";
    assert_eq!(hash(Import::Blake3, &[&input]), hex(expected));
    assert_eq!(
        hash(Import::Blake3, &[&input[..7], &input[7..]]),
        hex(expected)
    );
}

#[test]
fn the_hash_may_overlap_the_input() {
    for import in [Import::Sha256, Import::Keccak256, Import::Blake3] {
        let apart = hash(import, &[&[7; 64]]);
        let overlapping = Script::new(import).slices(&[&[7; 64]]).argument(Memory(16));
        assert_eq!(overlapping.run().argument(2, 32), apart);
    }
}

#[test]
fn wild_addresses_are_rejected() {
    for import in [Import::Sha256, Import::Keccak256, Import::Blake3] {
        let script = Script::new(import).slices(ABC).output(32);
        script.reject_wild(&[(0, 16, Access::Read), (2, 32, Access::Write)]);
        // So many slices are in no memory, and the price of the list cannot be paid.
        for count in [1 << 32, 1 << 60, u64::MAX] {
            let failure = script.clone().with(1, Number(count)).fail();
            assert!(
                matches!(failure.kind(), "InvalidPointer" | "OutOfGas"),
                "{failure}"
            );
        }
        // A slice that is in no memory.
        let mut wild = Script::new(import);
        let list = wild.place(&[[0xff; 8], [0xff; 8]].concat());
        let failure = wild.argument(Memory(list)).number(1).output(32).fail();
        assert!(
            matches!(failure.kind(), "InvalidPointer" | "OutOfGas"),
            "{failure}"
        );
    }
}
