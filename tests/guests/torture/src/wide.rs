//! Numbers of 128 bits, and narrow ones.

use core::hint::black_box;

use crate::Random;

/// 128-bit products, quotients and remainders, signed and unsigned, shifts, and roots.
pub fn results(seed: u64, result: &mut dyn FnMut(u64)) {
    let mut both = |value: u128| {
        result(value as u64);
        result((value >> 64) as u64);
    };
    let mut random = Random::new(seed);
    for round in 0..40 {
        let mut wide = || {
            let high = random.any_length() & (random.next() % 3).wrapping_sub(1);
            black_box(u128::from(high) << 64 | u128::from(random.any_length()))
        };
        let (one, another) = (wide(), wide());
        both(one.wrapping_mul(another));
        both(one.checked_mul(another).unwrap_or(7));
        both(one.checked_div(another).unwrap_or(8));
        both(one.checked_rem(another).unwrap_or(9));
        both(one.saturating_add(another << (round % 128)));
        let (signed, other) = (one as i128, (another as i128).wrapping_neg());
        both(signed.wrapping_mul(other) as u128);
        both(signed.checked_div(other).unwrap_or(-8) as u128);
        both(signed.checked_rem(other).unwrap_or(-9) as u128);
        both(signed.div_euclid(other | 1) as u128);
        both(signed.rem_euclid(other | 1) as u128);
        both((signed >> (round % 128)) as u128);
        both(one.rotate_left(round) ^ another.swap_bytes());
        both(one.isqrt());
        both(u128::from(
            one.leading_zeros() + another.trailing_zeros() + one.count_ones(),
        ));
        both(one.abs_diff(another));
        both(u128::from(one.cmp(&another) as u8));
    }
    both(i128::MIN.wrapping_div(black_box(-1)) as u128);
    both(i128::MIN.wrapping_rem(black_box(-1)) as u128);
}

/// The same operations on numbers of 8 to 64 bits.
pub fn narrow(seed: u64, result: &mut dyn FnMut(u64)) {
    let mut random = Random::new(seed);
    for round in 0..24 {
        let (one, another) = (
            black_box(random.any_length()),
            black_box(random.any_length()),
        );
        macro_rules! operate {
            ($($integer:ty),*) => {$({
                let (one, another) = (one as $integer, another as $integer);
                result(one.wrapping_mul(another) as u64);
                result(one.checked_mul(another).unwrap_or(7) as u64);
                result(one.checked_div(another).unwrap_or(8) as u64);
                result(one.checked_rem(another).unwrap_or(9) as u64);
                result(one.overflowing_add(another).0 as u64);
                result(u64::from(one.overflowing_sub(another).1));
                result(one.wrapping_shr(round) as u64);
                result(one.wrapping_shl(round) as u64);
                result(one.rotate_right(round) as u64);
                result(one.saturating_sub(another) as u64);
                result(one.swap_bytes() as u64);
                result(one.leading_zeros().into());
                result(one.trailing_zeros().into());
                result(one.checked_pow(round % 5).unwrap_or(6) as u64);
            })*};
        }
        operate!(i8, u8, i16, u16, i32, u32, i64, u64, isize, usize);
    }
}
