//! Floats: to every integer type and back, and calculations.

use core::hint::black_box;

use crate::Random;

/// Floats at the edges of every integer type, and others.
const SPECIAL: [f64; 36] = [
    0.0,
    -0.0,
    0.5,
    -0.5,
    0.999_999_999_999_999_9,
    1.0,
    -1.0,
    1.5,
    127.0,
    127.999,
    128.0,
    -128.0,
    -129.0,
    255.5,
    256.0,
    32_767.9,
    -32_768.9,
    65_535.0,
    65_536.0,
    2_147_483_647.5,
    2_147_483_648.0,
    -2_147_483_649.0,
    4_294_967_295.0,
    4_294_967_296.0,
    9_223_372_036_854_774_784.0,
    9_223_372_036_854_775_808.0,
    -9_223_372_036_854_775_808.0,
    18_446_744_073_709_549_568.0,
    18_446_744_073_709_551_616.0,
    1.701_411_834_604_692_3e38,
    -1.701_411_834_604_692_3e38,
    3.402_823_669_209_385e38,
    f64::MAX,
    f64::MIN_POSITIVE,
    f64::INFINITY,
    f64::NAN,
];

/// The bits of a float. All that are not numbers have the same, because the sign and the payload of
/// a calculated one depend on the processor.
fn bits(value: f64) -> u64 {
    if value.is_nan() { 1 } else { value.to_bits() }
}

fn bits32(value: f32) -> u64 {
    if value.is_nan() {
        1
    } else {
        value.to_bits().into()
    }
}

fn floats(seed: u64, pass: &mut dyn FnMut(f64)) {
    for value in SPECIAL {
        pass(black_box(value));
    }
    let mut random = Random::new(seed);
    for _ in 0..24 {
        // Any float at all, and one of a usual size.
        pass(f64::from_bits(random.next()));
        pass(random.any_length() as f64 / 1024.0 - 5e7);
    }
}

/// Each float as every integer type, as the language saturates it.
pub fn to_integers(seed: u64, result: &mut dyn FnMut(u64)) {
    floats(seed, &mut |value| {
        let value = black_box(value);
        let single = black_box(value as f32);
        macro_rules! convert {
            ($($integer:ty),*) => {$(
                result(value as $integer as u64);
                result(single as $integer as u64);
            )*};
        }
        convert!(i8, u8, i16, u16, i32, u32, i64, u64, isize, usize);
        macro_rules! convert_wide {
            ($($integer:ty),*) => {$(
                for wide in [value as $integer, single as $integer] {
                    result(wide as u64);
                    result((wide >> 64) as u64);
                }
            )*};
        }
        convert_wide!(i128, u128);
        // And back.
        result(bits(f64::from(value as i32)));
        result(bits(value as i64 as f64));
        result(bits(value as u128 as f64));
        result(bits32(value as i128 as f32));
    });
}

/// Integers of every type as floats.
pub fn from_integers(seed: u64, result: &mut dyn FnMut(u64)) {
    let mut random = Random::new(seed);
    for _ in 0..48 {
        let low = black_box(random.any_length());
        let wide = u128::from(random.any_length()) << 64 | u128::from(low);
        macro_rules! convert {
            ($($integer:ty),*) => {$(
                result(bits(black_box(wide as $integer) as f64));
                result(bits32(black_box(wide as $integer) as f32));
            )*};
        }
        convert!(i8, u8, i16, u16, i32, u32, i64, u64, i128, u128);
        result(bits(-(wide as i128) as f64));
    }
}

/// Sums, products, quotients, remainders, roots that Newton's method finds, comparisons.
pub fn arithmetic(seed: u64, result: &mut dyn FnMut(u64)) {
    let mut before = black_box(1.25);
    floats(seed, &mut |value| {
        result(bits(value + before));
        result(bits(value - before));
        result(bits(value * before));
        result(bits(value / before));
        result(bits(value % before));
        let (single, other) = (value as f32, before as f32);
        result(bits32(single + other));
        result(bits32(single * other - other / single));
        result(bits32(single % other));
        result(bits(f64::from(single)));
        result(bits(value.abs()));
        result(bits(value.clamp(-1e9, 1e9)));
        result(bits(value.min(before).max(-3.5)));
        result(value.total_cmp(&before) as u64);
        result(value.partial_cmp(&before).map_or(9, |order| order as u64));
        result(bits(root(value.abs())));
        if value.is_finite() {
            before = value;
        }
    });
}

/// The square root, by Newton's method: `core` has none.
fn root(value: f64) -> f64 {
    if !(value.is_normal()) {
        return value;
    }
    let mut root = f64::from_bits((value.to_bits() >> 1) + (0x3ff << 51));
    for _ in 0..6 {
        root = 0.5 * (root + value / root);
    }
    root
}
