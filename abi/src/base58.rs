//! The text of 32 bytes in base58, at a price that a guest can pay.
//!
//! The usual way divides the whole number by 58 once for each character, a byte at a time. This one
//! takes the number as eight words of 32 bits, and multiplies each with its place value in base
//! 58^5, which a table has. Each digit of base 58^5 is then five characters.

/// The characters, by their values. The last six are not used: with 64 of them, the compiler sees
/// that an index of six bits is inside.
const ALPHABET: &[u8; 64] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz??????";

/// 58^5: the largest power of 58 below 2^32.
const BASE: u64 = 58_u64.pow(5);

/// Words of 32 bits in 32 bytes.
const WORDS: usize = 8;

/// Digits of base 58^5 that 2^256 - 1 has.
const DIGITS: usize = 9;

/// The most characters of 32 bytes: `58^44 > 2^256 > 58^43`.
pub(crate) const MAX_LENGTH: usize = 44;

/// Characters that all digits together have. The first of them is always of value 0.
pub(crate) const CHARACTERS: usize = DIGITS * 5;

/// `PLACES[word][digit]`: the digits of base 58^5 of 2^(32 * (7 - word)), the most significant
/// first. The first digit of all of them is 0 and is left out.
const PLACES: [[u64; DIGITS - 1]; WORDS] = {
    let mut places = [[0; DIGITS - 1]; WORDS];
    places[WORDS - 1][DIGITS - 2] = 1;
    let mut word = WORDS - 1;
    while word > 0 {
        let mut carry = 0;
        let mut digit = DIGITS - 1;
        while digit > 0 {
            digit -= 1;
            let product = (places[word][digit] << 32) + carry;
            places[word - 1][digit] = product % BASE;
            carry = product / BASE;
        }
        assert!(carry == 0, "the first digit is 0");
        word -= 1;
    }
    places
};

/// No sum of products in [`digits`] passes 64 bits, with the carry from the digit after it.
const _: () = {
    let mut digit = DIGITS - 1;
    let mut carry = 0;
    while digit > 0 {
        digit -= 1;
        let mut sum: u128 = carry;
        let mut word = 0;
        while word < WORDS {
            sum += PLACES[word][digit] as u128 * u32::MAX as u128;
            word += 1;
        }
        assert!(sum <= u64::MAX as u128);
        carry = sum / BASE as u128;
    }
};

/// Returns the digits of base 58^5, the most significant first.
#[inline(always)]
fn digits(bytes: &[u8; 32]) -> [u64; DIGITS] {
    let mut digits = [0; DIGITS];
    let (words, _) = bytes.as_chunks::<4>();
    for (word, places) in words.iter().zip(&PLACES) {
        let word = u64::from(u32::from_be_bytes(*word));
        for (digit, place) in digits[1..].iter_mut().zip(places) {
            *digit += word * place;
        }
    }
    for digit in (1..DIGITS).rev() {
        digits[digit - 1] += digits[digit] / BASE;
        digits[digit] %= BASE;
    }
    digits
}

/// Fraction bits of a digit of base 58^5 in units of 58^4.
const FRACTION: u32 = 53;

/// 2^53 / 58^4, rounded up.
///
/// The product with a digit is too large by less than the digit, so by less than 58^5 / 2^53 of a
/// unit, which is less than the 1 / 58^4 between two values. It has fewer than 60 bits.
const UNIT: u64 = (1 << FRACTION) / 58_u64.pow(4) + 1;

const _: () = assert!((BASE as u128) * 58_u128.pow(4) < 1 << FRACTION);

/// Writes the characters of the bytes to the end of `text`. Returns the place of the first one.
pub(crate) fn encode(bytes: &[u8; 32], text: &mut [u8; CHARACTERS]) -> usize {
    let (groups, _) = text.as_chunks_mut::<5>();
    for (group, digit) in groups.iter_mut().zip(digits(bytes)) {
        let mut rest = digit * UNIT;
        for character in group {
            *character = ALPHABET[(rest >> FRACTION) as usize % ALPHABET.len()];
            rest = (rest & ((1 << FRACTION) - 1)) * 58;
        }
    }
    // Each zero byte at the start is a character of value 0. The number itself starts with another.
    let is_zero = |value: u8| move |byte: &&u8| **byte == value;
    let zeros = bytes.iter().take_while(is_zero(0)).count();
    let start = text.iter().take_while(is_zero(ALPHABET[0])).count();
    start.saturating_sub(zeros)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use std::string::String;

    use super::{CHARACTERS, MAX_LENGTH, encode};

    fn text(bytes: &[u8; 32]) -> String {
        let mut text = [0; CHARACTERS];
        let start = encode(bytes, &mut text);
        core::str::from_utf8(&text[start..]).expect("ASCII").into()
    }

    #[track_caller]
    fn is_equal_to_bs58(bytes: &[u8; 32]) {
        let mut wanted = [0; MAX_LENGTH];
        let length = bs58::encode(bytes).onto(&mut wanted[..]).expect("room");
        let found = text(bytes);
        assert_eq!(found.as_bytes(), &wanted[..length], "{bytes:?}");
    }

    #[test]
    fn edges_are_equal_to_bs58() {
        for fill in [0, 1, 57, 58, 0x7F, 0x80, 0xFF] {
            // As many zero bytes at the start as there can be, and one other byte anywhere.
            for zeros in 0..=32 {
                let mut bytes = [fill; 32];
                bytes[..zeros].fill(0);
                is_equal_to_bs58(&bytes);
            }
            for place in 0..32 {
                let mut bytes = [0; 32];
                bytes[place] = fill;
                is_equal_to_bs58(&bytes);
            }
        }
        assert_eq!(text(&[0; 32]).len(), 32);
        assert_eq!(text(&[0xFF; 32]).len(), MAX_LENGTH);
    }

    /// Around each power of 58, a digit of the text changes from 57 to 0.
    #[test]
    fn powers_of_58_are_equal_to_bs58() {
        let mut power = [0_u8; 32];
        power[31] = 1;
        for _ in 0..MAX_LENGTH {
            let mut below = power;
            for byte in below.iter_mut().rev() {
                let (less, borrows) = byte.overflowing_sub(1);
                *byte = less;
                if !borrows {
                    break;
                }
            }
            is_equal_to_bs58(&below);
            is_equal_to_bs58(&power);
            let mut carry = 0;
            for byte in power.iter_mut().rev() {
                let product = u32::from(*byte) * 58 + carry;
                *byte = product as u8;
                carry = product >> 8;
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_096))]

        #[test]
        fn random_bytes_are_equal_to_bs58(bytes: [u8; 32]) {
            is_equal_to_bs58(&bytes);
        }

        #[test]
        fn short_numbers_are_equal_to_bs58(bytes: [u8; 32], zeros in 0..32_usize) {
            let mut bytes = bytes;
            bytes[..zeros].fill(0);
            is_equal_to_bs58(&bytes);
        }
    }
}
