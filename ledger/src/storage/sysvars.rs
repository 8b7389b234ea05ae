//! Sysvars in the file: the bytes of each struct, one after the other, and the random seed.

use bytemuck::Pod;
use loader::sysvars::Sysvars;

pub(super) fn encode(sysvars: &Sysvars) -> Vec<u8> {
    // A sysvar that is added here makes another version of the format.
    [
        bytemuck::bytes_of(&sysvars.clock),
        bytemuck::bytes_of(&sysvars.rent),
        bytemuck::bytes_of(&sysvars.epoch_schedule),
        bytemuck::bytes_of(&sysvars.fees),
        bytemuck::bytes_of(&sysvars.epoch_rewards),
        bytemuck::bytes_of(&sysvars.last_restart_slot),
        bytemuck::bytes_of(&sysvars.random_seed),
    ]
    .concat()
}

/// The sysvars; `None` if the bytes have another length.
pub(super) fn decode(mut bytes: &[u8]) -> Option<Sysvars> {
    let bytes = &mut bytes;
    let mut sysvars = Sysvars::default();
    sysvars.clock = take(bytes)?;
    sysvars.rent = take(bytes)?;
    sysvars.epoch_schedule = take(bytes)?;
    sysvars.fees = take(bytes)?;
    sysvars.epoch_rewards = take(bytes)?;
    sysvars.last_restart_slot = take(bytes)?;
    sysvars.random_seed = take(bytes)?;
    bytes.is_empty().then_some(sysvars)
}

fn take<T: Pod>(bytes: &mut &[u8]) -> Option<T> {
    let (value, rest) = bytes.split_at_checked(size_of::<T>())?;
    *bytes = rest;
    Some(bytemuck::pod_read_unaligned(value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use loader::sysvars::{Clock, EpochRewards};

    #[test]
    fn sysvars_come_back() {
        let sysvars = Sysvars::default()
            .clock(Clock {
                slot: 7,
                unix_timestamp_ms: -1,
                ..Clock::default()
            })
            .epoch_rewards(EpochRewards {
                total_points: u128::MAX,
                active: 1,
                ..EpochRewards::default()
            })
            .random_seed(42);
        let bytes = encode(&sysvars);
        assert_eq!(decode(&bytes), Some(sysvars));
        assert_eq!(decode(&bytes[1..]), None);
        assert_eq!(decode(&[&*bytes, &[0]].concat()), None);
    }
}
