//! `rlo_big_mod_exp`.

use abi::imports::Import;
use loader::{Access, Failure};
use sha2::{Digest, Sha256};

use crate::syscalls::guest::{Script, hex};

fn power(base: &[u8], exponent: &[u8], modulus: &[u8]) -> Script {
    let script = Script::new(Import::BigModExp);
    script
        .addressed(&[base, exponent, modulus])
        .output(modulus.len())
}

fn result(base: &[u8], exponent: &[u8], modulus: &[u8]) -> Vec<u8> {
    let done = power(base, exponent, modulus).run();
    assert_eq!(done.result, 0);
    done.argument(1, modulus.len()).to_vec()
}

/// The examples of EIP-198.
#[test]
fn powers_are_those_of_ethereum() {
    let exponent = hex("fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2e");
    let modulus = hex("fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f");
    let mut one = [0; 32];
    one[31] = 1;
    assert_eq!(result(&[3], &exponent, &modulus), one);
    assert_eq!(result(&[], &exponent, &modulus), [0; 32]);
}

/// Even moduli, from a calculation in integers.
#[test]
fn lengths_may_differ() {
    for [base, exponent, modulus, expected] in [
        [
            "a6eb8c9ebd69fe29d76d4330f1446beab0c11fdecb91ce375bc8fbbcbde5c099\
             4164d8399f767c45",
            "a63fc1ea36f17fd374c6a5387777330bdbd7210dff076ce2ef87b0b125ec1d7da0",
            "8b617959ce3f1f65a8de5271007814e8a25f2dd97f1cfb10f62827688de6a16a3b0d464138",
            "40ecd8b2d6bbc6bca8e2320f2a83c44b8f5b8af40532cf8d11dc49a2960bc4faf968aad9a9",
        ],
        [
            "92edcf451a1afe87",
            "3fd423",
            "9e30691c238642ea126a1e48cc11d357c30d8b7628dbd25e63b229f1c4069545\
             de11cc9dea959c212e9c82b1478c281d687c966c377b9aa2bb2edb20035b7398",
            "25be5f0bd6f3b3c9ba330940c620b5e118eb08647db5f7c2699b224ec3812424\
             5eb90ac35b67427039655dd65eb5dd2af7fa2f5dfa7a308859bca5930708d2d7",
        ],
    ] {
        assert_eq!(
            result(&hex(base), &hex(exponent), &hex(modulus)),
            hex(expected)
        );
    }
}

/// 2^4096 - 3 * 2^64 as modulus, a seventh of it as base, 2^4096 - 1 as exponent.
#[test]
fn numbers_may_have_512_bytes() {
    let mut modulus = vec![0xff; 512];
    modulus[503] = 0xfd;
    modulus[504..].fill(0);
    let base = divide(&modulus, 7);
    let hash = Sha256::digest(result(&base, &[0xff; 512], &modulus));
    let expected = "b5db30d9ed20cc4501373cfe97e264b1424ea9d73eac63b155f564500caf1bd2";
    assert_eq!(hash[..], hex(expected));
}

fn divide(number: &[u8], divisor: u16) -> Vec<u8> {
    let mut rest = 0;
    let digits = number.iter().map(|digit| {
        let value = rest * 256 + u16::from(*digit);
        rest = value % divisor;
        (value / divisor) as u8
    });
    digits.collect()
}

#[test]
fn modulo_zero_and_one_the_result_is_zero() {
    for modulus in [&[0, 0][..], &[0, 1], &[]] {
        assert_eq!(result(&[5], &[3], modulus), vec![0; modulus.len()]);
    }
    assert_eq!(result(&[5], &[], &[7]), [1]);
}

/// The runtime's crate ignores what the syscall returns, so a program must not go on.
#[test]
fn longer_numbers_end_the_program() {
    for (index, name) in ["base", "exponent", "modulus"].into_iter().enumerate() {
        let mut numbers = [&[1_u8; 32][..]; 3];
        let long = [1; 513];
        numbers[index] = &long;
        let [base, exponent, modulus] = numbers;
        let expected = Failure::SyscallFailed {
            symbol: "rlo_big_mod_exp".to_owned(),
            reason: format!("the {name} has 513 bytes, and the limit is 512"),
        };
        assert_eq!(power(base, exponent, modulus).fail(), expected);
    }
}

#[test]
fn wild_addresses_are_rejected() {
    let script = power(&[1; 32], &[2; 32], &[3; 32]);
    script.reject_wild(&[(0, 48, Access::Read), (1, 32, Access::Write)]);
}
