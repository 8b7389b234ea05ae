//! Seeds of derived addresses.

use super::{Key, Random};

pub const COUNT: usize = 1_500;

/// Seeds, some of them too many or too long.
pub struct Seeds {
    pub program_id: Key,
    pub seeds: Vec<Vec<u8>>,
    /// A seed that is a text, and the base of an address.
    pub text: String,
    pub base: Key,
}

pub fn case(number: usize) -> Seeds {
    let mut random = Random::new(5, number);
    let count = match random.below(12) {
        0 => 15 + random.below(3),
        _ => random.below(5),
    };
    let seeds = (0..count).map(|_| {
        let length = match random.below(20) {
            0 => 31 + random.below(3),
            _ => random.below(20),
        };
        random.bytes(length)
    });
    let seeds = seeds.collect();
    let length = match random.below(10) {
        0 => 31 + random.below(3),
        _ => random.below(12),
    };
    let text = (0..length)
        .map(|_| char::from(b'a' + random.below(26) as u8))
        .collect();
    let mut program_id = random.key();
    // An owner that ends as the marker of derived addresses is refused with a text as a seed.
    if random.one_in(10) {
        program_id[11..].copy_from_slice(b"ProgramDerivedAddress");
    }
    Seeds {
        program_id,
        seeds,
        text,
        base: random.key(),
    }
}
