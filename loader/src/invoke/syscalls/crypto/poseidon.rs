//! Poseidon over the field of alt_bn128, with circom's parameters.
//!
//! Parameters, byte orders and results are those of the runtime's crate `rialo-s-poseidon`. An
//! input is a number of the field, in at most 32 bytes.

use abi::call::Slice;
use ark_bn254::Fr;
use light_poseidon::{Poseidon, PoseidonBytesHasher};

use super::super::Returned;
use super::super::call::Call;
use super::{INVALID, SUCCESS};
use crate::invoke::guest::GuestMemory;

/// The most inputs.
const MAX_INPUTS: u64 = 12;

/// The most bytes of an input.
const MAX_INPUT_LENGTH: u64 = 32;

/// The only parameters: alt_bn128, with the fifth power as S-box.
const BN254_X5: u64 = 0;

/// Hashes 1 to 12 numbers.
pub(in super::super) fn hash<G: GuestMemory>(call: &mut Call<'_, G>) -> Returned {
    let (byte_order, count) = (call.argument(1), call.argument(3));
    if call.argument(0) != BN254_X5 || byte_order > 1 || count > MAX_INPUTS {
        return INVALID;
    }
    call.pay(call.syscalls.prices().poseidon.for_number(count))?;
    let result = call.argument(4);
    call.check_writable(result, 32)?;
    let slices: Vec<Slice> = call.read_list(call.argument(2), count)?;
    if slices.iter().any(|slice| slice.length > MAX_INPUT_LENGTH) {
        return INVALID;
    }
    let inputs = slices
        .iter()
        .map(|slice| call.read_prepaid(slice.address, slice.length));
    let inputs: Vec<Vec<u8>> = inputs.collect::<Result<_, _>>()?;
    let inputs: Vec<&[u8]> = inputs.iter().map(Vec::as_slice).collect();
    let hash = Poseidon::<Fr>::new_circom(inputs.len()).and_then(|mut poseidon| {
        if byte_order == 0 {
            poseidon.hash_bytes_be(&inputs)
        } else {
            poseidon.hash_bytes_le(&inputs)
        }
    });
    let Ok(hash) = hash else {
        return INVALID;
    };
    call.write(result, &hash)?;
    SUCCESS
}
