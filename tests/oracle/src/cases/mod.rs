//! The cases of the vectors, from seeds. The package `tests/oracle` has the runtime's crates judge
//! them and writes the verdicts; the test `runtime` makes the same cases again and compares. So the
//! vectors contain verdicts and no inputs.
//!
//! Only the standard library is used here, and no type of either side.

pub mod accounts;
pub mod addresses;
pub mod blobs;
pub mod inputs;
pub mod logs;
pub mod rules;
pub mod system;
pub mod sysvars;

/// A key.
pub type Key = [u8; 32];

/// Pseudo-random numbers (splitmix64).
pub struct Random(u64);

impl Random {
    /// The numbers of one case of a family.
    pub fn new(family: u64, case: usize) -> Self {
        let mut random = Self(family << 32 ^ case as u64);
        random.next();
        random
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    /// A number below a limit.
    pub fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    /// Whether one of so many chances comes true.
    pub fn one_in(&mut self, chances: usize) -> bool {
        self.below(chances) == 0
    }

    /// One of some values.
    pub fn pick<T: Clone>(&mut self, values: &[T]) -> T {
        values[self.below(values.len())].clone()
    }

    /// Bytes, of any value.
    pub fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| self.next() as u8).collect()
    }

    /// A key that is hardly any other.
    pub fn key(&mut self) -> Key {
        std::array::from_fn(|_| self.next() as u8)
    }
}

/// A hash of bytes (FNV-1a of 128 bits), in hexadecimal.
pub fn hash(bytes: &[u8]) -> String {
    let hash = bytes
        .iter()
        .fold(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d, |hash, byte| {
            (hash ^ u128::from(*byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b)
        });
    format!("{hash:032x}")
}

/// Bytes in hexadecimal, with a run of zeros as `.` and its length in decimal and `.`.
pub fn text(bytes: &[u8]) -> String {
    let mut text = String::new();
    let mut rest = bytes;
    while let Some(first) = rest.first() {
        let zeros = rest.iter().take_while(|byte| **byte == 0).count();
        if zeros > 4 {
            text.push_str(&format!(".{zeros}."));
            rest = &rest[zeros..];
        } else {
            text.push_str(&format!("{first:02x}"));
            rest = &rest[1..];
        }
    }
    text
}
