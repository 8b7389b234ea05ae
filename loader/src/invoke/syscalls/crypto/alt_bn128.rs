//! Points of the curve alt_bn128, as Ethereum's precompiles have them (EIP-196 and EIP-197), and
//! their compression.
//!
//! Numbers of operations, layouts and results are those of the runtime's crate `rialo-s-bn254`.
//! All numbers are big endian. A point of G1 has 64 bytes, x and y, and a point of G2 has 128, in
//! the order of EIP-197: the second coefficient of x, the first, and so for y. All zeros are the
//! point at infinity.

use ark_bn254::{Bn254, Fq, Fq2, Fr};
use ark_ec::AffineRepr;
use ark_ec::pairing::{Pairing, PairingOutput};
use ark_ec::short_weierstrass::Affine;
use ark_ff::{PrimeField, Zero};
use ark_serialize::{CanonicalDeserialize, CanonicalSerialize, Compress, Validate};

use super::super::Returned;
use super::super::call::Call;
use super::{INVALID, SUCCESS};
use crate::invoke::guest::GuestMemory;
use crate::prices::AltBn128Prices;

/// A point of G1.
type G1Affine = Affine<ark_bn254::g1::Config>;
/// A point of G2.
type G2Affine = Affine<ark_bn254::g2::Config>;

/// Bytes of a number.
const NUMBER: usize = 32;
/// Bytes of a point of G1.
const G1: usize = 2 * NUMBER;
/// Bytes of a point of G2.
const G2: usize = 4 * NUMBER;
/// Bytes of a pair of points.
const PAIR: usize = G1 + G2;

/// An operation of one syscall: the longest input, the length of the result, the price, and the
/// function.
struct Operation {
    longest: u64,
    result: usize,
    price: u64,
    run: fn(&[u8]) -> Option<Vec<u8>>,
}

/// Adds two points of G1, multiplies one, or checks a product of pairings.
pub(in super::super) fn group_operation<G: GuestMemory>(call: &mut Call<'_, G>) -> Returned {
    let prices: &AltBn128Prices = &call.syscalls.prices().alt_bn128;
    let length = call.argument(2);
    let operation = match call.argument(0) {
        0 => Operation {
            longest: 2 * G1 as u64,
            result: G1,
            price: prices.add,
            run: add,
        },
        2 => Operation {
            longest: (G1 + NUMBER) as u64,
            result: G1,
            price: prices.multiply,
            run: multiply,
        },
        3 => {
            let further = (length / PAIR as u64).saturating_sub(1);
            let further = prices.pairing_other.saturating_mul(further);
            Operation {
                longest: u64::MAX,
                result: NUMBER,
                price: prices.pairing_first.saturating_add(further),
                run: check_pairings,
            }
        }
        // The runtime has a number for the subtraction, but not the operation.
        _ => return INVALID,
    };
    run(call, &operation)
}

/// Compresses or decompresses a point.
pub(in super::super) fn compression<G: GuestMemory>(call: &mut Call<'_, G>) -> Returned {
    let prices: &AltBn128Prices = &call.syscalls.prices().alt_bn128;
    let operation = match call.argument(0) {
        0 => Operation {
            longest: G1 as u64,
            result: G1 / 2,
            price: prices.compress_g1,
            run: compress::<G1Affine, G1, NUMBER>,
        },
        1 => Operation {
            longest: G1 as u64 / 2,
            result: G1,
            price: prices.decompress_g1,
            run: decompress::<G1Affine, G1, NUMBER>,
        },
        2 => Operation {
            longest: G2 as u64,
            result: G2 / 2,
            price: prices.compress_g2,
            run: compress::<G2Affine, G2, { 2 * NUMBER }>,
        },
        3 => Operation {
            longest: G2 as u64 / 2,
            result: G2,
            price: prices.decompress_g2,
            run: decompress::<G2Affine, G2, { 2 * NUMBER }>,
        },
        _ => return INVALID,
    };
    run(call, &operation)
}

fn run<G: GuestMemory>(call: &mut Call<'_, G>, operation: &Operation) -> Returned {
    let (input, length, result) = (call.argument(1), call.argument(2), call.argument(3));
    if length > operation.longest {
        return INVALID;
    }
    call.pay(operation.price)?;
    call.check_writable(result, operation.result as u64)?;
    let input = call.read(input, length)?;
    let Some(output) = (operation.run)(&input) else {
        return INVALID;
    };
    call.write(result, &output)?;
    SUCCESS
}

/// Adds two points of G1. Missing bytes are zeros, as in EIP-196.
fn add(input: &[u8]) -> Option<Vec<u8>> {
    let input: [u8; 2 * G1] = padded(input);
    let (left, right) = input.split_at(G1);
    write::<G1Affine>(&(read::<G1Affine>(left)? + read::<G1Affine>(right)?).into())
}

/// Multiplies a point of G1 with a number. Missing bytes are zeros.
fn multiply(input: &[u8]) -> Option<Vec<u8>> {
    let input: [u8; G1 + NUMBER] = padded(input);
    let (point, scalar) = input.split_at(G1);
    let scalar = Fr::from_be_bytes_mod_order(scalar);
    write::<G1Affine>(&(read::<G1Affine>(point)? * scalar).into())
}

/// Whether the product of the pairings is 1: a number, 1 or 0.
fn check_pairings(input: &[u8]) -> Option<Vec<u8>> {
    if !input.len().is_multiple_of(PAIR) {
        return None;
    }
    let pairs = input.chunks_exact(PAIR).map(|pair| {
        let (left, right) = pair.split_at(G1);
        Some((read::<G1Affine>(left)?, read::<G2Affine>(right)?))
    });
    let pairs: Vec<(G1Affine, G2Affine)> = pairs.collect::<Option<_>>()?;
    let (left, right): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
    let product: PairingOutput<Bn254> = Bn254::multi_pairing(left, right);
    let mut result = vec![0; NUMBER];
    // The group of the results is written as a sum.
    result[NUMBER - 1] = u8::from(product.is_zero());
    Some(result)
}

/// A point of `LENGTH` bytes, whose coordinates have `COORDINATE` bytes, in half as many. It need
/// not be on the curve, as in the runtime.
fn compress<P: Point, const LENGTH: usize, const COORDINATE: usize>(
    input: &[u8],
) -> Option<Vec<u8>> {
    let input: &[u8; LENGTH] = input.try_into().ok()?;
    if *input == [0; LENGTH] {
        return Some(vec![0; LENGTH / 2]);
    }
    let input = reversed(input, COORDINATE);
    let point = P::deserialize_with_mode(&input[..], Compress::No, Validate::No).ok()?;
    let mut output = Vec::with_capacity(LENGTH / 2);
    point.serialize_compressed(&mut output).ok()?;
    Some(reversed(&output, COORDINATE))
}

/// The point that was compressed.
fn decompress<P: Point, const LENGTH: usize, const COORDINATE: usize>(
    input: &[u8],
) -> Option<Vec<u8>> {
    if input.len() != LENGTH / 2 {
        return None;
    }
    if input.iter().all(|byte| *byte == 0) {
        return Some(vec![0; LENGTH]);
    }
    let input = reversed(input, COORDINATE);
    let point = P::deserialize_with_mode(&input[..], Compress::Yes, Validate::No).ok()?;
    write(&point)
}

/// A point of G1 or G2.
trait Point: AffineRepr + CanonicalDeserialize + CanonicalSerialize {
    /// Bytes of a coordinate.
    const COORDINATE: usize;

    /// The coordinates, little endian.
    fn coordinates(&self) -> Option<Vec<u8>>;
}

impl Point for G1Affine {
    const COORDINATE: usize = NUMBER;

    fn coordinates(&self) -> Option<Vec<u8>> {
        coordinates::<Fq>(&self.x, &self.y)
    }
}

impl Point for G2Affine {
    const COORDINATE: usize = 2 * NUMBER;

    fn coordinates(&self) -> Option<Vec<u8>> {
        coordinates::<Fq2>(&self.x, &self.y)
    }
}

fn coordinates<F: CanonicalSerialize>(x: &F, y: &F) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(G2);
    x.serialize_uncompressed(&mut bytes).ok()?;
    y.serialize_uncompressed(&mut bytes).ok()?;
    Some(bytes)
}

/// Reads a point that is on the curve, and in the group.
fn read<P: Point>(bytes: &[u8]) -> Option<P> {
    if bytes.iter().all(|byte| *byte == 0) {
        return Some(P::zero());
    }
    // The crate keeps flags in the highest bits of y. A number that has these bits is not a
    // coordinate, and EIP-196 rejects it.
    if bytes[P::COORDINATE] & 0xc0 != 0 {
        return None;
    }
    let bytes = reversed(bytes, P::COORDINATE);
    P::deserialize_with_mode(&bytes[..], Compress::No, Validate::Yes).ok()
}

/// Writes a point. The one at infinity is all zeros.
fn write<P: Point>(point: &P) -> Option<Vec<u8>> {
    if point.is_zero() {
        return Some(vec![0; 2 * P::COORDINATE]);
    }
    Some(reversed(&point.coordinates()?, P::COORDINATE))
}

/// Reverses the bytes of each coordinate.
fn reversed(bytes: &[u8], coordinate: usize) -> Vec<u8> {
    let coordinates = bytes.chunks(coordinate);
    coordinates
        .flat_map(|bytes| bytes.iter().rev().copied())
        .collect()
}

/// Adds zeros at the end. The input is not longer.
fn padded<const N: usize>(input: &[u8]) -> [u8; N] {
    let mut padded = [0; N];
    padded[..input.len()].copy_from_slice(input);
    padded
}
