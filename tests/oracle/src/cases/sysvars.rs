//! Values of sysvars.

use super::{Key, Random};

pub const COUNT: usize = 300;

/// The fields of all sysvars.
pub struct Values {
    pub clock: (u64, i64, i64),
    pub rent: (u64, f64, u8),
    pub epoch_schedule: (u64, u64, bool, u64, u64),
    pub fees: u64,
    /// The length of data, to be exempt from the rent. The rent is then the usual one.
    pub length: usize,
    pub key: Key,
}

pub fn case(number: usize) -> Values {
    let mut random = Random::new(6, number);
    let mut any = || random.next() >> (random.next() % 64);
    let clock = (any(), any() as i64, (any() as i64).wrapping_neg());
    let rent = (any() >> 30, (any() >> 50) as f64 / 8.0, any() as u8);
    let epoch_schedule = (any(), any(), any() % 2 == 1, any(), any());
    let fees = any();
    let length = (any() % (10 << 20)) as usize;
    Values {
        clock,
        rent,
        epoch_schedule,
        fees,
        length,
        key: random.key(),
    }
}
