//! SHA-256 (FIPS 180-4) that runs at compile time.
//!
//! The compiler warns of loops and calls that run for long, so a round calls no function that an
//! operator can replace.

/// Rotates to the right.
macro_rules! rotate {
    ($word:expr, $bits:literal) => {
        $word >> $bits | $word << (32 - $bits)
    };
}

/// Adds modulo 2^32.
macro_rules! sum {
    ($($word:expr),*) => {
        (0 $(+ $word as u64)*) as u32
    };
}

/// The bytes of a block.
const BLOCK: usize = 64;

/// The first 32 bits of the fractional parts of the cube roots of the first 64 primes.
#[rustfmt::skip]
const ROUND: [u32; 64] = [
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
];

/// The first 32 bits of the fractional parts of the square roots of the first 8 primes.
const START: [u32; 8] = [
    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
];

/// A hash that is not finished.
#[derive(Clone, Copy)]
pub(super) struct Sha256 {
    state: [u32; 8],
    /// The bytes of the last block, as far as there are any: `length % BLOCK`.
    block: [u8; BLOCK],
    /// The bytes hashed so far.
    length: usize,
}

impl Sha256 {
    pub const fn new() -> Self {
        Self {
            state: START,
            block: [0; BLOCK],
            length: 0,
        }
    }

    /// Appends bytes.
    pub const fn with(mut self, bytes: &[u8]) -> Self {
        let mut index = 0;
        while index < bytes.len() {
            self.block[self.length % BLOCK] = bytes[index];
            self.length += 1;
            if self.length.is_multiple_of(BLOCK) {
                self.state = compress(self.state, &self.block);
            }
            index += 1;
        }
        self
    }

    /// Returns the hash.
    pub const fn finish(self) -> [u8; 32] {
        let bits = (self.length as u64 * 8).to_be_bytes();
        let mut padded = self.with(&[0x80]);
        while padded.length % BLOCK != BLOCK - 8 {
            padded = padded.with(&[0]);
        }
        let state = padded.with(&bits).state;
        let mut hash = [0; 32];
        let mut index = 0;
        while index < 32 {
            hash[index] = (state[index / 4] >> (24 - 8 * (index % 4))) as u8;
            index += 1;
        }
        hash
    }
}

const fn compress(state: [u32; 8], block: &[u8; BLOCK]) -> [u32; 8] {
    let mut words = [0_u32; 64];
    let mut index = 0;
    while index < BLOCK {
        words[index / 4] = words[index / 4] << 8 | block[index] as u32;
        index += 1;
    }
    index = 16;
    while index < 64 {
        let (first, last) = (words[index - 15], words[index - 2]);
        let first = rotate!(first, 7) ^ rotate!(first, 18) ^ (first >> 3);
        let last = rotate!(last, 17) ^ rotate!(last, 19) ^ (last >> 10);
        words[index] = sum!(words[index - 16], first, words[index - 7], last);
        index += 1;
    }
    let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = state;
    index = 0;
    while index < 64 {
        let mixed = rotate!(e, 6) ^ rotate!(e, 11) ^ rotate!(e, 25);
        let choice = (e & f) ^ (!e & g);
        let first = sum!(h, mixed, choice, ROUND[index], words[index]);
        let mixed = rotate!(a, 2) ^ rotate!(a, 13) ^ rotate!(a, 22);
        let majority = (a & b) ^ (a & c) ^ (b & c);
        (h, g, f, e) = (g, f, e, sum!(d, first));
        (d, c, b, a) = (c, b, a, sum!(first, mixed, majority));
        index += 1;
    }
    [
        sum!(state[0], a),
        sum!(state[1], b),
        sum!(state[2], c),
        sum!(state[3], d),
        sum!(state[4], e),
        sum!(state[5], f),
        sum!(state[6], g),
        sum!(state[7], h),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: [u8; 32]) -> std::string::String {
        bytes
            .iter()
            .map(|byte| std::format!("{byte:02x}"))
            .collect()
    }

    /// The examples of FIPS 180-4, and the empty message.
    #[test]
    fn examples_of_the_standard() {
        let empty = Sha256::new().finish();
        assert_eq!(
            hex(empty),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
        assert_eq!(
            hex(Sha256::new().with(b"a").with(b"bc").finish()),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        let two_blocks = b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
        assert_eq!(
            hex(Sha256::new().with(two_blocks).finish()),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        );
    }
}
