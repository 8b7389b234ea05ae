//! Numbers as text, and texts as numbers.

use core::fmt::Write;

use alloc::string::String;

use crate::Random;

/// The FNV-1a hash of a text.
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// Floats and 128-bit numbers in every format, and what they are when they are read again.
pub fn results(seed: u64, result: &mut dyn FnMut(u64)) {
    let mut random = Random::new(seed);
    let mut text = String::new();
    for round in 0..24 {
        let float = match round % 3 {
            0 => f64::from_bits(random.next()),
            1 => random.any_length() as f64 / 1_000.0,
            _ => 1.0 / (random.any_length() as f64 + 1.0),
        };
        let single = float as f32;
        text.clear();
        // Writing into a text does not fail.
        let _ = write!(text, "{float}");
        result(hash(&text));
        let read: f64 = text.parse().unwrap_or(0.25);
        result(u64::from(read == float || float.is_nan()));
        text.clear();
        let _ = write!(
            text,
            "{float:?} {float:e} {float:.3} {float:>+20.1E} {single} {single:.7}"
        );
        result(hash(&text));
        text.clear();
        let wide = u128::from(random.next()) << 64 | u128::from(random.next());
        let wide = wide >> (random.next() % 128);
        let _ = write!(text, "{wide}");
        result(hash(&text));
        result(u64::from(text.parse() == Ok(wide)));
        text.clear();
        let _ = write!(
            text,
            "{} {wide:#x} {wide:b} {:#?}",
            -(wide as i64 as i128),
            (float, wide)
        );
        result(hash(&text));
    }
    for text in [
        "1e400",
        "-0",
        "1e-400",
        "123456789012345678901234567890e-20",
        "inf",
        "0x1",
        "",
    ] {
        result(text.parse::<f64>().map_or(3, f64::to_bits));
        result(text.parse::<f32>().map_or(3, f32::to_bits).into());
    }
}
