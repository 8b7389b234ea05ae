//! The sysvars: what a program can ask about the chain that it runs on.
//!
//! A sysvar has two layouts.
//!
//! - The syscall of a sysvar, such as [`GetRentSysvar`](crate::imports::Import::GetRentSysvar),
//!   writes the struct of this module, with its padding.
//! - [`GetSysvar`](crate::imports::Import::GetSysvar) copies bytes of the sysvar's account. Its
//!   data has the same fields without padding: `to_data` and `from_data` convert.
//!
//! | sysvar | bytes of the struct | bytes of the account |
//! |---|---|---|
//! | [`Clock`] | 24 | 24 |
//! | [`Rent`] | 24 | 17 |
//! | [`EpochSchedule`] | 40 | 33 |
//! | [`Fees`] | 8 | 8 |
//! | [`EpochRewards`] | 96 | 81 |
//! | [`LastRestartSlot`] | 8 | 8 |
//!
//! The layouts are those of the Rialo runtime (crates `rialo-s-clock`, `rialo-s-rent`,
//! `rialo-s-epoch-schedule`, `rialo-s-fee-calculator`, all 0.23.0-alpha.0). No published crate of
//! the runtime defines the last two, so they are those of the Solana family (crates
//! `solana-epoch-rewards`, `solana-last-restart-slot`).
//!
//! ```
//! use abi::sysvar::Rent;
//!
//! let rent = Rent::default();
//! assert_eq!(rent.minimum_balance(100), (128 + 100) * 3_480 * 2);
//! ```

use bytemuck::{Pod, Zeroable};

use crate::Pubkey;
use crate::ids;

/// The bytes of the random seed, which
/// [`GetRandomSeed`](crate::imports::Import::GetRandomSeed) writes: a u64.
pub const RANDOM_SEED_LENGTH: usize = 8;

/// The time, as the chain knows it.
///
/// | offset | bytes | field |
/// |---|---|---|
/// | 0 | 8 | slot |
/// | 8 | 8 | start of the epoch in milliseconds |
/// | 16 | 8 | time in milliseconds |
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Clock {
    /// The current slot.
    pub slot: u64,
    /// When the first slot of the epoch began, in milliseconds since the Unix epoch.
    pub epoch_start_timestamp_ms: i64,
    /// When the current slot began, about, in milliseconds since the Unix epoch.
    pub unix_timestamp_ms: i64,
}

/// How many kelvins an account must hold.
///
/// | offset | bytes | field |
/// |---|---|---|
/// | 0 | 8 | kelvins for a byte and a year |
/// | 8 | 8 | years, a floating-point number |
/// | 16 | 1 | burned percentage |
/// | 17 | 7 | zero |
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct Rent {
    /// The rent of one byte for one year, in kelvins.
    pub kelvins_per_byte_year: u64,
    /// For how many years an account must hold the rent to pay none.
    pub exemption_threshold: f64,
    /// How much of the rent is burned, in percent.
    pub burn_percent: u8,
    /// Zero.
    pub padding: [u8; 7],
}

/// How slots make up epochs.
///
/// | offset | bytes | field |
/// |---|---|---|
/// | 0 | 8 | slots of an epoch |
/// | 8 | 8 | offset of the leader schedule in slots |
/// | 16 | 1 | 1 if the first epochs are shorter, otherwise 0 |
/// | 17 | 7 | zero |
/// | 24 | 8 | first epoch of full length |
/// | 32 | 8 | its first slot |
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct EpochSchedule {
    /// The slots of an epoch of full length.
    pub slots_per_epoch: u64,
    /// How many slots before an epoch its leader schedule is calculated.
    pub leader_schedule_slot_offset: u64,
    /// 1 if the first epochs are shorter, otherwise 0.
    pub warmup: u8,
    /// Zero.
    pub padding: [u8; 7],
    /// The first epoch of full length.
    pub first_normal_epoch: u64,
    /// The first slot of that epoch.
    pub first_normal_slot: u64,
}

/// What a transaction costs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Fees {
    /// The price of one signature, in kelvins.
    pub kelvins_per_signature: u64,
}

/// The distribution of the rewards of an epoch.
///
/// | offset | bytes | field |
/// |---|---|---|
/// | 0 | 8 | first block of the distribution |
/// | 8 | 8 | partitions |
/// | 16 | 32 | hash of the parent block |
/// | 48 | 16 | points |
/// | 64 | 8 | rewards in kelvins |
/// | 72 | 8 | distributed rewards in kelvins |
/// | 80 | 1 | 1 while the rewards are distributed, otherwise 0 |
/// | 81 | 15 | zero |
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(C, align(16))]
pub struct EpochRewards {
    /// The height of the first block that distributes rewards.
    pub distribution_starting_block_height: u64,
    /// The number of blocks that distribute rewards.
    pub num_partitions: u64,
    /// The hash of the block before.
    pub parent_blockhash: [u8; 32],
    /// The points of all stakes.
    pub total_points: u128,
    /// All rewards of the epoch, in kelvins.
    pub total_rewards: u64,
    /// The rewards that are distributed so far, in kelvins.
    pub distributed_rewards: u64,
    /// 1 while the rewards are distributed, otherwise 0.
    pub active: u8,
    /// Zero.
    pub padding: [u8; 15],
}

/// The slot at which the chain last restarted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct LastRestartSlot {
    /// The slot; 0 if the chain never restarted.
    pub last_restart_slot: u64,
}

const _: () = assert!(size_of::<Clock>() == 24 && size_of::<Rent>() == 24);
const _: () = assert!(size_of::<EpochSchedule>() == 40 && size_of::<Fees>() == 8);
const _: () = assert!(size_of::<EpochRewards>() == 96 && size_of::<LastRestartSlot>() == 8);

impl Rent {
    /// The id of the account.
    pub const ID: Pubkey = ids::RENT;

    /// The bytes of an account besides its data, which cost rent too.
    pub const ACCOUNT_OVERHEAD: u64 = 128;

    /// Returns the kelvins that an account with this much data must hold to pay no rent.
    ///
    /// The result is that of the runtime (crate `rialo-s-rent`, `Rent::minimum_balance`), where
    /// that one does not overflow. A larger result is `u64::MAX`.
    ///
    /// ```
    /// use abi::sysvar::Rent;
    ///
    /// assert_eq!(Rent::default().minimum_balance(0), 890_880);
    /// ```
    #[must_use]
    pub fn minimum_balance(&self, data_length: usize) -> u64 {
        let bytes = Self::ACCOUNT_OVERHEAD.saturating_add(data_length as u64);
        let yearly = bytes.saturating_mul(self.kelvins_per_byte_year);
        // The usual case, without floating-point numbers, which a program has to emulate. Up to
        // 2^53 both calculations are exact.
        if self.exemption_threshold.to_bits() == 2.0_f64.to_bits() && yearly < 1 << 52 {
            return yearly * 2;
        }
        (yearly as f64 * self.exemption_threshold) as u64
    }
}

impl Default for Rent {
    /// 3,480 kelvins for a byte and a year, for two years; half of it is burned.
    fn default() -> Self {
        Self {
            kelvins_per_byte_year: 3_480,
            exemption_threshold: 2.0,
            burn_percent: 50,
            padding: [0; 7],
        }
    }
}

impl EpochSchedule {
    /// The id of the account.
    pub const ID: Pubkey = ids::EPOCH_SCHEDULE;
}

impl Default for EpochSchedule {
    /// 432,000 slots an epoch, after 14 shorter ones.
    fn default() -> Self {
        Self {
            slots_per_epoch: 432_000,
            leader_schedule_slot_offset: 432_000,
            warmup: 1,
            padding: [0; 7],
            first_normal_epoch: 14,
            first_normal_slot: 524_256,
        }
    }
}

impl Clock {
    /// The id of the account.
    pub const ID: Pubkey = ids::CLOCK;
}

impl Fees {
    /// The id of the account.
    pub const ID: Pubkey = ids::FEES;
}

impl EpochRewards {
    /// The id of the account.
    pub const ID: Pubkey = ids::EPOCH_REWARDS;
}

impl LastRestartSlot {
    /// The id of the account.
    pub const ID: Pubkey = ids::LAST_RESTART_SLOT;
}

/// Converts a struct to the data of its account and back: the fields in order, without padding.
macro_rules! account_data {
    ($type:ident, $length:literal, $($field:ident: $number:ty),*) => {
        impl $type {
            /// The length of the account's data in bytes.
            pub const DATA_LENGTH: usize = $length;

            /// Returns the data of the sysvar's account.
            #[must_use]
            pub fn to_data(&self) -> [u8; $length] {
                let mut data = [0; $length];
                let rest = &mut data[..];
                $(
                    let (field, rest) = rest.split_at_mut(size_of::<$number>());
                    field.copy_from_slice(bytemuck::bytes_of(&self.$field));
                )*
                debug_assert!(rest.is_empty());
                data
            }

            /// Reads the data of the sysvar's account.
            #[must_use]
            pub fn from_data(data: &[u8; $length]) -> Self {
                let mut sysvar = Self::zeroed();
                let rest = &data[..];
                $(
                    let (field, rest) = rest.split_at(size_of::<$number>());
                    sysvar.$field = bytemuck::pod_read_unaligned::<$number>(field);
                )*
                debug_assert!(rest.is_empty());
                sysvar
            }
        }

        const _: () = assert!($length == 0 $(+ size_of::<$number>())*);
    };
}

account_data!(Clock, 24, slot: u64, epoch_start_timestamp_ms: i64, unix_timestamp_ms: i64);
account_data!(Rent, 17, kelvins_per_byte_year: u64, exemption_threshold: f64, burn_percent: u8);
account_data!(
    EpochSchedule, 33,
    slots_per_epoch: u64, leader_schedule_slot_offset: u64, warmup: u8,
    first_normal_epoch: u64, first_normal_slot: u64
);
account_data!(Fees, 8, kelvins_per_signature: u64);
account_data!(
    EpochRewards, 81,
    distribution_starting_block_height: u64, num_partitions: u64, parent_blockhash: [u8; 32],
    total_points: u128, total_rewards: u64, distributed_rewards: u64, active: u8
);
account_data!(LastRestartSlot, 8, last_restart_slot: u64);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_has_the_fields_without_padding() {
        let schedule = EpochSchedule::default();
        let data = schedule.to_data();
        assert_eq!(data[16], 1);
        assert_eq!(data[17..25], 14_u64.to_le_bytes());
        assert_eq!(data[25..33], 524_256_u64.to_le_bytes());
        assert_eq!(EpochSchedule::from_data(&data), schedule);

        let rewards = EpochRewards {
            distribution_starting_block_height: 1,
            num_partitions: 2,
            parent_blockhash: [3; 32],
            total_points: u128::MAX - 4,
            total_rewards: 5,
            distributed_rewards: 6,
            active: 1,
            padding: [0; 15],
        };
        let data = rewards.to_data();
        assert_eq!(data[48..64], (u128::MAX - 4).to_le_bytes());
        assert_eq!(data[80], 1);
        assert_eq!(EpochRewards::from_data(&data), rewards);
        assert_eq!(Rent::from_data(&Rent::default().to_data()), Rent::default());
    }

    #[test]
    fn both_ways_to_the_minimum_balance_agree() {
        let rent = Rent::default();
        for length in (0..10 * 1024 * 1024).step_by(997) {
            let yearly = (128 + length as u64) * rent.kelvins_per_byte_year;
            assert_eq!(rent.minimum_balance(length), (yearly as f64 * 2.0) as u64);
        }
        let rent = Rent {
            exemption_threshold: 0.5,
            ..rent
        };
        assert_eq!(rent.minimum_balance(0), 128 * 3_480 / 2);
        let rent = Rent {
            kelvins_per_byte_year: u64::MAX,
            ..Rent::default()
        };
        assert_eq!(rent.minimum_balance(usize::MAX), u64::MAX);
    }
}
