//! Powers of large numbers modulo a large number.
//!
//! The layout and the result are those of the runtime's crate `rialo-s-big-mod-exp`: numbers are
//! big endian, and modulo 0 and 1 the result is 0. The greatest length is that of the Solana
//! family. The runtime's crate ignores what the syscall returns, so a program whose numbers are
//! longer must fail.

use bytemuck::{Pod, Zeroable};
use num_bigint::BigUint;

use super::super::Returned;
use super::super::call::Call;
use super::SUCCESS;
use crate::error::Failure;
use crate::invoke::guest::GuestMemory;

/// The most bytes of each number.
const MAX_LENGTH: u64 = 512;

/// Where the three numbers are.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Numbers {
    base: u64,
    base_length: u64,
    exponent: u64,
    exponent_length: u64,
    modulus: u64,
    modulus_length: u64,
}

/// Writes the power, in as many bytes as the modulus has.
pub(in super::super) fn power<G: GuestMemory>(call: &mut Call<'_, G>) -> Returned {
    let numbers: [u8; size_of::<Numbers>()] = call.read_array(call.argument(0))?;
    let numbers: Numbers = bytemuck::pod_read_unaligned(&numbers);
    let lengths = [
        ("base", numbers.base_length),
        ("exponent", numbers.exponent_length),
        ("modulus", numbers.modulus_length),
    ];
    for (name, length) in lengths {
        if length > MAX_LENGTH {
            return Err(Failure::SyscallFailed {
                symbol: call.syscall.symbol().to_owned(),
                reason: format!("the {name} has {length} bytes, and the limit is {MAX_LENGTH}"),
            });
        }
    }
    let longest = numbers.base_length.max(numbers.modulus_length);
    let price = call.syscalls.prices().big_mod_exp;
    call.pay(price.of(longest, numbers.exponent_length))?;
    let result = call.argument(1);
    call.check_writable(result, numbers.modulus_length)?;
    let base = call.read_prepaid(numbers.base, numbers.base_length)?;
    let exponent = call.read_prepaid(numbers.exponent, numbers.exponent_length)?;
    let modulus = call.read_prepaid(numbers.modulus, numbers.modulus_length)?;
    call.write(result, &modular_power(&base, &exponent, &modulus))?;
    SUCCESS
}

fn modular_power(base: &[u8], exponent: &[u8], modulus: &[u8]) -> Vec<u8> {
    let mut power = vec![0; modulus.len()];
    let number = BigUint::from_bytes_be;
    let modulus = number(modulus);
    if modulus > BigUint::from(1_u8) {
        let bytes = number(base)
            .modpow(&number(exponent), &modulus)
            .to_bytes_be();
        let start = power.len() - bytes.len();
        power[start..].copy_from_slice(&bytes);
    }
    power
}
