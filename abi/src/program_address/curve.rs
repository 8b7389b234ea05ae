//! Whether 32 bytes are a point of the curve ed25519, decided at compile time.
//!
//! The bytes of a point are y, little endian, and the sign of x in the highest bit. There is an x
//! if x² = (y² - 1) / (d·y² + 1) has a solution modulo p = 2^255 - 19. The check is that of
//! `CompressedEdwardsY::decompress` of the crate `curve25519-dalek`: it ignores the sign, and takes
//! a y of p or more modulo p.
//!
//! A number modulo p has five limbs of 51 bits. After [`mul`] each limb is less than 2^52. The
//! products in `mul` then add up to less than 2^128, because limbs of up to 2^54 would do.

/// The number of bits of a limb.
const BITS: u32 = 51;

/// The lowest [`BITS`] bits.
const MASK: u64 = (1 << BITS) - 1;

/// A number modulo p: the sum of `limb[i] * 2^(51 * i)`.
type Number = [u64; 5];

/// The number 1.
const ONE: Number = [1, 0, 0, 0, 0];

/// p.
const P: Number = [MASK - 18, MASK, MASK, MASK, MASK];

/// The d of the curve: -121665 / 121666.
const D: Number = [
    0x34dca135978a3,
    0x1a8283b156ebd,
    0x5e7a26001c029,
    0x739c663a03cbb,
    0x52036cee2b6ff,
];

/// Returns whether the bytes are a point.
pub(super) const fn is_point(bytes: &[u8; 32]) -> bool {
    let y = read(bytes);
    let y_squared = mul(&y, &y);
    let numerator = sub(&y_squared, &ONE);
    let denominator = add(&mul(&D, &y_squared), &ONE);
    // The denominator is never 0, because -1/d is not a square. So the quotient is a square if the
    // product is.
    is_square(&mul(&numerator, &denominator))
}

/// Reads a number and ignores the highest bit.
const fn read(bytes: &[u8; 32]) -> Number {
    let mut words = [0_u64; 4];
    let mut index = 0;
    while index < 32 {
        words[index / 8] |= (bytes[index] as u64) << (8 * (index % 8));
        index += 1;
    }
    [
        words[0] & MASK,
        (words[0] >> 51 | words[1] << 13) & MASK,
        (words[1] >> 38 | words[2] << 26) & MASK,
        (words[2] >> 25 | words[3] << 39) & MASK,
        words[3] >> 12 & MASK,
    ]
}

/// Adds two numbers with limbs of less than 2^52.
const fn add(a: &Number, b: &Number) -> Number {
    [
        a[0] + b[0],
        a[1] + b[1],
        a[2] + b[2],
        a[3] + b[3],
        a[4] + b[4],
    ]
}

/// Subtracts two numbers with limbs of less than 2^52: adds 4p first, whose limbs are larger.
const fn sub(a: &Number, b: &Number) -> Number {
    [
        a[0] + 4 * P[0] - b[0],
        a[1] + 4 * P[1] - b[1],
        a[2] + 4 * P[2] - b[2],
        a[3] + 4 * P[3] - b[3],
        a[4] + 4 * P[4] - b[4],
    ]
}

/// Multiplies two numbers with limbs of less than 2^54.
const fn mul(a: &Number, b: &Number) -> Number {
    let [a0, a1, a2, a3, a4] = [
        a[0] as u128,
        a[1] as u128,
        a[2] as u128,
        a[3] as u128,
        a[4] as u128,
    ];
    let [b0, b1, b2, b3, b4] = [
        b[0] as u128,
        b[1] as u128,
        b[2] as u128,
        b[3] as u128,
        b[4] as u128,
    ];
    // 2^255 is 19 modulo p, so what exceeds five limbs comes back 19 times.
    let c0 = a0 * b0 + 19 * (a1 * b4 + a2 * b3 + a3 * b2 + a4 * b1);
    let c1 = a0 * b1 + a1 * b0 + 19 * (a2 * b4 + a3 * b3 + a4 * b2);
    let c2 = a0 * b2 + a1 * b1 + a2 * b0 + 19 * (a3 * b4 + a4 * b3);
    let c3 = a0 * b3 + a1 * b2 + a2 * b1 + a3 * b0 + 19 * (a4 * b4);
    let c4 = a0 * b4 + a1 * b3 + a2 * b2 + a3 * b1 + a4 * b0;
    let mask = MASK as u128;
    let c1 = c1 + (c0 >> BITS);
    let c2 = c2 + (c1 >> BITS);
    let c3 = c3 + (c2 >> BITS);
    let c4 = c4 + (c3 >> BITS);
    let c0 = (c0 & mask) + 19 * (c4 >> BITS);
    let c1 = (c1 & mask) + (c0 >> BITS);
    [
        (c0 & mask) as u64,
        c1 as u64,
        (c2 & mask) as u64,
        (c3 & mask) as u64,
        (c4 & mask) as u64,
    ]
}

/// Returns `a^(2^count) * b`.
const fn square_then_mul(a: &Number, count: u32, b: &Number) -> Number {
    let mut power = *a;
    let mut index = 0;
    while index < count {
        power = mul(&power, &power);
        index += 1;
    }
    mul(&power, b)
}

/// Returns whether the number is 0 or a square: whether its power of (p - 1) / 2 is 0 or 1.
const fn is_square(a: &Number) -> bool {
    // `ones_n` is the power of 2^n - 1, whose binary form is n ones.
    let ones_2 = square_then_mul(a, 1, a);
    let ones_4 = square_then_mul(&ones_2, 2, &ones_2);
    let ones_5 = square_then_mul(&ones_4, 1, a);
    let ones_10 = square_then_mul(&ones_5, 5, &ones_5);
    let ones_20 = square_then_mul(&ones_10, 10, &ones_10);
    let ones_40 = square_then_mul(&ones_20, 20, &ones_20);
    let ones_50 = square_then_mul(&ones_40, 10, &ones_10);
    let ones_100 = square_then_mul(&ones_50, 50, &ones_50);
    let ones_200 = square_then_mul(&ones_100, 100, &ones_100);
    let ones_250 = square_then_mul(&ones_200, 50, &ones_50);
    // (p - 1) / 2 = 2^254 - 10 = (2^250 - 1) * 2^4 + 6, and 6 is 2 * 3.
    let six = mul(&ones_2, &ones_2);
    let power = square_then_mul(&ones_250, 4, &six);
    let power = reduce(&power);
    is_equal(&power, &[0; 5]) || is_equal(&power, &ONE)
}

/// Returns the same number between 0 and p - 1, of a result of [`mul`].
const fn reduce(a: &Number) -> Number {
    // The carry after adding 19 is 1 if the number is p or more.
    let mut carry = (a[0] + 19) >> BITS;
    let mut index = 1;
    while index < 5 {
        carry = (a[index] + carry) >> BITS;
        index += 1;
    }
    let mut reduced = *a;
    carry *= 19;
    index = 0;
    while index < 5 {
        let limb = reduced[index] + carry;
        reduced[index] = limb & MASK;
        carry = limb >> BITS;
        index += 1;
    }
    reduced
}

const fn is_equal(a: &Number, b: &Number) -> bool {
    a[0] == b[0] && a[1] == b[1] && a[2] == b[2] && a[3] == b[3] && a[4] == b[4]
}
