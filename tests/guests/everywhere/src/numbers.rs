//! Calculations.

use core::hint::black_box;

use entrypoint::msg;

pub fn integers(a: u64, b: u64, c: u64) {
    let mut hash = a;
    let mut mix =
        |value: u64| hash = (hash.rotate_left(5) ^ value).wrapping_mul(0x517c_c1b7_2722_0a95);
    mix(a.wrapping_add(b));
    mix(b.wrapping_sub(c));
    mix(a.checked_div(b).unwrap_or(c));
    mix(a.checked_rem(c).unwrap_or(b));
    mix((a as i64).wrapping_div((b as i64).max(1)).cast_unsigned());
    mix((a as i64).wrapping_rem((c as i64).min(-1)).cast_unsigned());
    mix(((a as i64) >> (b % 64)).cast_unsigned());
    mix(a.wrapping_shl(c as u32) ^ b.wrapping_shr(a as u32));
    mix(u64::from(
        a.leading_zeros() << 16 | b.trailing_zeros() << 8 | c.count_ones(),
    ));
    mix(a.swap_bytes() ^ b.reverse_bits() ^ c.isqrt());
    mix(a.abs_diff(b).saturating_mul(c));
    mix(u64::from((a as u32).wrapping_mul(b as u32)) ^ (c as i8 as i64).cast_unsigned());
    let wide = u128::from(a) << 64 | u128::from(b);
    let narrow = wide / (u128::from(c) << (a % 60) | 1);
    mix(narrow as u64 ^ (narrow >> 64) as u64);
    mix((wide % 1_000_000_007) as u64);
    mix((wide as i128 / -(i128::from(c) + 1)) as u64);
    msg!("{hash:x} {:?} {:?}", a.checked_add(b), b.checked_mul(c));
    // Values of type `usize` are the same on every target if they are small.
    let places = [a, b, c].map(|number| (number % 4_096) as usize);
    msg!(
        "{} {}",
        places.iter().sum::<usize>(),
        places[0] * places[1] / (places[2] + 1)
    );
}

/// Replaces every NaN by the same one, because its bits depend on the target.
pub fn fractions(a: u64, b: u64, c: u64) {
    let [x, y] = [f64::from_bits(a), f64::from_bits(b)].map(black_box);
    let z = black_box(c as f64 / 3.0);
    for value in [
        x + y,
        x - z,
        x * y,
        z / y,
        x % z,
        -x,
        x.abs(),
        z * 1e-320,
        x.to_degrees(),
    ] {
        if value.is_nan() {
            msg!("no number");
        } else {
            msg!(
                "{:x} {value:?} {value:.3e} {}",
                value.to_bits(),
                value as i64
            );
        }
    }
    let small = x as f32 * (y as f32) + c as f32;
    if !small.is_nan() {
        msg!(
            "{:x} {} {}",
            small.to_bits(),
            small as u8,
            f64::from(small) == x
        );
    }
    msg!(
        "{:?} {:?} {}",
        x.partial_cmp(&y),
        y.partial_cmp(&z),
        z as u64
    );
}

pub fn log_recursion(depth: u64) {
    msg!("{}", recurse(depth % 201));
}

fn recurse(depth: u64) -> u64 {
    let frame = black_box([depth; 8]);
    if depth == 0 {
        return 1;
    }
    recurse(depth - 1).wrapping_mul(3) + frame[(depth % 8) as usize]
}
